"""Entries of the journal and of the signal log.

A journal entry is what one commit of `ingest` appended: runs of ticks as raw columns (little
endian, so that reading them is no work), and single events between them, in journal order. The
events of the journal are numbered from 0 without a gap: `first_index` is the entry's first.
"""

from collections.abc import Sequence

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from shared.domain.events import (
    ClockAdvanced,
    ExecutionReported,
    ExposureMeasured,
    PositionsReported,
    RebalanceRequested,
)
from shared.domain.signals_observed import HedgerInput
from shared.domain.tick_block import NO_SEQUENCE, TickBlock
from shared.domain.trading import TradingStateSet

_COLUMNS = {
    "symbol": "<i4",
    "event_ns": "<i8",
    "price": "<f8",
    "bid": "<f8",
    "ask": "<f8",
    "bid_size": "<f8",
    "ask_size": "<f8",
    "source": "<i4",
    "sequence": "<i8",
}


class TickColumns(Struct, frozen=True, kw_only=True, tag="ticks"):
    """A `TickBlock` as it lies in the journal, less the columns that hold nothing but absences."""

    symbols: tuple[str, ...]
    sources: tuple[str, ...]
    columns: dict[str, bytes]


_ABSENT = {
    name: np.array(NO_SEQUENCE if kind == "<i8" else np.nan, dtype=kind).tobytes()
    for name, kind in _COLUMNS.items()
    if name not in {"symbol", "event_ns", "source"}
}
"""One absence in each column that may have them, as bytes."""

SingleEvent = (
    ClockAdvanced
    | ExecutionReported
    | RebalanceRequested
    | ExposureMeasured
    | PositionsReported
    | TradingStateSet
)
JournalItem = TickBlock | SingleEvent


class _Entry(Struct, frozen=True, array_like=True):
    first_index: int
    received_ns: int
    items: tuple[TickColumns | SingleEvent, ...]


class JournalEntry(Struct, frozen=True):
    """One commit of `ingest`.

    Attributes:
        first_index: Number of its first event in the journal.
        received_ns: Wall clock when it was committed; nothing decides on it.
        items: In journal order.
    """

    first_index: int
    received_ns: int
    items: tuple[JournalItem, ...]

    def __len__(self) -> int:
        """Count events, not items."""
        return sum(len(item) if isinstance(item, TickBlock) else 1 for item in self.items)


_encode = msgspec.msgpack.Encoder().encode
_decode_entry = msgspec.msgpack.Decoder(_Entry).decode
_decode_log = msgspec.msgpack.Decoder(list[HedgerInput]).decode


def encode_entry(entry: JournalEntry) -> bytes:
    """Write a journal entry."""
    items = tuple(_columns(item) if isinstance(item, TickBlock) else item for item in entry.items)
    return _encode(_Entry(entry.first_index, entry.received_ns, items))


def decode_entry(payload: bytes) -> JournalEntry:
    """Read a journal entry; its arrays are read-only views of `payload`.

    Raises:
        msgspec.DecodeError: Not a journal entry: the store is damaged, nothing may go on.
    """
    try:
        entry = _decode_entry(payload)
        items = tuple(
            _block(item) if isinstance(item, TickColumns) else item for item in entry.items
        )
    except (KeyError, ValueError, RecursionError) as error:
        raise msgspec.DecodeError(f"not a journal entry: {error}") from error
    return JournalEntry(entry.first_index, entry.received_ns, items)


def encode_log(observed: Sequence[HedgerInput]) -> bytes:
    """Write an entry of the signal log."""
    return _encode(observed)


def decode_log(payload: bytes) -> list[HedgerInput]:
    """Read an entry of the signal log.

    Raises:
        msgspec.DecodeError: Not such an entry: the store is damaged, nothing may go on.
    """
    try:
        return _decode_log(payload)
    except (UnicodeDecodeError, RecursionError) as error:
        raise msgspec.DecodeError(f"not an entry of the signal log: {error}") from error


def _columns(block: TickBlock) -> TickColumns:
    columns = {
        name: np.ascontiguousarray(getattr(block, name), dtype=kind).tobytes()
        for name, kind in _COLUMNS.items()
    }
    said = {
        name: column
        for name, column in columns.items()
        if column != _ABSENT.get(name, b"") * len(block)
    }
    return TickColumns(symbols=block.symbols, sources=block.sources, columns=said)


def _block(item: TickColumns) -> TickBlock:
    said = item.columns
    rows = len(said.get("event_ns", b"")) // 8
    columns = {
        name: np.frombuffer(said.get(name, _ABSENT.get(name, b"") * rows), dtype=kind)
        for name, kind in _COLUMNS.items()
    }
    if len({len(column) for column in columns.values()}) > 1:
        raise ValueError("of different lengths")
    _check(columns["symbol"], item.symbols)
    _check(columns["source"], item.sources)
    return TickBlock(symbols=item.symbols, sources=item.sources, **columns)


def _check(column: NDArray[np.int32], names: tuple[str, ...]) -> None:
    if len(column) and not 0 <= column.min() <= column.max() < len(names):
        raise ValueError("a name that is not there")
