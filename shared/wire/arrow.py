"""Ticks as an Arrow IPC stream: the same columns as the other encodings, read without a loop.

A stream comes from outside: its columns are checked against their buffers before anything reads
them, and a compressed one is refused, for 15 kB can hold half a gigabyte.
"""

import struct
from collections.abc import Callable
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from shared.domain.intake import NOT_A_NUMBER
from shared.domain.tick_block import NO_SEQUENCE, TickBlock
from shared.wire.codec import MalformedMessage
from shared.wire.messages import Source, Symbol

_PRICES: Final = ("price", "bid", "ask", "bid_size", "ask_size")


def read_arrow(payload: bytes) -> TickBlock:
    """Read a stream of record batches.

    Columns: `symbol` (text or dictionary), `event_time` (integer ns or timestamp), any of `price,
    bid, ask, bid_size, ask_size` (floats or integers), `source` (text or dictionary), `sequence`
    (integers from 1). A null price or sequence is absent. Other columns are not read.

    Raises:
        MalformedMessage: No such stream, a column missing or of another type, or no `pyarrow`.
    """
    try:
        import pyarrow as pa  # noqa: PLC0415 - an extra, loaded when used
    except ImportError as error:
        raise MalformedMessage("Arrow ticks need the extra: hedgestat[archive]") from error
    try:
        _refuse_compression(pa, payload)
        table = pa.ipc.open_stream(payload).read_all()
        table.validate(full=True)
        return _block(pa, table)
    # KeyError: a column that is missing or there twice. OSError: how pyarrow says "no stream".
    except (
        pa.ArrowException,
        msgspec.ValidationError,
        struct.error,
        KeyError,
        OSError,
        ValueError,
    ) as error:
        raise MalformedMessage(f"not an Arrow stream of ticks: {error}") from error


def _block(pa: Any, table: Any) -> TickBlock:  # noqa: ANN401 - pyarrow has no types
    symbols, symbol = _names(pa, table, "symbol", Symbol)
    sources, source = (
        _names(pa, table, "source", Source)
        if "source" in table.column_names
        else (("",), np.zeros(len(table), np.int32))
    )
    prices = {field: _prices(pa, table, field) for field in _PRICES}
    return TickBlock(
        symbols=symbols,
        symbol=symbol,
        event_ns=_instants(pa, table),
        sources=sources,
        source=source,
        sequence=_sequence(pa, table),
        **prices,
    )


def _names(
    pa: Any,  # noqa: ANN401
    table: Any,  # noqa: ANN401
    field: str,
    kind: Any,  # noqa: ANN401 - an annotated str
) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    column = table[field].combine_chunks()
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    names = tuple(msgspec.convert(column.dictionary.to_pylist(), list[kind]))
    if column.null_count or len(set(names)) < len(names):
        raise ValueError(f"a {field} is null, or twice in its dictionary")
    return names, column.indices.to_numpy(zero_copy_only=False).astype(np.int32)


def _prices(pa: Any, table: Any, field: str) -> NDArray[np.float64]:  # noqa: ANN401
    if field not in table.column_names:
        return np.full(len(table), np.nan)
    column = _column(table, field, pa.types.is_floating, pa.types.is_integer)
    column = column.cast(pa.float64()).combine_chunks()
    given = column.is_valid().to_numpy(zero_copy_only=False)
    values = column.to_numpy(zero_copy_only=False)
    judged = np.where(np.isfinite(values), values, NOT_A_NUMBER)
    return np.where(given, judged, np.nan)


def _instants(pa: Any, table: Any) -> NDArray[np.int64]:  # noqa: ANN401
    column = _column(table, "event_time", pa.types.is_timestamp, pa.types.is_integer)
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("ns", tz=column.type.tz))
    instants = np.asarray(column.cast(pa.int64()).fill_null(-1), dtype=np.int64)
    if (instants < 0).any():
        raise ValueError("an event_time is null or before 1970")
    return instants


def _sequence(pa: Any, table: Any) -> NDArray[np.int64]:  # noqa: ANN401
    if "sequence" not in table.column_names:
        return np.full(len(table), NO_SEQUENCE, dtype=np.int64)
    column = _column(table, "sequence", pa.types.is_integer).cast(pa.int64())
    if (np.asarray(column.fill_null(1)) < 1).any():
        raise ValueError("a sequence below 1")
    return np.asarray(column.fill_null(NO_SEQUENCE), dtype=np.int64)


def _column(table: Any, field: str, *kinds: Callable[[Any], bool]) -> Any:  # noqa: ANN401
    column = table[field]
    if not any(is_kind(column.type) for is_kind in kinds):
        raise ValueError(f"{field} of type {column.type}")
    return column


# --- compression ------------------------------------------------------------------------------
# pyarrow does not say whether a batch is compressed until it has decompressed it. The flatbuffers
# do: Message = version, header_type, header …; DictionaryBatch = id, data …;
# RecordBatch = length, nodes, buffers, compression (Arrow's Message.fbs).

_HEADER, _DATA, _COMPRESSION = 2, 1, 3


def _refuse_compression(pa: Any, payload: bytes) -> None:  # noqa: ANN401
    for message in pa.ipc.MessageReader.open_stream(payload):
        metadata = message.metadata.to_pybytes()
        header = _table(metadata, _field(metadata, _table(metadata, 0), _HEADER))
        if message.type == "dictionary":
            header = _table(metadata, _field(metadata, header, _DATA))
        if message.type != "schema" and _field(metadata, header, _COMPRESSION):
            raise ValueError("compressed streams are not taken")


def _table(buffer: bytes, at: int) -> int:
    """Follow the offset that stands at `at`."""
    offset: int = struct.unpack_from("<I", buffer, at)[0]
    return at + offset


def _field(buffer: bytes, table: int, number: int) -> int:
    """Where a table's field stands, 0 when it is left out."""
    vtable = table - struct.unpack_from("<i", buffer, table)[0]
    size = struct.unpack_from("<H", buffer, vtable)[0]
    slot = 4 + 2 * number
    if slot >= size:
        return 0
    offset = struct.unpack_from("<H", buffer, vtable + slot)[0]
    return table + offset if offset else 0
