"""Expiry days as the exchanges published them, and their instants."""

from datetime import date

import pytest
from fakes.new_york import HALF_DAYS, instant, new_york

from shared.domain.instruments.expiries import (
    SessionDays,
    month_expiry,
    third_friday,
    week_expiry,
    week_of,
)
from shared.domain.instruments.roots import KNOWN_ROOTS
from shared.domain.sessions import OutsideCalendar

DAYS = SessionDays(new_york())
VX, ES = KNOWN_ROOTS.futures["VX"], KNOWN_ROOTS.futures["ES"]


def test_a_day_has_a_session_or_it_has_none() -> None:
    assert date(2026, 12, 18) in DAYS
    assert date(2026, 12, 19) not in DAYS
    assert date(2026, 12, 25) not in DAYS
    assert date(2028, 1, 3) not in DAYS


def test_a_day_without_a_session_gives_way_to_the_one_before() -> None:
    assert DAYS.at_or_before(date(2026, 6, 19)) == date(2026, 6, 18)
    assert DAYS.at_or_before(date(2026, 6, 21)) == date(2026, 6, 18)
    assert DAYS.at_or_before(date(2026, 6, 22)) == date(2026, 6, 22)


@pytest.mark.parametrize("day", [date(2024, 12, 1), date(2027, 7, 1)])
def test_a_day_beyond_the_calendar_is_unknown(day: date) -> None:
    with pytest.raises(OutsideCalendar, match=str(day)):
        DAYS.at_or_before(day)


def test_a_morning_settlement_is_the_opening_and_an_evening_one_the_close() -> None:
    day = date(2026, 12, 18)
    assert DAYS.instant_ns(day, "am") == DAYS.opening_ns(day) == instant(day, 9, 30)
    assert DAYS.instant_ns(day, "pm") == DAYS.closing_ns(day) == instant(day, 16)


@pytest.mark.parametrize("day", sorted(HALF_DAYS))
def test_a_half_day_closes_early(day: date) -> None:
    assert DAYS.instant_ns(day, "pm") == instant(day, 13)


def test_the_third_friday_lies_from_the_15th_to_the_21st() -> None:
    fridays = [third_friday(2026, month) for month in range(1, 13)]
    assert all(day.weekday() == 4 and 15 <= day.day <= 21 for day in fridays)
    assert fridays[-1] == date(2026, 12, 18)


@pytest.mark.parametrize(
    ("year", "month", "expiry"),
    [  # published by the CFE
        (2025, 1, date(2025, 1, 22)),
        (2025, 3, date(2025, 3, 18)),  # April's third Friday was Good Friday
        (2025, 4, date(2025, 4, 16)),
        (2026, 5, date(2026, 5, 19)),  # June's is Juneteenth
        (2026, 12, date(2026, 12, 16)),
    ],
)
def test_vix_settles_on_the_wednesday_30_days_before(year: int, month: int, expiry: date) -> None:
    assert month_expiry(VX, year, month, DAYS) == expiry


def test_vix_settles_before_a_wednesday_without_a_session() -> None:
    closed = new_york(date(2026, 1, 2), date(2026, 12, 31))
    days = SessionDays(closed)
    assert week_expiry(2026, 47, days) == date(2026, 11, 24)  # 30 days on is Christmas


def test_an_equity_future_settles_on_the_third_friday_or_the_session_before() -> None:
    assert month_expiry(ES, 2026, 12, DAYS) == date(2026, 12, 18)
    assert month_expiry(ES, 2026, 6, DAYS) == date(2026, 6, 18)


def test_the_end_of_the_calendar_is_no_holiday() -> None:
    with pytest.raises(OutsideCalendar):
        month_expiry(VX, 2027, 6, DAYS)


@pytest.mark.parametrize(
    ("year", "week", "expiry"),
    [
        (2025, 1, date(2025, 1, 8)),  # New Year's Day was a Wednesday
        (2026, 1, date(2026, 1, 7)),
        (2026, 48, date(2026, 12, 1)),  # 30 days after the Wednesday is New Year's Day
        (2024, 53, date(2024, 12, 31)),
    ],
)
def test_weeks_are_counted_by_the_wednesdays_that_could_be(
    year: int, week: int, expiry: date
) -> None:
    assert week_expiry(year, week, DAYS) == expiry
    assert week_of(expiry) == week


def test_weeks_of_2016_are_those_that_were_listed() -> None:
    assert [week_of(day) for day in (date(2016, 8, 3), date(2016, 9, 7))] == [31, 36]


@pytest.mark.parametrize(
    ("earlier", "later", "sessions"),
    [
        (date(2026, 6, 17), date(2026, 6, 17), 0),
        (date(2026, 6, 17), date(2026, 6, 22), 2),  # the 19th is a holiday
        (date(2026, 6, 20), date(2026, 6, 22), 1),
        (date(2027, 6, 29), date(2027, 7, 2), 3),  # the calendar ends on 2027-06-30
        (date(2027, 7, 1), date(2027, 7, 6), 3),
    ],
)
def test_sessions_are_counted_and_beyond_the_calendar_weekdays(
    earlier: date, later: date, sessions: int
) -> None:
    assert DAYS.sessions_between(earlier, later) == sessions
