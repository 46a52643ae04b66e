"""The alerts that the page shows, each once, whichever way it came: by the log or by the bus."""

from collections import deque
from typing import Final

from shared.domain.hedging.alerts import ALIVE
from shared.wire.messages import AlertMessage
from shared.wire.views import AlertView

MOST_ALERTS: Final = 1_000


class AlertsPicture:
    """The newest alerts, numbered in the order they came."""

    def __init__(self) -> None:
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
        view = AlertView(number=self._number, alert=alert)
        self._alerts.append(view)
        return view

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
