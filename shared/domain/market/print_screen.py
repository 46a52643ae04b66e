"""Which prints of a run count, in one compiled pass: rules 1 and 2 of `signals` beside this."""

from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

IGNORED: Final = 0
BASKET: Final = 1
DRIVES: Final = 2


@njit(cache=True)
def screen(  # noqa: PLR0913, PLR0917 - one pass over the columns
    column: NDArray[np.intp],
    event_ns: NDArray[np.int64],
    kinds: NDArray[np.int8],
    newest: NDArray[np.int64],
    open_ns: NDArray[np.int64],
    close_ns: NDArray[np.int64],
    start: tuple[int, int, int],
) -> tuple[NDArray[np.int8], NDArray[np.int64]]:
    """Judge a run of ticks in journal order; moves `newest` as it goes.

    Args:
        column: Position of each tick's symbol in `kinds` and `newest`; negative for a stranger.
        event_ns: Instant of each tick.
        kinds: What a print of each symbol is when it counts.
        newest: Instant of the last print of each symbol that counted; updated.
        open_ns: Openings of the calendar.
        close_ns: Closings of the calendar.
        start: Number and opening of the session at hand, and the clock.

    Returns:
        What each tick is (ignored, basket, drives), and the clock after it; both shape `(n,)`.
    """
    session, session_open_ns, now = start
    verdict = np.zeros(len(column), dtype=np.int8)
    clock = np.empty(len(column), dtype=np.int64)
    for i in range(len(column)):
        instant, symbol = event_ns[i], column[i]
        now = max(now, instant)
        clock[i] = now
        if symbol < 0 or instant < newest[symbol] or instant < session_open_ns:
            continue
        at = session
        while at + 1 < len(open_ns) and open_ns[at + 1] <= instant:
            at += 1
        if instant < open_ns[at] or instant > close_ns[at]:
            continue
        session, session_open_ns = at, open_ns[at]
        newest[symbol] = instant
        verdict[i] = kinds[symbol]
    return verdict, clock
