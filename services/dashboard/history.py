"""What the charts show: series by scope, each bounded, thinned when they are asked for."""

from collections import deque
from collections.abc import Mapping
from math import isfinite
from typing import Final

from services.dashboard.ring import Ring, Row
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

Settled = dict[str, dict[str, list[Row]]]
"""Buckets by scope and name."""


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
        self._taken: dict[tuple[str, str], int] = {}

    @property
    def series(self) -> int:
        """How many there are."""
        return sum(map(len, self._series.values()))

    def add(self, scope: str, event_ns: int, values: Mapping[str, float | None]) -> None:
        """Take values of one instant; what is unknown or not finite is left out."""
        at = event_ns / SECOND
        for name, value in values.items():
            if value is not None and isfinite(value):
                self._ring(scope, name).add(at, value)

    def fire(self, book: str, event_ns: int, trigger: str) -> None:
        """Note that a trigger fired."""
        firings = self._firings.setdefault(book, deque(maxlen=_MOST_FIRINGS))
        firings.append((event_ns / SECOND, trigger))

    def settled(self) -> Settled:
        """Return the buckets that have settled since this was last asked, by scope and name."""
        found: Settled = {}
        for scope, series in self._series.items():
            for name, ring in series.items():
                taken = self._taken.get((scope, name), 0)
                if rows := ring.since(taken):
                    found.setdefault(scope, {})[name] = rows
                self._taken[scope, name] = ring.settled
        return found

    def unsettled(self) -> Settled:
        """Return the buckets that may still change, by scope and name."""
        return {
            scope: {name: ring.unsettled() for name, ring in series.items()}
            for scope, series in self._series.items()
        }

    def restore(self, settled: Settled) -> None:
        """Take buckets that had settled before we came, oldest first."""
        for scope, series in settled.items():
            for name, rows in series.items():
                ring = self._ring(scope, name)
                for row in rows:
                    ring.restore(row)
                self._taken[scope, name] = ring.settled

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

    def _ring(self, scope: str, name: str) -> Ring:
        series = self._series.setdefault(scope, {})
        ring = series.get(name)
        if ring is None:
            ring = series[name] = Ring(self._capacity)
        return ring


def _instant(seconds: float | None) -> str | None:
    return None if seconds is None else format_instant(round(seconds * SECOND))
