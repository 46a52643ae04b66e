"""A reader in the same process is handed what was committed, and never misses or doubles it."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from fakes.eventually import eventually
from fakes.interrupted import run_for_turns
from fakes.proxy import proxy_before
from fakes.servers import RedisServer
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from redis import Redis

from shared.adapters.connections import RedisSettings
from shared.adapters.redis_store import RedisStore
from shared.adapters.store import Commit, Entry, StoreUnavailable
from shared.adapters.tails import MOST_ENTRIES, Tail, TailedStore, Tails
from shared.wire import keys

STAGE = "signals"
LOG = keys.signal_log()


def entries(first: int, last: int) -> list[Entry]:
    return [Entry(LOG, index, b"%d" % index) for index in range(first, last + 1)]


def tail_of(first: int, last: int) -> Tail:
    tail = Tail()
    tail.extend(entries(first, last))
    return tail


def test_a_tail_gives_what_follows_an_index_up_to_the_count() -> None:
    tail = tail_of(1, 5)
    assert tail.after(0, 2) == entries(1, 2)
    assert tail.after(3, 10) == entries(4, 5)
    assert tail.after(5, 10) == []
    assert tail.after(9, 10) == []


def test_a_tail_says_nothing_of_what_it_does_not_hold() -> None:
    assert Tail().after(0, 10) == []
    tail = tail_of(11, 12)
    assert tail.after(9, 10) == []
    assert tail.after(10, 10) == entries(11, 12)


def test_a_tail_keeps_the_newest_without_a_hole() -> None:
    tail = tail_of(1, 10)
    tail.extend(entries(11, MOST_ENTRIES + 5))
    assert tail.after(4, 1) == []
    assert tail.after(5, 1_000) == entries(6, MOST_ENTRIES + 5)


def test_where_others_wrote_between_a_tail_begins_anew() -> None:
    tail = tail_of(1, 3)
    tail.extend(entries(6, 7))
    assert tail.after(2, 10) == []
    assert tail.after(3, 10) == []
    assert tail.after(5, 10) == entries(6, 7)


def test_entries_that_come_again_are_not_doubled() -> None:
    tail = tail_of(1, 3)
    tail.extend(entries(2, 3))
    tail.extend(entries(3, 4))
    tail.extend([])
    assert (tail.after(0, 10), tail.last) == (entries(1, 4), 4)


def test_nobody_waits_at_a_tail_before_something_was_committed_here() -> None:
    assert Tail().last < 0
    assert tail_of(1, 1).last == 1


def test_what_was_forgotten_is_not_given_and_the_rest_goes_on() -> None:
    tail = tail_of(1, 4)
    tail.forget_through(2)
    assert tail.after(0, 10) == []
    assert tail.after(1, 10) == []
    assert tail.after(2, 10) == entries(3, 4)
    tail.forget_through(99)
    tail.extend(entries(5, 5))
    assert tail.after(4, 10) == entries(5, 5)


async def test_growth_wakes_all_who_wait_and_ends_with_the_time() -> None:
    tail = Tail()
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        for _ in range(2):
            tasks.create_task(tail.growth(60_000))
        await asyncio.sleep(0)
        tail.extend(entries(1, 1))
    await tail.growth(1)


async def test_a_tail_that_forgets_all_sends_those_who_wait_away() -> None:
    tail = tail_of(1, 3)
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        tasks.create_task(tail.growth(60_000))
        await asyncio.sleep(0)
        tail.forget()
    assert tail.after(0, 10) == []
    assert tail.last < 0
    tail.extend(entries(2, 3))  # as another server numbers them
    assert tail.after(1, 10) == entries(2, 3)


def settings(port: int) -> RedisSettings:
    return RedisSettings(url=f"redis://127.0.0.1:{port}", operation_timeout_s=2.0)


class Process:
    """A process with a writer and a reader of the signal log, each with its own connection."""

    def __init__(self, server: RedisServer) -> None:
        tails = Tails()
        self.writer = TailedStore(settings(server.port), tails)
        self.reader = TailedStore(settings(server.port), tails)
        self.tail = tails[LOG]
        self.batch = self.last = self.epoch = 0

    async def begin(self) -> None:
        """Take the lease, and go on from what the server has."""
        self.epoch = await self.writer.take_lease(STAGE)
        record = await self.writer.load(STAGE)
        self.batch, self.last = record.batch, record.emitted.get(LOG, 0)

    async def write(self, count: int = 1) -> None:
        """Commit the next entries under our lease."""
        if not self.epoch:
            await self.begin()
        self.batch += 1
        self.last += count
        await self.writer.commit(commit(self.epoch, self.batch, self.last, count))

    async def read(self, after: int, *, block_ms: int | None = 60_000) -> list[int]:
        async with asyncio.timeout(5):
            found = await self.reader.read({LOG: after}, count=1_000, block_ms=block_ms)
        assert found == [Entry(LOG, entry.index, b"%d" % entry.index) for entry in found]
        return [entry.index for entry in found]

    async def close(self) -> None:
        await self.writer.close()
        await self.reader.close()


async def write(store: RedisStore, count: int) -> None:
    """Append entries as whoever starts the stage now."""
    epoch = await store.take_lease(STAGE)
    record = await store.load(STAGE)
    last = record.emitted.get(LOG, 0)
    await store.commit(commit(epoch, record.batch + 1, last + count, count))


def commit(epoch: int, batch: int, last: int, count: int) -> Commit:
    """The commit of the last entries up to an index."""
    payloads = [entry.payload for entry in entries(last - count + 1, last)]
    return Commit(
        stage=STAGE, epoch=epoch, batch=batch, emitted={LOG: last}, entries={LOG: payloads}
    )


@pytest.fixture
async def process(redis_server: RedisServer) -> AsyncIterator[Process]:
    process = Process(redis_server)
    yield process
    await process.close()


@pytest.mark.server
async def test_a_reader_that_waits_is_handed_the_commit_without_the_server(
    process: Process, redis_server: RedisServer
) -> None:
    await process.write()
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(process.read(1))
        await asyncio.sleep(0)
        await process.write(2)
        redis_server.kill()
    assert waiting.result() == [2, 3]
    assert await process.read(0) == [1, 2, 3]


@pytest.mark.server
async def test_a_read_that_does_not_wait_is_told_what_the_server_has(
    process: Process, redis_server: RedisServer
) -> None:
    await process.write(3)
    with Redis(port=redis_server.port) as raw:
        raw.delete(LOG)
    assert await process.read(0, block_ms=None) == []
    assert await process.read(0) == [1, 2, 3]


@pytest.mark.server
async def test_a_reader_that_is_too_far_behind_asks_the_server(process: Process) -> None:
    await process.write(MOST_ENTRIES + 1)
    assert await process.read(0) == list(range(1, MOST_ENTRIES + 2))


@pytest.mark.server
async def test_a_reader_the_server_told_first_waits_here_for_what_follows(
    process: Process, redis_server: RedisServer
) -> None:
    """Else it asks the server each time, which tells it first each time."""
    await process.write()
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        tasks.create_task(process.write())
        await asyncio.sleep(0)
        assert (process.tail.last, process.tail.sent) == (1, 2)  # on its way
        told = tasks.create_task(process.read(2))
        await eventually(lambda: process.tail.last == 2)
        assert not is_blocked(redis_server)
    assert told.result() == []
    assert not process.tail.is_followed_from(3)


@pytest.mark.server
async def test_another_stream_beside_it_asks_the_server(process: Process) -> None:
    await process.write()
    found = await process.reader.read({LOG: 0, keys.journal(): 0}, count=9, block_ms=1)
    assert found == entries(1, 1)


@pytest.mark.server
async def test_what_another_process_writes_is_read_in_its_turn(
    process: Process, redis_server: RedisServer
) -> None:
    await process.write()
    async with RedisStore(settings(redis_server.port)) as another:
        await write(another, 1)
        assert await process.read(1, block_ms=1) == [2]
        async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(process.read(2, block_ms=1_000))  # at the server now
            await eventually(lambda: is_blocked(redis_server))
            await write(another, 1)
    assert waiting.result() == [3]
    await process.begin()
    await process.write()
    assert await process.read(1) == [2, 3, 4]
    assert await process.read(3) == [4]


def is_blocked(server: RedisServer) -> bool:
    with Redis(port=server.port) as raw:
        return bool(raw.info("clients")["blocked_clients"])


@pytest.mark.server
async def test_a_commit_whose_reply_was_lost_is_read_once(redis_server: RedisServer) -> None:
    tails = Tails()
    async with (
        proxy_before(redis_server.port) as proxy,
        TailedStore(settings(proxy.port), tails) as writer,
        TailedStore(settings(redis_server.port), tails) as reader,
    ):
        await write(writer, 1)
        lost = commit(await writer.take_lease(STAGE), 2, last=2, count=1)
        proxy.lose_replies = True
        with pytest.raises(StoreUnavailable):
            await writer.commit(lost)
        proxy.lose_replies = False
        assert await reader.read({LOG: 1}, count=9, block_ms=1) == entries(2, 2)
        await writer.commit(lost)
        assert await reader.read({LOG: 2}, count=9, block_ms=1) == []
        await write(writer, 1)
        assert await reader.read({LOG: 2}, count=9, block_ms=1) == entries(3, 3)


@pytest.mark.server
async def test_who_waits_while_a_stage_begins_anew_is_told_at_once_what_the_server_has(
    process: Process, redis_server: RedisServer
) -> None:
    await process.write()
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(process.read(1))
        await asyncio.sleep(0)
        async with RedisStore(settings(redis_server.port)) as another:
            await write(another, 1)
        await process.begin()
    assert waiting.result() == [2]


@pytest.mark.server
async def test_what_a_server_lost_is_not_given_after_a_new_beginning(
    process: Process, redis_server: RedisServer
) -> None:
    await process.write(3)
    with Redis(port=redis_server.port) as raw:
        raw.flushall()
    await process.begin()
    assert await process.read(0, block_ms=1) == []
    await process.write()
    assert await process.read(0) == [1]


@pytest.mark.server
async def test_a_row_whose_settling_lost_its_reply_is_not_given_again(
    redis_server: RedisServer,
) -> None:
    tails = Tails()
    async with (
        proxy_before(redis_server.port) as proxy,
        TailedStore(settings(redis_server.port), tails) as writer,
        TailedStore(settings(proxy.port), tails) as relay,
    ):
        await write(writer, 3)
        await relay.extent(LOG)
        proxy.lose_replies = True
        with pytest.raises(StoreUnavailable):
            await relay.settle(LOG, [1, 2])
        proxy.lose_replies = False
        assert await relay.read({LOG: 0}, count=9, block_ms=1) == entries(3, 3)


@pytest.mark.server
async def test_trimmed_entries_are_not_given(process: Process) -> None:
    await process.write(4)
    await process.writer.trim(LOG, 3)
    assert await process.read(0) == [3, 4]


@pytest.mark.server
@pytest.mark.parametrize("turns", range(6))
async def test_a_read_cut_off_anywhere_loses_nothing(process: Process, turns: int) -> None:
    async def wait() -> None:
        await process.read(1)

    await process.write()
    await run_for_turns(turns, wait())
    await process.write()
    await run_for_turns(turns, wait())
    assert await process.read(1) == [2]


@pytest.mark.server
@examples(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    writes=st.lists(st.tuples(st.booleans(), st.integers(1, MOST_ENTRIES + 1)), max_size=12),
    count=st.integers(1, 100),
)
def test_whoever_writes_a_reader_gets_every_entry_once_and_in_order(
    redis_server: RedisServer, writes: list[tuple[bool, int]], count: int
) -> None:
    last = sum(size for _, size in writes)
    taken: list[Entry] = []

    async def follow(store: TailedStore) -> None:
        while len(taken) < last:
            taken.extend(await store.read({LOG: len(taken)}, count=count, block_ms=20))

    async def run() -> None:
        process = Process(redis_server)
        async with (
            RedisStore(settings(redis_server.port)) as another,
            asyncio.timeout(20),
            asyncio.TaskGroup() as tasks,
        ):
            tasks.create_task(follow(process.reader))
            is_leading = False
            for is_ours, size in writes:
                if not is_ours:
                    await write(another, size)
                elif not is_leading:
                    await process.begin()
                if is_ours:
                    await process.write(size)
                is_leading = is_ours
        await process.close()

    with Redis(port=redis_server.port) as raw:
        raw.flushall()
    asyncio.run(run())
    assert taken == entries(1, last)
