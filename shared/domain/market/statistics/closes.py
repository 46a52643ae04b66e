"""What the published programmes read off session closes and the live value (spec 10).

Both answer `observe(level, sessions)`: one print, and the number of sessions since the one before
it. A session without a print is a missing day: the window reaches further back.
"""

import math
from collections import deque
from collections.abc import Sequence
from enum import IntEnum
from itertools import islice
from typing import Final

from msgspec import Struct

FAST: Final = 5
SLOW: Final = 20
DAYS: Final = 10
"""The trend of VEQTOR: 5-day against 20-day average, for ten consecutive days."""


class ClosesState(Struct, frozen=True, kw_only=True):
    """Closes, oldest first, and the last print of the session under way."""

    closes: tuple[float, ...] = ()
    last: float | None = None


class Closes:
    """The last session closes and the live value, which counts as the latest day's close.

    Attributes:
        need: Values of a full window, the live one included.
    """

    def __init__(self, need: int, state: ClosesState | None = None) -> None:
        known = state or ClosesState()
        self.need = need
        self._closes = deque(known.closes, maxlen=need - 1)
        self._last = known.last

    @property
    def have(self) -> int:
        """Closes so far, and one for the live value."""
        return len(self._closes) + (self._last is not None)

    def observe(self, level: float, sessions: int) -> None:
        """Take a print; in a later session the last print becomes a close."""
        if sessions and self._last is not None:
            self._closes.append(self._last)
        self._last = level

    def values(self) -> tuple[float, ...]:
        """Oldest first, the live one last; shape `(have,)`."""
        return tuple(self._closes) if self._last is None else (*self._closes, self._last)

    def snapshot(self) -> ClosesState:
        """State for the constructor."""
        return ClosesState(closes=tuple(self._closes), last=self._last)


class Trend(IntEnum):
    """Where a level has gone for ten days."""

    DOWN = -1
    NONE = 0
    UP = 1


class CloseTrend(Closes):
    """Up when the 5-day average was above the 20-day one on each of ten days; down when below."""

    NEED: Final = SLOW + DAYS - 1

    def __init__(self, state: ClosesState | None = None) -> None:
        super().__init__(self.NEED, state)
        self._run = self._completed_run()

    def observe(self, level: float, sessions: int) -> None:
        """Take a print; the completed days are looked at once a session."""
        super().observe(level, sessions)
        if sessions:
            self._run = self._completed_run()

    @property
    def value(self) -> Trend | None:
        """The trend; `None` until the window is full."""
        if self.have < self.need:
            return None
        today = _side((*islice(self._closes, len(self._closes) - SLOW + 1, None), self._live()))
        return Trend(today) if today == self._run else Trend.NONE

    def _live(self) -> float:
        assert self._last is not None  # noqa: S101 - a full window has a live value
        return self._last

    def _completed_run(self) -> int:
        """The side that all completed days of a full window were on; 0 for none."""
        closes = tuple(self._closes)
        sides = {_side(closes[end - SLOW : end]) for end in range(SLOW, len(closes) + 1)}
        return sides.pop() if len(sides) == 1 else 0


class CloseReturn(Closes):
    """Simple return since the close so many sessions ago."""

    def __init__(self, sessions: int, state: ClosesState | None = None) -> None:
        super().__init__(sessions + 1, state)

    @property
    def value(self) -> float | None:
        """Decimal, −0.02: 2% down; `None` until the window is full."""
        if self.have < self.need:
            return None
        values = self.values()
        return values[-1] / values[0] - 1


def _side(values: Sequence[float]) -> int:
    """Whether the average of the last five of twenty lies above that of all: 1, 0 or −1."""
    fast, slow = math.fsum(values[-FAST:]) / FAST, math.fsum(values) / SLOW
    return (fast > slow) - (fast < slow)
