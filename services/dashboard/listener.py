"""Hears the bus: who is there, what may trade, what the gateway answers, what is alarming."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

import structlog

from services.dashboard.metrics import DashboardMetrics
from services.dashboard.page import Page
from shared.adapters.bus import Bus, Message
from shared.adapters.keyring import Forged, Keyring
from shared.domain.hedging.alerts import ALIVE
from shared.wire import topics
from shared.wire.codec import MalformedMessage, decode
from shared.wire.messages import AckMessage, AlertMessage, StatusMessage, TradingStateMessage

log = structlog.get_logger()

SUBSCRIPTIONS: Final = (
    topics.STATUS,
    topics.TRADING,
    topics.ACKS,
    topics.ALERTS,
    topics.HEARTBEATS,
)
_LOOK_S: Final = 0.5


class Listener:
    """Fills the page from the bus.

    Args:
        page: What is filled.
        bus: Subscribed to `SUBSCRIPTIONS`.
        keyring: Says what is the gateway's.
        metrics: What is counted.
    """

    def __init__(self, page: Page, bus: Bus, keyring: Keyring, metrics: DashboardMetrics) -> None:
        self._page = page
        self._bus = bus
        self._keyring = keyring
        self._metrics = metrics
        page.picture.services.troubles["bus"] = "not connected yet"
        self._takers: Mapping[str, Callable[[Message], None]] = {
            "status": self._take_status,
            "trading": self._take_trading,
            "books": self._take_answer,
            "alerts": self._take_alert,
            "heartbeats": lambda _: page.heartbeat(),
        }

    async def run(self) -> None:
        """Listen until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._hear())
            tasks.create_task(self._watch())

    async def _watch(self) -> None:
        troubles = self._page.picture.services.troubles
        while True:
            is_there = self._bus.connected.is_set()
            troubles["bus"] = "" if is_there else "the broker does not answer"
            await asyncio.sleep(_LOOK_S)

    async def _hear(self) -> None:
        async for message in self._bus.messages():
            family = message.topic.removeprefix(f"{topics.PREFIX}/").partition("/")[0]
            try:
                self._takers[family](message)
            except (MalformedMessage, Forged) as error:
                reason = error.reason if isinstance(error, Forged) else "malformed"
                self._metrics.not_believed(reason)
                log.warning("message_refused", topic=message.topic, reason=reason)
            message.ack()

    def _take_status(self, message: Message) -> None:
        if message.payload:
            self._page.picture.services.heard(decode(StatusMessage, message.payload))

    def _take_trading(self, message: Message) -> None:
        """Take what governs a scope: what is retained, and, when it changes, what is to be."""
        state = self._keyring.open("gateway", message.topic, message.payload, TradingStateMessage)
        picture = self._page.picture
        picture.services.allowed(state)
        picture.changed |= {(kind, book) for book in picture.books for kind in ("summary", "book")}

    def _take_answer(self, message: Message) -> None:
        answer = self._keyring.open("gateway", message.topic, message.payload, AckMessage)
        self._page.picture.take_answer(answer, topics.book_of(message.topic))

    def _take_alert(self, message: Message) -> None:
        alert = decode(AlertMessage, message.payload)
        if alert.what == ALIVE:  # no news: its absence would be
            self._page.alive()
        else:
            self._page.picture.take_alert(alert)
