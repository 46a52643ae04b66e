"""`[[books]]`: one portfolio each, with its rules, sizing, triggers, legs and limits."""

from collections.abc import Collection
from typing import Final, Literal, get_args

from msgspec import UNSET, UnsetType

from shared.adapters.configuration.checks import check_limits
from shared.adapters.configuration.legs import read_legs, read_strategy_legs
from shared.adapters.configuration.names import read_name, refuse_twins
from shared.adapters.configuration.positions import POSITION_KEYS
from shared.adapters.configuration.rules import read_rules
from shared.adapters.configuration.strategies import (
    OVERLAY,
    Kind,
    read_strategies,
    strategy_kinds,
)
from shared.adapters.configuration.table import NOT_NEGATIVE, POSITIVE, Range, Table
from shared.adapters.configuration.triggers import read_strategy_triggers, read_triggers
from shared.domain.accounts.leg_profit import Measure, measure_of
from shared.domain.hedging.targets import check_programme
from shared.domain.policies import (
    BookPolicy,
    BudgetPolicy,
    LimitPolicy,
    NavSharePolicy,
    OrderPolicy,
    PortfolioPolicy,
    SizingPolicy,
)
from shared.domain.strategy_policies import StrategyBookPolicy

Composition = Literal["product", "max", "mean"]

_INSIDE: Final = Range(0, 1, open_low=True)
_LEVERED: Final = Range(0, 2, open_low=True)
_ROUNDING: Final = 1e-9
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


def read_books(root: Table) -> tuple[tuple[BookPolicy, ...], tuple[PortfolioPolicy, ...]]:
    """Books and their portfolios, by name: their order in the file means nothing."""
    tables = root.tables("books")
    if not tables and root.is_sound("books"):
        root.fault("books", "there is no book", "write [[books]] for each portfolio to hedge")
    pairs = [_book(table) for table in tables]
    refuse_twins(tables, [book.name for book, _ in pairs], "books")
    pairs.sort(key=lambda pair: pair[0].name)
    portfolios = tuple(portfolio for _, portfolio in pairs if portfolio is not None)
    return tuple(book for book, _ in pairs), portfolios


def _book(table: Table) -> tuple[BookPolicy, PortfolioPolicy | None]:
    name, kinds = read_name(table, "book"), strategy_kinds(table)
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
        legs=read_legs(table),
        triggers=read_triggers(table.table("triggers")),
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
    legs = read_strategy_legs(table)
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
