"""Bars held against the exchange's calendar: which session each belongs to, which have none."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from itertools import groupby, pairwise

from msgspec import structs

from shared.adapters.calendars import (
    NO_OVERRIDES,
    CalendarOverrides,
    session_calendar,
    session_dates,
)
from shared.adapters.history.series import DailyBar, FindingKind, Inspection, IntradayBar, Series
from shared.domain.instants import SECOND
from shared.domain.sessions import OutsideCalendar, SessionCalendar

Bar = DailyBar | IntradayBar


class Sessions:
    """The sessions of a calendar, by date and by instant.

    Attributes:
        calendar: Their instants.
        dates: What each is named after.
    """

    def __init__(self, calendar: SessionCalendar) -> None:
        self.calendar = calendar
        self.dates = session_dates(calendar)
        self._by_date = {day: index for index, day in enumerate(self.dates)}

    def of(self, bar: Bar) -> int | None:
        """The session that the whole bar lies in, or `None`."""
        if isinstance(bar, DailyBar):
            return self._by_date.get(bar.day)
        try:
            session = self.calendar.session(bar.start_ns)
        except OutsideCalendar:
            return None
        return session if bar.end_ns <= self.calendar.close_ns[session] else None


def day_of(bar: Bar) -> date:
    """The bar's date; an intraday bar's in UTC."""
    if isinstance(bar, DailyBar):
        return bar.day
    return datetime.fromtimestamp(bar.start_ns // SECOND, UTC).date()


def checked(
    history: Sequence[Series], calendar: str, overrides: CalendarOverrides = NO_OVERRIDES
) -> tuple[Series, ...]:
    """Leave out bars while the exchange was closed; report them, and sessions without a bar.

    Raises:
        CalendarError: Unknown calendar, or it does not reach that far.
    """
    days = [day_of(bar) for series in history for bar in (*series.bars[:1], *series.bars[-1:])]
    if not days:
        return tuple(history)
    sessions = Sessions(session_calendar(calendar, min(days), max(days), overrides))
    return tuple(_checked(series, sessions) for series in history)


def _checked(series: Series, sessions: Sessions) -> Series:
    inspection = Inspection(series.symbol, series.place)
    kept = [bar for bar in series.bars if sessions.of(bar) is not None]
    closed = [bar for bar in series.bars if sessions.of(bar) is None]
    for day, bars in groupby(closed, key=day_of):
        count = len(list(bars))
        what = "bar" if count == 1 else f"{count} bars"
        message = f"{day}: the exchange was closed; {what} not used"
        inspection.report(FindingKind.CLOSED, series.place, day, message)
    _report_gaps(inspection, series.place, sessions, {sessions.of(bar) for bar in kept})
    findings = (*series.findings, *inspection.findings)
    return structs.replace(series, bars=tuple(kept), findings=findings)


def _report_gaps(
    inspection: Inspection, place: str, sessions: Sessions, present: set[int | None]
) -> None:
    known = sorted(index for index in present if index is not None)
    for earlier, later in pairwise(known):
        missing = later - earlier - 1
        if missing:
            first, last = sessions.dates[earlier + 1], sessions.dates[later - 1]
            days = str(first) if first == last else f"{first} to {last}"
            message = f"no bar in {missing} {'session' if missing == 1 else 'sessions'}: {days}"
            inspection.report(FindingKind.GAP, place, first, message)
