"""The tables of a month, as texts."""

from collections.abc import Iterator
from datetime import UTC, datetime

from services.command.figures import figure, rounded, spaced
from services.command.study.report.sheet import EMPTY, Cell, Row, Sheet
from services.command.study.report.wording import money, percent, ratio
from services.command.study.review.month import BookMonth
from shared.domain.instants import SECOND


def figures(month: BookMonth) -> Sheet:
    """Return the month's figures: as traded, beside the free static hedge and none."""
    currency = month.book.currency
    made, cost = month.total("carry"), month.total("cost")
    net, static = month.total("profit"), month.total("static_profit")
    rows = [
        Row("Hedge profit before cost", currency, _three(money(made), money(static), "0")),
        Row("Transaction cost", currency, _three(money(cost), "0", "0")),
        Row("Hedge profit", currency, _three(money(net), money(static), "0")),
        Row(
            "Portfolio alone",
            currency,
            _three("", "", money(month.portfolio_profit)),
        ),
        *_since_inception(month),
        *_conduct(month),
    ]
    return Sheet(("as traded", "free static", "none"), tuple(rows))


def _since_inception(month: BookMonth) -> Iterator[Row]:
    found = month.inception
    if found is None:
        return
    currency = month.book.currency
    hedge, static = found.hedge, found.static
    yield Row(
        "Hedge profit",
        currency,
        _three(money(hedge.net_profit), money(static.net_profit), "0"),
        f"Since {found.first}",
    )
    yield Row(
        "Cost a year outside crashes",
        currency,
        _three(money(hedge.cost_per_year), money(static.cost_per_year), "0"),
    )
    yield Row(
        "HER, all crash windows",
        "ratio",
        _three(ratio(hedge.effectiveness, 4), ratio(static.effectiveness, 4), ""),
    )
    yield Row(
        "Sharpe with the portfolio",
        "ratio",
        _three(
            ratio(hedge.path.sharpe, 3),
            ratio(static.path.sharpe, 3),
            ratio(found.unhedged.sharpe, 3),
        ),
    )


def _conduct(month: BookMonth) -> Iterator[Row]:
    found = month.performance
    if found is None:
        return
    told = {
        "Turnover, vega": money(found.turnover_vega),
        "Multiplier, average": ratio(found.average_multiplier),
        "Multiplier, most": ratio(found.maximum_multiplier),
        "Sessions at the floor": percent(found.time_at_floor, 0),
        "Sessions at the cap": percent(found.time_at_cap, 0),
    }
    for number, (name, text) in enumerate(told.items()):
        yield Row(name, "", _three(text, "", ""), "What it did" if not number else "")


def _three(traded: str, static: str, none: str) -> tuple[Cell, ...]:
    return tuple(Cell(text) if text else EMPTY for text in (traded, static, none))


def decisions(month: BookMonth) -> list[tuple[str, ...]]:
    """Return a row a decision: when, trigger, multiplier, target and what was held before."""
    return [
        (
            instant(each.event_ns),
            each.trigger,
            f"{ratio(each.multiplier)} ×",
            money(each.target_vega),
            money(each.current_vega),
            "floor" if each.at_floor else "cap" if each.at_cap else "",
        )
        for each in month.targets
    ]


def orders(month: BookMonth) -> list[tuple[str, ...]]:
    """Return a row an order, with what became of it in the month."""
    return [
        (
            instant(each.event_ns),
            each.order_id,
            each.side,
            figure(each.quantity),
            figure(each.reference_price),
            _fate(month, each.order_id),
            spaced(each.reason),
        )
        for each in month.orders
    ]


def _fate(month: BookMonth, order_id: str) -> str:
    reports = [each for each in month.executions if each.order_id == order_id]
    filled = sum(each.quantity for each in reports)
    ends = [each.kind.value for each in reports if each.price is None or not each.quantity]
    prices = sorted({each.price for each in reports if each.price is not None and each.quantity})
    if prices:
        ends.insert(0, f"{figure(abs(filled))} at {' to '.join(map(figure, _ends(prices)))}")
    return ", ".join(ends) or "nothing reported in the month"


def _ends(prices: list[float]) -> list[float]:
    return prices if len(prices) == 1 else [prices[0], prices[-1]]


def whipsaws(month: BookMonth) -> list[tuple[str, ...]]:
    """Return a row a suppressed whipsaw: from when to when, trigger, most extreme figures."""
    return [
        (
            instant(each.since_ns),
            instant(each.event_ns),
            each.trigger,
            f"{each.observations:,}",
            ", ".join(f"{name} {rounded(value, ',.4g')}" for name, value in each.peak.items()),
        )
        for each in month.whipsaws
    ]


def instant(event_ns: int) -> str:
    """Write an instant to the second, UTC."""
    return f"{datetime.fromtimestamp(event_ns // SECOND, UTC):%Y-%m-%d %H:%M:%S}"
