from collections.abc import Sequence

import msgspec
import pytest
from fakes.journal import gather
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.events import (
    ClockAdvanced,
    Event,
    ExecutionKind,
    ExecutionReported,
    ExposureMeasured,
    PositionsReported,
    RebalanceRequested,
    Tick,
)
from shared.domain.signals_observed import HedgerInput, Mark, Quality, Signal, SignalsObserved
from shared.domain.tick_block import TickBlock
from shared.wire.journal import (
    JournalEntry,
    decode_entry,
    decode_log,
    encode_entry,
    encode_log,
)

finite = st.floats(allow_nan=False)
instants = st.integers(0, 2**63 - 1)
words = st.text(max_size=5)
figures = st.dictionaries(words, finite, max_size=2)
ticks = st.builds(
    Tick,
    symbol=words,
    event_ns=instants,
    price=st.none() | finite,
    bid=st.none() | finite,
    ask=st.none() | finite,
    bid_size=st.none() | finite,
    ask_size=st.none() | finite,
    source=words,
    sequence=st.none() | st.integers(0, 2**63 - 1),
)
executions = st.builds(
    ExecutionReported,
    book=words,
    order_id=words,
    execution_id=words,
    kind=st.sampled_from(ExecutionKind),
    quantity=finite,
    price=st.none() | finite,
    event_ns=instants,
    reason=words,
)
rebalances = st.builds(
    RebalanceRequested, scope=words, operator=words, reason=words, event_ns=instants
)
exposures = st.builds(
    ExposureMeasured,
    book=words,
    event_ns=instants,
    portfolio_delta=finite,
    put_delta=finite,
    greeks=figures,
    sequence=st.integers(0, 2**63 - 1),
)
positions = st.builds(
    PositionsReported, book=words, event_ns=instants, quantities=figures, source=words
)
clocks = st.builds(
    ClockAdvanced, event_ns=instants, source=words, sequence=st.none() | st.integers(0, 2**63 - 1)
)
signals = st.builds(
    Signal,
    value=st.none() | finite,
    unit=words,
    quality=st.sampled_from(Quality),
    event_ns=instants,
    observations=st.integers(0, 2**40),
    have=st.integers(0, 99),
    need=st.integers(0, 99),
    state=words,
)
marks = st.builds(
    Mark, level=finite, event_ns=instants, bid=st.none() | finite, ask=st.none() | finite
)
observed = st.builds(
    SignalsObserved,
    event_ns=instants,
    index=st.integers(0, 2**62),
    cause=words,
    signals=st.dictionaries(words, signals, max_size=2),
    marks=st.dictionaries(words, marks, max_size=2),
)
events = ticks | ticks | clocks | executions | rebalances | exposures | positions


def events_of(entry: JournalEntry) -> list[Event]:
    found: list[Event] = []
    for item in entry.items:
        rows = (
            [item.tick(row) for row in range(len(item))] if isinstance(item, TickBlock) else [item]
        )
        found.extend(rows)
    return found


@given(st.lists(events, max_size=8), st.integers(0, 2**62), instants)
def test_events_come_back_in_their_order(
    sent: list[Event], first_index: int, received_ns: int
) -> None:
    entry = JournalEntry(first_index, received_ns, gather(sent))
    read = decode_entry(encode_entry(entry))
    assert (read.first_index, read.received_ns) == (first_index, received_ns)
    assert events_of(read) == sent
    assert len(read) == len(entry) == len(sent)


@given(st.lists(events, max_size=8))
def test_an_entry_is_the_same_bytes_when_written_again(sent: list[Event]) -> None:
    payload = encode_entry(JournalEntry(0, 0, gather(sent)))
    assert encode_entry(decode_entry(payload)) == payload


def test_neighbouring_ticks_are_one_item() -> None:
    tick, clock = Tick(symbol="VIX", event_ns=1, price=18.0), ClockAdvanced(event_ns=2)
    items = gather([tick, tick, clock, clock, tick])
    assert [len(item) if isinstance(item, TickBlock) else 0 for item in items] == [2, 0, 0, 1]
    assert gather([]) == ()


def test_what_was_read_cannot_be_written_to() -> None:
    payload = encode_entry(JournalEntry(0, 0, gather([Tick(symbol="VIX", event_ns=1)])))
    (block,) = decode_entry(payload).items
    assert isinstance(block, TickBlock)
    with pytest.raises(ValueError, match="read-only"):
        block.price[0] = 1.0


@given(st.lists(observed | executions | rebalances | exposures, max_size=4))
def test_the_signal_log_comes_back(sent: Sequence[HedgerInput]) -> None:
    assert decode_log(encode_log(sent)) == sent


ENTRY = encode_entry(
    JournalEntry(
        3, 4, gather([Tick(symbol="VIX", event_ns=1, price=2.0), ClockAdvanced(event_ns=4)])
    )
)
LOG = encode_log([RebalanceRequested(scope="all", operator="desk", reason="", event_ns=1)])


@given(st.lists(st.tuples(st.integers(0, len(ENTRY) - 1), st.integers(0, 255)), min_size=1))
def test_a_damaged_entry_is_read_or_a_decode_error(damages: list[tuple[int, int]]) -> None:
    payload = bytearray(ENTRY)
    for at, byte in damages:
        payload[at] = byte
    try:
        events_of(decode_entry(bytes(payload)))
    except msgspec.DecodeError:
        return


@given(st.integers(0, len(LOG) - 1), st.integers(0, 255))
def test_a_damaged_log_is_read_or_a_decode_error(at: int, byte: int) -> None:
    payload = bytearray(LOG)
    payload[at] = byte
    try:
        decode_log(bytes(payload))
    except msgspec.DecodeError:
        return


def ticks_item(**columns: bytes) -> bytes:
    kept = {
        "symbol": b"\0" * 4,
        "source": b"\0" * 4,
        "event_ns": b"\0" * 8,
        "price": b"\0" * 8,
        "bid": b"\0" * 8,
        "ask": b"\0" * 8,
        "bid_size": b"\0" * 8,
        "ask_size": b"\0" * 8,
        "sequence": b"\0" * 8,
    }
    item = {"type": "ticks", "symbols": ["VIX"], "sources": [""], "columns": kept | columns}
    return msgspec.msgpack.encode([0, 0, [item]])


def test_columns_that_cannot_be_ticks_are_a_decode_error() -> None:
    assert len(decode_entry(ticks_item())) == 1
    for columns in (
        {"price": b"\0" * 16},  # two rows among columns of one
        {"price": b"\0" * 7},  # not whole numbers
        {"symbol": b"\1\0\0\0"},  # a name that is not there
        {"source": b"\xff" * 4},
        {"event_ns": b""},  # no rows among columns of one
    ):
        with pytest.raises(msgspec.DecodeError, match="not a journal entry"):
            decode_entry(ticks_item(**columns))


def test_what_no_tick_has_takes_no_room() -> None:
    prints = [Tick(symbol="VIX", event_ns=instant, price=20.0) for instant in range(1_000)]
    quoted = [*prints[:-1], Tick(symbol="VIX", event_ns=999, price=20.0, bid=19.0)]
    bare, one_bid = (encode_entry(JournalEntry(0, 0, gather(each))) for each in (prints, quoted))
    assert len(bare) < 1_000 * (4 + 8 + 8 + 4) + 100
    assert len(one_bid) - len(bare) > 1_000 * 8
    assert events_of(decode_entry(bare)) == prints
    assert events_of(decode_entry(one_bid)) == quoted


@pytest.mark.parametrize("read", [decode_entry, decode_log])
def test_bytes_that_are_no_text_are_a_decode_error(read: object) -> None:
    assert callable(read)
    with pytest.raises(msgspec.DecodeError):
        read(ENTRY.replace(b"ticks", b"tick\xff"))
    with pytest.raises(msgspec.DecodeError):
        read(LOG.replace(b"desk", b"des\xff"))
