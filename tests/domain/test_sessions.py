"""Trading time."""

import pytest
from fakes.calendars import LENGTH, at, close_of, daily
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.instants import DAY, HOUR, MINUTE
from shared.domain.sessions import OutsideCalendar, SessionCalendar

CALENDAR = daily(5)
AROUND = st.tuples(st.integers(1, 5), st.integers(-HOUR, LENGTH + HOUR)).map(lambda when: at(*when))
INSTANTS = AROUND.filter(lambda now: at(1) <= now <= close_of(5))


@pytest.mark.parametrize(
    ("opens", "closes"),
    [([], []), ([0, 10], [5]), ([0], [0]), ([0, 10], [11, 20]), ([10, 0], [15, 5]), ([5], [1])],
)
def test_what_is_no_calendar_is_refused(opens: list[int], closes: list[int]) -> None:
    with pytest.raises(ValueError, match=r"calendar needs|in order"):
        SessionCalendar(opens, closes)


def test_a_session_lasts_until_the_next_one_opens() -> None:
    assert len(CALENDAR) == 5
    assert CALENDAR.session(at(2)) == CALENDAR.session(at(3) - 1) == 1
    assert CALENDAR.session(close_of(5)) == 4


@pytest.mark.parametrize("instant", [0, at(1) - 1, close_of(5) + 1, at(6)])
def test_an_instant_on_no_known_day_is_refused(instant: int) -> None:
    for question in (CALENDAR.session, CALENDAR.is_open, CALENDAR.trading_ns):
        with pytest.raises(OutsideCalendar, match=str(instant)):
            question(instant)


def test_both_ends_belong_to_the_session() -> None:
    inside = [at(2), at(2, MINUTE), close_of(2)]
    assert all(CALENDAR.is_open(instant) for instant in inside)
    assert not CALENDAR.is_open(close_of(2) + 1)
    assert not CALENDAR.is_open(at(3) - 1)


def test_trading_time_stands_still_while_closed() -> None:
    assert CALENDAR.trading_ns(at(1)) == 0
    assert CALENDAR.trading_ns(close_of(1)) == CALENDAR.trading_ns(at(2)) == LENGTH
    assert CALENDAR.trading_ns_between(close_of(1), at(2)) == 0
    assert CALENDAR.trading_ns_between(at(3, HOUR), at(1)) == -2 * LENGTH - HOUR


def test_time_that_runs_out_at_the_close_ends_there() -> None:
    assert CALENDAR.after_trading(at(1, HOUR), HOUR) == close_of(1)
    assert CALENDAR.after_trading(at(1, HOUR), HOUR + 1) == at(2, 1)
    assert CALENDAR.after_trading(close_of(1) + HOUR, 1) == at(2, 1)
    assert CALENDAR.after_trading(at(1), 5 * LENGTH) == close_of(5)


def test_no_duration_is_over_at_once() -> None:
    assert CALENDAR.after_trading(close_of(1) + HOUR, 0) == close_of(1) + HOUR


def test_a_duration_beyond_the_calendar_has_no_end() -> None:
    with pytest.raises(OutsideCalendar, match="ends within"):
        CALENDAR.after_trading(at(1), 5 * LENGTH + 1)


def test_sessions_may_touch() -> None:
    calendar = SessionCalendar([0, DAY], [DAY, 2 * DAY])
    assert calendar.session(DAY) == 1
    assert calendar.trading_ns_between(0, 2 * DAY) == 2 * DAY


@given(start=INSTANTS, duration=st.integers(1, 3 * LENGTH))
def test_after_trading_is_the_first_such_instant(start: int, duration: int) -> None:
    try:
        end = CALENDAR.after_trading(start, duration)
    except OutsideCalendar:
        assert CALENDAR.trading_ns_between(start, close_of(5)) < duration
    else:
        assert CALENDAR.trading_ns_between(start, end) == duration
        assert CALENDAR.trading_ns_between(start, end - 1) == duration - 1


@given(start=INSTANTS, end=INSTANTS)
def test_trading_time_is_that_part_of_each_session_that_lies_between(start: int, end: int) -> None:
    first, last = sorted((start, end))
    overlap = sum(max(0, min(last, close_of(day)) - max(first, at(day))) for day in range(1, 6))
    assert CALENDAR.trading_ns_between(first, last) == overlap


def test_the_session_of_an_instant_and_its_hours_are_told() -> None:
    assert [CALENDAR.opened(instant) for instant in (0, at(1), at(2) - 1, at(2), at(9))] == [
        0,
        0,
        0,
        1,
        4,
    ]
    assert CALENDAR.hours(1) == (at(2), close_of(2))


def test_sessions_count_as_closed_after_their_closing_instant() -> None:
    instants = (0, close_of(1), close_of(1) + 1, at(2), close_of(5) + 1)
    assert [CALENDAR.closed(instant) for instant in instants] == [0, 0, 1, 1, 5]
