from fakes.hedged_market import CALENDAR, MONDAY
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.hedging.session_clock import Moment, SessionClock
from shared.domain.instants import DAY, HOUR, MINUTE

SESSION = 6 * HOUR + 30 * MINUTE
CLOSE = MONDAY + SESSION
LAST = int(CALENDAR.close_ns[-1])


def test_before_the_first_session_nothing_was_ever_open() -> None:
    assert SessionClock(CALENDAR).at(MONDAY - 1) == Moment(MONDAY - 1, -1, 0, 0, is_open=False)


def test_both_ends_of_a_session_belong_to_it() -> None:
    clock = SessionClock(CALENDAR)
    assert clock.at(MONDAY) == Moment(MONDAY, 0, 0, MONDAY, is_open=True)
    assert clock.at(CLOSE) == Moment(CLOSE, 0, SESSION, MONDAY, is_open=True)


def test_trading_time_stands_still_while_closed() -> None:
    clock = SessionClock(CALENDAR)
    assert clock.at(CLOSE + HOUR) == Moment(CLOSE + HOUR, 0, SESSION, MONDAY, is_open=False)
    assert clock.at(MONDAY + DAY).trading_ns == SESSION


def test_an_opening_is_seen_at_its_instant_also_from_the_night_before() -> None:
    clock = SessionClock(CALENDAR)
    assert not clock.at(MONDAY + DAY - 1).is_open
    assert clock.at(MONDAY + DAY) == Moment(MONDAY + DAY, 1, SESSION, MONDAY + DAY, is_open=True)


def test_after_the_last_session_the_market_is_closed_for_good() -> None:
    clock = SessionClock(CALENDAR)
    assert not clock.at(LAST + 1).is_open
    assert clock.open_at_or_after(LAST + 1) is None
    assert clock.close_after(LAST + 1) is None
    assert clock.after_trading(LAST - 1, 2) is None
    assert clock.last_close_ns == LAST


def test_the_next_opening_and_closing() -> None:
    clock = SessionClock(CALENDAR)
    assert clock.open_at_or_after(CLOSE) == CLOSE
    assert clock.open_at_or_after(CLOSE + 1) == MONDAY + DAY
    assert clock.opening_after(MONDAY) == MONDAY + DAY
    assert clock.opening_after(MONDAY - 1) == MONDAY
    assert clock.close_after(CLOSE) == CLOSE
    assert clock.close_after(CLOSE + 1) == CLOSE + DAY
    assert clock.after_trading(CLOSE - 1, 2) == MONDAY + DAY + 1


@given(st.lists(st.integers(MONDAY, LAST), min_size=1, max_size=20))
def test_it_agrees_with_the_calendar_in_whatever_order_it_is_asked(instants: list[int]) -> None:
    clock = SessionClock(CALENDAR)
    for now in instants:
        moment = clock.at(now)
        assert moment.session == CALENDAR.session(now)
        assert moment.trading_ns == CALENDAR.trading_ns(now)
        assert moment.is_open == CALENDAR.is_open(now)
