"""The index: return of the day, realized volatility and crash intensity."""

import math
from typing import Final

from msgspec import Struct

from shared.domain.market.readings import Reading
from shared.domain.market.session_cursor import SessionCursor
from shared.domain.market.sources.prints import PrintCount
from shared.domain.market.statistics.closes import CloseReturn, ClosesState
from shared.domain.market.statistics.crash_intensity import CrashIntensity, CrashIntensityState
from shared.domain.market.statistics.realized_volatility import (
    SESSIONS_PER_YEAR,
    RealizedVolatility,
)
from shared.domain.market.statistics.session_moves import SessionMovesState
from shared.domain.policies import SignalPolicy

WEEK_SESSIONS: Final = 5


class IndexState(Struct, frozen=True, kw_only=True):
    """Of `IndexSource`."""

    prints: PrintCount = PrintCount()
    moves: SessionMovesState = SessionMovesState()
    crash: CrashIntensityState | None = None
    closes: ClosesState = ClosesState()


class IndexSource:
    """How far the index moved today, how volatile it is, and how often it crashes.

    `index_return` is simple (−0.05: 5% below the previous session's close), as the fast path reads
    it (spec 3); returns inside formulas are logarithmic.
    """

    def __init__(self, policy: SignalPolicy, cursor: SessionCursor, state: IndexState) -> None:
        self._cursor = cursor
        self._prints = state.prints
        self._volatility = RealizedVolatility(policy.realized_volatility, state.moves)
        self._crash = CrashIntensity(policy.crash_intensity, state.crash)
        asked = policy.tells("index_return_5d")
        self._week = CloseReturn(WEEK_SESSIONS, state.closes) if asked else None
        self.symbols: tuple[str, ...] = (policy.index_symbol,)
        limit_ns, need = policy.stale_trading_ns, self._volatility.need
        self._return = Reading("index_return", "decimal", limit_ns, cursor)
        self._rv = Reading("rv", "decimal", limit_ns, cursor, need)
        self._intensity = Reading("crash_intensity", "per_day", limit_ns, cursor, need)
        self._ratio = Reading("crash_intensity_ratio", "ratio", limit_ns, cursor, need)
        self._five = Reading("index_return_5d", "decimal", limit_ns, cursor, WEEK_SESSIONS + 1)
        self.readings: tuple[Reading, ...] = (
            self._return,
            self._rv,
            self._intensity,
            self._ratio,
            *((self._five,) if self._week is not None else ()),
        )

    def observe(self, symbol: str, level: float, event_ns: int) -> None:  # noqa: ARG002 - Source
        """Take a print of the index."""
        _, sessions, days = self._prints.elapsed(self._cursor, event_ns)
        self._prints = prints = self._prints.after(event_ns)
        volatility = self._volatility
        volatility.observe(level, sessions, event_ns - self._cursor.open_ns)
        before_today = volatility.completed_value
        sigma = None if before_today is None else before_today / math.sqrt(SESSIONS_PER_YEAR)
        intensity = self._crash.observe(days, sessions, volatility.live_return, sigma)
        known = None if sigma is None else intensity
        ratio = None if sigma is None else intensity / self._crash.mean
        today = None if volatility.live_return is None else math.expm1(volatility.live_return)
        moved = [
            (self._return, today, int(today is not None)),
            (self._rv, volatility.value, volatility.have),
            (self._intensity, known, volatility.completed),
            (self._ratio, ratio, volatility.completed),
        ]
        if self._week is not None:
            self._week.observe(level, sessions)
            moved.append((self._five, self._week.value, self._week.have))
        for reading, value, have in moved:
            reading.move(
                value,
                event_ns=event_ns,
                oldest_ns=event_ns,
                observations=prints.observations,
                have=have,
            )

    def snapshot(self) -> IndexState:
        """State for the constructor."""
        return IndexState(
            prints=self._prints,
            moves=self._volatility.snapshot(),
            crash=self._crash.snapshot(),
            closes=ClosesState() if self._week is None else self._week.snapshot(),
        )
