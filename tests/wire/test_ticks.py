import math
from typing import Any

import msgspec
import numpy as np
import pytest
from fakes.ticks import ticks
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.events import Tick
from shared.domain.intake import NOT_A_NUMBER
from shared.wire.codec import JSON, MSGPACK, MalformedMessage
from shared.wire.ticks import block_of, check_symbol, read_ticks
from shared.wire.ticks import given as given_column
from shared.wire.times import format_instant


def fields_of(tick: Tick, *, as_text: bool) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(tick)
    event_ns = fields.pop("event_ns")
    return fields | {"event_time": format_instant(event_ns) if as_text else event_ns}


@given(st.lists(ticks, max_size=5), st.booleans(), st.sampled_from([JSON, MSGPACK]))
def test_ticks_come_back_as_columns_exactly(
    sent: list[Tick],
    as_text: bool,  # noqa: FBT001 - drawn by hypothesis
    content_type: str,
) -> None:
    write = msgspec.json.encode if content_type == JSON else msgspec.msgpack.encode
    payload = write([fields_of(tick, as_text=as_text) for tick in sent])
    read = read_ticks(payload, content_type, None)
    block = block_of(read.messages, read.instants)
    assert [block.tick(row) for row in range(len(block))] == sent


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_none_is_not_taken_for_absent(value: float) -> None:
    payload = msgspec.msgpack.encode({"symbol": "VIX", "event_time": 1, "price": value})
    read = read_ticks(payload, None, None)
    block = block_of(read.messages, read.instants)
    assert not np.isfinite(block.price[0])
    assert not np.isnan(block.price[0])
    assert np.isnan(block.bid[0])


def test_a_column_tells_absent_from_no_number() -> None:
    column = given_column([None, 1.5, math.nan])
    assert np.isnan(column[0])
    assert column[1:].tolist() == [1.5, NOT_A_NUMBER]


def test_a_tick_of_another_symbol_than_its_topic_is_malformed() -> None:
    payload = msgspec.json.encode(
        [{"symbol": symbol, "event_time": 1, "price": 1} for symbol in ("VIX", "SPX")]
    )
    assert len(read_ticks(payload, None, None).messages) == 2
    with pytest.raises(MalformedMessage, match="says VIX, a tick says SPX"):
        read_ticks(payload, None, "VIX")


def test_a_tick_of_its_topics_symbol_passes() -> None:
    check_symbol("VIX", "VIX")
    check_symbol("VIX", None)


def test_one_bad_instant_spoils_its_message() -> None:
    payload = b'[{"symbol":"VIX","event_time":1},{"symbol":"VIX","event_time":"noon"}]'
    with pytest.raises(MalformedMessage, match="RFC 3339"):
        read_ticks(payload, None, None)
