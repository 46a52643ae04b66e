"""Tells the decision log's last entry, signed: what stands before it cannot be rewritten."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import structlog

from shared.adapters.bus import Bus, BusUnavailable, PublishRefused
from shared.adapters.keyring import Keyring
from shared.wire import topics
from shared.wire.decisions import ChainHead
from shared.wire.messages import DecisionHeadMessage

log = structlog.get_logger()

EVERY_S: Final = 60.0


class HeadTeller:
    """Publishes the head each minute, and at the end; retained.

    Args:
        bus: Where to.
        keyring: Signs as the monitor.
        head: Returns the last entry that is committed.
        every_s: Between two heads.
    """

    def __init__(
        self, bus: Bus, keyring: Keyring, head: Callable[[], ChainHead], every_s: float = EVERY_S
    ) -> None:
        self._bus = bus
        self._keyring = keyring
        self._head = head
        self._every_s = every_s
        self._told = ChainHead()

    @asynccontextmanager
    async def telling(self) -> AsyncIterator[None]:
        """Tell for as long as the block lasts, and once when it ends."""
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(self._run(), name="heads")
            yield
            running.cancel()
        await self.tell()

    async def _run(self) -> None:
        while True:
            await self.tell()
            await asyncio.sleep(self._every_s)

    async def tell(self) -> None:
        """Tell what was not told yet; when the bus is away, the next time does."""
        head = self._head()
        if head == self._told:
            return
        message = DecisionHeadMessage(index=head.index, hash=head.hash.hex())
        payload = self._keyring.seal("monitor", topics.DECISION_HEAD, message)
        try:
            await self._bus.publish(topics.DECISION_HEAD, payload, retain=True)
        except (BusUnavailable, PublishRefused) as error:
            log.warning("decision_head_not_told", error=str(error))
            return
        self._told = head
