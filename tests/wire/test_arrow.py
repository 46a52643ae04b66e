import io
import math
import sys
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from fakes.ticks import ticks
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.events import Tick
from shared.domain.intake import NOT_A_NUMBER
from shared.domain.tick_block import TickBlock
from shared.wire.arrow import read_arrow
from shared.wire.codec import MalformedMessage

COLUMNS: dict[str, Any] = {
    "symbol": pa.array(["VIX", "SPX"]),
    "event_time": pa.array([1, 2]),
    "price": pa.array([18.0, None]),
}


def stream(columns: dict[str, Any], *, rows: int | None = None, **options: Any) -> bytes:  # noqa: ANN401
    table = pa.table(columns)
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema, **options) as writer:
        writer.write_table(table, max_chunksize=rows)
    return sink.getvalue()


def read(**columns: Any) -> TickBlock:  # noqa: ANN401
    return read_arrow(stream(COLUMNS | columns))


def dictionary(indices: list[int | None], names: list[str | None]) -> Any:  # noqa: ANN401
    return pa.DictionaryArray.from_arrays(pa.array(indices, pa.int8()), pa.array(names), safe=False)


@given(st.lists(ticks, max_size=6), st.booleans(), st.sampled_from([None, 1, 2]))
def test_ticks_come_back_as_columns_exactly(
    sent: list[Tick],
    encoded: bool,  # noqa: FBT001 - drawn by hypothesis
    rows: int | None,
) -> None:
    kinds = {"symbol": pa.string(), "event_time": pa.int64(), "source": pa.string()}
    names = {"symbol": "symbol", "event_time": "event_ns", "source": "source"}
    prices = ("price", "bid", "ask", "bid_size", "ask_size")
    kinds |= dict.fromkeys(prices, pa.float64()) | {"sequence": pa.int64()}
    columns = {
        name: pa.array([getattr(tick, names.get(name, name)) for tick in sent], kind)
        for name, kind in kinds.items()
    }
    if encoded:
        columns |= {name: columns[name].dictionary_encode() for name in ("symbol", "source")}
    block = read_arrow(stream(columns, rows=rows))
    assert [block.tick(row) for row in range(len(block))] == sent


def test_columns_that_are_left_out_are_absent() -> None:
    block = read()
    assert [block.tick(row) for row in range(2)] == [
        Tick(symbol="VIX", event_ns=1, price=18.0),
        Tick(symbol="SPX", event_ns=2),
    ]


def test_dictionaries_of_several_batches_become_one() -> None:
    symbols = pa.chunked_array([dictionary([0], ["VIX"]), dictionary([1, 0], ["VIX", "SPX"])])
    columns = {"symbol": symbols, "event_time": pa.array([1, 2, 3])}
    block = read_arrow(stream(columns))
    assert [block.tick(row).symbol for row in range(3)] == ["VIX", "SPX", "VIX"]


@pytest.mark.parametrize(
    ("kind", "nanoseconds"),
    [
        (pa.int64(), 1),
        (pa.uint32(), 1),
        (pa.timestamp("ns"), 1),
        (pa.timestamp("us"), 1_000),
        (pa.timestamp("ms", tz="America/New_York"), 1_000_000),
        (pa.timestamp("s", tz="UTC"), 1_000_000_000),
    ],
)
def test_an_event_time_is_exact_in_every_unit(kind: Any, nanoseconds: int) -> None:  # noqa: ANN401
    block = read(event_time=pa.array([1, 1_700_000_000]).cast(pa.int64()).cast(kind))
    assert block.event_ns.tolist() == [nanoseconds, 1_700_000_000 * nanoseconds]


def test_numbers_that_are_none_are_not_taken_for_absent() -> None:
    block = read(price=pa.array([math.nan, -math.inf]), bid=pa.array([None, 1], pa.int32()))
    assert block.price.tolist() == [NOT_A_NUMBER, NOT_A_NUMBER]
    assert np.isnan(block.bid[0])
    assert block.bid[1] == 1


def test_columns_of_no_concern_are_not_read() -> None:
    assert len(read(more=pa.array([{"a": [1]}, None]))) == 2


@pytest.mark.parametrize(
    "columns",
    [
        {"symbol": pa.array(["VIX", None])},
        {"symbol": pa.array(["VIX", ""])},
        {"symbol": pa.array(["VIX", "vix"])},
        {"symbol": pa.array(["VIX", "SPX\n"])},
        {"symbol": pa.array(["VIX", "#"])},
        {"symbol": pa.array([1, 2])},
        {"symbol": pa.array([b"VIX", b"\xff"])},
        {"symbol": pa.nulls(2)},
        {"symbol": pa.array([["VIX"], ["SPX"]])},
        {"symbol": dictionary([0, None], ["VIX", "SPX"])},
        {"symbol": dictionary([0, 1], ["VIX", None])},
        {"symbol": dictionary([0, 1], ["VIX", "VIX"])},
        {"symbol": dictionary([0, 100], ["VIX", "SPX"])},  # out of its dictionary
        {"symbol": dictionary([0, -1], ["VIX", "SPX"])},
        {"source": pa.array(["feed", None])},
        {"source": pa.array(["feed", "a b"])},
        {"event_time": pa.array([1, None])},
        {"event_time": pa.array([1, -1])},
        {"event_time": pa.array([1.0, 2.0])},
        {"event_time": pa.array([True, False])},
        {"event_time": pa.array(["1", "2"])},
        {"event_time": pa.array([1, 2**63], pa.uint64())},
        {"event_time": pa.array([1, 2], pa.duration("s"))},
        {"event_time": pa.array([1, 2], pa.date32())},
        {"event_time": pa.array([1, 2**60], pa.timestamp("s"))},
        {"price": pa.array([True, False])},
        {"price": pa.array(["18", "19"])},
        {"price": pa.nulls(2)},
        {"price": pa.array([1, 2**60 + 1])},  # not exact as a float
        {"sequence": pa.array([1, 0])},
        {"sequence": pa.array([1, -5])},
        {"sequence": pa.array([1.0, 2.0])},
        {"sequence": pa.array([1, 2**63], pa.uint64())},
    ],
)
def test_columns_of_another_kind_are_malformed(columns: dict[str, Any]) -> None:
    with pytest.raises(MalformedMessage, match="not an Arrow stream of ticks"):
        read(**columns)


@pytest.mark.parametrize("missing", ["symbol", "event_time"])
def test_a_column_that_is_needed_and_missing_is_malformed(missing: str) -> None:
    columns = {name: column for name, column in COLUMNS.items() if name != missing}
    with pytest.raises(MalformedMessage, match=missing):
        read_arrow(stream(columns))


def test_a_column_that_is_there_twice_is_malformed() -> None:
    table = pa.table([COLUMNS["symbol"], COLUMNS["event_time"], COLUMNS["symbol"]], [*"abc"])
    table = table.rename_columns(["symbol", "event_time", "symbol"])
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    with pytest.raises(MalformedMessage, match="symbol"):
        read_arrow(sink.getvalue())


@pytest.mark.parametrize("compression", ["lz4", "zstd"])
@pytest.mark.parametrize("symbol", [COLUMNS["symbol"], dictionary([0, 0], ["VIX"])])
def test_a_compressed_stream_is_refused_before_it_grows(compression: str, symbol: Any) -> None:  # noqa: ANN401
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pytest.raises(MalformedMessage, match="compressed"):
        read_arrow(stream(COLUMNS | {"symbol": symbol}, options=options))


def test_a_stream_of_4_kb_does_not_become_90_megabytes() -> None:
    rows = 10_000_000
    columns = {
        "symbol": pa.DictionaryArray.from_arrays(np.zeros(rows, np.int8), pa.array(["VIX"])),
        "event_time": np.zeros(rows, np.int64),
    }
    payload = stream(columns, options=pa.ipc.IpcWriteOptions(compression="zstd"))
    assert len(payload) < 5_000
    allocated = pa.total_allocated_bytes()
    with pytest.raises(MalformedMessage):
        read_arrow(payload)
    assert pa.total_allocated_bytes() - allocated < 100_000


MARK = b"\xff\xff\xff\xff"
"""Every message of a stream begins so."""

DAMAGED = stream(
    COLUMNS
    | {
        "event_time": pa.array([1, 2], pa.timestamp("us", tz="UTC")),
        "source": dictionary([0, 1], ["a", "b"]),
        "sequence": pa.array([1, None]),
    }
)


@given(st.lists(st.tuples(st.integers(0, len(DAMAGED) - 1), st.integers(0, 255)), max_size=4))
def test_a_damaged_stream_is_ticks_or_malformed(damages: list[tuple[int, int]]) -> None:
    payload = bytearray(DAMAGED)
    for at, byte in damages:
        payload[at] = byte
    try:
        block = read_arrow(bytes(payload))
    except MalformedMessage:
        return
    for row in range(len(block)):
        block.tick(row)


@given(st.integers(0, len(DAMAGED) - 1))
def test_a_stream_cut_short_is_ticks_or_malformed(length: int) -> None:
    try:
        read_arrow(DAMAGED[:length])
    except MalformedMessage:
        return


@given(st.binary(max_size=100), st.booleans())
def test_any_bytes_are_ticks_or_malformed(payload: bytes, is_marked: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
    with pytest.raises(MalformedMessage):
        read_arrow(MARK + payload if is_marked else payload)


def test_metadata_that_points_nowhere_is_malformed() -> None:
    dictionary_at = DAMAGED.index(MARK, 4)
    payload = bytearray(DAMAGED)
    payload[dictionary_at + 24] = 0  # the message's table leaves its header out
    with pytest.raises(MalformedMessage, match="unpack"):
        read_arrow(bytes(payload))


def test_a_compressed_dictionary_is_refused_without_a_look_at_its_batch() -> None:
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    symbol = dictionary([0, 0], ["VIX"])
    parts = stream(COLUMNS | {"symbol": symbol}, options=options).split(MARK)
    schema_and_dictionary = MARK.join(parts[:3])
    with pytest.raises(MalformedMessage, match="compressed"):
        read_arrow(schema_and_dictionary)


def test_without_pyarrow_the_message_says_which_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MalformedMessage, match="hedgestat\\[archive\\]"):
        read_arrow(b"")
