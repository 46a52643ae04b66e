"""No order is lost and none is doubled, whatever is killed between hedger and gateway."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import msgspec
import pytest
from fakes.bus import FakeBroker, FakeBus
from fakes.clock import ManualClock
from fakes.eventually import eventually
from fakes.failures import only
from fakes.interrupted import run_for_turns
from fakes.keys import make_keyring
from fakes.leases import term
from fakes.orders import Desk, make_order
from fakes.store import FakeStore, Fault

from services.hedger.answers import hear
from services.hedger.relay import OrderRelay
from shared.adapters.bus import Subscription
from shared.adapters.keyring import Keyring
from shared.adapters.store import Entry, StoreUnavailable
from shared.runtime.ledger import LeaseLost
from shared.wire import codec, keys, topics
from shared.wire.messages import AckMessage

KEYRING = make_keyring()
OUTBOX = keys.outbox()
AWAY = Fault(StoreUnavailable("away"), applied=False)


def store_of(orders: int) -> FakeStore:
    """A store whose outbox holds decisions 1 to `orders`."""
    store = FakeStore()
    decide(store, *range(1, orders + 1))
    return store


def decide(store: FakeStore, *decisions: int) -> None:
    for decision in decisions:
        store.append(OUTBOX, msgspec.msgpack.encode(make_order(decision)))


class Office:
    """A broker with a desk behind it, and a hedger's bus before it."""

    def __init__(self, store: FakeStore, broker: FakeBroker, bus: FakeBus, desk: Desk) -> None:
        self.store = store
        self.broker = broker
        self.bus = bus
        self.desk = desk
        self.clock = ManualClock()
        self.answers: list[AckMessage] = []
        self.superseded: list[str] = []
        self.outcomes: list[str] = []
        self.refused: list[str] = []
        self.accepted = asyncio.Event()
        self.accepted.set()

    def relay(self, epoch: int = 1, ttl_s: float = 1e9) -> OrderRelay:
        return OrderRelay(
            bus=self.bus,
            store=self.store,
            keyring=KEYRING,
            term=term(epoch, self.clock, ttl_s),
            clock=self.clock,
            on_sent=lambda _, outcome: self.outcomes.append(outcome),
            on_acknowledged=self.answers.extend,
            on_superseded=lambda answer: self.superseded.append(answer.order_id),
        )

    async def run(self, relay: OrderRelay) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(relay.run(self.accepted))
            tasks.create_task(
                hear(
                    self.bus,
                    KEYRING,
                    on_epoch=lambda _: None,
                    on_orders=relay.receive,
                    on_refused=self.refused.append,
                )
            )

    @asynccontextmanager
    async def running(self, relay: OrderRelay) -> AsyncIterator[OrderRelay]:
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(self.run(relay))
            yield relay
            task.cancel()

    def resend(self, relay: OrderRelay) -> None:
        """Let every pause pass."""
        self.clock.advance(100.0)
        relay._delivery.put([])  # noqa: SLF001 - it looks at the clock

    @property
    def decisions(self) -> list[int]:
        return [order.decision for order in self.desk.orders.values()]

    @property
    def outbox(self) -> list[int]:
        return list(self.store.streams[OUTBOX])


@asynccontextmanager
async def office(store: FakeStore) -> AsyncIterator[Office]:
    broker = FakeBroker()
    async with (
        FakeBus(broker, client_id="desk", subscriptions=[Subscription(topics.ORDERS)]) as there,
        FakeBus(broker, client_id="hedger", subscriptions=[Subscription(topics.ACKS)]) as here,
        asyncio.TaskGroup() as tasks,
    ):
        await there.connected.wait()
        await here.connected.wait()
        desk = Desk(there, KEYRING)
        task = tasks.create_task(desk.run())
        yield Office(store, broker, here, desk)
        task.cancel()


async def test_orders_leave_in_order_and_the_outbox_is_empty_once_they_are_answered() -> None:
    async with office(store_of(3)) as desk, desk.running(desk.relay()) as relay:
        await eventually(lambda: relay.has_delivered(3) and not desk.outbox)
        assert desk.decisions == [1, 2, 3]
        assert [answer.status for answer in desk.answers] == ["accepted"] * 3
        decide(desk.store, 4)
        await eventually(lambda: relay.has_delivered(4))
        assert not desk.outbox


async def test_nothing_is_sent_before_the_gateway_has_accepted_the_epoch() -> None:
    async with office(store_of(1)) as desk:
        desk.accepted.clear()
        async with desk.running(desk.relay(epoch=7)) as relay:
            await eventually(lambda: relay.waiting == 1)
            for _ in range(100):
                await asyncio.sleep(0)
            assert not desk.desk.taken
            desk.accepted.set()
            await eventually(lambda: relay.has_delivered(1))
            assert desk.desk.epochs == [7]


async def test_nothing_is_sent_once_the_lease_has_run_out() -> None:
    async with office(store_of(1)) as desk:
        desk.accepted.clear()
        relay = desk.relay(ttl_s=1.0)
        await run_for_turns(10, desk.run(relay))
        assert relay.waiting == 1
        desk.clock.advance(0.7)
        desk.accepted.set()
        with pytest.raises(ExceptionGroup) as ended:
            await desk.run(relay)
        assert ended.group_contains(LeaseLost, match="epoch 1 has run out")
        assert not desk.desk.taken


async def test_an_order_that_is_not_answered_is_sent_again_unchanged() -> None:
    async with office(store_of(1)) as desk, desk.running(desk.relay()) as relay:
        desk.desk.quiet = True
        await eventually(lambda: desk.desk.taken.total() == 1)
        assert not relay.has_delivered(1)
        desk.desk.quiet = False
        desk.resend(relay)
        await eventually(lambda: relay.has_delivered(1) and not desk.outbox)
        assert [answer.status for answer in desk.answers] == ["duplicate"]


async def test_an_outbox_of_thousands_is_read_to_its_end() -> None:
    async with office(store_of(1201)) as desk, desk.running(desk.relay()) as relay:
        await eventually(lambda: relay.has_delivered(1201) and not desk.outbox)
        assert desk.decisions == list(range(1, 1202))


async def test_rows_settled_before_the_restart_are_not_waited_for() -> None:
    store = store_of(3)
    await store.settle(OUTBOX, [1, 2, 3])
    async with office(store) as desk, desk.running(desk.relay()) as relay:
        await eventually(lambda: relay.has_delivered(3))
        assert not desk.desk.taken


async def test_a_killed_broker_delays_orders_and_loses_none() -> None:
    async with office(store_of(2)) as desk, desk.running(desk.relay()) as relay:
        desk.broker.kill()
        await eventually(lambda: relay.waiting == 2)
        desk.broker.start()  # time stands still: no pause is waited out
        await eventually(lambda: relay.has_delivered(2) and not desk.outbox)
        assert desk.decisions == [1, 2]


async def test_a_slow_gateway_is_not_sent_all_that_waits() -> None:
    async with office(store_of(700)) as desk:
        desk.desk.quiet = True
        async with desk.running(desk.relay()) as relay:
            await eventually(lambda: relay.waiting == 700 and len(desk.outcomes) >= 500)
            for _ in range(100):
                await asyncio.sleep(0)
            assert desk.outcomes == ["sent"] * 500


async def test_between_two_hundreds_of_rows_that_are_sealed_others_have_their_turn() -> None:
    waiting: list[int] = []

    class Observed(FakeStore):
        async def read(
            self, after: Mapping[str, int], *, count: int, block_ms: int | None = None
        ) -> list[Entry]:
            waiting.append(relay.waiting)
            return await super().read(after, count=count, block_ms=block_ms)

    store = Observed()
    decide(store, *range(1, 251))
    async with office(store) as desk:
        desk.desk.quiet = True
        relay = desk.relay()
        async with desk.running(relay):
            await eventually(lambda: relay.waiting == 250)
            assert waiting[:4] == [0, 100, 200, 250]


async def test_an_answer_that_is_lost_is_asked_for_again() -> None:
    async with office(store_of(1)) as desk, desk.running(desk.relay()) as relay:
        desk.desk.quiet = True  # it has the order; its answer never came
        await eventually(lambda: desk.desk.taken.total() == 1)
        desk.broker.kill()
        desk.broker.start()
        await eventually(lambda: desk.bus.reconnects == 1 and desk.bus.connected.is_set())
        desk.desk.quiet = False
        desk.resend(relay)
        await eventually(lambda: relay.has_delivered(1))
        assert desk.decisions == [1]


async def test_trouble_with_the_store_is_waited_out() -> None:
    store = store_of(2)
    store.faults = iter([AWAY, None, AWAY, None, None, None])
    async with office(store) as desk, desk.running(desk.relay()) as relay:
        await eventually(lambda: relay.has_delivered(2))
        assert desk.decisions == [1, 2]


async def test_a_row_that_could_not_be_settled_is_settled_with_the_next_read() -> None:
    store = store_of(1)
    store.faults = iter([None, None, None, AWAY, AWAY])  # extent, two reads, blocked read, settle
    async with office(store) as desk, desk.running(desk.relay()) as relay:
        await eventually(lambda: relay.has_delivered(1))
        store.faults = iter([])
        await eventually(lambda: not desk.outbox)
        assert desk.decisions == [1]


async def test_rows_whose_removal_the_store_has_forgotten_are_removed_again() -> None:
    async with office(store_of(2)) as at, at.running(at.relay()):
        remembered = dict(at.store.streams[OUTBOX])
        await eventually(lambda: len(at.answers) == 2 and at.outbox == [])
        at.store.streams[OUTBOX].update(remembered)  # a failover to one that had not heard of it
        at.store.faults = iter([AWAY] * 3)
        decide(at.store, 3)
        await eventually(lambda: at.outbox == [])
        assert at.decisions == [1, 2, 3]


async def test_a_row_that_could_not_be_settled_is_settled_after_a_restart() -> None:
    store = store_of(1)
    store.faults = iter([None, None, None, AWAY, AWAY])  # extent, two reads, blocked read, settle
    async with office(store) as desk:
        async with desk.running(desk.relay()) as relay:
            await eventually(lambda: relay.has_delivered(1))
        store.faults = iter([])
        desk.store.append(OUTBOX, msgspec.msgpack.encode(make_order(2)))
        async with desk.running(desk.relay(epoch=2)) as relay:
            await eventually(lambda: relay.has_delivered(2) and not desk.outbox)
        assert desk.decisions == [1, 2]


async def test_a_refused_order_leaves_the_outbox_and_is_told() -> None:
    async with office(store_of(1)) as desk:
        desk.desk.status_of_new = "refused"
        async with desk.running(desk.relay()) as relay:
            await eventually(lambda: relay.has_delivered(1) and not desk.outbox)
        assert [answer.status for answer in desk.answers] == ["refused"]


async def test_a_superseded_relay_ends_and_leaves_the_order_to_its_successor() -> None:
    async with office(store_of(1)) as desk:
        desk.desk.status_of_new = "superseded"
        relay = desk.relay(epoch=2)
        with pytest.raises(ExceptionGroup) as ended:
            await desk.run(relay)
        lost = only(ended.value)
        assert isinstance(lost, LeaseLost)
        assert lost.above == 2
        assert desk.superseded == ["overlay-00000001-swap"]
        assert not relay.has_delivered(1)
        assert desk.outbox == [1]
        desk.desk.taken.clear()
        desk.desk.status_of_new = "accepted"
        async with desk.running(desk.relay(epoch=3)) as relay:
            await eventually(lambda: relay.has_delivered(1) and not desk.outbox)


async def test_the_answer_to_a_superseded_hedger_does_not_concern_its_successor() -> None:
    async with office(store_of(1)) as desk:
        desk.desk.quiet = True
        async with desk.running(desk.relay(epoch=2)) as relay:
            await eventually(lambda: desk.desk.taken.total() == 1)
            await desk.desk.answer("overlay-00000001-swap", "superseded", epoch=1)
            await desk.desk.answer("overlay-00000009-swap", "accepted", epoch=2)
            desk.desk.quiet = False
            desk.resend(relay)
            await eventually(lambda: relay.has_delivered(1))
        assert desk.superseded == []
        assert [answer.order_id for answer in desk.answers] == ["overlay-00000001-swap"]


def forgeries() -> dict[str, list[bytes]]:
    """Messages that claim to be the gateway's answer for the first order."""
    topic = topics.acks("overlay")
    yes = AckMessage(order_id="overlay-00000001-swap", status="accepted", epoch=1)
    sealed = KEYRING.seal("gateway", topic, yes)
    body, signature = sealed.split(b"\n")
    return {
        "malformed": [b"yes", body, codec.encode(yes), sealed[:-4]],
        "unknown_key": [
            Keyring.generate("paper").seal("gateway", topic, yes),
            KEYRING.seal("monitor", topic, yes),
        ],
        "bad_signature": [
            body.replace(b"accepted", b"refused") + b"\n" + signature,
            KEYRING.seal("gateway", topics.acks("other"), yes),
        ],
    }


@pytest.mark.parametrize(
    ("reason", "payload"),
    [(reason, payload) for reason, payloads in forgeries().items() for payload in payloads],
)
async def test_a_forged_answer_is_counted_and_removes_no_order(reason: str, payload: bytes) -> None:
    async with office(store_of(1)) as desk:
        desk.desk.quiet = True
        async with desk.running(desk.relay()) as relay:
            await eventually(lambda: desk.desk.taken.total() == 1)
            await desk.bus.publish(topics.acks("overlay"), payload)
            await eventually(lambda: desk.refused == [reason])
            await eventually(lambda: desk.broker.unacknowledged("hedger") == 0)
            assert desk.outbox == [1]
            assert not relay.has_delivered(1)
            assert not desk.answers


async def test_the_age_of_the_oldest_unanswered_order_is_known() -> None:
    async with office(store_of(1)) as desk:
        desk.desk.quiet = True
        async with desk.running(desk.relay()) as relay:
            await eventually(lambda: desk.desk.taken.total() == 1)
            desk.clock.advance(11.0)
            assert (relay.waiting, relay.longest_wait_s()) == (1, 11.0)


@pytest.mark.parametrize("first", range(5))
async def test_cut_off_at_any_await_no_order_is_lost_or_doubled(first: int) -> None:
    for turns in range(first, 60, 5):
        async with office(store_of(3)) as desk:
            await run_for_turns(turns, desk.run(desk.relay()))
            async with desk.running(desk.relay(epoch=2)) as relay:
                await eventually(lambda: relay.has_delivered(3) and not desk.outbox)
            assert sorted(desk.decisions) == [1, 2, 3]
            assert max(desk.desk.taken.values()) <= 2


async def test_an_order_leaves_with_its_commit_and_the_stream_does_not_repeat_it() -> None:
    async with office(store_of(1)) as desk, desk.running(desk.relay()) as relay:
        await eventually(lambda: relay.has_delivered(1))
        committed = Entry(OUTBOX, 2, msgspec.msgpack.encode(make_order(2)))
        relay.take_committed([committed])
        await eventually(lambda: relay.has_delivered(2))
        decide(desk.store, 2, 3)  # the stream comes to tell of it too
        await eventually(lambda: relay.has_delivered(3))
        assert desk.desk.taken.total() == 3


async def test_a_row_sealed_ahead_leaves_as_it_was_sealed_and_another_in_its_place_does_not() -> (
    None
):
    async with office(store_of(1)) as desk, desk.running(desk.relay()) as relay:
        await eventually(lambda: relay.has_delivered(1))
        foreseen, committed = (
            Entry(OUTBOX, 2, msgspec.msgpack.encode(make_order(decision))) for decision in (2, 3)
        )
        relay.seal_ahead([foreseen])
        assert relay.waiting == 0
        relay.take_committed([committed])
        await eventually(lambda: relay.has_delivered(2))
        relay.seal_ahead([again := Entry(OUTBOX, 3, foreseen.payload)])
        sealed = relay._sealed[again]  # noqa: SLF001 - what is to leave, byte for byte
        relay.take_committed([again])
        await eventually(lambda: relay.has_delivered(3))
        assert desk.decisions == [1, 3, 2]
        assert [each.payload for each in desk.broker.published if each.topic == sealed.topic][
            -1
        ] == sealed.payload


async def test_of_many_orders_of_a_commit_a_hundred_leave_with_it_and_the_rest_after() -> None:
    async with office(FakeStore()) as desk, desk.running(desk.relay()) as relay:
        await eventually(lambda: relay.has_delivered(0))
        decide(desk.store, *range(1, 251))
        rows = await desk.store.read({OUTBOX: 0}, count=250)
        relay.seal_ahead(rows)
        relay.take_committed(rows)
        assert relay.waiting == 100
        await eventually(lambda: relay.has_delivered(250))
        assert desk.decisions == [*range(1, 251)]


async def test_a_commit_heard_of_before_the_rows_behind_it_waits_for_them() -> None:
    async with office(store_of(3)) as desk:
        relay = desk.relay()
        relay.take_committed([Entry(OUTBOX, 3, msgspec.msgpack.encode(make_order(3)))])
        assert not relay.waiting
        async with desk.running(relay):
            await eventually(lambda: relay.has_delivered(3))
            assert desk.decisions == [1, 2, 3]
