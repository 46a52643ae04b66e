"""What the gateway answers; what others send in its name is counted, and has no effect."""

from collections.abc import Awaitable, Callable

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


async def hear(
    bus: Bus,
    keyring: Keyring,
    *,
    on_epoch: Callable[[EpochAnswerMessage], None],
    on_order: Callable[[AckMessage], Awaitable[None]],
    on_refused: Callable[[str], None],
) -> None:
    """Hand on what the gateway says, until cancelled.

    Args:
        bus: Subscribed to `SUBSCRIPTIONS`.
        keyring: Says what is the gateway's.
        on_epoch: Told of an answer to our epoch.
        on_order: Told of an answer for an order.
        on_refused: Told why something is no answer of the gateway.
    """
    async for message in bus.messages():
        try:
            answer = _open(message, keyring)
        except (MalformedMessage, Forged) as error:
            reason = error.reason if isinstance(error, Forged) else "malformed"
            log.error("answer_refused", topic=message.topic, reason=reason, error=str(error))  # noqa: TRY400 - it is the sender's fault
            on_refused(reason)
        else:
            if isinstance(answer, AckMessage):
                await on_order(answer)
            else:
                on_epoch(answer)
        message.ack()


def _open(message: Message, keyring: Keyring) -> AckMessage | EpochAnswerMessage:
    topic, payload = message.topic, message.payload
    if topic == EPOCH_ANSWERS:
        return keyring.open("gateway", topic, payload, EpochAnswerMessage)
    return keyring.open("gateway", topic, payload, AckMessage)
