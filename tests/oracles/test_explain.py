"""A day of a book, explained, against QuantLib's full revaluation of it at every instant.

The path is the monitor's: ticks and quotes of a whole session reach it in blocks, and what it says
it has earned is compared with what QuantLib says the positions are worth. Not in the coverage gate:
compiled.
"""

from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
import pytest
import QuantLib as ql  # noqa: N813 - as everybody calls it
from fakes.exposures import NOW, index, option, quotes

from shared.domain.events import ExecutionKind, ExecutionReported
from shared.domain.exposure.engine import ExposureMonitor
from shared.domain.exposure.layout import ExposureBook
from shared.domain.exposure.observed import ExposureObserved
from shared.domain.exposure.policy import ExposurePolicy
from shared.domain.exposure.profit import Profit
from shared.domain.instants import DAY, MINUTE, SECOND
from shared.domain.instruments.catalogue import Catalogue
from shared.domain.instruments.instrument import Instrument, Right
from shared.domain.instruments.roots import Roots
from shared.domain.marks.policy import MarkPolicy

RATE, YIELD = 0.02, 0.01  # as in `quotes`
SIDES: Final[tuple[Right, ...]] = ("call", "put")
CHAIN = tuple(
    option(right, strike, expiry_ns=NOW + days * DAY)
    for days in (20, 45)
    for right in SIDES
    for strike in (96.0, 98.0, 99.0, 100.0, 101.0, 102.0, 104.0)
)
HELD = {
    each.symbol: float(quantity)
    for each, quantity in zip(CHAIN, np.random.default_rng(3).integers(-20, 20, 28), strict=True)
    if quantity
}
BOOK = ExposureBook(name="a", opening={**HELD, "SPX": 250.0}, legs={"stock": "SPX"})


class Point(NamedTuple):
    """The market at an instant."""

    now_ns: int
    level: float
    volatility: float


def path(minutes: int, *, jump: float = 0.0) -> list[Point]:
    """A random walk, volatility against the level; a jump half way."""
    random = np.random.default_rng(7)
    level, volatility, points = 100.0, 0.18, []
    for minute in range(minutes):
        move = 0.18 / np.sqrt(252 * 390) * float(random.standard_normal())
        if minute == minutes // 2:
            move += jump
        level *= 1 + move
        volatility = max(0.08, volatility - 0.9 * move + 5e-5 * float(random.standard_normal()))
        points.append(Point(NOW + minute * MINUTE, level, volatility))
    return points


def quantlib_value(instrument: Instrument, point: Point) -> float:
    """One contract, by Black's formula on the forward."""
    assert instrument.option is not None
    assert instrument.expiry_ns is not None
    years = (instrument.expiry_ns - point.now_ns) / (365 * DAY)
    forward = point.level * np.exp((RATE - YIELD) * years)
    side = ql.Option.Call if instrument.option.right == "call" else ql.Option.Put
    deviation = point.volatility * np.sqrt(years)
    discount = float(np.exp(-RATE * years))
    price = ql.blackFormula(side, instrument.option.strike, float(forward), deviation, discount)
    return instrument.multiplier * float(price)


def worth(point: Point, stock: float) -> float:
    by_symbol = {each.symbol: each for each in CHAIN}
    options = sum(
        quantity * quantlib_value(by_symbol[symbol], point) for symbol, quantity in HELD.items()
    )
    return options + stock * point.level


def run(
    points: list[Point], fills: dict[int, tuple[float, float]]
) -> tuple[ExposureMonitor, Profit]:
    """Send a path through a monitor; fills of stock by minute: quantity and price."""
    known = {each.symbol: each for each in (*CHAIN, index())}
    marks = MarkPolicy(rate=RATE, dividend_yields={"SPX": YIELD}, refresh_ns=SECOND)
    catalogue = Catalogue(Roots(), calendars={}, instruments=known)
    monitor = ExposureMonitor(ExposurePolicy(), marks, catalogue, [BOOK])
    said: list[ExposureObserved] = []
    for minute, point in enumerate(points):
        monitor.receive_block(quotes(point.now_ns, point.level, CHAIN, point.volatility))
        said += [each for each in monitor.settle() if isinstance(each, ExposureObserved)]
        if minute in fills:
            quantity, price = fills[minute]
            monitor.receive(fill(minute, quantity, price, point.now_ns + 1))
            said += [each for each in monitor.settle() if isinstance(each, ExposureObserved)]
    profit = said[-1].profit
    assert profit is not None
    return monitor, profit


def fill(number: int, quantity: float, price: float, event_ns: int) -> ExecutionReported:
    return ExecutionReported(
        book="a",
        order_id=f"a-{number:08d}-stock",
        execution_id=f"x{number}",
        kind=ExecutionKind.FILL,
        quantity=quantity,
        price=price,
        event_ns=event_ns,
    )


def gross(profit: Profit) -> float:
    return sum(map(abs, profit.session.parts.values()))


def test_a_day_is_what_quantlib_says_and_nearly_all_of_it_explained() -> None:
    points = path(391)
    _, profit = run(points, {})
    assert profit.waiting == 0
    change = worth(points[-1], 250.0) - worth(points[0], 250.0)
    assert profit.session.total == pytest.approx(change, abs=1e-6 * gross(profit))
    assert abs(profit.session.unexplained) < 1e-4 * gross(profit)
    assert profit.session.parts["theta"] == pytest.approx(quantlib_theta(points), rel=0.02)


def quantlib_theta(points: list[Point]) -> float:
    """What the same path earns by the clock alone, step for step."""
    by_symbol = {each.symbol: each for each in CHAIN}
    return sum(
        quantity
        * (
            quantlib_value(by_symbol[symbol], before._replace(now_ns=after.now_ns))
            - quantlib_value(by_symbol[symbol], before)
        )
        for before, after in pairwise(points)
        for symbol, quantity in HELD.items()
    )


def test_hedging_through_the_day_costs_what_was_paid_beside_the_mark() -> None:
    points = path(120)
    fills = {
        minute: (quantity, points[minute].level + 0.02 * np.sign(quantity))
        for minute, quantity in ((10, -300.0), (50, 120.0), (90, -40.0))
    }
    _, profit = run(points, fills)
    stock = 250.0 + sum(quantity for quantity, _ in fills.values())
    paid = sum(quantity * price for quantity, price in fills.values())
    change = worth(points[-1], stock) - worth(points[0], 250.0) - paid
    assert profit.session.total == pytest.approx(change, abs=1e-6 * gross(profit))
    assert profit.session.parts["cost"] == pytest.approx(-0.02 * 460)
    assert abs(profit.session.unexplained) < 1e-4 * gross(profit)


def test_a_crash_in_one_step_is_explained_with_vanna_and_volga() -> None:
    points = path(11, jump=-0.04)
    _, profit = run(points, {})
    change = worth(points[-1], 250.0) - worth(points[0], 250.0)
    assert profit.session.total == pytest.approx(change, abs=1e-6 * gross(profit))
    parts = profit.session.parts
    assert min(abs(parts["vanna"]), abs(parts["volga"])) > 1e-3 * gross(profit)
    assert abs(profit.session.unexplained) < 0.02 * gross(profit)
