from collections.abc import Callable
from math import nan

import msgspec
import pytest
from fakes.hedged_market import CALENDAR, FUTURE, MONDAY, SWAP

from shared.domain.dealing.day_profit import DayProfit, LegDay
from shared.domain.hedging.session_clock import Moment, SessionClock
from shared.domain.instants import DAY, MINUTE
from shared.domain.signals_observed import Mark

LEGS = {"swap": SWAP, "future": FUTURE}


def at(now: int) -> Moment:
    return SessionClock(CALENDAR).at(now)


def marks(vix: float | None, future: float | None = None, now: int = MONDAY) -> dict[str, Mark]:
    levels = {"VIX": vix, "VX6": future}
    return {
        name: Mark(level=level, event_ns=now) for name, level in levels.items() if level is not None
    }


def holding(swap: float = 0.0, future: float = 0.0) -> Callable[[str], float]:
    return {"swap": swap, "future": future}.__getitem__


def day(swap: float = 0.0, future: float = 0.0) -> DayProfit:
    """A session that began with this position, at 20 and 21."""
    found = DayProfit(LEGS, {})
    found.observe(marks(20.0, 21.0), at(MONDAY), holding(swap, future))
    return found


def test_what_is_held_loses_with_its_mark() -> None:
    found = day(swap=100.0, future=-2.0)
    assert found.loss(marks(20.0, 21.0), 0) == 0.0
    assert found.loss(marks(19.0, 21.5), 0) == 100.0 * 1.0 + 2 * 1000 * 0.5
    assert found.loss(marks(22.0, 20.0), 0) == -(100.0 * 2.0 + 2 * 1000 * 1.0)


def test_a_trade_costs_what_it_paid_beyond_the_mark_and_counts_from_then_on() -> None:
    found = day()
    found.trade("swap", 100.0, 20.5)
    found.trade("future", -1.0, 20.75)
    assert found.loss(marks(20.0, 21.0), 0) == 100 * 0.5 + 1000 * 0.25
    found.trade("swap", -100.0, 19.5)
    assert found.loss(marks(40.0, 20.75), 0) == 100.0


def test_the_first_mark_of_a_session_is_where_it_begins() -> None:
    found = day(swap=100.0)
    found.observe(marks(10.0, 10.0, MONDAY + MINUTE), at(MONDAY + MINUTE), holding(swap=500.0))
    assert found.loss(marks(19.0, 21.0), 0) == 100.0
    tomorrow = MONDAY + DAY
    found.observe(marks(30.0, 30.0, tomorrow), at(tomorrow), holding(swap=50.0))
    assert found.loss(marks(29.0, 30.0), 1) == 50.0


def test_a_print_from_before_the_opening_begins_nothing() -> None:
    found = DayProfit(LEGS, {})
    found.observe(marks(20.0, 21.0, MONDAY - 1), at(MONDAY), holding(swap=100.0))
    assert found.loss(marks(10.0, 21.0), 0) == 0.0
    found.observe(marks(18.0, 21.0), at(MONDAY), holding(swap=100.0))
    assert found.loss(marks(17.0, 21.0), 0) == 100.0


def test_legs_begin_each_with_its_own_mark_and_one_without_counts_as_nothing() -> None:
    found = DayProfit(LEGS, {})
    found.observe(marks(20.0), at(MONDAY), holding(swap=100.0, future=1.0))
    assert found.loss(marks(19.0), 0) == 100.0
    found.trade("future", 1.0, 50.0)
    found.observe(marks(18.0, 21.0), at(MONDAY), holding(swap=100.0, future=1.0))
    assert found.loss(marks(19.0, 20.0), 0) == 1100.0


def test_a_mark_that_is_no_price_begins_nothing_and_changes_nothing() -> None:
    found = DayProfit(LEGS, {})
    found.observe(marks(nan, 21.0), at(MONDAY), holding(swap=100.0))
    assert found.loss(marks(19.0, 21.0), 0) == 0.0
    found = day(swap=100.0)
    assert found.loss(marks(nan, 21.0), 0) == 0.0
    assert found.loss({}, 0) == 0.0


@pytest.mark.parametrize("session", [0, 1, 2])
def test_any_session_may_be_the_first(session: int) -> None:
    found, now = DayProfit(LEGS, {}), MONDAY + session * DAY
    found.observe(marks(20.0, 21.0, now), at(now), holding(swap=100.0))
    assert found.loss(marks(19.0, 21.0), session) == 100.0


def test_yesterdays_loss_is_not_todays() -> None:
    assert day(swap=100.0).loss(marks(10.0, 10.0), 1) == 0.0


@pytest.mark.parametrize("begun", [False, True])
def test_it_goes_on_from_its_snapshot(*, begun: bool) -> None:
    found = day(swap=100.0) if begun else DayProfit(LEGS, {})
    found.trade("swap", 10.0, 21.0)
    stored = msgspec.msgpack.encode(found.snapshot())
    again = DayProfit(LEGS, msgspec.msgpack.decode(stored, type=dict[str, LegDay]))
    for each in (found, again):
        each.observe(marks(18.0, 20.0), at(MONDAY + MINUTE), holding(swap=110.0))
    assert again.snapshot() == found.snapshot()
    assert again.loss(marks(17.0, 20.0), 0) == found.loss(marks(17.0, 20.0), 0)
