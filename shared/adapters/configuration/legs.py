"""`[[books.legs]]`: what a book trades, and that an option does not decay unnoticed."""

from typing import Final, Literal

from msgspec import structs

from shared.adapters.configuration.names import read_name, refuse_twins
from shared.adapters.configuration.table import POSITIVE, Range, Table
from shared.domain.policies import Instrument, LegPolicy
from shared.domain.strategy_policies import DeltaLegPolicy, ListedLegPolicy

_INSIDE: Final = Range(0, 1, open_low=True)
_ROUNDING: Final = 1e-9
_DECAY_GUARD_DAYS: Final = 90
_STRATEGY_INSTRUMENTS: Final[tuple[Literal["underlying", "future", "option"], ...]] = (
    "underlying",
    "future",
    "option",
)
_OVERLAY_INSTRUMENTS: Final[tuple[Instrument, ...]] = (
    "variance_swap",
    "vix_future",
    "vix_call",
    "put",
)
_DEFAULT_MULTIPLIER: Final = {"vix_future": 1000.0, "vix_call": 100.0, "put": 100.0}


def read_legs(table: Table) -> tuple[LegPolicy, ...]:
    """Of an overlay: its vega is split over them by weight."""
    tables = table.tables("legs")
    rungs = tuple(map(_leg, tables))
    refuse_twins(tables, [one.text("name", "-") for one in tables], "legs")
    total = sum(legs[0].weight for legs in rungs)
    if not rungs and table.is_sound("legs"):
        table.fault("legs", "there is no leg", "write [[books.legs]] for each thing to trade")
    elif all(one.is_sound("weight") for one in tables) and abs(total - 1) > _ROUNDING:
        table.fault("legs", f"the weights sum to {total:.6g}, not 1", "make them sum to 1")
    return tuple(leg for legs in rungs for leg in legs)


def _leg(table: Table) -> tuple[LegPolicy, ...]:
    """One leg, or the rungs of a ladder: `symbols` of listed options, rolled before they expire."""
    instrument = table.choice("instrument", _OVERLAY_INSTRUMENTS, "variance_swap")
    is_ladder = table.has("symbols")
    leg = LegPolicy(
        name=read_name(table, "leg"),
        instrument=instrument,
        symbol="" if is_ladder else table.text("symbol"),
        maturity_days=round(table.days("maturity", 30.0)),
        weight=table.fraction("weight", 1.0, _INSIDE),
        max_vega=table.number("max_vega", within=POSITIVE),
        multiplier=table.number("multiplier", _DEFAULT_MULTIPLIER.get(instrument, 1.0), POSITIVE),
        lot=table.number("lot", 1.0, POSITIVE),
        vega_per_unit=table.optional_number("vega_per_unit", POSITIVE),
        allow_under_90_days=table.flag("allow_under_90_days", default=False),
    )
    _check_option(table, leg)
    legs = _ladder(table, leg) if is_ladder else (leg,)
    table.refuse_unknown_keys()
    return legs


def _ladder(table: Table, leg: LegPolicy) -> tuple[LegPolicy, ...]:
    symbols = table.texts("symbols")
    roll_days = table.days("roll_before", float(_DECAY_GUARD_DAYS))
    if table.has("symbol"):
        table.fault("symbol", "stands beside symbols", "keep one of the two")
    if leg.instrument not in ("vix_call", "put"):
        table.fault("symbols", f"a {leg.instrument} is not rolled here", "write symbol instead")
    if not symbols and table.is_sound("symbols"):
        table.fault("symbols", "is empty", "list the options by their OSI names")
    if roll_days < _DECAY_GUARD_DAYS and not leg.allow_under_90_days:
        problem = f"an option of {roll_days:g} days decays fast (spec 2, hedge-decay guard)"
        remedy = 'write "90 days" or more, or allow_under_90_days = true'
        table.fault("roll_before", problem, remedy)
    fields = structs.asdict(leg)
    return tuple(
        ListedLegPolicy(
            **fields | {"name": symbol.lower(), "symbol": symbol},
            underlying="",
            expiry_ns=0,
            ladder=leg.name,
            roll_days=roll_days,
        )
        for symbol in symbols
    ) or (leg,)


def _check_option(table: Table, leg: LegPolicy) -> None:
    option = leg.instrument in ("vix_call", "put")
    if option and leg.maturity_days < _DECAY_GUARD_DAYS and not leg.allow_under_90_days:
        table.fault(
            "maturity",
            f"an option of {leg.maturity_days} days decays fast (spec 2, hedge-decay guard)",
            'write "90 days" or more, or allow_under_90_days = true',
        )
    if not table.has("maturity"):
        table.fault("maturity", "is missing", 'write maturity = "90 days" or the like')
    if option and leg.vega_per_unit is None:
        remedy = "write the model's vega per vol point of one unit; of a call on VIX its delta"
        table.fault("vega_per_unit", "is missing: an option leg is sized by it", remedy)


def read_strategy_legs(table: Table) -> tuple[LegPolicy, ...]:
    """Of a book with strategies: each says for itself what it is for."""
    tables = table.tables("legs")
    legs = tuple(map(_strategy_leg, tables))
    refuse_twins(tables, [leg.name for leg in legs], "legs")
    return legs


def _strategy_leg(table: Table) -> LegPolicy:
    name = read_name(table, "leg")
    instrument = table.choice("instrument", _STRATEGY_INSTRUMENTS, "underlying")
    if instrument == "option":
        return _listed_leg(table, name)
    return _delta_leg(table, name, instrument)


def _delta_leg(table: Table, name: str, instrument: Literal["underlying", "future"]) -> LegPolicy:
    """A leg that is held for its delta."""
    leg = DeltaLegPolicy(
        name=name,
        instrument=instrument,
        symbol=table.text("symbol"),
        multiplier=table.number(
            "multiplier", 1.0 if instrument == "underlying" else None, POSITIVE
        ),
        lot=table.number("lot", 1.0, POSITIVE),
    )
    table.refuse_unknown_keys()
    return leg


def _listed_leg(table: Table, name: str) -> LegPolicy:
    """A leg in one listed option; the catalogue tells its terms."""
    leg = ListedLegPolicy(
        name=name,
        instrument="option",
        symbol=table.text("symbol"),
        underlying="",
        expiry_ns=0,
        maturity_days=0,
        max_vega=table.number("max_vega", within=POSITIVE),
        multiplier=table.number("multiplier", 100.0, POSITIVE),
        lot=table.number("lot", 1.0, POSITIVE),
        vega_per_unit=table.number("vega_per_unit", within=POSITIVE),
        allow_under_90_days=table.flag("allow_under_90_days", default=False),
    )
    table.refuse_unknown_keys()
    return leg
