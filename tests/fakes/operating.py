"""What an operator wants, and an ingest that takes none of it."""

from services.command.operator_link import Wish
from shared.adapters.bus import Bus
from shared.wire import codec, topics
from shared.wire.messages import RejectMessage


def wish(scope: str = "all", *, local: bool = False, patience_s: float = 5.0) -> Wish:
    return Wish(scope=scope, operator="ann", reason="drill", local=local, patience_s=patience_s)


async def disbelieve(bus: Bus) -> None:
    """Be an ingest that believes nothing."""
    async for message in bus.messages():
        message.ack()
        reject = RejectMessage(
            reason="stale_command",
            detail="70.0 s old by our clock",
            topic=message.topic,
            payload=message.payload[:400],
            truncated=False,
            received_time="1970-01-01T00:00:00Z",
        )
        await bus.publish(topics.REJECTS, codec.encode(reject))
