"""What leaves the store is in the archive; nothing is in neither, nothing twice in the archive."""

import asyncio
import tempfile
from pathlib import Path

import pytest
from fakes.eventually import eventually
from fakes.store import FakeStore, Fault
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.adapters.archive import Archive, ArchiveGap
from shared.adapters.store import Entry, StageRecord, StoreUnavailable
from shared.runtime.retention import Retained, Retention, RetentionPolicy, run_retention
from shared.wire import keys

JOURNAL = keys.journal()
SMALL = RetentionPolicy(keep_entries=2, segment_entries=4)


def journal(entries: int) -> FakeStore:
    store = FakeStore()
    for number in range(1, entries + 1):
        store.append(JOURNAL, b"%d" % number)
    return store


def reads_to(store: FakeStore, stage: str, cursor: int) -> tuple[FakeStore, str]:
    store.records[stage] = StageRecord(cursors={JOURNAL: cursor})
    return store, stage


def numbered(entries: int) -> list[Entry]:
    return [Entry(JOURNAL, number, b"%d" % number) for number in range(1, entries + 1)]


def segments(directory: Path) -> int:
    return len(list(directory.rglob("*.parquet")))


async def test_only_what_every_reader_has_passed_is_archived_and_trimmed(tmp_path: Path) -> None:
    store, orders = journal(20), FakeStore()
    readers = [reads_to(store, "signals", 13), reads_to(orders, "hedger", 9)]
    retention = Retention(store, JOURNAL, readers, Archive(tmp_path, JOURNAL), SMALL)
    assert await retention.once() == Retained(passed=9, archived=8, kept_from=7, last=20)
    assert list(Archive(tmp_path, JOURNAL).entries()) == numbered(8)
    assert min(store.streams[JOURNAL]) == 7


async def test_a_reader_that_never_stored_a_state_holds_everything(tmp_path: Path) -> None:
    store = journal(20)
    readers = [reads_to(store, "signals", 20), (store, "exposure")]
    retention = Retention(store, JOURNAL, readers, Archive(tmp_path, JOURNAL), SMALL)
    assert await retention.once() == Retained(passed=0, archived=0, kept_from=1, last=20)
    assert len(store.streams[JOURNAL]) == 20


async def test_a_flush_writes_the_last_smaller_segment_too(tmp_path: Path) -> None:
    store = journal(6)
    archive = Archive(tmp_path, JOURNAL)
    retention = Retention(store, JOURNAL, [reads_to(store, "signals", 6)], archive, SMALL)
    assert (await retention.once(flush=True)).archived == 6
    assert list(archive.entries()) == numbered(6)
    assert (await retention.once(flush=True)).archived == 6


async def test_a_stream_without_readers_is_passed_at_once(tmp_path: Path) -> None:
    retention = Retention(journal(8), JOURNAL, [], Archive(tmp_path, JOURNAL), SMALL)
    assert await retention.once() == Retained(passed=8, archived=8, kept_from=7, last=8)


async def test_without_an_archive_streams_are_trimmed_all_the_same() -> None:
    store = journal(9)
    retention = Retention(store, JOURNAL, [reads_to(store, "signals", 7)], None, SMALL)
    assert await retention.once() == Retained(passed=7, archived=0, kept_from=6, last=9)
    assert min(store.streams[JOURNAL]) == 6


async def test_segments_end_early_when_their_payloads_are_large(tmp_path: Path) -> None:
    store = FakeStore()
    for _ in range(1_200):
        store.append(JOURNAL, bytes(1_000))
    policy = RetentionPolicy(segment_entries=1_200, segment_bytes=500_000)
    retention = Retention(store, JOURNAL, [], Archive(tmp_path, JOURNAL), policy)
    await retention.once(flush=True)
    assert segments(tmp_path) == 3


async def test_entries_that_somebody_else_trimmed_are_a_gap_and_nothing_more_goes(
    tmp_path: Path,
) -> None:
    store = journal(20)
    archive = Archive(tmp_path, JOURNAL)
    retention = Retention(store, JOURNAL, [reads_to(store, "signals", 8)], archive, SMALL)
    await retention.once()
    await store.trim(JOURNAL, 12)
    reads_to(store, "signals", 20)
    with pytest.raises(ArchiveGap, match="archived to 8, but begins at 12"):
        await retention.once()
    assert min(store.streams[JOURNAL]) == 12


async def test_a_stream_emptied_amid_a_pass_is_a_gap(tmp_path: Path) -> None:
    store = journal(8)
    for index in range(5, 9):
        del store.streams[JOURNAL][index]
    retention = Retention(store, JOURNAL, [], Archive(tmp_path, JOURNAL), SMALL)
    with pytest.raises(ArchiveGap, match="nothing follows 4"):
        await retention.once()


async def test_an_archive_turned_on_late_begins_where_the_stream_does(tmp_path: Path) -> None:
    store = journal(20)
    await store.trim(JOURNAL, 10)
    archive = Archive(tmp_path, JOURNAL)
    await Retention(store, JOURNAL, [], archive, SMALL).once(flush=True)
    assert list(archive.entries()) == numbered(20)[9:]


@settings(deadline=None, max_examples=50)  # it waits for the disk
@given(
    cursors=st.lists(st.integers(0, 30), max_size=8).map(sorted),
    faults=st.lists(
        st.none() | st.builds(Fault, st.just(StoreUnavailable("lost")), st.booleans()), max_size=30
    ),
    policy=st.builds(
        RetentionPolicy, keep_entries=st.integers(0, 5), segment_entries=st.integers(1, 7)
    ),
)
def test_a_crash_at_any_await_loses_no_entry_and_archives_none_twice(
    cursors: list[int], faults: list[Fault | None], policy: RetentionPolicy
) -> None:
    async def passes(directory: Path) -> None:
        store = journal(30)
        store.faults = iter(faults)
        for cursor in cursors:
            readers = [reads_to(store, "signals", cursor)]
            retention = Retention(store, JOURNAL, readers, Archive(directory, JOURNAL), policy)
            try:
                await retention.once()
            except StoreUnavailable:
                continue
        archived = list(Archive(directory, JOURNAL).entries())
        assert archived == numbered(len(archived))
        kept = set(store.streams[JOURNAL])
        assert kept | {entry.index for entry in archived} == set(range(1, 31))
        assert kept >= set(range(max(cursors, default=0) + 1, 31))

    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(passes(Path(directory)))


async def test_trouble_with_one_stream_is_told_and_the_others_go_on(tmp_path: Path) -> None:
    broken, sound = journal(20), journal(20)
    del broken.streams[JOURNAL][3]
    retentions = [
        Retention(broken, JOURNAL, [], Archive(tmp_path / "broken", JOURNAL), SMALL),
        Retention(sound, JOURNAL, [], Archive(tmp_path / "sound", JOURNAL), SMALL),
    ]
    told: list[tuple[Retention, Retained | Exception]] = []

    def note(retention: Retention, what: Retained | Exception) -> None:
        told.append((retention, what))

    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(
            run_retention(retentions, 0.001, after_pass=note, on_trouble=note)
        )
        await eventually(lambda: len(told) >= 4)
        running.cancel()
    assert isinstance(told[0][1], ArchiveGap)
    assert [retention for retention, _ in told[:4]] == retentions * 2
    assert told[1][1] == Retained(passed=20, archived=20, kept_from=19, last=20)


async def test_a_guest_is_waited_for_once_it_has_come(tmp_path: Path) -> None:
    store = journal(20)
    readers, guests = [reads_to(store, "signals", 20)], [(store, "auditor")]
    archive = Archive(tmp_path, JOURNAL)
    retention = Retention(store, JOURNAL, readers, archive, SMALL, guests=guests)
    reads_to(store, "auditor", 7)
    assert (await retention.once()).passed == 7
    reads_to(store, "auditor", 0)
    assert (await retention.once()).passed == 20
