"""`strategy = "delta"` and `[books.delta]`: what a book does that acts on measured exposure."""

from typing import Final, Literal, get_args

from shared.adapters.configuration.table import NOT_NEGATIVE, POSITIVE, Range, Table
from shared.domain.exposure.policy import BUCKETS
from shared.domain.hedging.strategies.strategy_set import check_strategies
from shared.domain.instants import HOUR
from shared.domain.policies import LegPolicy
from shared.domain.strategy_policies import (
    SESSIONS_A_YEAR,
    BandKind,
    BandPolicy,
    DeltaLegPolicy,
    DeltaPolicy,
    StrategyBookPolicy,
    StrategyPolicy,
    VegaBounds,
    VegaPolicy,
)

Kind = Literal["vol_overlay", "delta", "gamma_scalping", "vega"]

OVERLAY: Final = "vol_overlay"
_COST: Final = Range(0, 1)
_INSIDE: Final = Range(0, 1, open_low=True)
_DAYS_A_YEAR: Final = 365
_DEFAULT: Final = BandPolicy(proportional_cost=0.0, risk_aversion=1.0)


def strategy_kinds(table: Table) -> tuple[Kind, ...]:
    """`strategy`: one of the kinds, or a list of them; the overlay stands alone.

    Where it is at fault, those whose tables are there: so that their faults are found too.
    """
    known: tuple[Kind, ...] = get_args(Kind)
    names = table.texts("strategy") if table.is_list("strategy") else ()
    if not table.is_list("strategy"):
        names = (table.choice("strategy", known, OVERLAY),)
    unknown = sorted(set(names) - set(known))
    if unknown or not names or len(set(names)) < len(names):
        wrong = (
            f"{', '.join(unknown)} is no strategy" if unknown else "is empty, or names one twice"
        )
        table.fault("strategy", wrong, f"the strategies are {', '.join(known)}")
    elif OVERLAY in names and len(names) > 1:
        remedy = "write two [[books]], the overlay and its hedges"
        table.fault("strategy", f"{OVERLAY} stands alone in its book", remedy)
    if table.is_sound("strategy"):
        return tuple(kind for kind in known if kind in names)
    return tuple(kind for kind in known if table.has(kind)) or (OVERLAY,)


def read_strategies(
    table: Table, kinds: tuple[Kind, ...], legs: tuple[LegPolicy, ...]
) -> tuple[StrategyPolicy, ...]:
    """`[books.delta]`, `[books.gamma_scalping]`, `[books.vega]`: a table for each strategy."""
    found: list[StrategyPolicy] = []
    for kind in kinds:
        own = table.table(kind)
        if not table.has(kind):
            header = f"write [books.{kind}] with underlying and the rest"
            table.fault(kind, f"is missing: the book's strategy is {kind}", header)
        elif kind == "vega":
            found.append(_vega(own, legs))
        else:
            found.append(_delta(own, kind, legs))
    return tuple(found)


def check_together(table: Table, book: StrategyBookPolicy) -> None:
    """Report what no single table of the book can see."""
    try:
        check_strategies(book)
    except ValueError as reason:
        table.fault("strategy", str(reason), "correct the strategy's table, or the legs")


def _delta(table: Table, kind: str, legs: tuple[LegPolicy, ...]) -> DeltaPolicy:
    default = DeltaPolicy(underlying="", leg="", band=_DEFAULT)
    band: BandKind = table.choice("band", get_args(BandKind), _DEFAULT.kind)
    policy = DeltaPolicy(
        name=kind,
        underlying=table.text("underlying"),
        leg=_leg(table, legs),
        target=table.number("target", default.target),
        band=BandPolicy(
            kind=band,
            half_width=table.optional_number("half_width", NOT_NEGATIVE),
            interval_trading_ns=table.trading("interval", HOUR, positive=True),
            trading_year_ns=SESSIONS_A_YEAR * table.session_ns,
            proportional_cost=table.fraction("cost", 0.0, _COST),
            order_cost=table.number("order_cost", 0.0, NOT_NEGATIVE),
            risk_aversion=table.number("risk_aversion", within=POSITIVE),
            rate=table.number("rate", 0.0),
        ),
        min_trade=table.number("min_trade", default.min_trade, NOT_NEGATIVE),
        horizon_years=table.days("horizon", 30.0) / _DAYS_A_YEAR,
        stale_trading_ns=table.trading("stale_after", default.stale_trading_ns, positive=True),
        min_coverage=table.fraction("min_coverage", default.min_coverage, _INSIDE),
        scalps=kind == "gamma_scalping",
    )
    if band == "fixed" and not table.has("half_width"):
        table.fault("half_width", "is missing: the band is fixed", "write it in units of delta")
    table.require("cost")
    table.refuse_unknown_keys()
    return policy


def _vega(table: Table, legs: tuple[LegPolicy, ...]) -> VegaPolicy:
    default = VegaPolicy(underlying="", leg="", bounds=())
    tables = table.tables("bounds")
    policy = VegaPolicy(
        underlying=table.text("underlying"),
        leg=_leg(table, legs),
        bounds=tuple(map(_bounds, tables)),
        stale_trading_ns=table.trading("stale_after", default.stale_trading_ns, positive=True),
        min_coverage=table.fraction("min_coverage", default.min_coverage, _INSIDE),
    )
    if not tables and table.is_sound("bounds"):
        remedy = "write [[books.vega.bounds]] with bucket, low and high"
        table.fault("bounds", "there are no bounds to keep", remedy)
    table.refuse_unknown_keys()
    return policy


def _bounds(table: Table) -> VegaBounds:
    bounds = VegaBounds(
        bucket=table.choice("bucket", BUCKETS[1:], BUCKETS[1]),
        low=table.number("low"),
        high=table.number("high"),
    )
    if table.is_sound("low", "high") and bounds.low > bounds.high:
        problem = f"{bounds.low:g} is above high, {bounds.high:g}"
        table.fault("low", problem, "write the lower first")
    table.require("bucket")
    table.refuse_unknown_keys()
    return bounds


def _leg(table: Table, legs: tuple[LegPolicy, ...]) -> str:
    """`leg`; may be left out when there is one leg alone to hedge with."""
    hedging = [leg.name for leg in legs if isinstance(leg, DeltaLegPolicy)]
    return table.text("leg", hedging[0] if len(hedging) == 1 else None)
