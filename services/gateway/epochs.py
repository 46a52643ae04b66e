"""Epochs, as new leaders announce them: the gateway's mark never falls (promises A3, A4).

An epoch is accepted when it is above all before, and again for the holder who missed the answer. A
holder who was accepted once and superseded since is a leader that was frozen: refused, no more. An
epoch that another holder had, or should have had, shows that the store which lends them lost data.

What is sent to us over a new connection may be here before we can answer over it: answers wait, and
the hedger need not ask again.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from services.gateway.desk import Desk
from services.gateway.metrics import GatewayMetrics
from services.gateway.not_believed import NotBelieved
from shared.adapters.bus import Bus, BusUnavailable, Message, PublishRefused
from shared.adapters.keyring import Keyring
from shared.domain.gatekeeping.refusal import Refusal
from shared.wire import topics
from shared.wire.messages import EpochAnswerMessage, EpochMessage

log = structlog.get_logger()

_RETRY_S: Final = 0.1


class Epochs:
    """Answers announcements.

    Args:
        bus: Where answers go.
        keyring: Believes the monitor, signs as the gateway.
        desk: Remembers who holds which.
        metrics: What is counted.
        halt: Stops everything, for a reason, because the store lost data.
    """

    def __init__(
        self,
        bus: Bus,
        keyring: Keyring,
        desk: Desk,
        metrics: GatewayMetrics,
        halt: Callable[[str], Awaitable[None]],
    ) -> None:
        self._bus = bus
        self._keyring = keyring
        self._desk = desk
        self._metrics = metrics
        self._halt = halt
        self._answers: deque[EpochAnswerMessage] = deque()
        self._some_to_tell = asyncio.Event()

    async def run(self) -> None:
        """Tell answers, each once there is a connection for it, until cancelled."""
        while True:
            await self._some_to_tell.wait()
            self._some_to_tell.clear()
            while self._answers:
                await self._bus.connected.wait()
                await self._tell(self._answers[0])

    async def receive(self, message: Message) -> None:
        """Take an announcement, and answer it.

        Raises:
            NotBelieved: It is told on another service's topic.
            Forged: It is not the monitor's.
            MalformedMessage: It is none.
        """
        wire = self._keyring.open("monitor", message.topic, message.payload, EpochMessage)
        if message.topic != topics.epochs(wire.service):
            raise NotBelieved(Refusal("wrong_topic", f"{wire.service} on {message.topic}"))
        holder = self._desk.record.holder(wire.epoch)
        is_known = holder == wire.holder
        high_water = self._desk.epoch
        free = wire.epoch > high_water or (wire.epoch == high_water and holder is None)
        accepted = free or (is_known and wire.epoch == high_water)
        if accepted and not is_known:
            await self._desk.announce(wire.epoch, wire.holder)
        elif not accepted:
            await self._refuse(wire, is_known=is_known)
        reason = "" if accepted else f"epoch {high_water} was heard of before"
        self._answer(wire, accepted=accepted, reason=reason)

    async def _refuse(self, wire: EpochMessage, *, is_known: bool) -> None:
        """Refuse an epoch; one that is lent a second time shows that the store lost data."""
        self._metrics.command_refused("epoch_superseded" if is_known else "epoch_regress")
        if is_known:
            return
        reason = f"epoch {wire.epoch} of {wire.service}, {self._desk.epoch} was heard before"
        log.critical("epoch_regress", epoch=wire.epoch, high_water=self._desk.epoch)
        await self._halt(reason)

    def _answer(self, wire: EpochMessage, *, accepted: bool, reason: str) -> None:
        answer = EpochAnswerMessage(
            service=wire.service,
            epoch=wire.epoch,
            accepted=accepted,
            high_water=self._desk.epoch,
            reason=reason,
        )
        self._answers.append(answer)
        self._some_to_tell.set()

    async def _tell(self, answer: EpochAnswerMessage) -> None:
        topic = topics.epoch_answers(answer.service)
        try:
            await self._bus.publish(topic, self._keyring.seal("gateway", topic, answer))
        except BusUnavailable:
            await asyncio.sleep(_RETRY_S)
            return
        except PublishRefused as refused:
            log.error("epoch_answer_untold", error=str(refused))  # noqa: TRY400 - the broker's words suffice
        self._answers.popleft()
