"""Segments appear whole or not at all, and their names alone say where the archive stopped."""

from pathlib import Path

import pytest
from fakes.store import FakeStore
from pyarrow import parquet

import shared.adapters.archive
from shared.adapters.archive import (
    Archive,
    ArchiveGap,
    ArchiveReader,
    ArchiveUnavailable,
    read_segment,
    recall,
)
from shared.adapters.store import Entry, Store
from shared.runtime.ledger import Ledger, StepOutput
from shared.wire import keys

JOURNAL = keys.journal()


def entries(first: int, last: int) -> list[Entry]:
    return [Entry(JOURNAL, index, b"%d\xff" % index) for index in range(first, last + 1)]


def test_what_was_written_is_read_back_in_order_and_from_where_asked(tmp_path: Path) -> None:
    archive = Archive(tmp_path, JOURNAL)
    archive.write(entries(1, 3))
    archive.write(entries(4, 12))
    assert list(archive.entries()) == entries(1, 12)
    assert list(archive.entries(after=2)) == entries(3, 12)
    assert list(archive.entries(after=12)) == []


def test_an_archive_opened_again_knows_where_it_stopped(tmp_path: Path) -> None:
    assert Archive(tmp_path, JOURNAL).position == 0
    Archive(tmp_path, JOURNAL).write(entries(1, 7))
    assert Archive(tmp_path, JOURNAL).position == 7
    assert Archive(tmp_path, keys.signal_log()).position == 0


def test_a_segment_tells_its_stream_and_the_span_of_event_time(tmp_path: Path) -> None:
    archive = Archive(
        tmp_path, JOURNAL, event_span=lambda payload: (1, 9) if payload == b"1\xff" else None
    )
    table = parquet.read_table(archive.write(entries(1, 2)))
    assert table.schema.metadata[b"stream"] == JOURNAL.encode()
    assert table.column("first_event_ns").to_pylist() == [1, None]
    assert table.column("last_event_ns").to_pylist() == [9, None]


@pytest.mark.parametrize("wrong", [entries(2, 3), entries(5, 6), [*entries(4, 4), *entries(6, 6)]])
def test_a_hole_or_an_overlap_is_refused(tmp_path: Path, wrong: list[Entry]) -> None:
    archive = Archive(tmp_path, JOURNAL)
    archive.write(entries(1, 3))
    with pytest.raises(ArchiveGap, match="archived to 3"):
        archive.write(wrong)
    assert archive.position == 3


def test_an_archive_may_begin_where_a_stream_does(tmp_path: Path) -> None:
    archive = Archive(tmp_path, JOURNAL)
    archive.write(entries(50, 60))
    assert list(archive.entries()) == entries(50, 60)


def test_a_segment_cut_short_by_a_crash_is_as_if_never_begun(tmp_path: Path) -> None:
    archive = Archive(tmp_path, JOURNAL)
    segment = archive.write(entries(1, 3))
    unfinished = segment.with_name(f"{4:020}-{9:020}.unfinished")
    unfinished.write_bytes(b"PAR1 half")
    archive = Archive(tmp_path, JOURNAL)
    assert archive.position == 3
    assert not unfinished.exists()
    segment.with_name("notes.txt").write_text("left here by somebody")
    archive.write(entries(4, 9))
    assert list(archive.entries()) == entries(1, 9)


def test_without_pyarrow_the_message_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared.adapters.archive, "parquet", None)
    with pytest.raises(ArchiveUnavailable, match=r"hedgestat\[archive\].*archive = \"off\""):
        Archive(tmp_path, JOURNAL)


def test_a_directory_that_cannot_be_written_is_told_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ArchiveUnavailable, match="cannot write"):
        Archive(tmp_path / "file", JOURNAL)


def test_a_reader_leaves_alone_what_is_being_written(tmp_path: Path) -> None:
    segment = Archive(tmp_path, JOURNAL).write(entries(1, 3))
    unfinished = segment.with_name(f"{4:020}-{9:020}.unfinished")
    unfinished.write_bytes(b"PAR1 half")
    assert list(ArchiveReader(tmp_path, JOURNAL).entries()) == entries(1, 3)
    assert unfinished.exists()


def test_an_archive_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    reader = ArchiveReader(tmp_path / "nowhere", JOURNAL)
    assert (reader.position, list(reader.entries())) == (0, [])


def test_a_segment_of_another_stream_or_none_at_all_is_refused(tmp_path: Path) -> None:
    segment = Archive(tmp_path, JOURNAL).write(entries(1, 3))
    assert read_segment(segment) == entries(1, 3)
    with pytest.raises(ArchiveUnavailable, match="not hedge"):
        read_segment(segment, keys.signal_log())
    segment.write_bytes(b"PAR1 half")
    with pytest.raises(ArchiveUnavailable, match="is no segment"):
        read_segment(segment)


async def stream_of(last: int, *, trimmed_below: int = 1) -> FakeStore:
    store = FakeStore()
    ledger = Ledger(store, "ingest")
    await ledger.open()
    payloads = [entry.payload for entry in entries(1, last)]
    await ledger.commit(StepOutput({JOURNAL: payloads}), state=b"")
    await store.trim(JOURNAL, trimmed_below)
    return store


async def recalled(store: Store, archive: ArchiveReader | None, after: int = 0) -> list[Entry]:
    return [entry async for part in recall(store, JOURNAL, archive, after=after) for entry in part]


@pytest.mark.parametrize("after", [0, 2, 5, 7, 12])
async def test_a_stream_is_recalled_from_archive_and_store(tmp_path: Path, after: int) -> None:
    archive = Archive(tmp_path, JOURNAL)
    archive.write(entries(1, 3))
    archive.write(entries(4, 8))
    store = await stream_of(12, trimmed_below=6)
    assert await recalled(store, archive, after) == entries(after + 1, 12)


async def test_without_an_archive_what_the_store_holds_is_all_there_is() -> None:
    assert await recalled(await stream_of(12), None) == entries(1, 12)
    assert await recalled(await stream_of(12, trimmed_below=6), None) == entries(6, 12)


async def test_what_is_archived_and_trimmed_while_it_is_recalled_is_not_missed(
    tmp_path: Path,
) -> None:
    archive, store = Archive(tmp_path, JOURNAL), await stream_of(12)
    archive.write(entries(1, 3))
    found: list[Entry] = []
    async for part in recall(store, JOURNAL, archive):
        found += part
        if part[-1].index == 3:
            archive.write(entries(4, 8))
            await store.trim(JOURNAL, 9)
    assert found == entries(1, 12)
