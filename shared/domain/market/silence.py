"""Whether a feed has missed prints (promises C4): told before anything made of it grows stale.

A feed is *regular* when its last print came within two intervals of the one before, in trading
time; of one that prints once a session nothing can be missed. A regular feed is silent when two
intervals have passed since its last print.
"""

from typing import Final

from shared.domain.market.session_cursor import SessionCursor

MISSED: Final = 2


class FeedWatch:
    """Follows the prints of one symbol.

    Args:
        interval_ns: How often it prints, in trading time.
        cursor: Knows trading time.
        state: Its last two prints that differ in their instant, where to go on from.

    Attributes:
        silent_from: From this instant on it is silent, unless it prints before; `None` when its
            silence says nothing.
    """

    def __init__(
        self, interval_ns: int, cursor: SessionCursor, state: tuple[int, int] = (0, 0)
    ) -> None:
        self._limit_ns = MISSED * interval_ns
        self._cursor = cursor
        self._before_ns, self._last_ns = state
        self.silent_from = self._next_silence()

    def observe(self, event_ns: int) -> None:
        """Take a print."""
        if event_ns > self._last_ns:
            self._before_ns, self._last_ns = self._last_ns, event_ns
            self.silent_from = self._next_silence()

    def _next_silence(self) -> int | None:
        if not self._before_ns:
            return None
        gap_ns = self._cursor.since(self._before_ns, self._last_ns).trading_ns
        if gap_ns > self._limit_ns:
            return None
        return self._cursor.after_trading(self._last_ns, self._limit_ns + 1)

    def is_silent(self, now: int) -> bool:
        """Whether it is silent at the instant `now`."""
        return self.silent_from is not None and now >= self.silent_from

    def snapshot(self) -> tuple[int, int]:
        """State for the constructor."""
        return self._before_ns, self._last_ns
