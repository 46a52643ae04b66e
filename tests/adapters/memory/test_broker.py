"""What the broker in memory can do beside what every broker does: have its deliveries carried."""

from shared.adapters.bus import Subscription
from shared.adapters.inbox import Inbox
from shared.adapters.memory.broker import Deliver, MemoryBroker, Published

NEVER = float("inf")


def publish(broker: MemoryBroker, payload: bytes) -> None:
    broker.publish(Published("a/topic", payload, 1, False, None, NEVER))  # noqa: FBT003 - retain


def subscribed(broker: MemoryBroker) -> Inbox:
    inbox = Inbox()
    broker.connect("reader", inbox, [Subscription("a/topic")], starts_clean=False)
    return inbox


async def test_a_carrier_may_be_late_and_change_the_order() -> None:
    held: list[Deliver] = []
    broker = MemoryBroker(carry=held.append)
    inbox = subscribed(broker)
    publish(broker, b"first")
    publish(broker, b"second")
    assert len(inbox) == 0
    for deliver in reversed(held):
        deliver()
    assert [each.payload for each in await inbox.next_batch(9)] == [b"second", b"first"]


async def test_what_a_carrier_loses_comes_with_the_next_connection() -> None:
    held: list[Deliver] = []
    broker = MemoryBroker(carry=held.append)
    inbox = subscribed(broker)
    publish(broker, b"lost")
    held.clear()
    again = subscribed(broker)
    (deliver,) = held
    deliver()
    assert len(inbox) == 0
    assert [each.payload for each in await again.next_batch(9)] == [b"lost"]


async def test_what_arrives_after_the_connection_is_closed_arrives_nowhere() -> None:
    held: list[Deliver] = []
    broker = MemoryBroker(carry=held.append)
    inbox = subscribed(broker)
    publish(broker, b"late")
    broker.kill()
    for deliver in held:
        deliver()
    assert len(inbox) == 0
