"""Ticks as an Arrow IPC stream: the same columns as the other encodings, read without a loop."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.domain.intake import NOT_A_NUMBER
from shared.domain.tick_block import NO_SEQUENCE, TickBlock
from shared.wire import topics
from shared.wire.codec import MalformedMessage

_PRICES = ("price", "bid", "ask", "bid_size", "ask_size")


def read_arrow(payload: bytes) -> TickBlock:
    """Read a stream of record batches.

    Columns: `symbol` (text or dictionary), `event_time` (int64 ns or timestamp), any of `price,
    bid, ask, bid_size, ask_size` (float64), `source` (text), `sequence` (int64). A null is absent.

    Raises:
        MalformedMessage: No such stream, a column missing or of another type, or no `pyarrow`.
    """
    try:
        import pyarrow as pa  # noqa: PLC0415 - an extra, loaded when used
    except ImportError as error:
        raise MalformedMessage("Arrow ticks need the extra: hedgestat[archive]") from error
    try:
        table = pa.ipc.open_stream(pa.py_buffer(payload)).read_all()
        return _block(pa, table)
    except (pa.ArrowException, KeyError, ValueError, TypeError) as error:
        raise MalformedMessage(f"not an Arrow stream of ticks: {error}") from error


def _block(pa: Any, table: Any) -> TickBlock:  # noqa: ANN401 - pyarrow has no types
    symbols, symbol = _names(pa, table["symbol"])
    has_source = "source" in table.column_names
    sources, source = (
        _names(pa, table["source"]) if has_source else (("",), np.zeros(len(table), np.int32))
    )
    prices = {field: _prices(pa, table, field) for field in _PRICES}
    return TickBlock(
        symbols=symbols,
        symbol=symbol,
        event_ns=_instants(pa, table["event_time"]),
        sources=sources,
        source=source,
        sequence=_sequence(pa, table),
        **prices,
    )


def _names(pa: Any, column: Any) -> tuple[tuple[str, ...], NDArray[np.int32]]:  # noqa: ANN401
    combined = column.combine_chunks()
    encoded = combined if pa.types.is_dictionary(combined.type) else combined.dictionary_encode()
    if encoded.null_count:
        raise ValueError("a symbol or source is null")
    names = tuple(str(name) for name in encoded.dictionary.to_pylist())
    for name in filter(None, names):
        topics.name(name)
    return names, encoded.indices.to_numpy(zero_copy_only=False).astype(np.int32)


def _prices(pa: Any, table: Any, field: str) -> NDArray[np.float64]:  # noqa: ANN401
    if field not in table.column_names:
        return np.full(len(table), np.nan)
    column = table[field].cast(pa.float64()).combine_chunks()
    given = column.is_valid().to_numpy(zero_copy_only=False)
    values = column.to_numpy(zero_copy_only=False)
    judged = np.where(np.isfinite(values), values, NOT_A_NUMBER)
    return np.where(given, judged, np.nan)


def _instants(pa: Any, column: Any) -> NDArray[np.int64]:  # noqa: ANN401
    if column.null_count:
        raise ValueError("an event_time is null")
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("ns", tz=column.type.tz))
    instants = np.asarray(column.cast(pa.int64()), dtype=np.int64)
    if (instants < 0).any():
        raise ValueError("an event_time before 1970")
    return instants


def _sequence(pa: Any, table: Any) -> NDArray[np.int64]:  # noqa: ANN401
    if "sequence" not in table.column_names:
        return np.full(len(table), NO_SEQUENCE, dtype=np.int64)
    column = table["sequence"].cast(pa.int64()).fill_null(NO_SEQUENCE)
    return np.asarray(column, dtype=np.int64)
