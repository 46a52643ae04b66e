"""A market that prints nothing."""

import pytest
from fakes.calendars import Desk, at, close_of

from shared.domain.instants import HOUR, MINUTE, SECOND
from shared.domain.market.halts import HaltState, HaltWatch, MarketPhase
from shared.domain.policies import SignalPolicy

OPEN, HALTED, WARMING = MarketPhase.OPEN, MarketPhase.HALTED, MarketPhase.WARMING


class Market:
    """Prints, followed by a watch."""

    def __init__(self) -> None:
        self.desk = Desk()
        self.watch = HaltWatch(SignalPolicy(), self.desk.cursor, HaltState())

    def prints(self, symbols: str, first_ns: int, count: int = 1, apart_ns: int = MINUTE) -> int:
        """So many rounds of prints; the instant of the last."""
        now = first_ns
        for number in range(count):
            now = self.desk.enter(first_ns + number * apart_ns)
            for symbol in symbols.split():
                self.watch.observe(symbol, now)
        return now

    def lively(self) -> int:
        """Three minutes of both."""
        return self.prints("SPX VIX", at(1), 4)


def test_before_the_first_print_nothing_is_said() -> None:
    market = Market()
    assert market.watch.halted_from is None
    assert market.watch.phase(at(50)) is OPEN


def test_a_lively_market_that_prints_nothing_for_longer_than_the_limit_is_halted() -> None:
    market = Market()
    last = market.lively()
    assert market.watch.halted_from == last + 2 * MINUTE + 1
    assert market.watch.phase(last + 2 * MINUTE) is OPEN
    assert market.watch.phase(last + 2 * MINUTE + 1) is HALTED


@pytest.mark.parametrize("symbol", ["SPX", "VIX"])
def test_one_of_the_two_is_enough_to_go_on(symbol: str) -> None:
    market = Market()
    last = market.prints(symbol, market.lively() + MINUTE, 30)
    assert market.watch.phase(last + MINUTE) is OPEN


def test_closed_hours_are_no_silence() -> None:
    market = Market()
    market.prints("SPX VIX", close_of(1) - 3 * MINUTE, 4)
    assert market.watch.phase(at(2, 2 * MINUTE)) is OPEN
    assert market.watch.phase(at(2, 2 * MINUTE) + 1) is HALTED


@pytest.mark.parametrize("apart_ns", [2 * MINUTE + 1, HOUR])
def test_the_silence_of_a_sparse_feed_says_nothing(apart_ns: int) -> None:
    market = Market()
    rounds = 1 + int(100 * MINUTE / apart_ns)
    last = market.prints("SPX VIX SPX", at(1), rounds, apart_ns)
    assert market.watch.halted_from is None
    assert market.watch.phase(last + 10 * HOUR) is OPEN


def test_two_symbols_at_one_instant_make_no_lively_market() -> None:
    market = Market()
    for day in range(1, 9):
        market.prints("SPX VIX", close_of(day))
    assert market.watch.halted_from is None


def test_a_gap_ends_the_liveliness() -> None:
    market = Market()
    market.prints("SPX", at(1), 2)
    market.prints("SPX", at(1, 10 * MINUTE), 2)
    assert market.watch.halted_from is None
    market.prints("SPX", at(1, 12 * MINUTE))
    assert market.watch.halted_from is not None


def test_after_a_halt_each_must_print_three_times() -> None:
    market = Market()
    resumed = market.lively() + 15 * MINUTE
    market.prints("SPX", resumed, 5, SECOND)
    assert (market.watch.index_prints, market.watch.vix_prints) == (3, 0)
    assert market.watch.phase(resumed + MINUTE) is WARMING
    market.prints("VIX", resumed + 5 * SECOND, 2, SECOND)
    assert market.watch.phase(resumed + MINUTE) is WARMING
    market.prints("VIX", resumed + 8 * SECOND)
    assert market.watch.phase(resumed + MINUTE) is OPEN


def test_the_halt_of_a_market_that_has_just_resumed_starts_the_count_anew() -> None:
    market = Market()
    resumed = market.lively() + 15 * MINUTE
    last = market.prints("SPX", resumed, 4)
    assert market.watch.phase(last + 3 * MINUTE) is HALTED
    market.prints("VIX", last + 3 * MINUTE)
    assert (market.watch.index_prints, market.watch.vix_prints) == (0, 1)


def test_a_late_print_moves_no_deadline() -> None:
    market = Market()
    last = market.lively()
    before = market.watch.halted_from
    market.watch.observe("SPX", last - SECOND)
    assert market.watch.halted_from == before


def test_a_restart_changes_nothing() -> None:
    market = Market()
    instants = [at(1, number * MINUTE) for number in (0, 1, 2, 3, 10, 11, 12, 13, 20, 21)]
    for number, now in enumerate(instants):
        symbol = ("SPX", "VIX")[number % 2]
        again = HaltWatch(SignalPolicy(), market.desk.cursor, market.watch.snapshot())
        market.desk.enter(now)
        again.observe(symbol, now)
        market.watch.observe(symbol, now)
        assert again.snapshot() == market.watch.snapshot()
        assert again.halted_from == market.watch.halted_from
