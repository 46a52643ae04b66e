"""Calendars small enough to reason about."""

from shared.domain.instants import DAY, HOUR
from shared.domain.market.session_cursor import SessionCursor
from shared.domain.sessions import SessionCalendar

OPENS = 10 * HOUR
LENGTH = 2 * HOUR


def daily(sessions: int, length_ns: int = LENGTH) -> SessionCalendar:
    """One session a day from day 1, opening at 10:00."""
    opens = [day * DAY + OPENS for day in range(1, sessions + 1)]
    return SessionCalendar(opens, [instant + length_ns for instant in opens])


def at(day: int, into_session_ns: int = 0) -> int:
    """An instant of session `day`, counted from 1."""
    return day * DAY + OPENS + into_session_ns


def close_of(day: int) -> int:
    """The close of session `day`, counted from 1."""
    return at(day, LENGTH)


class Desk:
    """A cursor that follows the prints told to a source, as the monitor's does."""

    def __init__(self, sessions: int = 100) -> None:
        self.cursor = SessionCursor(daily(sessions))

    def enter(self, event_ns: int) -> int:
        """Move the cursor to `event_ns` and give it back."""
        assert self.cursor.enter(event_ns)
        return event_ns
