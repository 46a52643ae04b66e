from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.wire.codec import (
    ARROW,
    JSON,
    MSGPACK,
    MalformedMessage,
    decode,
    decode_ticks,
    encode,
    encode_all,
    instant_ns,
    is_arrow,
)
from shared.wire.messages import AckMessage, RebalanceMessage, TickMessage

TICK: dict[str, Any] = {"symbol": "VIX", "event_time": 1, "price": 18.0}
ACK = AckMessage(order_id="overlay-00000001-front", status="accepted", epoch=3)

scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text()
trees = st.recursive(
    scalars | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)
nearly_ticks = st.fixed_dictionaries(
    {"symbol": scalars | st.just("VIX"), "event_time": scalars | st.just(1)},
    optional=dict.fromkeys(
        ("price", "bid", "ask", "bid_size", "ask_size", "source", "sequence"), scalars
    ),
)


def json_tick(**fields: str) -> bytes:
    """A tick whose fields are written as given."""
    written = {"symbol": '"VIX"', "event_time": "1", "price": "18"} | fields
    return ("{" + ",".join(f'"{name}":{text}' for name, text in written.items()) + "}").encode()


def test_a_message_is_json_and_comes_back() -> None:
    assert encode(ACK) == (
        b'{"environment":"-","key_id":"-","order_id":"overlay-00000001-front",'
        b'"status":"accepted","reason":"","epoch":3}'
    )
    assert decode(AckMessage, encode(ACK)) == ACK


def test_several_messages_are_one_array() -> None:
    ticks = [TickMessage(symbol="VIX", event_time=at, price=18.0) for at in (1, 2)]
    assert decode_ticks(encode_all(ticks)) == ticks
    assert encode_all([]) == b"[]"


def test_a_field_that_a_later_version_adds_is_not_minded() -> None:
    assert decode(AckMessage, encode(ACK)[:-1] + b',"signature":"x"}') == ACK


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_malformed(payload: bytes) -> None:
    for kind in (AckMessage, RebalanceMessage):
        try:
            decode(kind, payload)
        except MalformedMessage:
            continue


@given(st.binary(max_size=200), st.sampled_from([None, JSON, MSGPACK, "text/plain"]))
def test_any_bytes_are_ticks_or_malformed(payload: bytes, content_type: str | None) -> None:
    try:
        ticks = decode_ticks(payload, content_type)
    except MalformedMessage:
        return
    assert all(isinstance(tick, TickMessage) for tick in ticks)


@given(trees | nearly_ticks | st.lists(nearly_ticks, max_size=3))
def test_any_tree_is_ticks_or_malformed(tree: object) -> None:
    for payload in (msgspec.msgpack.encode(tree), msgspec.json.encode(tree)):
        try:
            ticks = decode_ticks(payload)
        except MalformedMessage:
            continue
        assert all(isinstance(tick, TickMessage) for tick in ticks)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\0",
        b"null",
        b"NaN",
        b"{}",
        b"[[]]",
        b'{"symbol":"VIX"',
        b"[" * 200_000,
        b'{"symbol":"VIX","event_time":1,"more":' + b"[" * 200_000,
        json_tick() + json_tick(),
        json_tick(symbol="null"),
        json_tick(symbol='"vix"'),
        json_tick(symbol='"VIX\\n"'),
        json_tick(symbol='"VIX\\u0000"'),
        json_tick(symbol='"hedge/#"'),
        json_tick(symbol='"' + "V" * 33 + '"'),
        json_tick(source='"feed\\n"'),
        json_tick(source='"a b"'),
        json_tick(event_time="1.0"),
        json_tick(event_time="true"),
        json_tick(event_time="null"),
        json_tick(event_time="9" * 5000),
        json_tick(price="true"),
        json_tick(price='"18"'),
        json_tick(price="NaN"),
        json_tick(price="Infinity"),
        json_tick(price="1e999"),
        json_tick(price="9" * 400),
        json_tick(price="9" * 5000),
        json_tick(price="018"),
        json_tick(sequence="0"),  # 0 means: none yet
        json_tick(sequence="-1"),
        json_tick(sequence="1.0"),
        json_tick(sequence="true"),
        json_tick(sequence=str(2**63)),
        json_tick(sequence="9" * 30),
        b'{"symbol":"\xff","event_time":1}',
        b'{"symbol":"VIX","event_time":"\xff"}',
        b"\x91" * 200_000,
        b"\x81\xa1z" + b"\x91" * 200_000,
        b"\xdd\xff\xff\xff\xff",  # an array of four thousand million, it says
        b"\x81\xa1z\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
        b"\x81\xa6symbol\xa1\xff",
        b"\x81\xa6symbol\xc7\x01\x01a",
        msgspec.msgpack.encode(TICK | {"price": True}),
        msgspec.msgpack.encode(TICK | {"symbol": b"VIX"}),
        msgspec.msgpack.encode(TICK) + b"\0",
    ],
)
def test_hostile_ticks_are_malformed(payload: bytes) -> None:
    with pytest.raises(MalformedMessage):
        decode_ticks(payload)


@pytest.mark.parametrize(
    "payload", [b"", b"{}", b'{"more":' + b"[" * 200_000, b'{"order_id":"\xff"}', b"\xff"]
)
def test_a_malformed_message_says_what_is_wrong(payload: bytes) -> None:
    with pytest.raises(MalformedMessage, match=r"\w"):
        decode(AckMessage, payload)


@pytest.mark.parametrize("many", [True, False])
@pytest.mark.parametrize(
    ("write", "content_types"),
    [
        (msgspec.json.encode, (JSON, None, "application/json; charset=utf-8")),
        (msgspec.msgpack.encode, (MSGPACK, None, "application/x-msgpack")),
    ],
)
def test_one_tick_or_several_in_either_encoding(
    write: Any,  # noqa: ANN401
    content_types: tuple[str | None, ...],
    *,
    many: bool,
) -> None:
    tick = TickMessage(symbol="VIX", event_time=1, price=18.0)
    for content_type in content_types:
        ticks = decode_ticks(write([TICK, TICK] if many else TICK), content_type)
        assert list(ticks) == [tick] * (2 if many else 1)


def test_a_content_type_wins_over_the_first_byte() -> None:
    with pytest.raises(MalformedMessage):
        decode_ticks(msgspec.json.encode(TICK), MSGPACK)
    with pytest.raises(MalformedMessage):
        decode_ticks(msgspec.msgpack.encode(TICK), JSON)


def test_json_may_begin_with_white_space() -> None:
    for space in (b" ", b"\t", b"\r", b"\n"):
        assert len(decode_ticks(space + msgspec.json.encode([TICK]))) == 1


def test_an_arrow_stream_is_known_by_its_type_or_its_first_bytes() -> None:
    assert is_arrow(b"", ARROW)
    assert is_arrow(b"\xff\xff\xff\xff..", None)
    assert is_arrow(b"\xff\xff\xff\xff..", "application/octet-stream")
    assert not is_arrow(b"\xff\xff\xff\xff..", JSON)
    assert not is_arrow(b"\xff\xff\xff", None)


def test_an_instant_is_integer_nanoseconds_or_rfc_3339() -> None:
    assert instant_ns(5) == 5
    assert instant_ns("1970-01-01T00:00:00.000000005Z") == 5
    assert instant_ns(2**63 - 1) == 2**63 - 1


@pytest.mark.parametrize(
    "event_time",
    [-1, 2**63, 10**4000, "", "yesterday", "1969-12-31T23:59:59Z", "2262-04-12T00:00:00Z"],
)
def test_an_instant_outside_the_years_of_int64_is_malformed(event_time: int | str) -> None:
    with pytest.raises(MalformedMessage) as malformed:
        instant_ns(event_time)
    assert len(str(malformed.value)) < 200
