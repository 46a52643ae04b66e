"""The calendar adapter against facts that can be looked up."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from shared.adapters.calendars import (
    CalendarError,
    CalendarOverrides,
    known_calendars,
    regular_session_ns,
    session_calendar,
    session_dates,
)
from shared.domain.instants import HOUR, MINUTE
from shared.domain.sessions import SessionCalendar


def hours_of(calendar: SessionCalendar, day: date) -> tuple[str, str]:
    index = session_dates(calendar).index(day)
    instants = (int(calendar.open_ns[index]), int(calendar.close_ns[index]))
    opening, closing = (datetime.fromtimestamp(ns // 10**9, UTC) for ns in instants)
    return f"{opening:%m-%d %H:%M}", f"{closing:%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("XNYS", date(2018, 12, 5)),  # funeral of G. H. W. Bush
        ("XNYS", date(2012, 10, 29)),  # hurricane Sandy
        ("XNYS", date(2012, 10, 30)),
        ("XNYS", date(2018, 2, 3)),  # a Saturday
        ("XCBF", date(2018, 12, 5)),
    ],
)
def test_a_day_the_exchange_was_shut_has_no_session(name: str, day: date) -> None:
    calendar = session_calendar(name, day - timedelta(days=5), day + timedelta(days=5))
    assert day not in session_dates(calendar)


def test_christmas_eve_of_2014_closed_at_one_in_new_york() -> None:
    calendar = session_calendar("XNYS", date(2014, 12, 22), date(2014, 12, 26))
    assert hours_of(calendar, date(2014, 12, 24)) == ("12-24 14:30", "12-24 18:00")


@pytest.mark.parametrize(
    ("friday", "monday", "opens"),
    [
        (date(2018, 3, 9), date(2018, 3, 12), ("14:30", "13:30")),
        (date(2018, 11, 2), date(2018, 11, 5), ("13:30", "14:30")),
    ],
)
def test_opening_moves_in_utc_over_a_daylight_saving_sunday(
    friday: date, monday: date, opens: tuple[str, str]
) -> None:
    calendar = session_calendar("XNYS", friday, monday)
    assert len(calendar) == 2
    assert hours_of(calendar, friday)[0].endswith(opens[0])
    assert hours_of(calendar, monday)[0].endswith(opens[1])
    assert calendar.trading_ns_between(*map(int, calendar.open_ns)) == 6 * HOUR + 30 * MINUTE


def test_volatility_futures_settle_a_quarter_of_an_hour_after_the_index() -> None:
    day = date(2018, 2, 5)
    futures = session_calendar("CBOE", day, day)
    assert hours_of(futures, day) == ("02-05 14:30", "02-05 21:15")


def test_round_the_clock_has_every_day_and_never_closes() -> None:
    calendar = session_calendar("24/7", date(2018, 12, 23), date(2018, 12, 26))
    assert len(calendar) == 4
    assert calendar.open_ns[1:].tolist() == calendar.close_ns[:-1].tolist()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # between the library and pandas
@pytest.mark.parametrize("name", ["XNYS", "XCBF", "24/7", "CMES", "XTKS", "XASX", "XLON"])
def test_a_session_is_named_after_the_day_the_library_names_it(name: str) -> None:
    import exchange_calendars  # noqa: PLC0415 - only here is the library asked

    start, end = date(2018, 1, 1), date(2018, 12, 31)
    library = exchange_calendars.get_calendar(name, start=start, end=end)
    wanted = tuple(session.date() for session in library.sessions)
    assert session_dates(session_calendar(name, start, end)) == wanted


def test_overrides_close_a_day_and_shorten_another() -> None:
    overrides = CalendarOverrides(
        closed=(date(2018, 7, 5), date(2018, 7, 7)),  # the 7th is a Saturday: nothing to close
        early_closes=((date(2018, 7, 6), time(12, 30)), (date(2030, 1, 2), time(13, 0))),
    )
    calendar = session_calendar("XNYS", date(2018, 7, 2), date(2018, 7, 6), overrides)
    assert date(2018, 7, 5) not in session_dates(calendar)
    assert hours_of(calendar, date(2018, 7, 6)) == ("07-06 13:30", "07-06 16:30")
    assert hours_of(calendar, date(2018, 7, 3))[1] == "07-03 17:00"  # the library's own


@pytest.mark.parametrize(
    ("day", "local", "problem"),
    [
        (date(2018, 7, 4), time(13, 0), "which has no session"),
        (date(2018, 7, 6), time(9, 0), "not between its opening and its closing"),
        (date(2018, 7, 6), time(16, 0), "not between its opening and its closing"),
    ],
)
def test_an_early_close_that_is_none_is_refused(day: date, local: time, problem: str) -> None:
    overrides = CalendarOverrides(early_closes=((day, local),))
    with pytest.raises(CalendarError, match=problem):
        session_calendar("XNYS", date(2018, 7, 2), date(2018, 7, 6), overrides)


@pytest.mark.parametrize(
    ("name", "start", "end", "problem"),
    [
        ("XNYSE", date(2018, 1, 1), date(2018, 2, 1), "did you mean .*XNYS"),
        ("??", date(2018, 1, 1), date(2018, 2, 1), "XNYS, XCBF and 24/7"),
        ("XNYS", date(2018, 2, 1), date(2018, 1, 1), "is after"),
        ("XNYS", date(2018, 2, 3), date(2018, 2, 4), "has no session"),
        ("XNYS", date(1500, 1, 1), date(2018, 1, 1), "is not known from"),
        ("XKRX", date(2040, 1, 1), date(2060, 1, 1), "is not known from"),
    ],
)
def test_what_cannot_be_given_is_refused_with_the_reason(
    name: str, start: date, end: date, problem: str
) -> None:
    with pytest.raises(CalendarError, match=problem) as refusal:
        session_calendar(name, start, end)
    assert len(str(refusal.value)) < 400


def test_a_range_whose_only_session_is_overridden_away_has_none() -> None:
    day = date(2018, 7, 5)
    with pytest.raises(CalendarError, match="has no session"):
        session_calendar("XNYS", day, day, CalendarOverrides(closed=(day,)))


def test_the_same_question_is_answered_from_memory() -> None:
    start, end = date(2018, 1, 1), date(2018, 12, 31)
    assert session_calendar("XNYS", start, end) is session_calendar("XNYS", start, end)


def test_an_ordinary_session_is_six_and_a_half_hours_in_new_york() -> None:
    assert regular_session_ns("XNYS") == 6 * HOUR + 30 * MINUTE
    assert regular_session_ns("24/7") == 24 * HOUR


def test_names_a_desk_uses_are_known() -> None:
    assert {"XNYS", "XCBF", "CBOE", "CFE", "24/7"} <= set(known_calendars())
