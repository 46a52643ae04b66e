"""Carries measurements to the journal: sealed, and again until it has them.

A newer measurement of a book replaces an older one, sent or not. In a replay one leaves only when
all others have settled its clock event: see `turn`.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

import structlog

from services.exposure.turn import Turn
from shared.adapters.bus import Bus
from shared.adapters.clock import Clock
from shared.adapters.keyring import Keyring
from shared.domain.events import ExposureMeasured
from shared.runtime.delivery import Delivery
from shared.runtime.outbox import OutboxRow
from shared.wire import codec, topics
from shared.wire.codec import MalformedMessage
from shared.wire.exposures import measurement_message
from shared.wire.messages import ProgressMessage

log = structlog.get_logger()

SUBSCRIPTIONS: Final = (topics.PROGRESS,)
"""In a replay."""


class Measurements:
    """The measurements on their way.

    Args:
        bus: Where they go; in a replay subscribed to `SUBSCRIPTIONS`.
        keyring: Seals them as the monitor.
        clock: For the pauses between sendings.
        turn: Says when we may speak; `None` outside a replay.
    """

    def __init__(self, bus: Bus, keyring: Keyring, clock: Clock, turn: Turn | None) -> None:
        self._bus = bus
        self._keyring = keyring
        self._turn = turn
        self._delivery = Delivery(bus, clock, self._sent)
        self._awaited: dict[str, ExposureMeasured] = {}
        self._measured = 0
        self._rows: dict[str, OutboxRow] = {}

    @property
    def waiting(self) -> int:
        """How many the journal does not have."""
        return len(self._awaited)

    def follow(self, awaited: Mapping[str, ExposureMeasured], measured: int) -> None:
        """Hold just these.

        Args:
            awaited: By book.
            measured: How many measurements the journal has.
        """
        self._awaited, self._measured = dict(awaited), measured
        self._release()

    async def run(self) -> None:
        """Send what is due until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._delivery.run(), name="delivery")
            if self._turn is not None:
                tasks.create_task(self._listen(self._turn), name="turn")

    def _release(self) -> None:
        """Hand those over whose turn it is; in a replay one after the other, by name."""
        ours = sorted(self._awaited.values(), key=lambda each: each.book)
        if self._turn is not None:
            ours = [each for each in ours[:1] if self._turn.is_ours(each.event_ns, self._measured)]
        self._rows = {row.key: row for row in map(self._row, ours)}
        self._delivery.replace(self._rows.values())

    def _row(self, measured: ExposureMeasured) -> OutboxRow:
        key = f"{measured.book}/{measured.sequence}"
        if (known := self._rows.get(key)) is not None:
            return known
        topic = topics.measurements(measured.book)
        return OutboxRow(
            key, topic, self._keyring.seal("monitor", topic, measurement_message(measured))
        )

    async def _listen(self, turn: Turn) -> None:
        async for message in self._bus.messages():
            try:
                turn.receive(codec.decode(ProgressMessage, message.payload))
            except MalformedMessage as error:
                log.warning("progress_malformed", topic=message.topic, error=str(error))
            message.ack()
            self._release()

    def _sent(self, row: OutboxRow, outcome: str) -> None:
        if outcome == "refused":
            log.error("measurement_refused", topic=row.topic)
