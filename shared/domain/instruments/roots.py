"""Product codes as facts: what a contract of each is, and by which rule it expires.

Figures are those of the exchanges' contract specifications (Cboe, CFE, CME Group, OCC) as of 2026.
Where a tick depends on the price the smallest stands here: finer prices never trade. One code may
name a level, a future and an option: `SPX` the index and the options on it that settle in the
morning, `ES` the future and the quarterly option on it. A configuration adds codes of its own.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Literal

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from shared.domain.instants import MINUTE
from shared.domain.instruments.instrument import Kind

Style = Literal["european", "american"]
Settlement = Literal["am", "pm"]
Delivery = Literal["cash", "physical"]

MONTH_CODES: Final = "FGHJKMNQUVXZ"
"""January to December, in the names of futures."""
QUARTERS: Final = "HMUZ"
NEW_YORK: Final = "XNYS"
"""Calendar by which all of these expire: their settlement hangs on the stocks' opening or close,
and the Cboe's holidays are New York's."""


class SpotRoot(Struct, frozen=True, kw_only=True):
    """Something that never expires: an index, a stock or a fund."""

    name: str
    kind: Kind
    currency: str = "USD"
    tick_size: float = 0.01


class FutureRoot(Struct, frozen=True, kw_only=True):
    """A series of futures, settled in cash on a level at an opening.

    Attributes:
        name: Product code; a contract is called `{name}{month code}{two digits of the year}`.
        multiplier: Currency per point.
        tick_size: Smallest step of its price.
        months: Codes of the months that there are.
        expiry: `third_friday` of the month, or `vix`: 30 days before the third Friday of the next.
        has_weeks: Whether there are weekly ones too, called `{name}{week}{month code}{year}`.
        last_trade_before_ns: So long before its settlement trading ends.
        currency: Of the multiplier.
        calendar: Whose sessions count.
        index: Symbol of the level that it settles on; unset: nobody has said.
    """

    name: str
    multiplier: float
    tick_size: float
    months: str = QUARTERS
    expiry: Literal["third_friday", "vix"] = "third_friday"
    has_weeks: bool = False
    last_trade_before_ns: int = 0
    currency: str = "USD"
    calendar: str = NEW_YORK
    index: str | UnsetType = UNSET


class OptionRoot(Struct, frozen=True, kw_only=True):
    """A family of options, named by OSI.

    Attributes:
        name: Product code.
        underlying: Symbol of a level, or the code of a series of futures: then an option is on the
            contract of the same expiry, or where there is none on the next one.
        multiplier: Units of the underlying a contract, currency per point.
        tick_size: Smallest step of its price.
        style: Whether it may be exercised before its expiry.
        settlement: `am`: on the opening of its expiry day, `pm`: on the close.
        delivery: What an exercise gives.
        currency: Of the multiplier.
        calendar: Whose sessions count.
    """

    name: str
    underlying: str
    multiplier: float = 100.0
    tick_size: float = 0.01
    style: Style = "american"
    settlement: Settlement = "pm"
    delivery: Delivery = "physical"
    currency: str = "USD"
    calendar: str = NEW_YORK


class Roots(Struct, frozen=True, kw_only=True):
    """Product codes by name, in three namespaces."""

    spots: Mapping[str, SpotRoot] = {}
    futures: Mapping[str, FutureRoot] = {}
    options: Mapping[str, OptionRoot] = {}

    def extended(self, *roots: SpotRoot | FutureRoot | OptionRoot) -> "Roots":
        """These and more; one of the same name and sort replaces what was there."""
        return Roots(
            spots={**self.spots, **{one.name: one for one in roots if isinstance(one, SpotRoot)}},
            futures={
                **self.futures,
                **{one.name: one for one in roots if isinstance(one, FutureRoot)},
            },
            options={
                **self.options,
                **{one.name: one for one in roots if isinstance(one, OptionRoot)},
            },
        )

    def with_stocks(self, names: Iterable[str]) -> "Roots":
        """These, and for each name a stock with American options, where neither is known."""
        new = [name for name in names if name not in self.futures]
        return self.extended(
            *(SpotRoot(name=name, kind=Kind.STOCK) for name in new if name not in self.spots),
            *(OptionRoot(name=name, underlying=name) for name in new if name not in self.options),
        )

    @property
    def calendars(self) -> frozenset[str]:
        """Names of the calendars by which any of them expires."""
        of_futures = {root.calendar for root in self.futures.values()}
        return frozenset(of_futures | {root.calendar for root in self.options.values()})


def _cash(name: str, underlying: str, settlement: Settlement, tick_size: float) -> OptionRoot:
    return OptionRoot(
        name=name,
        underlying=underlying,
        tick_size=tick_size,
        style="european",
        settlement=settlement,
        delivery="cash",
    )


_VX: Final = FutureRoot(
    name="VX",
    multiplier=1000.0,
    tick_size=0.05,
    months=MONTH_CODES,
    expiry="vix",
    has_weeks=True,
    last_trade_before_ns=30 * MINUTE,
    index="VIX",
)
_ES_OPTION: Final = OptionRoot(
    name="ES", underlying="ES", multiplier=50.0, tick_size=0.05, settlement="am"
)
_ES_WEEKS: Final = (
    "EW",  # the last business day of a month; then Fridays, then the first to fifth Monday …
    *(f"EW{week}" for week in range(1, 5)),
    *(f"E{week}{day}" for week in range(1, 6) for day in "ABCD"),  # … to Thursday of a month
)

KNOWN_ROOTS: Final = Roots().extended(
    *(SpotRoot(name=name, kind=Kind.INDEX) for name in ("SPX", "XSP", "NDX", "RUT", "VIX")),
    *(SpotRoot(name=name, kind=Kind.FUND) for name in ("SPY", "QQQ", "IWM")),
    FutureRoot(name="ES", multiplier=50.0, tick_size=0.25, index="SPX"),
    FutureRoot(name="MES", multiplier=5.0, tick_size=0.25, index="SPX"),
    FutureRoot(name="NQ", multiplier=20.0, tick_size=0.25, index="NDX"),
    FutureRoot(name="MNQ", multiplier=2.0, tick_size=0.25, index="NDX"),
    FutureRoot(name="RTY", multiplier=50.0, tick_size=0.1, index="RUT"),
    FutureRoot(name="M2K", multiplier=5.0, tick_size=0.1, index="RUT"),
    _VX,
    replace(_VX, name="VXM", multiplier=100.0, tick_size=0.01),
    _cash("SPX", "SPX", "am", 0.05),
    _cash("SPXW", "SPX", "pm", 0.05),
    _cash("XSP", "XSP", "pm", 0.01),
    _cash("NDX", "NDX", "am", 0.05),
    _cash("NDXP", "NDX", "pm", 0.05),
    _cash("RUT", "RUT", "am", 0.05),
    _cash("RUTW", "RUT", "pm", 0.05),
    _cash("VIX", "VX", "am", 0.01),
    _cash("VIXW", "VX", "am", 0.01),
    *(OptionRoot(name=name, underlying=name) for name in ("SPY", "QQQ", "IWM")),
    _ES_OPTION,
    *(replace(_ES_OPTION, name=name, style="european", settlement="pm") for name in _ES_WEEKS),
    OptionRoot(name="NQ", underlying="NQ", multiplier=20.0, tick_size=0.05, settlement="am"),
)
"""What needs no configuration; any stock is added by naming it (`Roots.with_stocks`)."""
