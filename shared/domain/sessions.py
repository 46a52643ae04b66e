"""Exchange sessions as a value, and *trading time*: a clock that stands still while closed.

The calendar itself comes from a calendar library (`shared.adapters.calendars`); here it is only
its opening and closing instants, so that the domain stays pure and a study can bring its own.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class OutsideCalendar(ValueError):  # noqa: N818 - reads as what happened, like KeyError
    """An instant before the first or after the last known session: unknown day, no trading."""


class SessionCalendar:
    """Sessions in order, none overlapping.

    Args:
        open_ns: Opening instants, shape `(n,)`, strictly increasing.
        close_ns: Closing instants, shape `(n,)`, each after its opening and not after the next one.

    Raises:
        ValueError: No session, or instants out of order.
    """

    def __init__(self, open_ns: Sequence[int], close_ns: Sequence[int]) -> None:
        self.open_ns: NDArray[np.int64] = np.asarray(open_ns, dtype=np.int64)
        self.close_ns: NDArray[np.int64] = np.asarray(close_ns, dtype=np.int64)
        if not len(self.open_ns) or self.open_ns.shape != self.close_ns.shape:
            raise ValueError("a calendar needs as many openings as closings, and at least one")
        ordered = np.all(self.close_ns > self.open_ns) and np.all(
            self.open_ns[1:] >= self.close_ns[:-1]
        )
        if not ordered:
            raise ValueError("sessions must be in order and must not overlap")
        lengths = self.close_ns - self.open_ns
        # Asked for one instant at a time, a list answers many times faster than an array.
        self._opens: list[int] = self.open_ns.tolist()
        self._closes: list[int] = self.close_ns.tolist()
        self._elapsed_ns: list[int] = [0, *np.cumsum(lengths).tolist()]  # before session i opens

    def __len__(self) -> int:
        return len(self._opens)

    def session(self, now: int) -> int:
        """Index of the latest session that opened at or before `now`.

        Raises:
            OutsideCalendar: `now` is before the first opening or after the last closing.
        """
        index = bisect_right(self._opens, now) - 1
        if index < 0 or (index == len(self._opens) - 1 and now > self._closes[-1]):
            raise OutsideCalendar(f"no session known around instant {now} ns")
        return index

    def opened(self, now: int) -> int:
        """Number of the latest session that opened at or before `now`; the first before it."""
        return max(0, bisect_right(self._opens, now) - 1)

    def closed(self, now: int) -> int:
        """How many sessions closed before `now`."""
        return bisect_left(self._closes, now)

    def hours(self, session: int) -> tuple[int, int]:
        """Opening and closing instant of a session, by its number."""
        return self._opens[session], self._closes[session]

    def is_open(self, now: int) -> bool:
        """Whether `now` lies in a session, both ends included: a close prints at its instant."""
        return now <= self._closes[self.session(now)]

    def trading_ns(self, now: int) -> int:
        """Trading time from the first opening to `now`, in ns; constant while closed."""
        index = self.session(now)
        within = min(now, self._closes[index]) - self._opens[index]
        return self._elapsed_ns[index] + within

    def trading_ns_between(self, start: int, end: int) -> int:
        """Trading time from `start` to `end`, in ns; negative when `end` is earlier."""
        return self.trading_ns(end) - self.trading_ns(start)

    def after_trading(self, start: int, duration_ns: int) -> int:
        """The first instant at which `duration_ns` of trading time has passed since `start`.

        Raises:
            OutsideCalendar: The calendar ends before.
        """
        wanted = self.trading_ns(start) + duration_ns
        if duration_ns <= 0:
            return start
        index = bisect_left(self._elapsed_ns, wanted) - 1
        if index >= len(self._opens):
            raise OutsideCalendar(f"the calendar ends within {duration_ns} ns of trading time")
        return self._opens[index] + wanted - self._elapsed_ns[index]
