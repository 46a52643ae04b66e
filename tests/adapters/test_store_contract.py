"""One contract for every store: the fake of the tests keeps exactly the rules of the real ones."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from fakes.servers import RedisServer, ValkeyServer
from fakes.store import FakeStore
from msgspec.structs import replace
from redis import Redis

from shared.adapters.connections import RedisSettings
from shared.adapters.redis_store import RedisStore
from shared.adapters.store import (
    BatchMismatch,
    Commit,
    Entry,
    Extent,
    Leader,
    OutputMismatch,
    StageRecord,
    StaleEpoch,
    Store,
    StoreHalted,
)
from shared.adapters.tails import TailedStore, Tails
from shared.wire import keys

STAGE = "signals"
INPUT = keys.journal()
LOG = keys.signal_log()
READABLE = keys.signals()

COMMIT = Commit(
    stage=STAGE,
    epoch=1,
    batch=1,
    cursors={INPUT: 3},
    seen={INPUT: "0123456789abcdef"},
    state=b"after three \xff\x00",
    emitted={LOG: 2},
    entries={LOG: [b"one", b"two \xff\x00\r\n"]},
    readable={READABLE: {"vix": "21.5 points"}},
)


class Subject:
    """A store, and three ways past its interface."""

    def __init__(
        self,
        store: Store,
        readable: Callable[[str], dict[str, str]],
        meddle: Callable[[str, bytes], object],
        halt: Callable[[str], object],
        lift: Callable[[str], object],
    ) -> None:
        self.halt = halt
        self.lift = lift
        self.store = store
        self.readable = readable
        self.meddle = meddle

    async def payloads(self, stream: str) -> list[bytes]:
        """What the stream holds, the same whether a reader would have waited for it or not."""
        entries = await self.store.read({stream: 0}, count=10_000)
        assert await self.store.read({stream: 0}, count=10_000, block_ms=1) == entries
        return [entry.payload for entry in entries]


@pytest.fixture(scope="module")
def urls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    directory: Path = tmp_path_factory.mktemp("stores")
    with RedisServer(directory / "redis") as redis, ValkeyServer(directory / "valkey") as valkey:
        yield {"redis": redis.url, "valkey": valkey.url}


@pytest.fixture(
    params=[
        "fake",
        *(pytest.param(kind, marks=pytest.mark.server) for kind in ("redis", "valkey", "tailed")),
    ]
)
async def subject(request: pytest.FixtureRequest, urls: dict[str, str]) -> AsyncIterator[Subject]:
    if request.param == "fake":
        fake = FakeStore()
        yield Subject(
            fake,
            lambda key: fake.hashes[key],
            fake.append,
            fake.halted.add,
            fake.halted.discard,
        )
        return
    is_tailed = request.param == "tailed"
    url = urls["redis" if is_tailed else request.param]
    settings = RedisSettings(url=url)
    with Redis.from_url(url, decode_responses=True) as raw:
        raw.flushall()
        async with TailedStore(settings, Tails()) if is_tailed else RedisStore(settings) as store:
            yield Subject(
                store,
                lambda key: dict(raw.hgetall(key)),
                lambda key, payload: raw.xadd(key, {"payload": payload}),
                lambda stage: raw.set(keys.halt(stage), ""),
                lambda stage: raw.delete(keys.halt(stage)),
            )


@pytest.fixture
def store(subject: Subject) -> Store:
    return subject.store


async def test_a_stage_that_never_ran_has_an_empty_record(store: Store) -> None:
    assert await store.load(STAGE) == StageRecord()


async def test_every_lease_is_higher_than_the_last(store: Store) -> None:
    assert [await store.take_lease(STAGE) for _ in range(3)] == [1, 2, 3]
    assert (await store.load(STAGE)).epoch == 3


async def test_a_lease_is_higher_than_what_the_gateway_has_seen(store: Store) -> None:
    await store.take_lease(STAGE)
    assert await store.take_lease(STAGE, above=7) == 8
    assert await store.take_lease(STAGE, above=3) == 9


# --- leases -------------------------------------------------------------------------------------


async def test_one_leads_and_the_others_wait_and_can_see_who_leads(store: Store) -> None:
    assert await store.leader(STAGE) is None
    assert await store.acquire(STAGE, "a", 10_000, digest="of a") == 1
    assert await store.acquire(STAGE, "b", 10_000) is None
    assert await store.leader(STAGE) == Leader("a", 1, "of a")
    assert (await store.load(STAGE)).epoch == 1


async def test_a_lease_asked_for_again_after_a_lost_reply_is_the_same(store: Store) -> None:
    assert await store.acquire(STAGE, "a", 10_000) == 1
    assert await store.acquire(STAGE, "a", 10_000) == 1
    assert await store.acquire(STAGE, "a", 10_000, above=1) == 2
    assert await store.acquire(STAGE, "a", 10_000, above=1) == 2


async def test_a_lease_given_back_is_free_at_once_for_a_higher_epoch(store: Store) -> None:
    await store.acquire(STAGE, "a", 10_000)
    await store.release(STAGE, 1)
    await store.release(STAGE, 1)
    assert await store.leader(STAGE) is None
    assert await store.acquire(STAGE, "b", 10_000, above=6) == 7
    assert (await store.load(STAGE)).epoch == 7


async def test_a_lease_ends_by_itself_unless_renewed(store: Store) -> None:
    await store.acquire(STAGE, "a", 150)
    for _ in range(3):
        await asyncio.sleep(0.1)
        assert await store.renew(STAGE, 1, 150)
    assert await store.acquire(STAGE, "b", 150) is None
    await asyncio.sleep(0.16)
    assert not await store.renew(STAGE, 1, 150)
    assert await store.acquire(STAGE, "b", 10_000) == 2


async def test_nobody_renews_or_gives_back_the_lease_of_another(store: Store) -> None:
    await store.acquire(STAGE, "a", 10_000)
    await store.release(STAGE, 1)
    await store.acquire(STAGE, "b", 10_000)
    assert not await store.renew(STAGE, 1, 10_000)
    await store.release(STAGE, 1)
    assert await store.leader(STAGE) == Leader("b", 2, "")


async def test_a_lease_whose_epoch_was_overtaken_is_had_again_only_above_it(store: Store) -> None:
    await store.acquire(STAGE, "a", 10_000)
    await store.take_lease(STAGE)
    assert await store.acquire(STAGE, "a", 10_000) == 3


async def test_commits_of_a_leader_end_with_its_epoch(store: Store) -> None:
    await store.acquire(STAGE, "a", 10_000)
    await store.release(STAGE, 1)
    await store.acquire(STAGE, "b", 10_000)
    with pytest.raises(StaleEpoch):
        await store.commit(COMMIT)
    await store.commit(replace(COMMIT, epoch=2))


async def test_a_fence_only_rises(store: Store) -> None:
    assert await store.fence(STAGE, 3) == 3
    assert await store.fence(STAGE, 3) == 3
    assert await store.fence(STAGE, 2) == 3
    assert (await store.load(STAGE)).epoch == 3
    await store.commit(replace(COMMIT, epoch=3))


# --- the halt key -------------------------------------------------------------------------------

ORDERS = Commit(
    stage="hedger",
    epoch=1,
    batch=1,
    emitted={keys.outbox(): 1, keys.decisions(): 1},
    entries={keys.outbox(): [b"order"], keys.decisions(): [b"why"]},
    readable={},
)


async def test_while_the_halt_key_is_set_no_order_is_committed(subject: Subject) -> None:
    await subject.store.take_lease("hedger")
    subject.halt("hedger")
    with pytest.raises(StoreHalted, match="halt"):
        await subject.store.commit(ORDERS)
    assert (await subject.store.load("hedger")).batch == 0
    assert await subject.payloads(keys.outbox()) == []
    quiet = replace(ORDERS, entries={keys.decisions(): [b"why"]}, emitted={keys.decisions(): 1})
    await subject.store.commit(quiet)
    subject.lift("hedger")
    await subject.store.commit(
        replace(ORDERS, batch=2, emitted={keys.outbox(): 1, keys.decisions(): 2})
    )
    assert await subject.payloads(keys.outbox()) == [b"order"]


async def test_a_commit_that_took_effect_before_the_halt_succeeds_when_made_again(
    subject: Subject,
) -> None:
    await subject.store.take_lease("hedger")
    await subject.store.commit(ORDERS)
    subject.halt("hedger")
    await subject.store.commit(ORDERS)
    assert await subject.payloads(keys.outbox()) == [b"order"]


# --- commits ------------------------------------------------------------------------------------


async def test_a_commit_moves_state_cursor_entries_and_readable_fields_together(
    subject: Subject,
) -> None:
    await subject.store.take_lease(STAGE)
    await subject.store.commit(COMMIT)
    assert await subject.store.load(STAGE) == StageRecord(
        epoch=1,
        batch=1,
        state=b"after three \xff\x00",
        cursors={INPUT: 3},
        seen={INPUT: "0123456789abcdef"},
        emitted={LOG: 2},
        reached={INPUT: 3},
    )
    assert await subject.store.read({LOG: 0}, count=10) == [
        Entry(LOG, 1, b"one"),
        Entry(LOG, 2, b"two \xff\x00\r\n"),
    ]
    assert subject.readable(READABLE) == {"vix": "21.5 points"}


async def test_the_same_commit_made_again_succeeds_and_changes_nothing(subject: Subject) -> None:
    await subject.store.take_lease(STAGE)
    await subject.store.commit(COMMIT)
    before = await subject.store.load(STAGE)
    await subject.store.commit(COMMIT)
    assert await subject.store.load(STAGE) == before
    assert await subject.store.extent(LOG) == Extent(1, 2)


@pytest.mark.parametrize(
    "other",
    [
        replace(COMMIT, batch=3),
        replace(COMMIT, batch=0),
        replace(COMMIT, state=b"another"),
        replace(COMMIT, entries={LOG: [b"one", b"three"]}),
        replace(COMMIT, cursors={INPUT: 4}),
        replace(COMMIT, readable={}),
    ],
)
async def test_any_other_commit_than_the_next_is_refused(store: Store, other: Commit) -> None:
    await store.take_lease(STAGE)
    await store.commit(COMMIT)
    before = await store.load(STAGE)
    with pytest.raises(BatchMismatch) as refused:
        await store.commit(other)
    assert (refused.value.offered, refused.value.stored) == (other.batch, 1)
    assert await store.load(STAGE) == before
    assert await store.extent(LOG) == Extent(1, 2)


async def test_the_older_holder_of_a_lease_is_refused_and_writes_nothing(subject: Subject) -> None:
    await subject.store.take_lease(STAGE)
    await subject.store.take_lease(STAGE)
    with pytest.raises(StaleEpoch) as refused:
        await subject.store.commit(COMMIT)
    assert (refused.value.offered, refused.value.stored) == (1, 2)
    assert await subject.store.load(STAGE) == StageRecord(epoch=2)
    assert await subject.store.extent(LOG) == Extent(1, 0)
    assert subject.readable(READABLE) == {}


async def test_an_epoch_that_the_store_has_not_seen_is_refused(store: Store) -> None:
    with pytest.raises(StaleEpoch):
        await store.commit(replace(COMMIT, epoch=5))


async def test_a_commit_without_state_leaves_the_state_and_tells_how_far_the_outputs_reach(
    store: Store,
) -> None:
    await store.take_lease(STAGE)
    await store.commit(COMMIT)
    await store.commit(
        replace(
            COMMIT, batch=2, state=None, cursors={INPUT: 5}, emitted={LOG: 3}, entries={LOG: [b"3"]}
        )
    )
    record = await store.load(STAGE)
    assert record.state == COMMIT.state
    assert (record.cursors, record.reached, record.emitted) == ({INPUT: 3}, {INPUT: 5}, {LOG: 3})
    assert await store.extent(LOG) == Extent(1, 3)


async def test_an_empty_state_is_a_state(store: Store) -> None:
    await store.take_lease(STAGE)
    await store.commit(replace(COMMIT, state=b""))
    assert (await store.load(STAGE)).state == b""


async def test_readable_fields_are_set_and_others_stay(subject: Subject) -> None:
    await subject.store.take_lease(STAGE)
    await subject.store.commit(COMMIT)
    await subject.store.commit(
        replace(COMMIT, batch=2, entries={}, readable={READABLE: {"rv": "é 1", "vix": "22"}})
    )
    assert subject.readable(READABLE) == {"vix": "22", "rv": "é 1"}


async def test_no_readable_field_is_fine(subject: Subject) -> None:
    await subject.store.take_lease(STAGE)
    await subject.store.commit(replace(COMMIT, readable={READABLE: {}}))
    assert subject.readable(READABLE) == {}


async def test_thousands_of_readable_fields_go_in_one_commit(subject: Subject) -> None:
    fields = {f"signal {n}": "21.5 points" for n in range(2_000)}
    await subject.store.take_lease(STAGE)
    await subject.store.commit(replace(COMMIT, readable={READABLE: fields}))
    assert subject.readable(READABLE) == fields


@pytest.mark.parametrize(("emitted", "word"), [(5, "hole"), (3, "overlap")])
async def test_entries_that_do_not_follow_the_last_are_refused_and_nothing_is_written(
    subject: Subject, emitted: int, word: str
) -> None:
    await subject.store.take_lease(STAGE)
    await subject.store.commit(COMMIT)
    before = await subject.store.load(STAGE)
    wrong = replace(COMMIT, batch=2, emitted={LOG: emitted}, readable={READABLE: {"vix": "0"}})
    with pytest.raises(OutputMismatch, match=word):
        await subject.store.commit(wrong)
    assert await subject.store.load(STAGE) == before
    assert await subject.payloads(LOG) == list(COMMIT.entries[LOG])
    assert subject.readable(READABLE) == COMMIT.readable[READABLE]


async def test_an_entry_that_somebody_else_added_is_refused_and_nothing_is_written(
    subject: Subject,
) -> None:
    await subject.store.take_lease(STAGE)
    await subject.store.commit(COMMIT)
    subject.meddle(LOG, b"by hand")
    with pytest.raises(OutputMismatch, match="foreign"):
        await subject.store.commit(
            replace(COMMIT, batch=2, emitted={LOG: 3}, entries={LOG: [b"three"]})
        )
    assert (await subject.store.load(STAGE)).batch == 1


@pytest.mark.parametrize(
    "wrong",
    [
        replace(COMMIT, emitted={INPUT: 2}, entries={INPUT: [b"one", b"two"]}),
        replace(COMMIT, readable={keys.signals("other"): {"vix": "1"}}),
        replace(COMMIT, readable={READABLE: {str(n): "" for n in range(2_001)}}),
        replace(COMMIT, emitted={LOG: 1}),
        replace(COMMIT, emitted={}),
    ],
)
async def test_keys_of_another_stage_and_contradictory_numbers_are_refused(
    store: Store, wrong: Commit
) -> None:
    await store.take_lease(STAGE)
    with pytest.raises(ValueError, match=r"may not write|counts fewer|fields, more than"):
        await store.commit(wrong)
    assert await store.load(STAGE) == StageRecord(epoch=1)


async def test_a_stream_that_is_only_told_stays_bounded(store: Store) -> None:
    await store.take_lease(STAGE)
    told = [b"x"] * 500
    for batch in range(1, 5):
        await store.commit(
            replace(
                COMMIT,
                batch=batch,
                emitted={LOG: 500 * batch},
                entries={LOG: told},
                keep={LOG: 300},
            )
        )
    extent = await store.extent(LOG)
    assert extent.last == 2000
    assert 300 <= extent.last - extent.first + 1 < 500


async def test_many_entries_and_a_large_state_go_in_one_commit(subject: Subject) -> None:
    await subject.store.take_lease(STAGE)
    many = [b"%d" % n for n in range(9000)]
    large = bytes(range(256)) * 20_000
    await subject.store.commit(
        replace(COMMIT, state=large, emitted={LOG: 9000}, entries={LOG: many})
    )
    assert (await subject.store.load(STAGE)).state == large
    assert await subject.payloads(LOG) == many


async def test_a_read_returns_what_follows_each_position_up_to_the_count(store: Store) -> None:
    await store.take_lease(STAGE)
    outbox = keys.outbox(STAGE)
    numbers = [b"1", b"2", b"3", b"4"]
    await store.commit(
        replace(COMMIT, emitted={LOG: 4, outbox: 4}, entries={LOG: numbers, outbox: numbers})
    )
    found = await store.read({LOG: 1, outbox: 3}, count=2)
    assert [(entry.stream, entry.index) for entry in found] == [(LOG, 2), (LOG, 3), (outbox, 4)]


async def test_a_read_that_finds_nothing_returns_nothing(store: Store) -> None:
    assert await store.read({LOG: 0}, count=1) == []
    assert await store.read({LOG: 0}, count=1, block_ms=20) == []


async def test_a_waiting_read_wakes_with_the_commit(store: Store) -> None:
    await store.take_lease(STAGE)
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(store.read({LOG: 0}, count=10, block_ms=4000))
        await asyncio.sleep(0)
        await store.commit(COMMIT)
    assert [entry.index for entry in waiting.result()] == [1, 2]


async def test_a_cursor_is_told_without_the_state(store: Store) -> None:
    assert await store.cursor(STAGE, INPUT) == 0
    await store.take_lease(STAGE)
    await store.commit(COMMIT)
    assert await store.cursor(STAGE, INPUT) == 3


async def test_how_far_a_stage_has_come_counts_also_what_came_without_its_state(
    store: Store,
) -> None:
    assert await store.reached(STAGE, INPUT) == 0
    await store.take_lease(STAGE)
    await store.commit(COMMIT)
    assert await store.reached(STAGE, INPUT) == 3
    ahead = replace(COMMIT, batch=2, cursors={INPUT: 5}, state=None, emitted={LOG: 3}, entries={})
    await store.commit(replace(ahead, entries={LOG: [b"3"]}))
    assert await store.cursor(STAGE, INPUT) == 3
    assert await store.reached(STAGE, INPUT) == 5


async def test_settled_rows_are_gone_and_the_others_stay(subject: Subject) -> None:
    await subject.store.take_lease(STAGE)
    await subject.store.commit(
        replace(COMMIT, emitted={LOG: 4}, entries={LOG: [b"1", b"2", b"3", b"4"]})
    )
    await subject.store.settle(LOG, [1, 3])
    await subject.store.settle(LOG, [])
    await subject.store.settle(LOG, [3])
    assert await subject.payloads(LOG) == [b"2", b"4"]


async def test_a_settled_row_does_not_come_back_with_the_commit_made_again(
    subject: Subject,
) -> None:
    await subject.store.take_lease(STAGE)
    await subject.store.commit(COMMIT)
    await subject.store.settle(LOG, [1, 2])
    await subject.store.commit(COMMIT)
    assert await subject.payloads(LOG) == []


async def test_trimming_removes_the_oldest_and_the_numbers_go_on(subject: Subject) -> None:
    await subject.store.take_lease(STAGE)
    await subject.store.commit(COMMIT)
    assert await subject.store.extent(LOG) == Extent(1, 2)
    await subject.store.trim(LOG, before=2)
    assert await subject.store.extent(LOG) == Extent(2, 2)
    await subject.store.trim(LOG, before=99)
    assert await subject.store.extent(LOG) == Extent(3, 2)
    await subject.store.commit(replace(COMMIT, batch=2, emitted={LOG: 3}, entries={LOG: [b"3"]}))
    assert await subject.store.extent(LOG) == Extent(3, 3)
