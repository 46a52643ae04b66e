"""Parquet segments of a stream: what left the store, for audit and study.

`{directory}/{stream}/{first}-{last}.parquet`, one row an entry. A segment appears whole or not at
all (written aside, synced, renamed), and its name says what it holds: after a crash the archive
knows where it stopped from the names alone, so no row is written twice or missed.
"""

import asyncio
import os
import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from shared.adapters.store import Entry, Store

try:
    import pyarrow as pa
    from pyarrow import parquet
except ImportError:  # pragma: no cover - an extra: `Archive` says so when it is asked for
    if not TYPE_CHECKING:
        pa = parquet = None

EventSpan = Callable[[bytes], tuple[int, int] | None]
"""First and last event time within a payload, ns since the epoch; `None` when it has none."""

_AT_ONCE: Final = 1_000
_SEGMENT: Final = re.compile(r"(\d{20})-(\d{20})\.parquet")


class ArchiveUnavailable(Exception):  # noqa: N818 - reads as what happened, like KeyError
    """There is nothing to write Parquet with, or nowhere to write it."""


class ArchiveGap(Exception):  # noqa: N818 - likewise
    """Entries that were never archived are gone from the stream."""


def _no_span(_: bytes) -> None:
    """Say nothing about event time."""


class ArchiveReader:
    """Reads the segments of one stream, while another process may write them. Blocking.

    Args:
        directory: Of all archives; one that is not there holds nothing.
        stream: The stream's key.

    Raises:
        ArchiveUnavailable: pyarrow is not installed.
    """

    def __init__(self, directory: Path, stream: str) -> None:
        if parquet is None:
            raise ArchiveUnavailable(
                'archiving needs pyarrow: pip install "hedgestat[archive]", or set archive = "off" '
                "to trim streams without keeping them"
            )
        self._stream = stream
        self._directory = directory / re.sub(r"[^A-Za-z0-9_-]+", ".", stream).strip(".")

    @property
    def position(self) -> int:
        """Index of the last entry archived; 0 when there is none."""
        return max((last for _, last, _ in self._segments()), default=0)

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """Yield what was archived behind an index, a segment at a time in memory."""
        for segment in self.segments(after):
            yield from segment()

    def segments(self, after: int = 0) -> list[Callable[[], list[Entry]]]:
        """Return what reads each segment that holds something behind an index, in order."""
        found = sorted((first, last, path) for first, last, path in self._segments())
        return [
            partial(self._read, path, after if first <= after else 0)
            for first, last, path in found
            if last > after
        ]

    def _read(self, path: Path, after: int) -> list[Entry]:
        return [entry for entry in read_segment(path, self._stream) if entry.index > after]

    def _segments(self) -> Iterator[tuple[int, int, Path]]:
        paths = self._directory.iterdir() if self._directory.exists() else ()
        for path in paths:
            if match := _SEGMENT.fullmatch(path.name):
                yield int(match[1]), int(match[2]), path


class Archive(ArchiveReader):
    """The segments of one stream, and the one who writes them. Blocking: call it from a thread.

    Args:
        directory: Of all archives; made when missing.
        stream: The stream's key.
        event_span: Tells the event time within a payload, so that a study reads only what it needs.

    Raises:
        ArchiveUnavailable: pyarrow is not installed, or the directory cannot be written.
    """

    def __init__(self, directory: Path, stream: str, *, event_span: EventSpan = _no_span) -> None:
        super().__init__(directory, stream)
        self._event_span = event_span
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            for unfinished in self._directory.glob("*.unfinished"):
                unfinished.unlink()
        except OSError as error:
            raise ArchiveUnavailable(f"cannot write {self._directory}: {error}") from error

    def write(self, entries: Sequence[Entry]) -> Path:
        """Write one segment; when this returns it survives a power cut.

        Args:
            entries: At least one, following the last archived and one another without a hole.

        Raises:
            ArchiveGap: They do not follow.
            OSError: The disk is full or fails; nothing was written.
        """
        first, last = entries[0].index, entries[-1].index
        position = self.position
        if position not in (0, first - 1) or last - first + 1 != len(entries):
            raise ArchiveGap(
                f"{self._stream}: archived to {position}, then {len(entries)} entries from {first} "
                f"to {last}"
            )
        segment = self._directory / f"{first:020}-{last:020}.parquet"
        write_whole(segment, self._stream, entries, self._event_span)
        return segment


def write_whole(
    path: Path, stream: str, entries: Sequence[Entry], event_span: EventSpan = _no_span
) -> None:
    """Write entries as a Parquet file that is there whole, and on the disk, or not at all."""
    unfinished = path.with_suffix(".unfinished")
    with unfinished.open("wb") as file:
        parquet.write_table(_table(stream, entries, event_span), file, compression="zstd")
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    sync_directory(path.parent)


def read_segment(path: Path, stream: str = "") -> list[Entry]:
    """Read a segment's entries, those of a stream if one is named.

    Raises:
        ArchiveUnavailable: It is no such file, or of another stream.
    """
    try:
        table = parquet.read_table(path, columns=["index", "payload"])
    except (pa.ArrowException, OSError, ValueError) as error:
        raise ArchiveUnavailable(f"{path} is no segment of an archive: {error}") from error
    found = (table.schema.metadata or {}).get(b"stream", b"").decode()
    if stream and found != stream:
        raise ArchiveUnavailable(f"{path} holds {found or 'no stream'}, not {stream}")
    columns = (column.to_pylist() for column in table)
    return [Entry(found, index, payload) for index, payload in zip(*columns, strict=True)]


async def recall(
    store: Store, stream: str, archive: ArchiveReader | None, *, after: int = 0
) -> AsyncIterator[list[Entry]]:
    """Yield a stream from an index on, in batches: what is archived, then what the store holds.

    It ends with the last entry that the store holds when it is reached. Entries that are nowhere
    are passed over: a caller that needs them all looks at the indices.

    Raises:
        StoreTrouble: The store does not answer.
        ArchiveUnavailable: A segment cannot be read.
    """
    position = after
    while True:
        segments = [] if archive is None else await asyncio.to_thread(archive.segments, position)
        for segment in segments:
            entries = await asyncio.to_thread(segment)
            position = entries[-1].index
            yield entries
        while entries := await store.read({stream: position}, count=_AT_ONCE):
            if entries[0].index > position + 1 and await _was_archived(archive, position):
                break  # archived and trimmed meanwhile
            position = entries[-1].index
            yield entries
        else:
            return


async def _was_archived(archive: ArchiveReader | None, position: int) -> bool:
    return archive is not None and await asyncio.to_thread(lambda: archive.position) > position


def _table(stream: str, entries: Sequence[Entry], event_span: EventSpan) -> "pa.Table":
    spans = [event_span(entry.payload) or (None, None) for entry in entries]
    return pa.table(
        {
            "index": pa.array([entry.index for entry in entries], pa.int64()),
            "payload": pa.array([entry.payload for entry in entries], pa.binary()),
            "first_event_ns": pa.array([first for first, _ in spans], pa.int64()),
            "last_event_ns": pa.array([last for _, last in spans], pa.int64()),
        }
    ).replace_schema_metadata({"stream": stream})


def sync_directory(directory: Path) -> None:
    """Make a rename in it survive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
