"""The calendar adapter against facts that can be looked up."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

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


# --- promises C8: 2015 to 2027, against rules written down apart from the library ----------------

FIRST, LAST = date(2015, 1, 1), date(2027, 12, 31)
MOURNING = {date(2018, 12, 5), date(2025, 1, 9)}
MONDAY, THURSDAY, FRIDAY, SATURDAY = 0, 3, 4, 5


def nth(year: int, month: int, weekday: int, number: int) -> date:
    """The `number`th such weekday of a month; −1 is its last."""
    if number < 0:
        last = date(year, month + 1, 1) - timedelta(days=1)
        return last - timedelta(days=(last.weekday() - weekday) % 7)
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (number - 1))


def good_friday(year: int) -> date:
    """Two days before Easter, by the Gregorian computus (Meeus, Jones, Butcher)."""
    century, rest = divmod(year, 100)
    golden = year % 19
    epact = (
        19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15
    ) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (rest // 4) - epact - rest % 4) % 7
    correction = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * correction + 114, 31)
    return date(year, month, day + 1) - timedelta(days=2)


def observed(day: date, *, friday_before: bool = True) -> date:
    """A holiday on a Sunday is kept on Monday, one on a Saturday on Friday."""
    if day.weekday() == SATURDAY:
        return day - timedelta(days=1) if friday_before else day
    return day + timedelta(days=day.weekday() == SATURDAY + 1)


def holidays(year: int) -> Iterator[date]:
    """Rule 7.2 of the New York exchange; New Year's Day on a Saturday is not kept on Friday."""
    yield observed(date(year, 1, 1), friday_before=False)
    yield nth(year, 1, MONDAY, 3)
    yield nth(year, 2, MONDAY, 3)
    yield good_friday(year)
    yield nth(year, 5, MONDAY, -1)
    if year >= 2022:
        yield observed(date(year, 6, 19))
    yield observed(date(year, 7, 4))
    yield nth(year, 9, MONDAY, 1)
    yield nth(year, 11, THURSDAY, 4)
    yield observed(date(year, 12, 25))


@cache
def sessions_by_rule() -> frozenset[date]:
    """Every day with a session."""
    closed = MOURNING | {day for year in range(2015, 2028) for day in holidays(year)}
    days = (FIRST + timedelta(days=number) for number in range((LAST - FIRST).days + 1))
    return frozenset(day for day in days if day.weekday() < SATURDAY and day not in closed)


def half_days_by_rule() -> set[date]:
    """The eves of Independence Day and of Christmas, and the day after Thanksgiving."""
    days = sessions_by_rule()
    eves = {date(year, *eve) for year in range(2015, 2028) for eve in ((7, 3), (12, 24))}
    after = {nth(year, 11, THURSDAY, 4) + timedelta(days=1) for year in range(2015, 2028)}
    return (eves | after) & days


@pytest.mark.parametrize("name", ["XNYS", "XCBF"])
def test_thirteen_years_of_sessions_agree_with_the_rules(name: str) -> None:
    assert set(session_dates(session_calendar(name, FIRST, LAST))) == sessions_by_rule()


@pytest.mark.parametrize("name", ["XNYS", "XCBF"])
def test_thirteen_years_of_half_days_agree_with_the_rules(name: str) -> None:
    calendar = session_calendar(name, FIRST, LAST)
    lengths = (calendar.close_ns - calendar.open_ns).tolist()
    days = session_dates(calendar)
    short = {day for day, length in zip(days, lengths, strict=True) if length < max(lengths)}
    assert short == half_days_by_rule()


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("XCBF", date(2022, 6, 20)),  # Juneteenth, which another library had open
        ("XCBF", date(2023, 6, 19)),
        ("XNYS", date(2026, 7, 3)),  # Independence Day is a Saturday
        ("XNYS", date(2025, 1, 9)),  # mourning, announced eleven days before
        ("XNYS", date(2027, 12, 24)),
    ],
)
def test_a_day_that_libraries_have_got_wrong_is_closed(name: str, day: date) -> None:
    week = timedelta(days=4)
    assert day not in session_dates(session_calendar(name, day - week, day + week))


def clock_changes() -> list[date]:
    """The second Sunday of March and the first of November, 2015 to 2027."""
    years = range(2015, 2028)
    return [nth(year, month, 6, nth_) for year in years for month, nth_ in ((3, 2), (11, 1))]


@pytest.mark.parametrize(
    ("name", "zone", "opens", "closes"),
    [
        ("XNYS", "America/New_York", time(9, 30), time(16)),
        ("XCBF", "America/Chicago", time(8, 30), time(15, 15)),
    ],
)
def test_around_every_clock_change_sessions_keep_the_exchanges_own_clock(
    name: str, zone: str, opens: time, closes: time
) -> None:
    calendar = session_calendar(name, FIRST, LAST)
    days = session_dates(calendar)
    for sunday in clock_changes():
        around = [sunday + timedelta(days=number) for number in (-2, -1, 0, 1, 2)]
        assert [day in days for day in around] == [True, False, False, True, True]
        for day in (around[0], *around[3:]):
            index = days.index(day)
            ends = (int(calendar.open_ns[index]), int(calendar.close_ns[index]))
            local = [datetime.fromtimestamp(ns // 10**9, ZoneInfo(zone)).time() for ns in ends]
            assert local == [opens, closes]


def test_the_configuration_goes_before_the_review() -> None:
    day = date(2026, 12, 24)
    week = (date(2026, 12, 21), date(2026, 12, 28))
    assert hours_of(session_calendar("CFE", *week), day)[1] == "12-24 18:15"
    later = CalendarOverrides(early_closes=((day, time(13, 15)),))
    assert hours_of(session_calendar("CFE", *week, later), day)[1] == "12-24 19:15"
    closed = CalendarOverrides(closed=(day,))
    assert day not in session_dates(session_calendar("CFE", *week, closed))
