"""Configuration of the strategies beside the overlay, as frozen values (spec 4 and 11).

Units: *delta* is in units of the underlying (shares), volatilities and costs are decimals.
"""

from typing import Final, Literal

from msgspec import Struct

from shared.domain.instants import HOUR, MINUTE

BandKind = Literal["fixed", "time", "leland", "whalley_wilmott", "zakamouline"]

SESSIONS_A_YEAR: Final = 252


class BandPolicy(Struct, frozen=True, kw_only=True):
    """When a delta hedge is adjusted, and what an adjustment is taken to cost (spec 11).

    Every number counts whatever `kind` is: the other kinds are kept beside the one taken.

    Attributes:
        kind: The one that is taken.
        half_width: Of `fixed`, units of the underlying; `None` keeps no `fixed` beside another.
        interval_trading_ns: Between two adjustments of `time` and `leland`.
        trading_year_ns: Trading time in a year, to express the interval in years.
        proportional_cost: λ, one way, of the traded value.
        order_cost: Beside it for each order, currency; it moves no band, for none has a place
            for it, and counts in the running cost alone.
        risk_aversion: γ, absolute, per currency.
        rate: r, continuously compounded.
    """

    kind: BandKind = "whalley_wilmott"
    half_width: float | None = None
    interval_trading_ns: int = HOUR
    trading_year_ns: int = SESSIONS_A_YEAR * 390 * MINUTE
    proportional_cost: float
    order_cost: float = 0.0
    risk_aversion: float
    rate: float = 0.0

    @property
    def interval_years(self) -> float:
        """The interval as a part of a year's trading time."""
        return self.interval_trading_ns / self.trading_year_ns
