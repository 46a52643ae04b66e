"""The cursor answers as the calendar would."""

import pytest
from fakes.calendars import LENGTH, at, close_of, daily
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.instants import DAY, HOUR
from shared.domain.market.session_cursor import SessionCursor
from shared.domain.sessions import OutsideCalendar, SessionCalendar

CALENDAR = daily(5)
AROUND = st.tuples(st.integers(0, 7), st.integers(-HOUR, LENGTH + HOUR)).map(lambda when: at(*when))
INSIDE = st.tuples(st.integers(1, 5), st.integers(0, LENGTH)).map(lambda when: at(*when))


@given(st.lists(AROUND, max_size=10))
def test_it_enters_sessions_and_nothing_else(instants: list[int]) -> None:
    cursor = SessionCursor(CALENDAR)
    for now in instants:
        before = cursor.index
        entered = cursor.enter(now)
        assert entered == any(at(day) <= now <= close_of(day) for day in range(1, 6))
        assert cursor.index == (CALENDAR.session(now) if entered else before)


def test_where_two_sessions_touch_the_later_one_counts() -> None:
    cursor = SessionCursor(SessionCalendar([0, DAY], [DAY, 2 * DAY]))
    assert cursor.enter(DAY - 1)
    assert cursor.index == 0
    assert cursor.enter(DAY)
    assert cursor.index == 1


@given(start=INSIDE, end=INSIDE)
def test_what_lies_between_two_prints(start: int, end: int) -> None:
    start, end = sorted((start, end))
    cursor = SessionCursor(CALENDAR)
    cursor.enter(end)
    elapsed = cursor.since(start, end)
    assert elapsed.trading_ns == CALENDAR.trading_ns_between(start, end)
    assert elapsed.sessions == CALENDAR.session(end) - CALENDAR.session(start)
    assert elapsed.days == pytest.approx(elapsed.trading_ns / LENGTH)  # all of one length


@given(
    start=INSIDE,
    duration=st.one_of(st.integers(1, 3 * LENGTH), st.just(LENGTH), st.just(2 * LENGTH)),
    there=st.none() | INSIDE,
)
def test_deadlines_do_not_depend_on_where_the_cursor_is(
    start: int, duration: int, there: int | None
) -> None:
    cursor = SessionCursor(CALENDAR)
    if there is not None:
        cursor.enter(there)
    try:
        expected = CALENDAR.after_trading(start, duration)
    except OutsideCalendar:
        expected = None
    assert cursor.after_trading(start, duration) == expected


def test_no_deadline_lies_beyond_the_calendar() -> None:
    cursor = SessionCursor(CALENDAR)
    cursor.enter(at(5))
    assert cursor.after_trading(at(5), LENGTH) == close_of(5)
    assert cursor.after_trading(at(5, HOUR), LENGTH) is None


def test_asked_again_it_answers_the_same_and_otherwise_another() -> None:
    cursor = SessionCursor(CALENDAR)
    cursor.enter(at(2))
    first = cursor.after_trading(at(2), HOUR)
    assert first == cursor.after_trading(at(2), HOUR) == at(2, HOUR)
    assert cursor.after_trading(at(2), HOUR + 1) == at(2, HOUR + 1)
    assert cursor.after_trading(at(2, 1), HOUR + 1) == at(2, HOUR + 2)


def test_what_was_asked_last_is_answered_again_and_measured_anew_in_another_session() -> None:
    cursor = SessionCursor(CALENDAR)
    cursor.enter(at(3))
    asked = cursor.since(at(1), at(3))
    assert cursor.since(at(1), at(3)) is asked
    assert cursor.since(at(2), at(3)).sessions == 1
    cursor.enter(at(4))
    cursor.enter(at(3))
    assert cursor.since(at(2), at(3)).sessions == 1
