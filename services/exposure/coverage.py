"""Tells once when a book's figures leave out too many of its positions, and once after."""

from typing import Final

from shared.domain.effects import AlertRaised
from shared.domain.exposure.observed import ExposureObserved
from shared.domain.hedging.alerts import alert

LEAST: Final = 0.9
"""Share of the positions."""
HOLD_S: Final = 3.0
"""A book is marked position by position when the service starts."""


class Coverage:
    """Watches the coverage of every book; what was told is forgotten by a restart."""

    def __init__(self) -> None:
        self._since_s: dict[str, float] = {}
        self._low: set[str] = set()

    def judge(self, observed: ExposureObserved, now_s: float) -> list[AlertRaised]:
        """Take what was last told of a book.

        Args:
            observed: The book.
            now_s: By the monotonic clock.
        """
        book = observed.book
        figures = {"coverage": observed.coverage, "positions": float(observed.positions)}
        if observed.coverage >= LEAST:
            self._since_s.pop(book, None)
            if book not in self._low:
                return []
            self._low.discard(book)
            return [alert(book, observed.event_ns, "coverage_restored", book, figures)]
        since_s = self._since_s.setdefault(book, now_s)
        if book in self._low or now_s - since_s < HOLD_S:
            return []
        self._low.add(book)
        return [alert(book, observed.event_ns, "coverage_low", book, figures)]
