"""Streams in one Parquet file, to be taken elsewhere: stream, index and payload of each entry.

The file appears whole or not at all: it is written aside and renamed at the end, and what is
written aside goes when that is not reached.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from msgspec import Struct

from shared.adapters.archive import ArchiveUnavailable, sync_directory
from shared.adapters.store import Entry

try:
    import pyarrow as pa
    from pyarrow import parquet
except ImportError:  # pragma: no cover - an extra: `ExportFile` says so when it is asked for
    if not TYPE_CHECKING:
        pa = parquet = None

_FORMAT: Final = "hedgestat-export-1"
_COLUMNS: Final = ("stream", "index", "payload")


class NoExport(Exception):  # noqa: N818 - reads as what it is
    """The file is no export of ours, or is damaged."""


class ExportFile:
    """A file being written; a context manager. Blocking: call it from a thread.

    Args:
        path: Where it will be.
        properties: What it is to say about itself.

    Raises:
        ArchiveUnavailable: pyarrow is not installed.
        OSError: It cannot be written.
    """

    def __init__(self, path: Path, properties: Mapping[str, str]) -> None:
        if parquet is None:
            raise ArchiveUnavailable('an export needs pyarrow: pip install "hedgestat[archive]"')
        self._path = path
        self._unfinished = path.with_name(f"{path.name}.unfinished")
        kinds = (pa.string(), pa.int64(), pa.binary())
        self._schema = pa.schema(
            list(zip(_COLUMNS, kinds, strict=True)),
            metadata={"format": _FORMAT, **properties},
        )
        self._file = self._unfinished.open("wb")
        self._writer = parquet.ParquetWriter(self._file, self._schema, compression="zstd")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # of a disk that is full: there is no file then, as it should be
            self._writer.close()
        self._file.close()
        self._unfinished.unlink(missing_ok=True)

    def write(self, entries: Sequence[Entry]) -> None:
        """Add entries of one stream."""
        if entries:
            rows = zip(*((e.stream, e.index, e.payload) for e in entries), strict=True)
            self._writer.write_table(pa.table(list(map(list, rows)), schema=self._schema))

    def finish(self) -> None:
        """Let the file appear; when this returns it survives a power cut."""
        self._writer.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._unfinished.replace(self._path)
        sync_directory(self._path.absolute().parent)


class Exported(Struct, frozen=True):
    """An exported file, open for reading.

    Attributes:
        count: Entries in it, of all streams.
        properties: What it says about itself.
    """

    count: int
    properties: dict[str, str]
    _file: Any

    def entries(self) -> Iterator[list[Entry]]:
        """Yield them as they were written, in batches of one stream each.

        Raises:
            NoExport: It is damaged.
        """
        try:
            for batch in self._file.iter_batches(batch_size=1_000):
                rows = zip(*(column.to_pylist() for column in batch.columns), strict=True)
                entries = [Entry(*row) for row in rows]
                for stream in dict.fromkeys(entry.stream for entry in entries):
                    yield [entry for entry in entries if entry.stream == stream]
        except (pa.ArrowException, OSError, ValueError) as error:
            raise NoExport(f"this export is damaged: {error}") from error


def read_export(path: Path) -> Exported:
    """Open an exported file.

    Raises:
        NoExport: It is none.
        ArchiveUnavailable: pyarrow is not installed.
    """
    if parquet is None:
        raise ArchiveUnavailable('an export needs pyarrow: pip install "hedgestat[archive]"')
    try:
        file = parquet.ParquetFile(path)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise NoExport(f"{path} is no export of ours: {error}") from error
    said = {k.decode(): v.decode() for k, v in (file.schema_arrow.metadata or {}).items()}
    if said.pop("format", "") != _FORMAT or tuple(file.schema_arrow.names) != _COLUMNS:
        raise NoExport(f"{path} is no export of ours: write one with `hedgestat journal export`")
    return Exported(file.metadata.num_rows, said, file)
