"""Parquet segments of a stream: what left the store, for audit and study.

`{directory}/{stream}/{first}-{last}.parquet`, one row an entry. A segment appears whole or not at
all (written aside, synced, renamed), and its name says what it holds: after a crash the archive
knows where it stopped from the names alone, so no row is written twice or missed.
"""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from shared.adapters.store import Entry

try:
    import pyarrow as pa
    from pyarrow import parquet
except ImportError:  # pragma: no cover - an extra: `Archive` says so when it is asked for
    if not TYPE_CHECKING:
        pa = parquet = None

EventSpan = Callable[[bytes], tuple[int, int] | None]
"""First and last event time within a payload, ns since the epoch; `None` when it has none."""

_SEGMENT: Final = re.compile(r"(\d{20})-(\d{20})\.parquet")


class ArchiveUnavailable(Exception):  # noqa: N818 - reads as what happened, like KeyError
    """There is nothing to write Parquet with, or nowhere to write it."""


class ArchiveGap(Exception):  # noqa: N818 - likewise
    """Entries that were never archived are gone from the stream."""


def _no_span(_: bytes) -> None:
    """Say nothing about event time."""


class Archive:
    """The segments of one stream. Blocking: call it from a thread.

    Args:
        directory: Of all archives; made when missing.
        stream: The stream's key.
        event_span: Tells the event time within a payload, so that a study reads only what it needs.

    Raises:
        ArchiveUnavailable: pyarrow is not installed, or the directory cannot be written.
    """

    def __init__(self, directory: Path, stream: str, *, event_span: EventSpan = _no_span) -> None:
        if parquet is None:
            raise ArchiveUnavailable(
                'archiving needs pyarrow: pip install "hedgestat[archive]", or set archive = "off" '
                "to trim streams without keeping them"
            )
        self._stream = stream
        self._event_span = event_span
        self._directory = directory / re.sub(r"[^A-Za-z0-9_-]+", ".", stream).strip(".")
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            for unfinished in self._directory.glob("*.unfinished"):
                unfinished.unlink()
        except OSError as error:
            raise ArchiveUnavailable(f"cannot write {self._directory}: {error}") from error

    @property
    def position(self) -> int:
        """Index of the last entry archived; 0 when there is none."""
        return max((last for _, last, _ in self._segments()), default=0)

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
        unfinished = segment.with_suffix(".unfinished")
        with unfinished.open("wb") as file:
            parquet.write_table(self._table(entries), file, compression="zstd")
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(segment)
        _sync_directory(self._directory)
        return segment

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """Yield what was archived behind an index, a segment at a time in memory."""
        for _, last, path in sorted(self._segments()):
            if last > after:
                table = parquet.read_table(path, columns=["index", "payload"])
                for index, payload in zip(*(column.to_pylist() for column in table), strict=True):
                    if index > after:
                        yield Entry(self._stream, index, payload)

    def _segments(self) -> Iterator[tuple[int, int, Path]]:
        for path in self._directory.iterdir():
            if match := _SEGMENT.fullmatch(path.name):
                yield int(match[1]), int(match[2]), path

    def _table(self, entries: Sequence[Entry]) -> "pa.Table":
        spans = [self._event_span(entry.payload) or (None, None) for entry in entries]
        return pa.table(
            {
                "index": pa.array([entry.index for entry in entries], pa.int64()),
                "payload": pa.array([entry.payload for entry in entries], pa.binary()),
                "first_event_ns": pa.array([first for first, _ in spans], pa.int64()),
                "last_event_ns": pa.array([last for _, last in spans], pa.int64()),
            }
        ).replace_schema_metadata({"stream": self._stream})


def _sync_directory(directory: Path) -> None:
    """Make a rename in it survive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
