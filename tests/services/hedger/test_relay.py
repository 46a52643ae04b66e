"""No order is lost and none is doubled, whatever is killed between hedger and gateway."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest
from fakes.bus import FakeBroker, FakeBus
from fakes.clock import ManualClock
from fakes.eventually import eventually
from fakes.interrupted import run_for_turns
from fakes.orders import Desk, make_order
from fakes.store import FakeStore, Fault

from services.hedger.relay import OrderRelay
from shared.adapters.bus import Subscription
from shared.adapters.store import Entry, StoreUnavailable
from shared.wire import keys, topics
from shared.wire.messages import AckMessage

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

    def relay(self, epoch: int | None = 1) -> OrderRelay:
        relay = OrderRelay(
            bus=self.bus,
            store=self.store,
            clock=self.clock,
            on_sent=lambda _, outcome: self.outcomes.append(outcome),
            on_acknowledged=self.answers.append,
            on_superseded=lambda answer: self.superseded.append(answer.order_id),
        )
        if epoch is not None:
            relay.begin(epoch)
        return relay

    @asynccontextmanager
    async def running(self, relay: OrderRelay) -> AsyncIterator[OrderRelay]:
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(relay.run())
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
        desk = Desk(there)
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


async def test_nothing_is_sent_before_the_lease_is_known() -> None:
    async with office(store_of(1)) as desk, desk.running(desk.relay(epoch=None)) as relay:
        for _ in range(100):
            await asyncio.sleep(0)
        assert not desk.desk.taken
        relay.begin(7)
        await eventually(lambda: relay.has_delivered(1))
        assert desk.desk.epochs == [7]


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
        await eventually(lambda: relay.has_delivered(1201))
        assert desk.decisions == list(range(1, 1202))
        assert not desk.outbox


async def test_rows_settled_before_the_restart_are_not_waited_for() -> None:
    store = store_of(3)
    await store.settle(OUTBOX, [1, 2, 3])
    async with office(store) as desk, desk.running(desk.relay()) as relay:
        await eventually(lambda: relay.has_delivered(3))
        assert not desk.desk.taken


async def test_a_killed_broker_delays_orders_and_loses_none() -> None:
    async with office(store_of(2)) as desk, desk.running(desk.relay()) as relay:
        desk.broker.kill()
        await eventually(lambda: "unavailable" in desk.outcomes)
        desk.broker.start()
        await eventually(desk.bus.connected.is_set)
        desk.resend(relay)
        await eventually(lambda: relay.has_delivered(2) and not desk.outbox)
        assert desk.decisions == [1, 2]


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


async def test_an_order_whose_sender_is_superseded_stays_for_its_successor() -> None:
    async with office(store_of(1)) as desk:
        desk.desk.status_of_new = "superseded"
        async with desk.running(desk.relay(epoch=1)) as relay:
            await eventually(lambda: desk.superseded == ["overlay-00000001-swap"])
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


async def test_an_answer_that_is_none_is_passed_over() -> None:
    async with office(store_of(1)) as desk, desk.running(desk.relay()) as relay:
        await desk.bus.publish(topics.acks("overlay"), b"yes")
        await eventually(lambda: relay.has_delivered(1))
        await eventually(lambda: desk.broker.unacknowledged("hedger") == 0)


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
            await run_for_turns(turns, desk.relay().run())
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


async def test_a_commit_heard_of_before_the_rows_behind_it_waits_for_them() -> None:
    async with office(store_of(3)) as desk:
        relay = desk.relay()
        relay.take_committed([Entry(OUTBOX, 3, msgspec.msgpack.encode(make_order(3)))])
        assert not relay.waiting
        async with desk.running(relay):
            await eventually(lambda: relay.has_delivered(3))
            assert desk.decisions == [1, 2, 3]
