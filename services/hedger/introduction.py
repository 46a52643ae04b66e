"""A new leader makes itself known: no order leaves before the gateway has heard of its epoch.

Without that the old leader's order could still be first: the gateway cannot refuse an epoch for
being lower than one it has not heard of. Heartbeats go on for as long as we lead; when they stop
the gateway stops trading by itself.
"""

import asyncio
from typing import Final

import structlog

from shared.adapters.bus import Bus, BusUnavailable, PublishRefused, QualityOfService
from shared.adapters.clock import Clock
from shared.adapters.keyring import Keyring
from shared.runtime.lease import Term
from shared.runtime.ledger import LeaseLost
from shared.wire import topics
from shared.wire.messages import (
    EpochAnswerMessage,
    EpochMessage,
    HeartbeatMessage,
    SealedMessage,
)
from shared.wire.times import format_instant

log = structlog.get_logger()

EVERY_S: Final = 0.5


class Introduction:
    """Tells our epoch until it is accepted, and that we are alive until cancelled.

    Args:
        bus: Subscribed to the answers.
        keyring: Signs as the monitor.
        clock: For the time of a heartbeat.
        service: Our name.
        term: Under which we lead.
        config_digest: The gateway compares it with its own.
    """

    def __init__(  # noqa: PLR0913 - a composition of parts
        self,
        *,
        bus: Bus,
        keyring: Keyring,
        clock: Clock,
        service: str,
        term: Term,
        config_digest: str,
    ) -> None:
        self._bus = bus
        self._keyring = keyring
        self._clock = clock
        self._service = service
        self._term = term
        self._config_digest = config_digest
        self._beats = 0
        self.accepted = asyncio.Event()
        """Set once the gateway knows our epoch: orders may go."""

    async def run(self) -> None:
        """Beat, and tell our epoch, until cancelled.

        Raises:
            LeaseLost: The lease has run out.
        """
        while True:
            await self._bus.connected.wait()
            await self._beat()
            if not self.accepted.is_set():
                await self._tell_epoch()
            await asyncio.sleep(EVERY_S)

    def receive(self, answer: EpochAnswerMessage) -> None:
        """Take an answer of the gateway.

        Raises:
            LeaseLost: It has heard of an epoch that ours is not above.
        """
        if (answer.service, answer.epoch) != (self._service, self._term.epoch):
            return
        if not answer.accepted:
            raise LeaseLost(
                f"the gateway knows epoch {answer.high_water}, ours is {answer.epoch}: "
                f"{answer.reason}",
                above=answer.high_water,
            )
        if not self.accepted.is_set():
            log.info("epoch_accepted", service=self._service, epoch=answer.epoch)
        self.accepted.set()

    async def _beat(self) -> None:
        self._beats += 1
        message = HeartbeatMessage(
            service=self._service,
            epoch=self._term.epoch,
            sequence=self._beats,
            sent_at=format_instant(self._clock.now_ns()),
        )
        await self._publish(topics.heartbeats(self._service), message, qos=0)

    async def _tell_epoch(self) -> None:
        message = EpochMessage(
            service=self._service,
            epoch=self._term.epoch,
            config_digest=self._config_digest,
            holder=self._term.holder,
        )
        await self._publish(topics.epochs(self._service), message)

    async def _publish(
        self, topic: str, message: SealedMessage, *, qos: QualityOfService = 1
    ) -> None:
        self._term.check()
        payload = self._keyring.seal("monitor", topic, message)
        try:
            await self._bus.publish(topic, payload, qos=qos)
        except BusUnavailable:
            return  # the next one comes soon
        except PublishRefused as refused:
            log.error("introduction_refused", topic=topic, error=str(refused))  # noqa: TRY400 - the broker's words suffice
