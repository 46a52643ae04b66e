"""When contracts expire: days by rule, instants by the exchange's own sessions.

A day without a session gives way to the session before it, as exchanges do on a holiday. An AM
settlement is the opening of the expiry day, a PM one its close, which half days bring forward.
"""

from datetime import date, timedelta
from typing import Final

import numpy as np

from shared.domain.instants import DAY
from shared.domain.instruments.roots import FutureRoot, Settlement
from shared.domain.sessions import OutsideCalendar, SessionCalendar

_EPOCH: Final = date(1970, 1, 1)
_FRIDAY, _WEDNESDAY = 4, 2
_VIX_HORIZON: Final = timedelta(days=30)
_WEEK: Final = timedelta(days=7)


class SessionDays:
    """A calendar by days: each session is named after the day it closes on, in UTC.

    Args:
        calendar: Its sessions.
    """

    def __init__(self, calendar: SessionCalendar) -> None:
        self._calendar = calendar
        self._days = (calendar.close_ns - 1) // DAY

    def __contains__(self, day: date) -> bool:
        """Whether it has a session; a day beyond the calendar has none that is known."""
        index = int(np.searchsorted(self._days, _number(day)))
        return index < len(self._days) and int(self._days[index]) == _number(day)

    def at_or_before(self, day: date) -> date:
        """The day of the last session that is not after `day`.

        Raises:
            OutsideCalendar: `day` is before the first session or after the last.
        """
        return _EPOCH + timedelta(days=int(self._days[self._index(day)]))

    def opening_ns(self, day: date) -> int:
        """Opening of the session of `day`, or of the one before it; raises as `at_or_before`."""
        return int(self._calendar.open_ns[self._index(day)])

    def closing_ns(self, day: date) -> int:
        """Closing of the same."""
        return int(self._calendar.close_ns[self._index(day)])

    def instant_ns(self, day: date, settlement: Settlement) -> int:
        """The instant at which what expires on `day` is settled; raises as `at_or_before`."""
        return self.opening_ns(day) if settlement == "am" else self.closing_ns(day)

    def sessions_between(self, earlier: date, later: date) -> int:
        """Sessions after `earlier` up to `later`; beyond the calendar every weekday counts."""
        last = _EPOCH + timedelta(days=int(self._days[-1]))
        known = [_number(min(earlier, last)), _number(min(later, last))]
        first_index, last_index = np.searchsorted(self._days, known, side="right").tolist()
        from_day, to_day = (max(each, last) + timedelta(days=1) for each in (earlier, later))
        return int(last_index - first_index + np.busday_count(from_day, to_day))

    def _index(self, day: date) -> int:
        index = int(np.searchsorted(self._days, _number(day), side="right")) - 1
        if index < 0 or _number(day) > self._days[-1]:
            raise OutsideCalendar(f"no session is known around {day}")
        return index


def third_friday(year: int, month: int) -> date:
    """The Friday that lies from the 15th to the 21st."""
    return _weekday_from(date(year, month, 15), _FRIDAY)


def month_expiry(root: FutureRoot, year: int, month: int, days: SessionDays) -> date:
    """The day on which a monthly contract settles.

    Raises:
        OutsideCalendar: The calendar does not reach so far.

    VIX: the Wednesday 30 days before the third Friday of the next month. When that Wednesday or
    that Friday has no session, the session before that Wednesday (CFE rule 1202).
    """
    if root.expiry == "third_friday":
        return days.at_or_before(third_friday(year, month))
    following = third_friday(year + month // 12, month % 12 + 1)
    return _vix_settlement(following - _VIX_HORIZON, days)


def week_expiry(year: int, week: int, days: SessionDays) -> date:
    """The day on which the VIX future of a week settles: around its Wednesday.

    Args:
        year: Of the week.
        week: From 1: the CFE counts the Wednesdays of a year on which a contract could expire.
        days: The calendar.

    Raises:
        OutsideCalendar: The calendar does not reach so far.
    """
    return _vix_settlement(_first_wednesday(year) + _WEEK * (week - 1), days)


def week_of(day: date) -> int:
    """The number of the week whose Wednesday's contract settles on `day`."""
    wednesday = day + timedelta(days=_WEDNESDAY - day.weekday())
    first = _first_wednesday((wednesday - timedelta(days=1)).year)
    return (wednesday - first) // _WEEK + 1


def _first_wednesday(year: int) -> date:
    """Never New Year's Day: what would settle then settles on the year before's last."""
    return _weekday_from(date(year, 1, 2), _WEDNESDAY)


def _vix_settlement(wednesday: date, days: SessionDays) -> date:
    if wednesday in days and wednesday + _VIX_HORIZON in days:
        return wednesday
    days.at_or_before(wednesday + _VIX_HORIZON)  # a calendar that ends is no holiday
    return days.at_or_before(wednesday - timedelta(days=1))


def _weekday_from(day: date, weekday: int) -> date:
    """The first such weekday that is not before `day`."""
    return day + timedelta(days=(weekday - day.weekday()) % _WEEK.days)


def _number(day: date) -> int:
    return (day - _EPOCH).days
