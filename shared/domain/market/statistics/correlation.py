"""Correlation of daily log returns, the last one live: of a basket (spec 1) and of two series (ρ).

The average pairwise correlation of k members is (|Σ z|² − k) / (k·(k − 1)), z a member's returns
less their mean, scaled to length 1: k·n steps instead of k²·n. What the completed returns give
is folded once a session; a refresh only adds the live return.
"""

import math
from collections import deque
from collections.abc import Sequence
from operator import mul
from typing import Final

import numpy as np
from msgspec import Struct
from numba import njit
from numpy.typing import NDArray

from shared.domain.market.statistics.moments import Moments

Column = int | NDArray[np.intp]


@njit(cache=True)
def average_correlation(
    levels: NDArray[np.float64],
    before: NDArray[np.float64],
    apart: NDArray[np.float64],
    means: NDArray[np.float64],
    squares: NDArray[np.float64],
) -> tuple[float, int]:
    """Average pairwise Pearson correlation of those members that have every return.

    Sums run in the order of the members: the same bits wherever and however often it is asked.

    Args:
        levels: Live levels, shape `(members,)`; NaN for a member without one.
        before: Closes of the session before, shape `(members,)`.
        apart: Completed returns less their mean, shape `(members, n − 1)`.
        means: Mean of the completed returns, shape `(members,)`; NaN when one is missing.
        squares: Sum of the squares of `apart` over the returns, shape `(members,)`.

    Returns:
        The average, NaN with fewer than two members; and the number of members in it. A member
        that did not move at all has no correlation and is left out too.
    """
    completed = apart.shape[1]
    returns = completed + 1
    together = np.zeros(returns)
    used = 0
    for i in range(len(levels)):
        live = math.log(levels[i] / before[i]) - means[i]
        spread = squares[i] + live * live * (completed / returns)
        if not spread > 0.0:  # NaN too: a missing day
            continue
        used += 1
        scale = 1.0 / math.sqrt(spread)
        for t in range(completed):
            together[t] += (apart[i, t] - live / returns) * scale
        together[completed] += live * (completed / returns) * scale
    if used < 2:  # noqa: PLR2004 - a pair
        return math.nan, used
    length = 0.0
    for t in range(returns):
        length += together[t] * together[t]
    return min(1.0, max(-1.0, (length - used) / (used * (used - 1)))), used


class BasketState(Struct, frozen=True, kw_only=True):
    """Levels as float64 bytes, members in the policy's order.

    Attributes:
        closes: `(members, returns)`, oldest first, NaN for a missing day.
        live: `(members,)`, NaN until the member prints in the session under way.
    """

    closes: bytes
    live: bytes


class BasketCorrelation:
    """Closes of a basket by session, and the average correlation of its returns.

    Args:
        members: How many.
        returns: Length of the window, the live return included; at least 3.
        state: Where to go on; one of another shape is another basket's and is not used.

    Raises:
        ValueError: `returns` is too small.
    """

    def __init__(self, members: int, returns: int, state: BasketState | None = None) -> None:
        if returns < 3:  # noqa: PLR2004 - two returns always correlate perfectly
            raise ValueError("a correlation needs at least three returns")
        self.members = members
        self._closes = np.full((members, returns), np.nan)
        self._live = np.full(members, np.nan)
        if state is not None and len(state.closes) == self._closes.nbytes:
            self._closes = np.frombuffer(state.closes).reshape(members, returns).copy()
            self._live = np.frombuffer(state.live).reshape(members).copy()
        self._fold()

    def _fold(self) -> None:
        returns = np.diff(np.log(self._closes), axis=1)
        self._means = returns.mean(axis=1)
        self._apart = returns - self._means[:, None]
        self._squares = (self._apart**2).sum(axis=1)
        self._before = np.ascontiguousarray(self._closes[:, -1])

    def observe(self, column: Column, levels: float | NDArray[np.float64], sessions: int) -> None:
        """Take prints of one session: `column` are the members, in order of time; last one wins.

        `sessions` is how many have opened since the basket's last print.
        """
        if sessions:
            self._roll(sessions)
        self._live[column] = levels

    def _roll(self, sessions: int) -> None:
        width = self._closes.shape[1]
        missing = np.full((self.members, min(sessions - 1, width)), np.nan)
        history = np.column_stack([self._closes, self._live, missing])
        self._closes = np.ascontiguousarray(history[:, -width:])
        self._live = np.full(self.members, np.nan)
        self._fold()

    def value(self) -> tuple[float, int]:
        """Average correlation, −1..1 or NaN, and how many members are in it."""
        average, used = average_correlation(
            self._live, self._before, self._apart, self._means, self._squares
        )
        return float(average), int(used)

    def snapshot(self) -> BasketState:
        """State for the constructor."""
        return BasketState(closes=self._closes.tobytes(), live=self._live.tobytes())


class PairState(Struct, frozen=True, kw_only=True):
    """Completed pairs of returns, oldest first; the closes before; the live levels."""

    completed: tuple[tuple[float, float], ...] = ()
    before: tuple[float | None, float | None] = (None, None)
    live: tuple[float | None, float | None] = (None, None)


LEFT: Final = 0
RIGHT: Final = 1


class PairCorrelation:
    """Correlation of two series of daily log returns, the last pair live.

    A session that either series missed breaks the returns that touch it; the window then reaches
    further back. Until both have printed in a session, the completed pairs stand alone.

    Attributes:
        need: Pairs of a full window.
    """

    def __init__(self, returns: int, state: PairState | None = None) -> None:
        if returns < 3:  # noqa: PLR2004 - two returns always correlate perfectly
            raise ValueError("a correlation needs at least three returns")
        state = state or PairState()
        self.need = returns
        self._completed = deque(state.completed, maxlen=returns)
        self._before = state.before
        self._live = state.live
        self._fold()

    def _fold(self) -> None:
        self._rest = _Comoments.of(tuple(self._completed)[-(self.need - 1) :])
        self._whole = _Comoments.of(tuple(self._completed))

    def observe(self, side: int, level: float, sessions: int) -> None:
        """Take a print of one side; `sessions` opened since the last print of either."""
        if sessions:
            pair = self._pair()
            if pair is not None:
                self._completed.append(pair)
            self._before = self._live if sessions == 1 else (None, None)
            self._live = (None, None)
            self._fold()
        left, right = self._live
        self._live = (level, right) if side == LEFT else (left, level)

    def _pair(self) -> tuple[float, float] | None:
        (before_left, before_right), (left, right) = self._before, self._live
        if before_left is None or before_right is None or left is None or right is None:
            return None
        return math.log(left / before_left), math.log(right / before_right)

    @property
    def have(self) -> int:
        """Pairs so far, the live one included, at most `need`."""
        return min(len(self._completed) + (self._pair() is not None), self.need)

    @property
    def value(self) -> float | None:
        """Correlation, −1..1; `None` until the window is full or when a side never moved."""
        if self.have < self.need:
            return None
        pair = self._pair()
        return (self._whole if pair is None else self._rest.plus(*pair)).correlation

    def snapshot(self) -> PairState:
        """State for the constructor."""
        return PairState(completed=tuple(self._completed), before=self._before, live=self._live)


class _Comoments(Struct, frozen=True, array_like=True):
    left: Moments
    right: Moments
    products: float

    @classmethod
    def of(cls, pairs: Sequence[tuple[float, float]]) -> "_Comoments":
        if not pairs:
            return cls(Moments(), Moments(), 0.0)
        left, right = zip(*pairs, strict=True)
        x_mean, y_mean = math.fsum(left) / len(pairs), math.fsum(right) / len(pairs)
        x_apart, y_apart = [x - x_mean for x in left], [y - y_mean for y in right]
        products = math.fsum(map(mul, x_apart, y_apart))
        return cls(Moments.around(x_mean, x_apart), Moments.around(y_mean, y_apart), products)

    def plus(self, x: float, y: float) -> "_Comoments":
        share = self.left.size / (self.left.size + 1)
        products = self.products + (x - self.left.mean) * (y - self.right.mean) * share
        return _Comoments(self.left.plus(x), self.right.plus(y), products)

    @property
    def correlation(self) -> float | None:
        spread = math.sqrt(self.left.squares * self.right.squares)
        return None if spread == 0 else min(1.0, max(-1.0, self.products / spread))
