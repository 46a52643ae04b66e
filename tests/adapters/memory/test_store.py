"""What the store in memory can do beside what every store does: go back to a copy."""

from shared.adapters.memory.store import MemoryStore
from shared.adapters.store import Commit, StageRecord
from shared.wire import keys


def commit(epoch: int, batch: int) -> Commit:
    stream = keys.journal()
    return Commit(
        stage="ingest",
        epoch=epoch,
        batch=batch,
        state=b"state",
        emitted={stream: batch},
        entries={stream: [b"entry %d" % batch]},
        readable={keys.stage_key("ingest", "people"): {"batch": str(batch)}},
    )


async def test_what_was_written_since_a_copy_is_lost_when_it_is_restored() -> None:
    store = MemoryStore()
    epoch = await store.acquire("ingest", "us", 1_000)
    assert epoch == 1
    await store.commit(commit(epoch, 1))
    saved, record = store.save(), await store.load("ingest")
    await store.commit(commit(epoch, 2))
    await store.fence("ingest", 7)
    store.restore(saved)
    assert await store.load("ingest") == record
    assert (await store.extent(keys.journal())).last == 1
    assert store.hashes[keys.stage_key("ingest", "people")] == {"batch": "1"}
    await store.commit(commit(epoch, 2))
    assert (await store.extent(keys.journal())).last == 2


async def test_a_copy_does_not_change_with_the_store() -> None:
    store = MemoryStore()
    saved = store.save()
    await store.take_lease("ingest")
    await store.commit(commit(1, 1))
    store.restore(saved)
    assert await store.load("ingest") == StageRecord()
    assert (await store.extent(keys.journal())).last == 0
