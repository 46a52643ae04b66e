"""Exchange calendars, from exchange_calendars, as `SessionCalendar` values.

No holiday list is written by hand here. The library is wrong at times: what a review found for the
two calendars of a volatility desk, 2015 to 2027, stands in `REVIEWED`, and the configuration may
carry a table of its own, which goes before. A day that is not in the calendar is an unknown day: no
trading. Lunch breaks are not modelled: a session is one stretch from its opening to its closing.
"""

import warnings
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import numpy as np
from msgspec import Struct

from shared.domain.instants import DAY, SECOND
from shared.domain.sessions import SessionCalendar

if TYPE_CHECKING:
    from exchange_calendars import ExchangeCalendar

ALIASES: Final = {"CBOE": "XCBF", "CFE": "XCBF", "NYSE": "XNYS"}
"""Names a desk uses, which the library does not know or spells otherwise."""

_ORDINARY_YEAR: Final = (date(2019, 1, 1), date(2019, 12, 31))
_EPOCH: Final = date(1970, 1, 1)


class CalendarError(ValueError):
    """No calendar can be given for what was asked; the message says why and what would do."""


class CalendarOverrides(Struct, frozen=True, kw_only=True):
    """The reviewed table of what the library has wrong, or does not know yet.

    Attributes:
        closed: Days without a session, whatever the library says.
        early_closes: `(day, closing time on the exchange's own clock)`.
    """

    closed: tuple[date, ...] = ()
    early_closes: tuple[tuple[date, time], ...] = ()


NO_OVERRIDES: Final = CalendarOverrides()

_INDEPENDENCE_EVES: Final = (2017, 2018, 2019, 2023, 2024, 2025)
_CHRISTMAS_EVES: Final = (2015, 2018, 2019, 2020, 2024, 2025, 2026)

REVIEWED: Final = {
    "XCBF": CalendarOverrides(
        early_closes=tuple(
            (day, time(12, 15))
            for day in (
                *(date(year, 7, 3) for year in _INDEPENDENCE_EVES),
                *(date(year, 12, 24) for year in _CHRISTMAS_EVES),
            )
        )
    )
}
"""By the library's name. XCBF of 4.13.2 has the half day after Thanksgiving and not the other two,
when the index that VIX is made from closes at 13:00 in New York; all else agrees."""


def known_calendars() -> list[str]:
    """Names that `session_calendar` takes, sorted, aliases included."""
    from exchange_calendars import get_calendar_names  # noqa: PLC0415 - the import takes a second

    return sorted({*get_calendar_names(include_aliases=True), *ALIASES})


@lru_cache(maxsize=64)
def session_calendar(
    name: str, start: date, end: date, overrides: CalendarOverrides = NO_OVERRIDES
) -> SessionCalendar:
    """Sessions of an exchange whose date lies in `[start, end]`.

    Args:
        name: The library's name (`XNYS`, `XCBF`, …), one of `ALIASES`, or `24/7`: always open.
        start: First day wanted.
        end: Last day wanted, included.
        overrides: The reviewed table; entries outside `[start, end]` are not looked at.

    Raises:
        CalendarError: Unknown name, days beyond what the library knows, no session at all, or an
            early close that is not one.
    """
    if start > end:
        raise CalendarError(f"calendar {name}: {start} is after {end}")
    calendar = _library_calendar(name, start, end)
    sessions = {day: hours for day, hours in _schedule(calendar) if day <= end}
    for day in overrides.closed:
        sessions.pop(day, None)
    reviewed = REVIEWED.get(ALIASES.get(name, name), NO_OVERRIDES)
    known = [(day, local) for day, local in reviewed.early_closes if day in sessions]
    for day, local in (dict(known) | dict(overrides.early_closes)).items():
        if start <= day <= end:
            sessions[day] = _closed_early(name, sessions, day, local, calendar.tz)
    if not sessions:
        raise CalendarError(f"calendar {name} has no session from {start} to {end}")
    openings, closings = zip(*sessions.values(), strict=True)
    return SessionCalendar(openings, closings)


def session_dates(calendar: SessionCalendar) -> tuple[date, ...]:
    """The date each session is named after, in order: that of its last nanosecond, in UTC.

    A session that opens the evening before (CME) is so named after the day it closes. Wrong only
    for New Zealand's half days, which end before midnight UTC of the day before.
    """
    days = (calendar.close_ns - 1) // DAY
    return tuple(_EPOCH + timedelta(days=int(day)) for day in days)


@lru_cache(maxsize=16)
def regular_session_ns(name: str) -> int:
    """Length of an ordinary session in ns: the median of 2019 (XNYS: six and a half hours).

    Raises:
        CalendarError: Unknown name.
    """
    calendar = session_calendar(name, *_ORDINARY_YEAR)
    return int(np.median(calendar.close_ns - calendar.open_ns))


def _library_calendar(name: str, start: date, end: date) -> "ExchangeCalendar":
    from exchange_calendars import errors, get_calendar  # noqa: PLC0415 - the import takes a second

    last = max(end, start + timedelta(days=1))  # the library refuses a range of one day
    try:
        with warnings.catch_warnings():  # the library uses what pandas 3.1 deprecates
            warnings.simplefilter("ignore", DeprecationWarning)
            return get_calendar(ALIASES.get(name, name), start=str(start), end=str(last))
    except errors.InvalidCalendarName:
        near = get_close_matches(name.upper(), known_calendars(), n=3)
        hint = f"did you mean {', '.join(near)}?" if near else "XNYS, XCBF and 24/7 are three"
        raise CalendarError(f"unknown calendar {name!r}: {hint}") from None
    except errors.NoSessionsError:
        raise CalendarError(f"calendar {name} has no session from {start} to {end}") from None
    except ValueError as reason:  # beyond its bounds: some of these messages run to pages
        raise CalendarError(
            f"calendar {name} is not known from {start} to {end}: {str(reason)[:200]}"
        ) from None


def _schedule(calendar: "ExchangeCalendar") -> Iterator[tuple[date, tuple[int, int]]]:
    openings, closings = (
        instants.dt.tz_convert(None).to_numpy(dtype="datetime64[ns]").astype(np.int64)
        for instants in (calendar.opens, calendar.closes)
    )
    for session, opening, closing in zip(calendar.sessions, openings, closings, strict=True):
        yield session.date(), (int(opening), int(closing))


def _closed_early(
    name: str, sessions: dict[date, tuple[int, int]], day: date, local: time, zone: ZoneInfo
) -> tuple[int, int]:
    if day not in sessions:
        raise CalendarError(f"calendar {name}: early close on {day}, which has no session")
    opening, closing = sessions[day]
    early = datetime.combine(day, local, tzinfo=ZoneInfo(str(zone))).astimezone(UTC)
    early_ns = int(early.timestamp()) * SECOND
    if not opening < early_ns < closing:
        raise CalendarError(
            f"calendar {name}: {local:%H:%M} on {day} is not between its opening and its closing"
        )
    return opening, early_ns
