"""`[[books]]`: one portfolio each, with its rules, sizing, triggers, legs and limits."""

import re
from collections.abc import Collection, Sequence
from math import inf
from typing import Final, Literal, get_args

from msgspec import UNSET, UnsetType, structs

from shared.adapters.configuration.checks import check_limits
from shared.adapters.configuration.positions import POSITION_KEYS
from shared.adapters.configuration.rules import read_rules
from shared.adapters.configuration.strategies import (
    OVERLAY,
    Kind,
    read_delta_leg,
    read_listed_leg,
    read_strategies,
    read_strategy_triggers,
    strategy_kinds,
)
from shared.adapters.configuration.table import NOT_NEGATIVE, POSITIVE, Range, Table
from shared.domain.accounts.leg_profit import Measure, measure_of
from shared.domain.hedging.targets import check_programme
from shared.domain.policies import (
    BookPolicy,
    BudgetPolicy,
    FastPathPolicy,
    GreekBand,
    Instrument,
    LegPolicy,
    LimitPolicy,
    NavSharePolicy,
    OrderPolicy,
    PortfolioPolicy,
    SizingPolicy,
    TriggerPolicy,
)
from shared.domain.strategy_policies import ListedLegPolicy, StrategyBookPolicy
from shared.domain.trading import ALL

Composition = Literal["product", "max", "mean"]

_NAME: Final = re.compile(r"[a-z0-9_]{1,32}")
_INSIDE: Final = Range(0, 1, open_low=True)
_FALL: Final = Range(-1, 0)
_LEVERED: Final = Range(0, 2, open_low=True)
_GREEKS: Final = ("delta", "gamma", "vega", "theta", "rho", "vanna", "volga", "charm")
_ROUNDING: Final = 1e-9
_DECAY_GUARD_DAYS: Final = 90
_COMPOSITION: Final[Composition] = "product"
_NO_LIMITS: Final = LimitPolicy(
    max_order_vega=1.0,
    max_order_notional=1.0,
    max_position_vega=1.0,
    max_orders_per_day=1,
    max_orders_per_minute=1,
    max_daily_turnover=1.0,
    max_daily_loss=1.0,
    max_price_deviation=1.0,
    max_repeats=1,
    repeat_ns=1,
    duplicate_ns=1,
)
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


def read_books(root: Table) -> tuple[tuple[BookPolicy, ...], tuple[PortfolioPolicy, ...]]:
    """Books and their portfolios, by name: their order in the file means nothing."""
    tables = root.tables("books")
    if not tables and root.is_sound("books"):
        root.fault("books", "there is no book", "write [[books]] for each portfolio to hedge")
    pairs = [_book(table) for table in tables]
    _refuse_twins(tables, [book.name for book, _ in pairs], "books")
    pairs.sort(key=lambda pair: pair[0].name)
    portfolios = tuple(portfolio for _, portfolio in pairs if portfolio is not None)
    return tuple(book for book, _ in pairs), portfolios


def _refuse_twins(tables: Sequence[Table], names: Sequence[str], what: str) -> None:
    seen: set[str] = set()
    for table, name in zip(tables, names, strict=True):
        if name in seen and table.is_sound("name"):
            problem = f"two {what} are called {name!r}"
            table.fault("name", problem, "name one of them differently")
        seen.add(name)


def _book(table: Table) -> tuple[BookPolicy, PortfolioPolicy | None]:
    name, kinds = _name(table, "book"), strategy_kinds(table)
    table.leave(*POSITION_KEYS)
    if kinds != (OVERLAY,):
        return _strategy_book(table, name, kinds)
    portfolio = _portfolio(table.table("portfolio"), name)
    composition = table.choice("composition", get_args(Composition), _COMPOSITION)
    book = BookPolicy(
        name=name,
        currency=table.text("currency", "USD"),
        rules=read_rules(table, name, composition),
        composition=composition,
        sizing=_sizing(
            table.table("sizing"), table.table("budget") if table.has("budget") else None
        ),
        legs=_legs(table),
        triggers=_triggers(table.table("triggers")),
        order=_orders(table.table("orders")),
        limits=_limits(table, {"vega"}),
    )
    check_limits(table, book)
    _check_programme(table, book)
    table.refuse_unknown_keys()
    return book, portfolio


def _check_programme(table: Table, book: BookPolicy) -> None:
    """Report a book that cannot do what its rules ask, once the rules themselves are sound."""
    if not book.legs or not table.is_sound("rule", "rules", "legs"):
        return
    try:
        check_programme(book)
    except ValueError as reason:
        table.fault("sizing", str(reason), "correct rule, sizing or legs (spec 10)")


def _strategy_book(
    table: Table, name: str, kinds: tuple[Kind, ...]
) -> tuple[BookPolicy, PortfolioPolicy | None]:
    """A book whose targets come from measured exposure; it may have a portfolio all the same."""
    portfolio = _portfolio(table.table("portfolio"), name) if table.has("portfolio") else None
    tables = table.tables("legs")
    legs = tuple(map(_strategy_leg, tables))
    _refuse_twins(tables, [leg.name for leg in legs], "legs")
    book = StrategyBookPolicy(
        name=name,
        currency=table.text("currency", "USD"),
        legs=legs,
        triggers=read_strategy_triggers(table.table("triggers")),
        order=_orders(table.table("orders")),
        limits=_limits(table, {measure_of(leg) for leg in legs}),
        strategies=read_strategies(table, kinds, legs),
    )
    check_limits(table, book)
    table.refuse_unknown_keys()
    return book, portfolio


def _name(table: Table, what: str) -> str:
    name = table.text("name")
    if table.is_sound("name") and not _NAME.fullmatch(name):
        remedy = "it becomes part of order ids: write 1 to 32 of a-z 0-9 _"
        table.fault("name", f"{name!r} cannot be the name of a {what}", remedy)
    if name == ALL and what == "book":
        table.fault("name", f"{ALL!r} is how a command means every book", "name it differently")
    return name


def _portfolio(table: Table, book: str) -> PortfolioPolicy:
    weights = table.table("weights")
    if table.is_sound("weights") and not weights.keys():
        table.fault("weights", "is missing", "write weights = { SPX = 1.0 }; the rest is cash")
    policy = PortfolioPolicy(
        book=book,
        value=table.number("value", within=POSITIVE),
        weights={name: weights.fraction(name, 0.0, _INSIDE) for name in sorted(weights.keys())},
        hedge_symbol=table.text("hedge_symbol", "VIX"),
    )
    total = sum(policy.weights.values())
    if weights.is_sound(*policy.weights) and total > 1 + _ROUNDING:
        table.fault(
            "weights", f"they sum to {total:.6g}, more than 1", "the rest is cash, never debt"
        )
    table.refuse_unknown_keys()
    return policy


def _sizing(table: Table, budget: Table | None) -> SizingPolicy:
    default = SizingPolicy(base_vega=1.0)
    policy = SizingPolicy(
        base_vega=table.number("base_vega", within=POSITIVE),
        equity_share=table.fraction("equity_share", default.equity_share),
        scale_by_hedge_correlation=table.flag(
            "scale_by_hedge_correlation", default=default.scale_by_hedge_correlation
        ),
        budget=None if budget is None else _budget(budget),
        floor=table.number("floor", default.floor, NOT_NEGATIVE),
        cap=table.number("cap", default.cap, POSITIVE),
        split_by_term_structure=table.flag(
            "split_by_term_structure", default=default.split_by_term_structure
        ),
        min_trade_vega=table.number("min_trade_vega", default.min_trade_vega, POSITIVE),
        min_trade_fraction=table.fraction("min_trade_fraction", default.min_trade_fraction),
        nav_share=_nav_share(table),
    )
    if table.is_sound("floor", "cap") and policy.floor > policy.cap:
        problem = f"the floor, {policy.floor:g}, is above the cap, {policy.cap:g}"
        table.fault("floor", problem, "write a floor that is not above the cap")
    table.refuse_unknown_keys()
    return policy


def _nav_share(table: Table) -> NavSharePolicy | UnsetType:
    """`nav_share`, and which level a contract counts at."""
    policy = NavSharePolicy(
        share=table.fraction("nav_share", 1.0, _LEVERED),
        symbol=table.text("nav_symbol", "-") if table.has("nav_symbol") else "",
        least_level=table.number("nav_least_price", 0.0, NOT_NEGATIVE),
    )
    if table.has("nav_share"):
        return policy
    for key in ("nav_symbol", "nav_least_price"):
        if table.has(key):
            table.fault(key, "stands without nav_share", 'write nav_share = "100%" too')
    return UNSET


def _budget(table: Table) -> BudgetPolicy:
    policy = BudgetPolicy(
        annual=table.number("annual", within=POSITIVE),
        warn_fraction=table.fraction("warn_at", BudgetPolicy(annual=1.0).warn_fraction, _INSIDE),
    )
    table.refuse_unknown_keys()
    return policy


# --- triggers --------------------------------------------------------------------------------


def _triggers(table: Table) -> TriggerPolicy:
    default = TriggerPolicy()
    policy = TriggerPolicy(
        vix_points=inf
        if _is_off(table, "vix_points")
        else table.number("vix_points", default.vix_points, POSITIVE),
        vix_relative=inf
        if _is_off(table, "vix_relative")
        else table.fraction("vix_relative", default.vix_relative, _INSIDE),
        schedule_days=table.days("schedule", default.schedule_days),
        drawdown=inf
        if _is_off(table, "drawdown")
        else table.fraction("drawdown", default.drawdown, _INSIDE),
        regime_change=table.flag("regime_change", default=default.regime_change),
        greek_bands=tuple(_greek_band(band) for band in table.tables("greek_bands")),
        hold=table.hold("hold", default.hold),
        hysteresis=table.fraction("hysteresis", default.hysteresis),
        cooldown_trading_ns=table.trading("cooldown", default.cooldown_trading_ns),
        fast=_fast_path(table.table("fast")),
    )
    table.refuse_unknown_keys()
    return policy


def _is_off(table: Table, key: str) -> bool:
    """Whether a trigger is not wanted: a programme that is re-struck monthly has no other."""
    return table.value(key) == "off"


def _fast_path(table: Table) -> FastPathPolicy | None:
    default = FastPathPolicy()
    enabled = table.flag("enabled", default=True)
    policy = FastPathPolicy(
        vix_points=table.number("vix_points", default.vix_points, POSITIVE),
        index_return=table.fraction("index_return", default.index_return, _FALL),
        observations=table.ticks("confirmation", default.observations),
    )
    table.refuse_unknown_keys()
    return policy if enabled else None


def _greek_band(table: Table) -> GreekBand:
    band = GreekBand(
        greek=table.choice("greek", _GREEKS, "delta"),
        low=table.number("low"),
        high=table.number("high"),
    )
    if table.is_sound("low", "high") and band.low >= band.high:
        table.fault(
            "low", f"{band.low:g} is not below high, {band.high:g}", "write the lower first"
        )
    table.refuse_unknown_keys()
    return band


# --- legs, orders, limits --------------------------------------------------------------------


def _legs(table: Table) -> tuple[LegPolicy, ...]:
    tables = table.tables("legs")
    rungs = tuple(map(_leg, tables))
    _refuse_twins(tables, [one.text("name", "-") for one in tables], "legs")
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
        name=_name(table, "leg"),
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


def _strategy_leg(table: Table) -> LegPolicy:
    name = _name(table, "leg")
    instrument = table.choice("instrument", _STRATEGY_INSTRUMENTS, "underlying")
    if instrument == "option":
        return read_listed_leg(table, name)
    return read_delta_leg(table, name, instrument)


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


def _orders(table: Table) -> OrderPolicy:
    default = OrderPolicy()
    policy = OrderPolicy(
        collar=table.fraction("collar", default.collar, _INSIDE),
        valid_trading_ns=table.trading("valid_for", default.valid_trading_ns, positive=True),
        stale_mark_trading_ns=table.trading(
            "mark_stale_after", default.stale_mark_trading_ns, positive=True
        ),
    )
    table.refuse_unknown_keys()
    return policy


def _limits(table: Table, measures: Collection[Measure]) -> LimitPolicy:
    """`[books.limits]`; those of size are told in what the book's legs are measured by."""
    limits = table.table("limits")
    if not table.has("limits"):
        keys = "those of deploy/hedges.toml, all of them"
        table.fault("limits", "is missing: without limits there are no orders", f"give {keys}")
    if not table.is_sound("limits"):
        return _NO_LIMITS
    sizes = {
        f"max_{what}_{measure}": limits.number(f"max_{what}_{measure}", within=POSITIVE)
        for measure in sorted(measures)
        for what in ("order", "position")
    }
    policy = LimitPolicy(
        max_order_vega=sizes.get("max_order_vega", 0.0),
        max_order_notional=limits.number("max_order_notional", within=POSITIVE),
        max_position_vega=sizes.get("max_position_vega", 0.0),
        max_orders_per_day=limits.count("max_orders_per_day"),
        max_orders_per_minute=limits.count("max_orders_per_minute"),
        max_daily_turnover=limits.number("max_daily_turnover", within=POSITIVE),
        max_daily_loss=limits.number("max_daily_loss", within=POSITIVE),
        max_price_deviation=limits.fraction("max_price_deviation", 1.0, _INSIDE),
        max_repeats=limits.count("max_repeats"),
        repeat_ns=limits.duration("repeat_window", 1, positive=True),
        duplicate_ns=limits.duration("duplicate_window", 1, positive=True),
        max_order_delta=sizes.get("max_order_delta", UNSET),
        max_position_delta=sizes.get("max_position_delta", UNSET),
    )
    limits.require("max_price_deviation", "repeat_window", "duplicate_window")
    limits.refuse_unknown_keys()
    return policy
