"""What the charts show: series by scope, each bounded, thinned when they are asked for."""

from collections import deque
from collections.abc import Mapping
from math import isfinite
from typing import Final

from services.dashboard.ring import Ring
from shared.domain.instants import SECOND
from shared.wire.times import format_instant
from shared.wire.views import HistoryView

MARKET: Final = ""
"""The scope of what belongs to no book."""
TWO_DAYS: Final = 11_520
"""In buckets of 15 s."""
_MOST_ROWS: Final = 1_500_000
"""Of all series together: 72 MB."""
_MARKET_SERIES: Final = 30
_BOOK_SERIES: Final = 4
"""Those that move all the time."""
_MOST_FIRINGS: Final = 1_000


class History:
    """Series of the market and of every book.

    Args:
        books: How many there are: they share the memory.
    """

    def __init__(self, books: int) -> None:
        share = _MOST_ROWS // (_MARKET_SERIES + _BOOK_SERIES * books)
        self._capacity = min(TWO_DAYS, share)
        self._series: dict[str, dict[str, Ring]] = {}
        self._firings: dict[str, deque[tuple[float, str]]] = {}

    def add(self, scope: str, event_ns: int, values: Mapping[str, float | None]) -> None:
        """Take values of one instant; what is unknown or not finite is left out."""
        at, series = event_ns / SECOND, self._series.setdefault(scope, {})
        for name, value in values.items():
            if value is None or not isfinite(value):
                continue
            ring = series.get(name)
            if ring is None:
                ring = series[name] = Ring(self._capacity)
            ring.add(at, value)

    def fire(self, book: str, event_ns: int, trigger: str) -> None:
        """Note that a trigger fired."""
        firings = self._firings.setdefault(book, deque(maxlen=_MOST_FIRINGS))
        firings.append((event_ns / SECOND, trigger))

    def view(self, scope: str, since_ns: int, points: int) -> HistoryView:
        """Return what happened from an instant on, at most so many points a series."""
        since = since_ns / SECOND
        series = {
            name: found
            for name, ring in self._series.get(scope, {}).items()
            if (found := ring.points(since, points))
        }
        instants = [found[index][0] for found in series.values() for index in (0, -1)]
        return HistoryView(
            since=_instant(min(instants, default=None)),
            until=_instant(max(instants, default=None)),
            series=series,
            firings=tuple(fired for fired in self._firings.get(scope, ()) if fired[0] >= since),
        )


def _instant(seconds: float | None) -> str | None:
    return None if seconds is None else format_instant(round(seconds * SECOND))
