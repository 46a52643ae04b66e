"""What a stage has to tell is told in order, at least once, whatever is killed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from fakes.bus import FakeBroker, FakeBus
from fakes.eventually import eventually
from fakes.interrupted import run_for_turns
from fakes.store import FakeStore, Fault

from shared.adapters.store import StoreUnavailable
from shared.runtime.announcer import Announcer
from shared.runtime.ledger import LeaseLost
from shared.wire import keys
from shared.wire.notices import Notice, encode_notice

STREAM = keys.announcements("hedger")
RELAY = "hedger-announcer"


def store_of(*payloads: str) -> FakeStore:
    store = FakeStore()
    tell(store, *payloads)
    return store


def tell(store: FakeStore, *payloads: str) -> None:
    for payload in payloads:
        notice = Notice("alerts/info", payload.encode(), retain=payload == "kept")
        store.append(STREAM, encode_notice(notice))


def told(broker: FakeBroker) -> list[str]:
    return [each.payload.decode() for each in broker.published]


def cursor(store: FakeStore) -> int:
    return store.records[RELAY].cursors.get(STREAM, 0)


@asynccontextmanager
async def announcing(
    store: FakeStore, broker: FakeBroker, epoch: int = 1
) -> AsyncIterator[asyncio.Task[None]]:
    async with FakeBus(broker, client_id="hedger") as bus, asyncio.TaskGroup() as tasks:
        await bus.connected.wait()
        task = tasks.create_task(Announcer(bus, store, "hedger", epoch).run())
        yield task
        task.cancel()


async def test_notices_are_told_in_order_as_they_come() -> None:
    store, broker = store_of("a", "b"), FakeBroker()
    async with announcing(store, broker):
        await eventually(lambda: told(broker) == ["a", "b"])
        tell(store, "kept")
        await eventually(lambda: told(broker) == ["a", "b", "kept"])
        await eventually(lambda: cursor(store) == 3)
    assert [each.retain for each in broker.published] == [False, False, True]


async def test_what_is_only_told_leaves_a_moment_later_than_it_could() -> None:
    store, broker = store_of("a"), FakeBroker()
    async with announcing(store, broker):
        for _ in range(20):
            await asyncio.sleep(0)
        assert told(broker) == []
        await eventually(lambda: told(broker) == ["a"])


async def test_a_restarted_relay_goes_on_where_it_was() -> None:
    store, broker = store_of("a", "b"), FakeBroker()
    async with announcing(store, broker):
        await eventually(lambda: cursor(store) == 2)
    tell(store, "c")
    async with announcing(store, broker):
        await eventually(lambda: cursor(store) == 3)
    assert told(broker) == ["a", "b", "c"]


async def test_while_the_broker_is_away_it_waits_and_keeps_the_order() -> None:
    store, broker = FakeStore(), FakeBroker()
    async with announcing(store, broker):
        broker.kill()
        tell(store, "a", "b")
        await asyncio.sleep(0)
        broker.start()
        await eventually(lambda: told(broker) == ["a", "b"])


async def test_a_notice_the_broker_refuses_keeps_no_other_back() -> None:
    store, broker = store_of("x" * 100, "b"), FakeBroker(largest_payload=10)
    async with announcing(store, broker):
        await eventually(lambda: told(broker) == ["b"])
        await eventually(lambda: cursor(store) == 2)


async def test_trouble_with_the_store_is_waited_out() -> None:
    trouble = Fault(StoreUnavailable("away"), applied=False)
    store, broker = store_of("a"), FakeBroker()
    store.faults = iter([trouble, None, trouble, None, None, None, None, trouble])
    async with announcing(store, broker):
        await eventually(lambda: cursor(store) == 1)
    assert set(told(broker)) == {"a"}


async def test_a_commit_whose_reply_was_lost_is_not_told_again() -> None:
    store, broker = store_of("a"), FakeBroker()
    lost = Fault(StoreUnavailable("no reply"), applied=True)
    store.faults = iter([None, None, None, lost])  # fence, load, read, commit
    async with announcing(store, broker):
        tell(store, "b")
        await eventually(lambda: cursor(store) == 2)
    assert told(broker) == ["a", "b"]


async def test_the_relay_of_the_next_leader_takes_over_and_the_first_ends() -> None:
    store, broker = store_of("a"), FakeBroker()

    async def takes_over() -> None:
        async with announcing(store, broker) as first:
            await eventually(lambda: cursor(store) == 1)
            await store.fence(RELAY, 2)
            tell(store, "b")
            await asyncio.wait([first])

    with pytest.raises(ExceptionGroup) as ended:
        await takes_over()
    assert ended.group_contains(LeaseLost)


async def test_cut_off_at_any_await_nothing_is_lost_and_the_order_stays() -> None:
    for turns in range(30):
        store, broker = store_of("a", "b", "c"), FakeBroker()
        async with FakeBus(broker, client_id="hedger") as bus:
            await bus.connected.wait()
            await run_for_turns(turns, Announcer(bus, store, "hedger", 1).run())
        async with announcing(store, broker, epoch=2):
            await eventually(lambda: cursor(store) == 3)  # noqa: B023 - awaited here
        assert [name for n, name in enumerate(told(broker)) if name not in told(broker)[:n]] == [
            "a",
            "b",
            "c",
        ]
