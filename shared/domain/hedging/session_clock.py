"""Where an instant lies in the exchange's calendar, at the price of a comparison.

A calendar lookup costs microseconds and is asked on every print; the session rarely changes, so
the last one found is kept. What lies ahead is looked up in the calendar and leaves it in place.
Beyond the calendar's ends the market counts as closed.
"""

from msgspec import Struct

from shared.domain.sessions import OutsideCalendar, SessionCalendar


class Moment(Struct, frozen=True, gc=False):
    """An instant, located.

    Attributes:
        now_ns: The instant.
        session: Number of the latest session opened; −1 before the first.
        trading_ns: Trading time since the calendar's first opening.
        opened_ns: When that session opened; what printed before does not count in it.
        is_open: Whether it lies in that session, both ends included.
    """

    now_ns: int
    session: int
    trading_ns: int
    opened_ns: int
    is_open: bool


class SessionClock:
    """A `SessionCalendar` that never raises: outside it there is no trading.

    Args:
        calendar: The sessions.
    """

    def __init__(self, calendar: SessionCalendar) -> None:
        self._calendar = calendar
        self.last_close_ns = int(calendar.close_ns[-1])
        self._number = 0
        self._locate(0)

    def at(self, now: int) -> Moment:
        """Locate `now`, in ns."""
        if now >= self._next_open_ns:
            self._locate(self._calendar.opened(now))
        elif now < self._open_ns:
            return self._earlier(now)
        within = min(now, self._close_ns) - self._open_ns
        trading_ns = self._elapsed_ns + within
        return Moment(now, self._number, trading_ns, self._open_ns, now <= self._close_ns)

    def after_trading(self, start: int, duration_ns: int) -> int | None:
        """The first instant with `duration_ns` of trading since `start`; `None` beyond the end."""
        try:
            return self._calendar.after_trading(start, duration_ns)
        except OutsideCalendar:
            return None

    def open_at_or_after(self, now: int) -> int | None:
        """`now` while open, else the next opening; `None` beyond the end."""
        opened_ns, closed_ns = self._calendar.hours(self._calendar.opened(now))
        return now if opened_ns <= now <= closed_ns else self.opening_after(now)

    def opening_after(self, now: int) -> int | None:
        """The first opening after `now`; `None` beyond the end."""
        calendar = self._calendar
        session = calendar.opened(now)
        following = session if now < calendar.hours(session)[0] else session + 1
        return calendar.hours(following)[0] if following < len(calendar) else None

    def close_after(self, now: int) -> int | None:
        """The first closing at or after `now`; `None` beyond the end."""
        calendar = self._calendar
        session = calendar.opened(now)
        coming = session if now <= calendar.hours(session)[1] else session + 1
        return calendar.hours(coming)[1] if coming < len(calendar) else None

    def _earlier(self, now: int) -> Moment:
        """Locate an instant before the session at hand, which stays at hand."""
        session = self._calendar.opened(now)
        opened_ns, closed_ns = self._calendar.hours(session)
        if now < opened_ns:
            return Moment(now, -1, 0, 0, is_open=False)
        trading_ns = self._calendar.trading_ns(now)
        return Moment(now, session, trading_ns, opened_ns, now <= closed_ns)

    def _locate(self, number: int) -> None:
        calendar, following = self._calendar, number + 1
        self._number = number
        self._open_ns, self._close_ns = calendar.hours(number)
        is_last = following == len(calendar)
        self._next_open_ns = 2**63 if is_last else calendar.hours(following)[0]
        self._elapsed_ns = calendar.trading_ns(self._open_ns)
