"""The head of the decision log is told, signed, whenever there is a new one."""

from fakes.bus import FakeBroker, FakeBus
from fakes.eventually import eventually
from fakes.keys import make_keyring

from services.hedger.heads import HeadTeller
from shared.adapters.bus import Subscription
from shared.adapters.head_record import signed_head
from shared.wire import topics
from shared.wire.decisions import ChainHead

FIRST = ChainHead(7, b"\x01" * 32)
SECOND = ChainHead(9, b"\x02" * 32)
KEYRING = make_keyring()


class Listener:
    """Hears heads, and keeps those that the monitor signed."""

    def __init__(self, bus: FakeBus) -> None:
        self.bus = bus
        self.heads: list[ChainHead] = []

    async def hear(self) -> None:
        for message in await self.bus.next_batch(10):
            self.heads.append(signed_head(KEYRING, message.payload))
            message.ack()


def listening(broker: FakeBroker, name: str = "listener") -> FakeBus:
    return FakeBus(broker, client_id=name, subscriptions=[Subscription(topics.DECISION_HEAD)])


def told(broker: FakeBroker) -> int:
    """How many heads the broker has taken."""
    return sum(message.topic == topics.DECISION_HEAD for message in broker.published)


async def test_a_new_head_is_told_and_the_same_is_not_told_again() -> None:
    broker, head = FakeBroker(), FIRST
    async with FakeBus(broker, client_id="hedger") as bus, listening(broker) as heard:
        teller, listener = HeadTeller(bus, KEYRING, lambda: head, every_s=0.01), Listener(heard)
        async with teller.telling():
            await listener.hear()
            head = SECOND
            await listener.hear()
        assert listener.heads == [FIRST, SECOND]


async def test_the_last_head_is_told_at_the_end_and_kept_by_the_broker() -> None:
    broker, head = FakeBroker(), FIRST
    async with (
        FakeBus(broker, client_id="hedger") as bus,
        HeadTeller(bus, KEYRING, lambda: head, every_s=3600).telling(),
    ):
        await eventually(lambda: told(broker) == 1)
        head = SECOND
    async with listening(broker, "late") as late:
        listener = Listener(late)
        await listener.hear()
        assert listener.heads == [SECOND]


async def test_before_the_first_decision_there_is_nothing_to_tell() -> None:
    broker = FakeBroker()
    async with FakeBus(broker, client_id="hedger") as bus:
        await HeadTeller(bus, KEYRING, ChainHead).tell()
        assert told(broker) == 0


async def test_what_the_bus_did_not_take_is_told_the_next_time() -> None:
    broker = FakeBroker()
    async with FakeBus(broker, client_id="hedger") as bus:
        teller = HeadTeller(bus, KEYRING, lambda: FIRST)
        broker.kill()
        await teller.tell()
        assert told(broker) == 0
        broker.start()
        await bus.connected.wait()
        await teller.tell()
        assert told(broker) == 1
