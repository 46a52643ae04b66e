"""The window under every estimator of realized volatility: how a level moved by session."""

import math
from collections import deque

from msgspec import Struct


class SessionMove(Struct, frozen=True, array_like=True):
    """One session of one symbol, as natural logarithms.

    Attributes:
        overnight: First print against the close of the session before.
        high: Highest print against the first.
        low: Lowest print against the first.
        close: Last print against the first.
        squares: Sum of the squared returns sampled inside the session.
    """

    overnight: float
    high: float
    low: float
    close: float
    squares: float

    @property
    def total(self) -> float:
        """Close-to-close return."""
        return self.overnight + self.close


class LiveSession(Struct, frozen=True, array_like=True):
    """The session under way: its prints so far.

    Attributes:
        before: Close of the session just before; `None` when that was a missing day.
        sample: Level at the last sampling boundary, or the first print.
        interval: Sampling interval of the last print, from 0 at the opening instant.
        squares: Sum of squared returns between boundaries so far.
    """

    before: float | None
    first: float
    high: float
    low: float
    last: float
    sample: float
    interval: int
    squares: float

    def move(self) -> SessionMove | None:
        """The session as if it ended now; `None` after a missing day: no one-day return."""
        if self.before is None:
            return None
        return SessionMove(
            math.log(self.first / self.before),
            math.log(self.high / self.first),
            math.log(self.low / self.first),
            math.log(self.last / self.first),
            self.squares + math.log(self.last / self.sample) ** 2,
        )


class SessionMovesState(Struct, frozen=True, kw_only=True):
    """Completed moves, oldest first, and the session under way."""

    completed: tuple[SessionMove, ...] = ()
    live: LiveSession | None = None


class SessionMoves:
    """Turns prints into completed sessions and a live one.

    A session with no print is a missing day. The returns that touch it do not exist; the window
    then reaches further back instead of inventing one.

    Args:
        sessions: Completed moves kept.
        sampling_ns: Width of the sampling grid inside a session, counted from its opening.
        state: Where to go on.
    """

    def __init__(
        self, sessions: int, sampling_ns: int, state: SessionMovesState | None = None
    ) -> None:
        state = state or SessionMovesState()
        self._sampling_ns = sampling_ns
        self.completed = deque(state.completed, maxlen=sessions)
        self._live = state.live

    def observe(self, level: float, sessions: int, into_session_ns: int) -> bool:
        """Take a print, `sessions` after the last one; True when that completed a session."""
        live, interval = self._live, -(-into_session_ns // self._sampling_ns)
        if live is None or sessions:
            return self._open(level, interval, follows=sessions == 1)
        sample, squares = live.sample, live.squares
        if interval > live.interval:  # the last print stood at every boundary in between
            sample, squares = live.last, squares + math.log(live.last / sample) ** 2
        self._live = LiveSession(
            live.before,
            live.first,
            max(live.high, level),
            min(live.low, level),
            level,
            sample,
            interval,
            squares,
        )
        return False

    def _open(self, level: float, interval: int, *, follows: bool) -> bool:
        ended, self._live = self._live, None
        move = ended.move() if ended else None
        if move is not None:
            self.completed.append(move)
        before = ended.last if ended and follows else None
        self._live = LiveSession(before, level, level, level, level, level, interval, 0.0)
        return True

    def live(self) -> SessionMove | None:
        """The session under way as a move; `None` before a first close or after a missing day."""
        return self._live.move() if self._live else None

    def snapshot(self) -> SessionMovesState:
        """State for the constructor."""
        return SessionMovesState(completed=tuple(self.completed), live=self._live)
