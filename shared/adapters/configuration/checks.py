"""What no single table can see: symbols used but not declared, limits that allow no trade."""

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import UnsetType

from shared.adapters.configuration.table import Table
from shared.domain.accounts.leg_profit import measure_of, unit_size, unit_vega
from shared.domain.policies import (
    BookPolicy,
    IntakePolicy,
    LegPolicy,
    PortfolioPolicy,
    SignalPolicy,
)
from shared.domain.strategy_policies import ListedLegPolicy, StrategyBookPolicy

_MIN_TRADE: Final = ("min_trade_vega", "min_trade_fraction")


def check_symbols(
    root: Table,
    intake: IntakePolicy,
    signals: SignalPolicy,
    books: Sequence[BookPolicy],
) -> None:
    """Report every symbol that something needs and `[symbols]` does not declare."""
    for symbol, uses in _uses(signals, books).items():
        if symbol and symbol not in intake.symbols:
            root.fault(
                "symbols",
                f"{symbol} is used by {' and '.join(sorted(uses))} but not declared",
                f"write [symbols.{symbol}]",
            )


def _uses(signals: SignalPolicy, books: Sequence[BookPolicy]) -> dict[str, set[str]]:
    uses: dict[str, set[str]] = {}
    for symbol, user in (*_signal_uses(signals, books), *_book_uses(signals.portfolios, books)):
        uses.setdefault(symbol, set()).add(user)
    return uses


def _signal_uses(signals: SignalPolicy, books: Sequence[BookPolicy]) -> Iterator[tuple[str, str]]:
    yield signals.vix_symbol, "signals.vix"
    yield signals.index_symbol, "signals.index"
    for symbol in signals.correlation_basket:
        yield symbol, "signals.correlation.basket"
    if signals.tells("front_future"):
        yield signals.term_structure.front, "signals.term_structure"
    if any(book.sizing.split_by_term_structure for book in books):
        yield signals.term_structure.front, "signals.term_structure"
        yield signals.term_structure.third, "signals.term_structure"


def _book_uses(
    portfolios: Sequence[PortfolioPolicy], books: Sequence[BookPolicy]
) -> Iterator[tuple[str, str]]:
    for portfolio in portfolios:
        yield portfolio.hedge_symbol, f"the portfolio of {portfolio.book}"
        for symbol in portfolio.weights:
            yield symbol, f"the portfolio of {portfolio.book}"
    for book in books:
        if not isinstance(book.sizing.nav_share, UnsetType):
            yield book.sizing.nav_share.symbol, f"sizing of {book.name}"
        for leg in book.legs:
            if not isinstance(leg, ListedLegPolicy):  # options are known by their root
                yield leg.symbol, f"leg {leg.name} of {book.name}"


def check_limits(table: Table, book: BookPolicy) -> None:
    """Report limits under which the book could never trade, or never hold its minimum."""
    limits, sizing = table.table("limits"), book.sizing
    deviation, collar = book.limits.max_price_deviation, book.order.collar
    if limits.is_given("max_price_deviation") and deviation <= collar:
        problem = f"{deviation:g} is not above the collar of every order, {collar:g}"
        limits.fault("max_price_deviation", problem, "raise it, or lower orders.collar")
    if isinstance(book, StrategyBookPolicy):
        _check_lots(limits, book)
        return
    if not table.table("sizing").is_sound("base_vega", "floor", "cap", *_MIN_TRADE):
        return
    smallest = max(sizing.min_trade_vega, sizing.min_trade_fraction * sizing.base_vega)
    minimum = sizing.floor * sizing.base_vega
    if limits.is_given("max_order_vega"):
        trades = [(smallest, "the smallest trade"), *_lots(book.legs)]
        vega, name = max(trades)
        if book.limits.max_order_vega < vega:
            problem = f"{book.limits.max_order_vega:g} is below {name}, {vega:g} vega"
            limits.fault("max_order_vega", problem, "raise it, or trade in smaller steps")
    if limits.is_given("max_position_vega") and book.limits.max_position_vega < minimum:
        problem = f"{book.limits.max_position_vega:g} is below the floor, {minimum:g} vega"
        limits.fault("max_position_vega", problem, "raise it, or lower the floor")


def _check_lots(limits: Table, book: StrategyBookPolicy) -> None:
    for leg in book.legs:
        key = f"max_order_{measure_of(leg)}"
        lot = leg.lot * unit_size(leg)
        if limits.is_given(key) and book.limits.at_most(key) < lot:
            problem = f"{book.limits.at_most(key):g} is below one lot of {leg.name}, {lot:g}"
            limits.fault(key, problem, "raise it, or trade in smaller lots")


def _lots(legs: Sequence[LegPolicy]) -> Iterator[tuple[float, str]]:
    for leg in legs:
        if leg.instrument in ("variance_swap", "vix_future") or leg.vega_per_unit is not None:
            yield leg.lot * unit_vega(leg), f"one lot of {leg.name}"
