"""What the gateway answers; what others send in its name is counted, and has no effect."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from shared.adapters.bus import Bus, Message
from shared.adapters.keyring import Forged, Keyring
from shared.wire import topics
from shared.wire.codec import MalformedMessage
from shared.wire.messages import AckMessage, EpochAnswerMessage

log = structlog.get_logger()

SERVICE = "hedger"
EPOCH_ANSWERS = topics.epoch_answers(SERVICE)
SUBSCRIPTIONS = (topics.ACKS, EPOCH_ANSWERS)
_AT_ONCE: Final = 32


async def hear(
    bus: Bus,
    keyring: Keyring,
    *,
    on_epoch: Callable[[EpochAnswerMessage], None],
    on_orders: Callable[[Sequence[AckMessage]], None],
    on_refused: Callable[[str], None],
) -> None:
    """Hand on what the gateway says, until cancelled.

    Args:
        bus: Subscribed to `SUBSCRIPTIONS`.
        keyring: Says what is the gateway's.
        on_epoch: Told of an answer to our epoch.
        on_orders: Told of answers for orders, as many as came together.
        on_refused: Told why something is no answer of the gateway.
    """
    while True:
        messages = await bus.next_batch(_AT_ONCE)
        orders: list[AckMessage] = []
        for message in messages:
            try:
                answer = _open(message, keyring)
            except (MalformedMessage, Forged) as error:
                reason = error.reason if isinstance(error, Forged) else "malformed"
                log.error("answer_refused", topic=message.topic, reason=reason, error=str(error))  # noqa: TRY400 - it is the sender's fault
                on_refused(reason)
                continue
            if isinstance(answer, AckMessage):
                orders.append(answer)
            else:
                on_epoch(answer)
        if orders:
            on_orders(orders)
        for message in messages:
            message.ack()
        await asyncio.sleep(0)  # while answers abound, others go on


def _open(message: Message, keyring: Keyring) -> AckMessage | EpochAnswerMessage:
    topic, payload = message.topic, message.payload
    if topic == EPOCH_ANSWERS:
        return keyring.open("gateway", topic, payload, EpochAnswerMessage)
    return keyring.open("gateway", topic, payload, AckMessage)
