"""The instants at which a study's instruments are marked: where steps end and something printed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np
from numpy.typing import NDArray

from shared.domain.events import Tick
from shared.domain.instants import SECOND
from shared.domain.sessions import SessionCalendar

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """Ends of steps, ascending; columns of shape `(n,)`.

    Attributes:
        clock_ns: Instant of the end.
        session: Number of the session it lies in.
        is_close: Whether it is the session's close.
        index: The index's last level of the step; NaN where it did not print.
        vix: The same of VIX, points.
        days: The session's date.
    """

    clock_ns: Integers
    session: Integers
    is_close: NDArray[np.bool_]
    index: Floats
    vix: Floats
    days: tuple[date, ...]

    def __len__(self) -> int:
        return len(self.clock_ns)


def points_of(
    steps: Iterable[tuple[int, Sequence[Tick]]],
    calendar: SessionCalendar,
    index_symbol: str = "SPX",
    vix_symbol: str = "VIX",
) -> Points:
    """Read the points off the steps of a replay.

    Args:
        steps: The clock and the ticks of each, in order; ticks in order of time.
        calendar: Its sessions.
        index_symbol: The index.
        vix_symbol: VIX.
    """
    clocks: list[int] = []
    levels: list[tuple[float, float]] = []
    for clock_ns, ticks in steps:
        last = {tick.symbol: tick.level for tick in ticks if tick.has_level}
        clocks.append(clock_ns)
        levels.append((last.get(index_symbol, np.nan), last.get(vix_symbol, np.nan)))
    clock = np.array(clocks, dtype=np.int64)
    session = np.searchsorted(calendar.open_ns, clock, side="right") - 1
    closes = calendar.close_ns[session]
    index, vix = np.array(levels, dtype=np.float64).reshape(-1, 2).T
    return Points(
        clock_ns=clock,
        session=session,
        is_close=clock == closes,
        index=np.ascontiguousarray(index),
        vix=np.ascontiguousarray(vix),
        days=tuple(datetime.fromtimestamp(ns // SECOND, UTC).date() for ns in closes.tolist()),
    )
