"""`[[instruments]]`, `[costs]` and `[surface]` of a plan: what legs trade, and for how much."""

from typing import Final, Literal

from msgspec import structs

from shared.adapters.configuration.table import NOT_NEGATIVE, POSITIVE, Range, Table
from shared.domain.study.contracts import RollingFuture, RollingInstrument, RollingOption
from shared.domain.study.costs import NO_COSTS, USUAL_COSTS, InstrumentCosts
from shared.domain.study.surface import SurfacePolicy

_KINDS: Final[tuple[Literal["vix_future", "put", "vix_call"], ...]] = (
    "vix_future",
    "put",
    "vix_call",
)
_SIZED_AT: Final[tuple[Literal["mark", "purchase"], ...]] = ("mark", "purchase")
_DAYS: Final = Range(1, 3650)
_POSITIONS: Final = Range(1, 9)
_INSIDE: Final = Range(0, 1, open_low=True)


def read_costs(table: Table) -> dict[str, InstrumentCosts]:
    """What a deal costs, by instrument; nothing at all with `zero = true`."""
    if table.flag("zero", default=False):
        table.leave(*USUAL_COSTS)
        return dict.fromkeys(USUAL_COSTS, NO_COSTS)
    found = {name: _costs(table.table(name), usual) for name, usual in USUAL_COSTS.items()}
    table.refuse_unknown_keys()
    return found


def _costs(table: Table, usual: InstrumentCosts) -> InstrumentCosts:
    costs = InstrumentCosts(
        half_spread=table.fraction("half_spread", usual.half_spread),
        half_spread_points=table.number(
            "half_spread_points", usual.half_spread_points, NOT_NEGATIVE
        ),
        slippage=table.fraction("slippage", usual.slippage),
        commission=table.number("commission", usual.commission, NOT_NEGATIVE),
    )
    table.refuse_unknown_keys()
    if costs.is_zero:
        table.fault("", "costs nothing at all", "zero = true under [costs] says so in every table")
    return costs


def read_rolling(root: Table, costs: dict[str, InstrumentCosts]) -> tuple[RollingInstrument, ...]:
    """Instruments that are rolled, by the symbols that legs name."""
    tables = root.tables("instruments")
    found = [_rolling(table, costs) for table in tables]
    names = [table.text("symbol") for table in tables]
    for table, name in zip(tables, names, strict=True):
        if names.count(name) > 1 and table.is_sound("symbol"):
            table.fault("symbol", f"two instruments are called {name!r}", "name one differently")
    return tuple(each for each in found if each is not None)


def _rolling(table: Table, costs: dict[str, InstrumentCosts]) -> RollingInstrument | None:
    kind = table.choice("kind", _KINDS, "vix_future")
    made = _future(table) if kind == "vix_future" else _option(table, kind)
    table.refuse_unknown_keys()
    return None if made is None else structs.replace(made, costs=costs[kind])


def _future(table: Table) -> RollingFuture:
    return RollingFuture(
        symbol=table.text("symbol"),
        position=table.count("position", 1, _POSITIONS),
        sessions_before=table.count("sessions_before", 5, Range(1, 15)),
        multiplier=table.number("multiplier", 1000.0, POSITIVE),
    )


def _option(table: Table, kind: Literal["put", "vix_call"]) -> RollingOption | None:
    try:
        return RollingOption(
            symbol=table.text("symbol"),
            kind=kind,
            maturity_days=table.number("maturity_days", 90.0, _DAYS),
            roll_days=table.number("roll_days", 0.0, Range(0, 3650)),
            moneyness=table.optional_number("moneyness", POSITIVE),
            delta=table.optional_number("delta", _INSIDE),
            sized_at=table.choice("sized_at", _SIZED_AT, "mark"),
            strike_step=table.number("strike_step", 5.0 if kind == "put" else 1.0, POSITIVE),
            multiplier=table.number("multiplier", 100.0, POSITIVE),
        )
    except ValueError as reason:
        table.fault("", str(reason), "see hedgestat study --help")
        return None


def read_surface(table: Table) -> SurfacePolicy:
    """What options are priced on, where nobody quotes them."""
    usual = SurfacePolicy()
    surface = SurfacePolicy(
        **{
            name: table.number(name, getattr(usual, name))
            for name in SurfacePolicy.__struct_fields__
        }
    )
    table.refuse_unknown_keys()
    return surface
