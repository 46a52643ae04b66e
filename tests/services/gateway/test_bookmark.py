"""The store learns how far the gateway's record is, and never more than that."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from fakes.eventually import eventually
from fakes.store import FakeStore, Fault
from msgspec.structs import replace

from services.gateway.bookmark import STAGE, Bookmark, RecordWentBack
from shared.adapters.store import StoreUnavailable
from shared.runtime.ledger import LeaseLost
from shared.wire import keys

JOURNAL = keys.journal()


class Record:
    """What the gateway has on its disk."""

    def __init__(self, position: int) -> None:
        self.position = position

    def __call__(self) -> int:
        return self.position


@asynccontextmanager
async def telling(store: FakeStore, record: Record) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(Bookmark(store, record, every_s=0.001).run())
        yield
        running.cancel()


def told(store: FakeStore) -> int:
    return store.records[STAGE].cursors.get(JOURNAL, 0)


async def test_the_store_follows_the_record() -> None:
    store, record = FakeStore(), Record(3)
    async with telling(store, record):
        await eventually(lambda: told(store) == 3)
        record.position = 8
        await eventually(lambda: told(store) == 8)


async def test_a_record_that_stands_still_is_not_told_again() -> None:
    store, record = FakeStore(), Record(3)
    asked = 0

    def position() -> int:
        nonlocal asked
        asked += 1
        return record()

    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(Bookmark(store, position, every_s=0.001).run())
        await eventually(lambda: asked > 10)
        running.cancel()
    assert store.records[STAGE].batch == 1


async def test_a_restarted_gateway_goes_on_telling() -> None:
    store = FakeStore()
    async with telling(store, Record(3)):
        await eventually(lambda: told(store) == 3)
    async with telling(store, Record(5)):
        await eventually(lambda: told(store) == 5)
    assert store.records[STAGE].epoch == 2


@pytest.mark.parametrize("applied", [True, False])
async def test_a_lost_reply_is_no_end(*, applied: bool) -> None:
    store = FakeStore([None, None, Fault(StoreUnavailable("lost"), applied)])
    async with telling(store, Record(4)):
        await eventually(lambda: told(store) == 4 and store.records[STAGE].batch == 1)


async def test_a_record_that_was_lost_or_is_an_old_copy_is_refused() -> None:
    store = FakeStore()
    async with telling(store, Record(9)):
        await eventually(lambda: told(store) == 9)
    with pytest.raises(RecordWentBack, match=r"to 4, and once had it to 9.*\{gateway\}:record"):
        await Bookmark(store, Record(4)).run()
    assert told(store) == 9


async def test_a_second_gateway_ends_the_first() -> None:
    store, record = FakeStore(), Record(1)
    first = asyncio.ensure_future(Bookmark(store, record, every_s=0.001).run())
    await eventually(lambda: told(store) == 1)
    stage = store.records[STAGE]
    store.records[STAGE] = replace(stage, epoch=stage.epoch + 1)
    record.position = 2
    with pytest.raises(LeaseLost):
        await first
