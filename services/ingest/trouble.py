"""What arrives and should make somebody look: skipped numbers, refusals in numbers, forgeries."""

from collections import Counter, deque
from typing import Final

from services.ingest.step import Taken
from shared.adapters.keyring import FORGED
from shared.domain.effects import AlertRaised
from shared.domain.hedging.alerts import alert
from shared.domain.trading import ALL
from shared.wire import topics

MANY: Final = 20
"""Refusals within `_WITHIN_S`."""
_WITHIN_S: Final = 10.0
QUIET_S: Final = 60.0
"""For so long nothing must happen before it is over, and a forgery is told again."""


class Trouble:
    """Judges batches as they are journalled; each trouble is told once, and once when it is over.

    What is told is forgotten by a restart: it is about what arrives, and decides nothing.
    """

    def __init__(self) -> None:
        self._gaps: dict[str, float] = {}
        self._refusals: deque[tuple[float, int]] = deque()
        self._flooded_s: float | None = None
        self._forged: dict[tuple[str, str], float] = {}

    def judge(self, taken: Taken, now_s: float, now_ns: int) -> list[AlertRaised]:
        """Take what became of a batch; an empty one says that time has passed.

        Args:
            taken: The batch.
            now_s: By the monotonic clock.
            now_ns: By the wall clock.
        """
        told = self._gaps_in(taken, now_s, now_ns)
        told += self._refusals_in(taken, now_s, now_ns)
        for letter in taken.rejects:
            if letter.reason in FORGED and self._is_due((letter.reason, letter.topic), now_s):
                where = f"{letter.reason} on {letter.topic}"
                told.append(alert(ALL, now_ns, "message_forged", where))
        return told

    def _gaps_in(self, taken: Taken, now_s: float, now_ns: int) -> list[AlertRaised]:
        told = []
        for source, count in taken.missing.items():
            if count and source not in self._gaps:
                figures = {"skipped": float(count)}
                told.append(alert(ALL, now_ns, "feed_gap", source or "unnamed", figures))
            if count:
                self._gaps[source] = now_s
        for source in [each for each, at_s in self._gaps.items() if now_s - at_s >= QUIET_S]:
            del self._gaps[source]
            told.append(alert(ALL, now_ns, "feed_whole", source or "unnamed"))
        return told

    def _refusals_in(self, taken: Taken, now_s: float, now_ns: int) -> list[AlertRaised]:
        refusals = self._refusals
        if taken.rejects:
            refusals.append((now_s, len(taken.rejects)))
        while refusals and now_s - refusals[0][0] > _WITHIN_S:
            refusals.popleft()
        count = sum(number for _, number in refusals)
        if count >= MANY:
            was_told, self._flooded_s = self._flooded_s is not None, now_s
            if was_told:
                return []
            (reason, _), *_ = Counter(letter.reason for letter in taken.rejects).most_common(1)
            figures = {"refused": float(count), "seconds": _WITHIN_S}
            return [alert(ALL, now_ns, "rejects_many", reason, figures)]
        if self._flooded_s is None or now_s - self._flooded_s < QUIET_S:
            return []
        self._flooded_s = None
        return [alert(ALL, now_ns, "rejects_few", topics.REJECTS)]

    def _is_due(self, forgery: tuple[str, str], now_s: float) -> bool:
        before_s = self._forged.get(forgery)
        if before_s is not None and now_s - before_s < QUIET_S:
            return False
        self._forged = {each: at_s for each, at_s in self._forged.items() if now_s - at_s < QUIET_S}
        self._forged[forgery] = now_s
        return True
