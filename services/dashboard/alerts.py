"""The alerts that the page shows, each once, whichever way it came: by the log or by the bus."""

from collections import deque
from collections.abc import Iterable
from typing import Final

from shared.domain.hedging.alerts import ALERTS, ALIVE, runbook_of
from shared.wire.codec import MalformedMessage, instant_ns
from shared.wire.messages import AlertMessage
from shared.wire.views import AlertView

MOST_ALERTS: Final = 1_000
KEPT_ALERTS: Final = 200
"""For a page that begins after us."""


class AlertsPicture:
    """The newest alerts, numbered in the order they came.

    Those that a page before us had heard come back in their place among those of the log, which is
    read anew: each once the log has reached its instant, and the rest when it is read to its end.
    """

    def __init__(self) -> None:
        self._recalled: deque[AlertMessage] = deque()
        self._alerts: deque[AlertView] = deque(maxlen=MOST_ALERTS)
        self._known: dict[tuple[str, str, str, str], None] = {}
        self._number = 0

    def take(self, alert: AlertMessage) -> AlertView | None:
        """Take an alert; returns it as it is shown, or `None` when it was heard before.

        The dead man's switch is not shown.
        """
        if alert.what == ALIVE:
            return None
        identity = (alert.book, alert.event_time, alert.what, alert.where)
        if identity in self._known:
            return None
        self._known[identity] = None
        if len(self._known) > 2 * MOST_ALERTS:
            del self._known[next(iter(self._known))]
        self._number += 1
        view = AlertView(number=self._number, alert=alert, runbook_path=_runbook_path(alert.what))
        self._alerts.append(view)
        return view

    def recall(self, alerts: Iterable[AlertMessage]) -> None:
        """Take what was heard before us, in the order in which it came."""
        self._recalled.extend(sorted(alerts, key=_when))

    def recalled(self, until_ns: int | None = None) -> list[AlertView]:
        """Take what was heard before us up to an instant, or all of it; returns what is news."""
        found: list[AlertView] = []
        while self._recalled and (until_ns is None or _when(self._recalled[0]) <= until_ns):
            view = self.take(self._recalled.popleft())
            found += [] if view is None else [view]
        return found

    def kept(self) -> tuple[AlertMessage, ...]:
        """Return what `recall` needs: the newest, oldest first."""
        newest = [each.alert for each in self.newest(KEPT_ALERTS)]
        return (*self._recalled, *reversed(newest))[-KEPT_ALERTS:]

    def newest(self, limit: int) -> list[AlertView]:
        """Return the newest, newest first."""
        return [each for each, _ in zip(reversed(self._alerts), range(limit), strict=False)]

    def numbered(self, number: int) -> AlertView | None:
        """Return one by its number; `None`: it is not kept any more."""
        if not self._alerts or number < self._alerts[0].number:
            return None
        return self._alerts[number - self._alerts[0].number]

    def serious_of(self, book: str) -> int:
        """Count the alerts of a book that are kept and are more than information."""
        return sum(
            each.alert.book == book and each.alert.severity != "info" for each in self._alerts
        )


def _when(alert: AlertMessage) -> int:
    """Return its instant, ns; what bears none, for it came from outside, is the oldest."""
    try:
        return instant_ns(alert.event_time)
    except MalformedMessage:
        return 0


def _runbook_path(what: str) -> str:
    return f"deploy/runbooks/{runbook_of(what)}.md" if what in ALERTS else ""
