"""Telling a replaying feed how far a service is: at once when it changes, and again every second.

Repeating costs little and makes it safe to lose one: to a broker that forgets, or to a feed that
starts later.
"""

import asyncio
from typing import Final

from shared.adapters.bus import Bus, BusUnavailable, PublishRefused
from shared.wire import codec, topics
from shared.wire.messages import ProgressMessage

REPEAT_S: Final = 1.0


class ProgressReporter:
    """Publishes the latest progress of one service; older ones need not arrive.

    Args:
        bus: Where to.
        service: Whose progress.
    """

    def __init__(self, bus: Bus, service: str) -> None:
        self._bus = bus
        self._topic = topics.progress(service)
        self._latest: dict[str, ProgressMessage] = {}
        self._news: dict[str, ProgressMessage] = {}
        self._wake = asyncio.Event()

    def report(self, message: ProgressMessage) -> None:
        """Have it told soon, when it is news; of one source only the latest counts."""
        if self._latest.get(message.source) == message:
            return
        self._latest[message.source] = message
        self._news[message.source] = message
        self._wake.set()

    async def run(self) -> None:
        """Publish until cancelled."""
        while True:
            try:
                async with asyncio.timeout(REPEAT_S):
                    await self._wake.wait()
            except TimeoutError:
                self._news = dict(self._latest)
            self._wake.clear()
            news, self._news = self._news, {}
            for message in news.values():
                await self._publish(message)

    async def _publish(self, message: ProgressMessage) -> None:
        try:
            await self._bus.publish(self._topic, codec.encode(message), qos=0)
        except (BusUnavailable, PublishRefused):
            return  # told again in a second
