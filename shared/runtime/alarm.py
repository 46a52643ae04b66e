"""Alerts that a shell raises itself, beside those that its domain decides."""

import asyncio
from collections import deque
from typing import Final

from shared.adapters.bus import Bus
from shared.domain.effects import AlertRaised
from shared.runtime.announcer import publish_surely
from shared.wire.announcements import alert_notice

MOST_WAITING: Final = 1000
"""While the bus is away; older ones are forgotten, for the log and the metrics have them."""


class Alarm:
    """Publishes alerts in order, once the bus takes them; what waits is lost with the process.

    Args:
        bus: Where to.
    """

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._waiting: deque[AlertRaised] = deque(maxlen=MOST_WAITING)
        self._wake = asyncio.Event()

    def ring(self, alert: AlertRaised) -> None:
        """Have an alert told."""
        self._waiting.append(alert)
        self._wake.set()

    async def run(self) -> None:
        """Publish until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                await self._publish(self._waiting.popleft())

    async def _publish(self, alert: AlertRaised) -> None:
        await publish_surely(self._bus, [alert_notice(alert)])
