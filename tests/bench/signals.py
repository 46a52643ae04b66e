"""What a signal costs, beside river in the same run: `python tests/bench/signals.py`.

Prints nanoseconds a tick, medians of several repeats. The machine is shared: what counts is the
ratio. Nothing here passes or fails.
"""

import sys
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from statistics import median
from timeit import timeit

import numpy as np
from rich.console import Console
from rich.table import Table
from river import stats, utils

sys.path.insert(0, str(Path(__file__).parents[1]))
from fakes.calendars import at, close_of, daily

from shared.domain.events import Tick
from shared.domain.instants import HOUR, MILLISECOND, MINUTE, SECOND
from shared.domain.market.signals import SignalMonitor
from shared.domain.market.statistics.averages import DecayedAverage
from shared.domain.market.statistics.correlation import BasketCorrelation
from shared.domain.market.statistics.realized_volatility import RealizedVolatility, ZeroMean
from shared.domain.market.statistics.session_moves import SessionMove
from shared.domain.policies import PortfolioPolicy, RealizedVolatilityPolicy, SignalPolicy
from shared.domain.tick_block import TickBlock

REPEATS = 7
N = 20_000
RANDOM = np.random.default_rng(1)
LEVELS = 100 * np.exp(np.cumsum(RANDOM.normal(0, 1e-4, N)))
SINGLE = LEVELS.tolist()
BASKET = tuple(f"S{i:03d}" for i in range(100))
CALENDAR = daily(200)
POLICY = SignalPolicy(
    correlation_basket=BASKET,
    percentile_sessions=100,
    portfolios=(PortfolioPolicy(book="fund", value=1e6, weights={"SPX": 0.9}),),
    mark_symbols=("VIX", "VX1"),
)

NOTE = """Ours / river, each a tick (a pair's update where it says so), medians in this one run.
Arrays: one call for 20,000 prints; the weights 2^(−Δt/h) of irregular arrivals are computed in it;
  volatility adds each live return to 19 completed ones (river slides its window at every value).
Print by print: the same through Python calls, as the monitor makes them at driving prints.
receive_block: 100 basket symbols, 1% of the ticks VIX, 1% the index; each of those two prints
  gives a snapshot of all signals, the correlation of the 100 included."""


def cost(work: Callable[[], object], units: int) -> float:
    """Nanoseconds a unit: median of several runs after one that warms up."""
    work()
    return median(timeit(work, number=1) for _ in range(REPEATS)) / units * 1e9


def river_cost(statistic: object, *, pairs: bool = False) -> float:
    """Nanoseconds an update of a river statistic."""
    update = statistic.update  # type: ignore[attr-defined]
    if pairs:
        return cost(lambda: [update(x, y) for x, y in zip(SINGLE, SINGLE[::-1], strict=True)], N)
    return cost(lambda: [update(x) for x in SINGLE], N)


def decayed_average() -> tuple[float, float]:
    """Our decayed average of irregular prints: in one call, and print by print."""
    gaps = RANDOM.integers(1, SECOND, N)
    average, one_by_one = DecayedAverage(30 * MINUTE), DecayedAverage(30 * MINUTE)
    steps = list(zip(SINGLE, gaps.tolist(), strict=True))
    return (
        cost(lambda: average.observe_many(LEVELS, gaps), N),
        cost(lambda: [one_by_one.observe(level, gap) for level, gap in steps], N),
    )


def zero_mean() -> tuple[float, float]:
    """Our zero-mean volatility, 19 completed returns and the live one: as arrays, and by print."""
    estimator = ZeroMean()
    rest = estimator.rest(
        [SessionMove(0.0, 0.0, 0.0, move, 0.0) for move in (0.01, -0.02, 0.0) * 6]
    )

    def batch() -> object:
        live = SessionMove(0.0, 0.0, 0.0, np.log(LEVELS / 100.0), 0.0)  # type: ignore[arg-type]
        return np.sqrt(252 * estimator.variance(rest, live))

    volatility = RealizedVolatility(RealizedVolatilityPolicy())
    for day in range(30):
        volatility.observe(100.0 + day, 1, 0)

    def singly() -> None:
        for level in SINGLE:
            volatility.observe(level, 0, HOUR)
            _ = volatility.value

    return cost(batch, N), cost(singly, N)


def correlation(members: int) -> float:
    """One refresh of the average pairwise correlation of a basket, ns."""
    basket = BasketCorrelation(members, 20)
    for day in range(25):
        basket.observe(np.arange(members), RANDOM.uniform(90, 110, members), int(day > 0))
    return cost(lambda: [basket.value() for _ in range(1_000)], 1_000)


def full_monitor() -> SignalMonitor:
    """A monitor of 100 basket members and one book, its windows full."""
    subject, levels = SignalMonitor(POLICY, CALENDAR), RANDOM.uniform(10, 30, (120, 104))
    symbols = ("VIX", "SPX", "VX1", "VX3", *BASKET)
    for day, row in enumerate(levels.tolist(), start=1):
        for symbol, level in zip(symbols, row, strict=True):
            subject.receive(Tick(symbol=symbol, event_ns=close_of(day), price=level), 0)
    return subject


def blocks(size: int) -> list[TickBlock]:
    """Ticks of the basket, 1% of them of VIX and 1% of the index, in blocks."""
    draws, members = RANDOM.random(N).tolist(), RANDOM.integers(0, len(BASKET), N).tolist()
    ticks = [
        Tick(
            symbol="VIX" if draw < 0.01 else "SPX" if draw < 0.02 else BASKET[member],
            event_ns=at(121, i * MILLISECOND),
            price=20.0 + draw,
        )
        for i, (draw, member) in enumerate(zip(draws, members, strict=True))
    ]
    return [TickBlock.of(ticks[i : i + size]) for i in range(0, N, size)]


def whole(size: int) -> float:
    """`receive_block` of a full monitor, ns a tick, its snapshots of all signals included."""
    start, run = full_monitor().snapshot(), blocks(size)
    monitors = [SignalMonitor.resume(POLICY, CALENDAR, start) for _ in range(REPEATS + 1)]

    def work() -> list[object]:
        subject = monitors.pop()
        return list(chain.from_iterable(subject.receive_block(block, 0) for block in run))

    return cost(work, N)


def driving(symbol: str) -> float:
    """A block of prints that all drive: ns a print and its snapshot."""
    start = full_monitor().snapshot()
    ticks = [
        Tick(symbol=symbol, event_ns=at(121, i * MILLISECOND), price=20.0 + i % 3)
        for i in range(2_000)
    ]
    block = TickBlock.of(ticks)
    monitors = [SignalMonitor.resume(POLICY, CALENDAR, start) for _ in range(REPEATS + 1)]
    return cost(lambda: monitors.pop().receive_block(block, 0), len(ticks))


def main() -> None:
    """Measure and print."""
    mean = river_cost(stats.EWMean(0.05))
    variance = river_cost(utils.Rolling(stats.Var, window_size=20))
    pearson = river_cost(utils.Rolling(stats.PearsonCorr, window_size=20), pairs=True)
    table = Table("what", "ns", "river", "river ns", "ratio", "limit", title="Signals")

    def row(what: str, ours: float, peer: str, theirs: float, limit: str = "≤ 0.1") -> None:
        ratio = f"{ours / theirs:.4f}" if theirs else ""
        table.add_row(what, f"{ours:,.1f}", peer, f"{theirs:,.1f}" if theirs else "", ratio, limit)

    for how, average, volatility, limit in zip(
        ("arrays of 20,000", "print by print"),
        decayed_average(),
        zero_mean(),
        ("≤ 0.1", ""),
        strict=True,
    ):
        row(f"decayed average, a tick, {how}", average, "EWMean", mean, limit)
        row(f"zero-mean volatility, a tick, {how}", volatility, "Rolling(Var, 20)", variance, limit)
    for members in (50, 100):
        refresh, pairs = correlation(members), members * (members - 1) // 2
        row(f"correlation, {members} members, a pair", refresh / pairs, "Rolling(Pearson)", pearson)
        row(f"correlation, {members} members, a refresh", refresh, "", 0, "≤ 10,000")
    three = mean + variance + pearson
    for size in (100, 1_000, N):
        what = f"receive_block of {size:,}, all signals, a tick"
        row(what, whole(size), "the three together", three, "≤ 2,000 ns")
    for symbol in ("VIX", "SPX"):
        row(f"receive_block of {symbol} alone, a snapshot", driving(symbol), "", 0, "≤ 40,000 ns")
    Console(width=130).print(table)
    Console(width=130).print(NOTE)


if __name__ == "__main__":
    main()
