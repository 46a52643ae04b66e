"""Ticks that arrive twice, late, or before those of another feed (promises C3), in 5,000 markets.

An event happens when it arrives: what may differ from the run in the order of event times is the
instant of an order, by no more than the delay. A rule on two feeds at once would see the later one
a print further on, so the book here looks at VIX alone, and counts prints rather than time.
"""

from typing import Final

import numpy as np
import pytest
from fakes.hedged_market import instant, policy
from msgspec import structs

from shared.domain.effects import OrderDecided
from shared.domain.events import ClockAdvanced, ExecutionKind, ExecutionReported, Tick
from shared.domain.hedging.book import HedgeBook
from shared.domain.instants import DAY, HOUR, MILLISECOND, SECOND
from shared.domain.intake import Intake, Verdict
from shared.domain.market.signals import SignalMonitor
from shared.domain.orders import Order
from shared.domain.policies import (
    FastPathPolicy,
    Hold,
    IntakePolicy,
    PortfolioPolicy,
    SignalPolicy,
    SymbolPolicy,
)
from shared.domain.sessions import SessionCalendar
from shared.domain.signals_observed import Signal, SignalsObserved
from shared.domain.tick_block import TickBlock

OPENING: Final = instant("2024-12-02 14:30")
CALENDAR: Final = SessionCalendar([OPENING, OPENING + DAY], [OPENING + HOUR, OPENING + DAY + HOUR])
END: Final = ClockAdvanced(event_ns=OPENING + 10 * 60 * SECOND)
INTAKE: Final = IntakePolicy(symbols={"VIX": SymbolPolicy(max_jump=0.6), "SPX": SymbolPolicy()})
SIGNALS: Final = SignalPolicy(
    portfolios=(PortfolioPolicy(book="overlay", value=1e6, weights={"SPX": 1.0}),),
    mark_symbols=("VIX",),
)
GULLIBLE: Final = IntakePolicy(symbols=dict.fromkeys(("VIX", "SPX"), SymbolPolicy(max_jump=10.0)))
"""A jump that is refused confirms the next: here none is."""

BOOK: Final = policy(
    triggers={
        "hold": Hold(trading_ns=0, observations=2),
        "cooldown_trading_ns": 0,
        "drawdown": 0.9,
        "fast": FastPathPolicy(vix_points=4.0, index_return=-0.9, observations=2),
    }
)
BOUND: Final = INTAKE.late_limit_ns
MARKETS, RUNS = 500, 10


def by_event(tick: Tick) -> tuple[int, str]:
    return tick.event_ns, tick.symbol


class Feeds:
    """A market of a few minutes, and how its ticks arrive, all from one seed."""

    def __init__(self, seed: int, apart_ns: int) -> None:
        self._apart_ns = apart_ns
        self._random = np.random.default_rng(seed)
        self.ticks = sorted(
            [*self._prints("VIX", 18.0, 0.12), *self._prints("SPX", 5000.0, 0.01)],
            key=by_event,
        )

    def _prints(self, symbol: str, level: float, size: float) -> list[Tick]:
        count = int(self._random.integers(8, 16))
        first_ns = OPENING + int(self._random.integers(1, 15_000)) * MILLISECOND
        levels = level * np.exp(np.cumsum(self._random.normal(0, size, count)))
        return [
            Tick(
                symbol=symbol,
                event_ns=first_ns + number * self._apart_ns,
                price=float(price),
                source=symbol.lower(),
                sequence=number + 1,
            )
            for number, price in enumerate(levels)
        ]

    def delayed(self) -> list[Tick]:
        """Each tick late by less than the bound, feeds against each other; some twice."""
        arrivals = [(tick.event_ns + self._delay(), tick) for tick in self.ticks]
        again = [(at + self._delay(), tick) for at, tick in arrivals if self._random.random() < 0.4]
        return [tick for _, tick in sorted([*arrivals, *again], key=lambda arrival: arrival[0])]

    def shuffled(self, *, numbered: bool) -> list[Tick]:
        """In any order whatever, some twice; by their numbers these are duplicates, else late."""
        again = [tick for tick in self.ticks if self._random.random() < 0.4]
        every = [*self.ticks, *again]
        if not numbered:
            every = [structs.replace(tick, sequence=None) for tick in every]
        return [every[at] for at in self._random.permutation(len(every))]

    def _delay(self) -> int:
        return int(self._random.integers(0, BOUND))


def screened(ticks: list[Tick], edge: IntakePolicy = INTAKE) -> tuple[list[Tick], list[Verdict]]:
    """The ticks that are believed, and what became of each."""
    found = Intake(edge, lossless=False).receive_block(TickBlock.of(ticks), None)
    believed = [found.accepted.tick(row) for row in range(len(found.accepted))]
    return believed, [Verdict(verdict) for verdict in found.verdicts]


def outcome(ticks: list[Tick]) -> tuple[dict[str, Signal], list[Order]]:
    """The signals at the end, and the orders, each filled at once, without their instants."""
    monitor, book = SignalMonitor(SIGNALS, CALENDAR), HedgeBook(BOOK, CALENDAR, "")
    outputs = [*monitor.receive_block(TickBlock.of(ticks), 1), *monitor.receive(END, 1000)]
    orders: list[Order] = []
    for output in outputs:
        made = [each.order for each in book.receive(output) if isinstance(each, OrderDecided)]
        for order in made:
            book.receive(filled(order))
        orders += made
    last = outputs[-1]
    assert isinstance(last, SignalsObserved)
    return last.signals, [timeless(order) for order in orders]


def filled(order: Order) -> ExecutionReported:
    return ExecutionReported(
        book=order.book,
        order_id=order.order_id,
        execution_id=order.order_id,
        kind=ExecutionKind.FILL,
        quantity=order.signed_quantity,
        price=order.reference_price,
        event_ns=order.event_ns,
    )


def timeless(order: Order) -> Order:
    return structs.replace(order, event_ns=0, journal_index=0, valid_until_ns=0)


@pytest.mark.parametrize("run", range(RUNS))
def test_feeds_that_lag_each_other_and_repeat_themselves_change_no_signal_and_no_order(
    run: int,
) -> None:
    orders = 0
    for seed in range(run * MARKETS, (run + 1) * MARKETS):
        feeds = Feeds(seed, 15 * SECOND)
        believed, verdicts = screened(feeds.delayed())
        accepted, _ = screened(feeds.ticks)
        assert set(verdicts) <= {Verdict.ACCEPTED, Verdict.DUPLICATE, Verdict.JUMP}, seed
        assert sorted(believed, key=by_event) == accepted, seed
        expected = outcome(accepted)
        assert outcome(believed) == expected, seed
        orders += len(expected[1])
    assert orders > MARKETS  # not for want of anything to change


@pytest.mark.parametrize("run", range(RUNS))
def test_in_any_order_what_is_not_believed_is_refused_counted_and_changes_nothing(run: int) -> None:
    reasons: set[Verdict] = set()
    for seed in range(run * MARKETS, (run + 1) * MARKETS):
        arrived = Feeds(seed, SECOND).shuffled(numbered=seed % 2 == 0)
        believed, verdicts = screened(arrived, GULLIBLE)
        assert len(verdicts) == len(arrived)
        assert verdicts.count(Verdict.ACCEPTED) == len(believed)
        again, unanimous = screened(believed, GULLIBLE)
        assert (again, set(unanimous)) == (believed, {Verdict.ACCEPTED}), seed
        for symbol in ("VIX", "SPX"):
            instants = [tick.event_ns for tick in believed if tick.symbol == symbol]
            assert instants == sorted(instants), seed
            assert seed % 2 or len(instants) == len(set(instants)), seed
        reasons.update(verdicts)
    assert {Verdict.ACCEPTED, Verdict.DUPLICATE, Verdict.LATE} <= reasons
