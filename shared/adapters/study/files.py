"""A study's results on the disk: columns in Parquet, what made them in JSON.

A file appears whole or not at all, and says in its own metadata which study made it: a study that
is run again takes what is there already, if it was made of the same configuration, data and code.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from shared.adapters.archive import ArchiveUnavailable
from shared.adapters.study.columns import Columns

try:
    import pyarrow as pa
    from pyarrow import parquet
except ImportError:  # pragma: no cover - an extra: `_needed` says so when it is asked for
    if not TYPE_CHECKING:
        pa = parquet = None

_KEY: Final = b"hedgestat-study-key"


class DamagedResult(ValueError):  # noqa: N818 - reads as what happened, like KeyError
    """A result cannot be read."""


def write_columns(path: Path, columns: Columns, key: str) -> None:
    """Write a Parquet file that says by which key it was made.

    Raises:
        ArchiveUnavailable: pyarrow is not installed.
        OSError: It cannot be written.
    """
    _need()
    table = pa.table({name: pa.array(values) for name, values in columns.items()})
    table = table.replace_schema_metadata({_KEY: key.encode()})
    unfinished = path.with_name(f"{path.name}.unfinished")
    parquet.write_table(table, unfinished, compression="zstd")
    unfinished.replace(path)


def read_columns(path: Path) -> dict[str, NDArray[Any]]:
    """Read a Parquet file of ours.

    Raises:
        ArchiveUnavailable: pyarrow is not installed.
        DamagedResult: It is none, or is damaged.
        OSError: It cannot be read.
    """
    _need()
    try:
        table = parquet.read_table(path)
    except pa.ArrowInvalid as reason:
        raise DamagedResult(f"{path}: {reason}; delete it, and run the study again") from None
    return {
        name: np.array(table.column(name).to_pylist())
        if pa.types.is_string(table.schema.field(name).type)
        else table.column(name).to_numpy()
        for name in table.column_names
    }


def key_of(path: Path) -> str:
    """Return the key that a file was made by; empty when there is no such file, or none of ours."""
    _need()
    try:
        metadata = parquet.read_schema(path).metadata or {}
    except (OSError, pa.ArrowInvalid):
        return ""
    return str(metadata.get(_KEY, b"").decode())


def write_text(path: Path, text: str) -> None:
    """Write a file that appears whole or not at all.

    Raises:
        OSError: It cannot be written.
    """
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)


def _need() -> None:
    if parquet is None:
        raise ArchiveUnavailable('a study needs pyarrow: pip install "hedgestat[study]"')
