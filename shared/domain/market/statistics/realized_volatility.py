"""Realized volatility, six ways (spec 1, `rv`): annualised decimals over N returns, the last live.

Each estimator is two functions. `rest` folds the N − 1 completed sessions into a few numbers, once
a session; `variance` adds the live session to them, in O(1), and gives a daily variance.
"""

import math
from collections.abc import Sequence
from typing import Protocol

from shared.domain.market.statistics.moments import Moments
from shared.domain.market.statistics.session_moves import (
    SessionMove,
    SessionMoves,
    SessionMovesState,
)
from shared.domain.policies import RealizedVolatilityPolicy

SESSIONS_PER_YEAR = 252


class Estimator(Protocol):
    """A daily variance from N − 1 completed sessions and one more."""

    def rest(self, completed: Sequence[SessionMove]) -> tuple[Moments, ...]:
        """Fold the completed sessions, oldest first."""

    def variance(self, rest: tuple[Moments, ...], live: SessionMove) -> float:
        """Daily variance with the live session added."""


class ZeroMean:
    """Mean of r²: the convention of variance swaps."""

    def rest(self, completed: Sequence[SessionMove]) -> tuple[Moments, ...]:
        """Mean of r²."""
        return (Moments.of(move.total**2 for move in completed),)

    def variance(self, rest: tuple[Moments, ...], live: SessionMove) -> float:
        """Σ r² / N."""
        return rest[0].plus(live.total**2).mean


class Demeaned:
    """Sample variance of r, ddof = 1."""

    def rest(self, completed: Sequence[SessionMove]) -> tuple[Moments, ...]:
        """Mean and spread of r."""
        return (Moments.of(move.total for move in completed),)

    def variance(self, rest: tuple[Moments, ...], live: SessionMove) -> float:
        """Σ (r − mean)² / (N − 1)."""
        return rest[0].plus(live.total).variance


class Decayed:
    """RiskMetrics: Σ λ^i·r² · (1 − λ)/(1 − λ^N), i counted back from the live return.

    The window is cut at N returns and the weights made to sum to 1 (RiskMetrics Technical
    Document, 4th edition, table 5.1).
    """

    def __init__(self, decay: float) -> None:
        self._decay = decay

    def rest(self, completed: Sequence[SessionMove]) -> tuple[Moments, ...]:
        """λ·r² of the last completed session, λ²·r² of the one before, …, as one weighted mean."""
        weights = [self._decay ** (len(completed) - i) for i in range(len(completed))]
        total = math.fsum(
            weight * move.total**2 for weight, move in zip(weights, completed, strict=True)
        )
        return (Moments(len(weights), total, math.fsum(weights)),)

    def variance(self, rest: tuple[Moments, ...], live: SessionMove) -> float:
        """Weighted mean of r²; the live return weighs 1."""
        _, total, weight = rest[0]
        return (total + live.total**2) / (weight + 1)


class Intraday:
    """Squared sampled returns inside the session plus the squared overnight return."""

    def rest(self, completed: Sequence[SessionMove]) -> tuple[Moments, ...]:
        """Mean of the sessions' sums."""
        return (Moments.of(move.overnight**2 + move.squares for move in completed),)

    def variance(self, rest: tuple[Moments, ...], live: SessionMove) -> float:
        """Mean of the sums, the live session's so far included."""
        return rest[0].plus(live.overnight**2 + live.squares).mean


class Parkinson:
    """(high − low)² / (4·ln 2), in logarithms (Parkinson 1980): misses what happens overnight."""

    def rest(self, completed: Sequence[SessionMove]) -> tuple[Moments, ...]:
        """Mean of the squared ranges."""
        return (Moments.of((move.high - move.low) ** 2 for move in completed),)

    def variance(self, rest: tuple[Moments, ...], live: SessionMove) -> float:
        """Mean squared range over 4·ln 2."""
        return rest[0].plus((live.high - live.low) ** 2).mean / (4 * math.log(2))


class YangZhang:
    """Overnight + k·open-to-close + (1 − k)·Rogers-Satchell variance (Yang and Zhang 2000)."""

    def rest(self, completed: Sequence[SessionMove]) -> tuple[Moments, ...]:
        """Spread of overnight and open-to-close returns; mean of Rogers-Satchell terms."""
        return (
            Moments.of(move.overnight for move in completed),
            Moments.of(move.close for move in completed),
            Moments.of(map(_rogers_satchell, completed)),
        )

    def variance(self, rest: tuple[Moments, ...], live: SessionMove) -> float:
        """The published weights: k = 0.34 / (1.34 + (N + 1)/(N − 1))."""
        overnight = rest[0].plus(live.overnight)
        close = rest[1].plus(live.close)
        inside = rest[2].plus(_rogers_satchell(live))
        n = overnight.size
        k = 0.34 / (1.34 + (n + 1) / (n - 1))
        return overnight.variance + k * close.variance + (1 - k) * inside.mean


def _rogers_satchell(move: SessionMove) -> float:
    return move.high * (move.high - move.close) + move.low * (move.low - move.close)


def estimator(policy: RealizedVolatilityPolicy) -> Estimator:
    """Build the estimator that `policy` names."""
    by_name: dict[str, Estimator] = {
        "zero_mean": ZeroMean(),
        "demeaned": Demeaned(),
        "ewma": Decayed(policy.decay),
        "intraday": Intraday(),
        "parkinson": Parkinson(),
        "yang_zhang": YangZhang(),
    }
    return by_name[policy.estimator]


class RealizedVolatility:
    """An estimator over a window of sessions that the prints of one symbol fill.

    Attributes:
        need: Returns of a full window.
    """

    def __init__(
        self, policy: RealizedVolatilityPolicy, state: SessionMovesState | None = None
    ) -> None:
        if policy.returns < 2:  # noqa: PLR2004 - a spread needs two
            raise ValueError("realized volatility needs at least two returns")
        self.need = policy.returns
        self._estimator = estimator(policy)
        self._moves = SessionMoves(policy.returns, policy.sampling_ns, state)
        self._live = self._moves.live()
        self._folded: tuple[SessionMove, ...] = ()
        self._rest = self._estimator.rest(())
        self._fold()

    def _fold(self) -> None:
        completed = tuple(self._moves.completed)
        self._daily: float | None = None
        if len(completed) == self.need:
            self._daily = self._volatility(self._rest_of(completed[:-1]), completed[-1])
        recent = completed[-(self.need - 1) :]
        self._rest, self._folded = self._rest_of(recent), recent

    def _rest_of(self, moves: tuple[SessionMove, ...]) -> tuple[Moments, ...]:
        """Fold completed sessions; all but the last of a window were folded when it was live."""
        return self._rest if moves == self._folded else self._estimator.rest(moves)

    def _volatility(self, rest: tuple[Moments, ...], live: SessionMove) -> float:
        return math.sqrt(SESSIONS_PER_YEAR * max(0.0, self._estimator.variance(rest, live)))

    def observe(self, level: float, sessions: int, into_session_ns: int) -> None:
        """Take a print, `sessions` after the last one and that far into its session."""
        if self._moves.observe(level, sessions, into_session_ns):
            self._fold()
        self._live = self._moves.live()

    @property
    def have(self) -> int:
        """Returns so far, the live one included, at most `need`."""
        return min(len(self._moves.completed) + (self._live is not None), self.need)

    @property
    def completed(self) -> int:
        """Completed returns, at most `need`."""
        return len(self._moves.completed)

    @property
    def live_return(self) -> float | None:
        """Log return from the previous close to the last print; `None` when there is no such."""
        return None if self._live is None else self._live.total

    @property
    def completed_value(self) -> float | None:
        """Annualised volatility of the last N completed sessions: no part of it is from today."""
        return self._daily

    @property
    def value(self) -> float | None:
        """Annualised volatility, decimal; `None` until the window is full."""
        if self._live is None:  # after a missing day: the completed sessions alone
            return self._daily
        return self._volatility(self._rest, self._live) if self.have == self.need else None

    def snapshot(self) -> SessionMovesState:
        """State for the constructor."""
        return self._moves.snapshot()
