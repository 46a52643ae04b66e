"""Three ways to smooth a level: exponentially, over session closes, by a trailing median (spec 1).

All answer `observe(level, trading_ns, sessions)`: one print, the trading time and the number of
sessions since the print before it (both 0 for the first).
"""

import math
from bisect import bisect_left, insort
from collections import deque
from typing import Protocol

import numpy as np
from msgspec import Struct
from numba import njit
from numpy.typing import NDArray

from shared.domain.policies import SmoothingPolicy


class SmootherState(Struct, frozen=True, kw_only=True):
    """What any of the three needs to go on.

    Attributes:
        value: The average so far; `None` before the first print. Exponential only.
        levels: Closes, or the prints in the window, oldest first.
        ages: Trading time of each of `levels` on the statistic's own clock, ns. Median only.
        trading_ns: That clock. Median only.
        last: The last print. Closes only.
    """

    value: float | None = None
    levels: tuple[float, ...] = ()
    ages: tuple[int, ...] = ()
    trading_ns: int = 0
    last: float | None = None


class Smoother(Protocol):
    """What the three have in common.

    Attributes:
        have: How full the window is …
        need: … of how much: values, or ns of trading time for the median.
    """

    need: int

    @property
    def have(self) -> int:
        """See above."""

    def observe(self, level: float, trading_ns: int, sessions: int) -> float:
        """Take a print and give the smoothed level, in the unit of the level."""

    def snapshot(self) -> SmootherState:
        """State for `smoother`."""


@njit(cache=True)
def decay_many(
    levels: NDArray[np.float64], weights: NDArray[np.float64], first: float
) -> NDArray[np.float64]:
    """Decayed averages of `levels` with the weights of the past, from `first`; shape `(n,)`."""
    path = np.empty_like(levels)
    average = first
    for i in range(len(levels)):
        average = weights[i] * average + (1 - weights[i]) * levels[i]
        path[i] = average
    return path


class DecayedAverage:
    """Exponentially decayed average of irregular prints: y ← w·y + (1 − w)·x, w = 2^(−Δt/h).

    Closed hours do not decay. Exact: after any Δt the weight of all the past is 2^(−Δt/h),
    however many prints it came in. Defined from the first print.
    """

    need = 1

    def __init__(self, half_life_trading_ns: int, state: SmootherState | None = None) -> None:
        self._half_life_ns = half_life_trading_ns
        self._average = state.value if state else None

    @property
    def have(self) -> int:
        """1 once there is a print."""
        return 0 if self._average is None else 1

    def observe(self, level: float, trading_ns: int, sessions: int = 0) -> float:  # noqa: ARG002 - Smoother
        """Take a print `trading_ns` after the last one; give the average."""
        if self._average is None:
            self._average = level
        weight = math.exp2(trading_ns / -self._half_life_ns)
        self._average = weight * self._average + (1 - weight) * level
        return self._average

    def observe_many(
        self, levels: NDArray[np.float64], trading_ns: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Take a run of prints in one compiled call; give the average after each, shape `(n,)`."""
        first = float(levels[0]) if self._average is None else self._average
        path = decay_many(levels, np.exp2(trading_ns / -self._half_life_ns), first)
        self._average = float(path[-1])
        return np.asarray(path)

    def snapshot(self) -> SmootherState:
        """State for the constructor."""
        return SmootherState(value=self._average)


class CloseAverage:
    """Simple average over N session closes and the live value: N + 1 values."""

    def __init__(self, sessions: int, state: SmootherState | None = None) -> None:
        self.need = sessions + 1
        self._closes = deque(state.levels if state else (), maxlen=sessions)
        self._last = state.last if state else None

    @property
    def have(self) -> int:
        """Closes so far, and one for the live value."""
        return len(self._closes) + (self._last is not None)

    def observe(self, level: float, trading_ns: int, sessions: int) -> float:  # noqa: ARG002 - Smoother
        """Take a print; in a later session the last print becomes a close."""
        if sessions and self._last is not None:
            self._closes.append(self._last)
        self._last = level
        return math.fsum((*self._closes, level)) / (len(self._closes) + 1)

    def snapshot(self) -> SmootherState:
        """State for the constructor."""
        return SmootherState(levels=tuple(self._closes), last=self._last)


class TrailingMedian:
    """Median of the prints younger than a window of trading time at the last print."""

    def __init__(self, window_trading_ns: int, state: SmootherState | None = None) -> None:
        self.need = window_trading_ns
        self._now = state.trading_ns if state else 0
        self._prints = deque(zip(state.ages, state.levels, strict=True) if state else ())
        self._sorted = sorted(level for _, level in self._prints)

    @property
    def have(self) -> int:
        """Trading time covered so far, in ns, at most the window."""
        return min(self._now, self.need)

    def observe(self, level: float, trading_ns: int, sessions: int = 0) -> float:  # noqa: ARG002 - Smoother
        """Take a print, let go of those that left the window, give the median."""
        self._now += trading_ns
        self._prints.append((self._now, level))
        insort(self._sorted, level)
        while self._prints[0][0] <= self._now - self.need:
            _, old = self._prints.popleft()
            del self._sorted[bisect_left(self._sorted, old)]
        half = len(self._sorted) // 2
        return (self._sorted[half] + self._sorted[~half]) / 2

    def snapshot(self) -> SmootherState:
        """State for the constructor."""
        ages = tuple(age for age, _ in self._prints)
        levels = tuple(level for _, level in self._prints)
        return SmootherState(levels=levels, ages=ages, trading_ns=self._now)


def smoother(policy: SmoothingPolicy, state: SmootherState | None = None) -> Smoother:
    """Build the smoother that `policy` names, anew or where `state` left off."""
    if policy.method == "ewma":
        return DecayedAverage(policy.half_life_trading_ns, state)
    if policy.method == "sma":
        return CloseAverage(policy.sessions, state)
    return TrailingMedian(policy.window_trading_ns, state)
