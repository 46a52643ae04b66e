"""Publishing what a stage only tells: targets, triggers, alerts, dead letters.

A stage commits what they are made of with its state; here it is read back and published, at least
once and in order, whatever is killed. Nothing waits for them, so they leave a moment later than
they could: by then the order of the same decision has reached its gateway.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from shared.adapters.bus import Bus, NotPublished, Publication, PublishRefused
from shared.adapters.store import Store, StoreTrouble
from shared.runtime.backoff import delays_s
from shared.runtime.ledger import Ledger, StepOutput
from shared.wire import keys
from shared.wire.access import announcer
from shared.wire.notices import Notice, decode_notice

log = structlog.get_logger()

_AT_ONCE: Final = 200
_BLOCK_MS: Final = 1000
_REST_S: Final = 0.01


class Announcer:
    """Relays what one stage has to tell; remembers in the store how far it is.

    Args:
        bus: Where to.
        store: Where that stands.
        stage: Whose it is.
        epoch: Of the stage's lease, which its announcer shares.
        stream: What is read; the stage's announcements unless it is said.
        read: Makes a notice of an entry; `None`: nothing is told of it.
    """

    def __init__(  # noqa: PLR0913 - what a service is composed of
        self,
        bus: Bus,
        store: Store,
        stage: str,
        epoch: int,
        *,
        stream: str | None = None,
        read: Callable[[bytes], Notice | None] = decode_notice,
    ) -> None:
        self._bus = bus
        self._store = store
        self._reader = announcer(stage)
        self._stream = stream or keys.announcements(stage)
        self._read = read
        self._epoch = epoch
        self._ledger = Ledger(store, self._reader, epoch=epoch)

    async def run(self) -> None:
        """Relay until cancelled.

        Raises:
            LeaseLost: Another process relays this stage.
        """
        delays = delays_s()
        while True:
            try:
                await self._store.fence(self._reader, self._epoch)
                record = await self._ledger.open()
                cursor = record.cursors.get(self._stream, 0)
                delays = delays_s()
                await self._follow(cursor)
            except StoreTrouble as trouble:
                log.warning("announcer_waits", error=str(trouble))
                await asyncio.sleep(next(delays))

    async def _follow(self, cursor: int) -> None:
        while True:
            entries = await self._store.read(
                {self._stream: cursor}, count=_AT_ONCE, block_ms=_BLOCK_MS
            )
            if entries:
                await asyncio.sleep(_REST_S)
                notices = [self._read(entry.payload) for entry in entries]
                await publish_surely(self._bus, [each for each in notices if each is not None])
                cursor = entries[-1].index
                await self._ledger.commit(StepOutput(), cursors={self._stream: cursor}, state=b"")


async def publish_surely(bus: Bus, notices: Sequence[Notice]) -> None:
    """Publish notices in order, however long the bus is away; what the broker refuses is dropped.

    After one that did not arrive all that follow are published again: the last value that a topic
    is left with is the last one told.
    """
    waiting = [Publication(each.topic, each.payload, each.retain) for each in notices]
    waits = delays_s()
    while waiting:
        outcomes = await bus.publish_all(waiting)
        for refused in outcomes:
            if isinstance(refused, PublishRefused):
                log.error("notice_refused", topic=refused.topic, error=str(refused))
        lost = [number for number, outcome in enumerate(outcomes) if _is_lost(outcome)]
        waiting = waiting[lost[0] :] if lost else []
        if waiting:
            await asyncio.sleep(next(waits))


def _is_lost(outcome: NotPublished | None) -> bool:
    return not (outcome is None or isinstance(outcome, PublishRefused))


async def has_announced_all(store: Store, stage: str, stream: str) -> bool:
    """Whether all that a stage has to tell, as its stream stands now, was published."""
    return await store.cursor(announcer(stage), stream) >= (await store.extent(stream)).last
