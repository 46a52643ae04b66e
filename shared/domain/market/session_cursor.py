"""A calendar with the session last asked about at hand, so that most answers need no search."""

from typing import Final, NamedTuple

from shared.domain.sessions import OutsideCalendar, SessionCalendar

NEVER: Final = 2**63 - 1
"""An instant that no event reaches."""


class Elapsed(NamedTuple):
    """What lies between two instants inside sessions.

    Attributes:
        trading_ns: Trading time.
        sessions: Openings; 0 inside one session.
        days: Trading days with their fraction: 1.0 from noon to noon of the next session.
    """

    trading_ns: int
    sessions: int
    days: float


class SessionCursor:
    """Reads a calendar forwards, in Python integers.

    Attributes:
        index: Number of the session at hand; its opening is 0 before the first was entered.
        open_ns: Its opening instant.
        close_ns: Its closing instant.
    """

    def __init__(self, calendar: SessionCalendar) -> None:
        self.calendar = calendar
        self.index = 0
        self.open_ns = 0
        self.close_ns = -1
        self._next_open_ns = -1
        self._next_close_ns = -1
        self._asked: tuple[int, int] | None = None
        self._answer: int | None = None
        self._measured: tuple[int, int] | None = None
        self._elapsed = Elapsed(0, 0, 0.0)

    def enter(self, now: int) -> bool:
        """Move to the session that `now` lies in, both ends included; False when in none."""
        if self.open_ns <= now <= self.close_ns and now < self._next_open_ns:
            return True
        try:
            index = self.calendar.session(now)
        except OutsideCalendar:
            return False
        if not self.calendar.is_open(now):
            return False
        self.index = index
        self.open_ns, self.close_ns = self._edges(index)
        self._next_open_ns, self._next_close_ns = self._edges(index + 1)
        self._measured = None
        return True

    def _edges(self, index: int) -> tuple[int, int]:
        if index == len(self.calendar):
            return NEVER, NEVER
        return self.calendar.hours(index)

    def since(self, start: int, end: int) -> Elapsed:
        """Measure from `start`, inside this or an earlier session, to `end`, inside this one."""
        if start >= self.open_ns:
            return Elapsed(end - start, 0, (end - start) / (self.close_ns - self.open_ns))
        asked = (start, end)
        if asked != self._measured:  # the sources of one print nearly all ask the same
            self._measured, self._elapsed = asked, self._across(start, end)
        return self._elapsed

    def _across(self, start: int, end: int) -> Elapsed:
        index = self.calendar.session(start)
        opened, closed = self._edges(index)
        done = (start - opened) / (closed - opened)
        doing = (end - self.open_ns) / (self.close_ns - self.open_ns)
        sessions = self.index - index
        trading_ns = self.calendar.trading_ns_between(start, end)
        return Elapsed(trading_ns, sessions, sessions + (doing - done))

    def after_trading(self, start: int, duration_ns: int) -> int | None:
        """The first instant with `duration_ns` of trading time since `start`.

        Returns:
            The instant; `None` when the calendar ends before.
        """
        asked = (start, duration_ns)
        if asked != self._asked:  # the readings of one print all ask the same
            self._asked, self._answer = asked, self._after(start, duration_ns)
        return self._answer

    def _after(self, start: int, duration_ns: int) -> int | None:
        if self.open_ns <= start <= self.close_ns:
            rest = start + duration_ns - self.close_ns
            if rest <= 0:
                return start + duration_ns
            if rest <= self._next_close_ns - self._next_open_ns:
                return self._next_open_ns + rest
        try:
            return self.calendar.after_trading(start, duration_ns)
        except OutsideCalendar:
            return None
