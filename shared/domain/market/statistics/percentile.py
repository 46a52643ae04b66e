"""Rank of a live value among the last N session closes of itself (spec 1, `vix_percentile`)."""

from bisect import bisect_left, bisect_right, insort
from collections import deque

from msgspec import Struct


class PercentileState(Struct, frozen=True, kw_only=True):
    """Closes, oldest first, and the last value of the session under way."""

    closes: tuple[float, ...] = ()
    last: float | None = None


class ClosePercentile:
    """Keeps the closes sorted: O(log N) for a rank, one insertion a session.

    Attributes:
        need: Closes of a full window.
    """

    def __init__(self, sessions: int, state: PercentileState | None = None) -> None:
        state = state or PercentileState()
        self.need = sessions
        self._closes = deque(state.closes, maxlen=sessions)
        self._sorted = sorted(self._closes)
        self._last = state.last

    @property
    def have(self) -> int:
        """Closes so far."""
        return len(self._closes)

    def observe(self, value: float, sessions: int) -> None:
        """Take a value; in a later session the last one becomes a close."""
        if sessions and self._last is not None:
            if len(self._closes) == self.need:
                del self._sorted[bisect_left(self._sorted, self._closes[0])]
            self._closes.append(self._last)
            insort(self._sorted, self._last)
        self._last = value

    @property
    def value(self) -> float | None:
        """Share of the closes below the last value, an equal one counted half; 0..1."""
        if self._last is None or self.have < self.need:
            return None
        below, upto = bisect_left(self._sorted, self._last), bisect_right(self._sorted, self._last)
        return (below + upto) / (2 * self.need)

    def snapshot(self) -> PercentileState:
        """State for the constructor."""
        return PercentileState(closes=tuple(self._closes), last=self._last)
