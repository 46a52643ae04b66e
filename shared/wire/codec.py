"""Bytes to messages and back; whatever is not a message raises `MalformedMessage`, nothing else."""

from collections.abc import Sequence
from typing import Final, TypeVar

import msgspec
from msgspec import Struct

from shared.wire.messages import TickMessage
from shared.wire.times import parse_instant

JSON: Final = "application/json"
MSGPACK: Final = "application/msgpack"
ARROW: Final = "application/vnd.apache.arrow.stream"

_TICK_TYPES: Final = frozenset((JSON, MSGPACK, ARROW))
_ARROW_START: Final = b"\xff\xff\xff\xff"
_JSON_STARTS: Final = frozenset((b"{", b"[", b" ", b"\t", b"\r", b"\n"))

MessageType = TypeVar("MessageType", bound=Struct)


class MalformedMessage(ValueError):  # noqa: N818 - reads as what it is
    """The payload is not what its topic carries; the text says what is wrong with it."""


class _Decoders:
    """Compiled decoders, one a type: building them is what costs."""

    def __init__(self) -> None:
        self._known: dict[type[Struct], msgspec.json.Decoder[Struct]] = {}

    def of(self, kind: type[Struct]) -> msgspec.json.Decoder[Struct]:
        if kind not in self._known:
            self._known[kind] = msgspec.json.Decoder(kind)
        return self._known[kind]


_decoders = _Decoders()
_encode = msgspec.json.Encoder().encode
_json_ticks = msgspec.json.Decoder(TickMessage | list[TickMessage])
_msgpack_ticks = msgspec.msgpack.Decoder(TickMessage | list[TickMessage])


def encode(message: Struct) -> bytes:
    """Write a message as JSON."""
    return _encode(message)


def encode_all(messages: Sequence[Struct]) -> bytes:
    """Write messages as one JSON array."""
    return _encode(messages)


def decode(kind: type[MessageType], payload: bytes) -> MessageType:
    """Read a JSON message of a known kind.

    Raises:
        MalformedMessage: Not JSON, or not of that kind.
    """
    try:
        message = _decoders.of(kind).decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedMessage(str(error)) from error
    assert isinstance(message, kind)  # noqa: S101 - the decoder was built for it
    return message


def is_arrow(payload: bytes, content_type: str | None) -> bool:
    """Whether the payload is an Arrow IPC stream: by its type, else by its first bytes."""
    return _tick_type(payload, content_type) == ARROW


def decode_ticks(payload: bytes, content_type: str | None = None) -> Sequence[TickMessage]:
    """Read one tick or an array of them, as JSON or MessagePack.

    Args:
        payload: The bytes as they came.
        content_type: MQTT 5's. `None`, or none of ours: the first byte decides.

    Raises:
        MalformedMessage: Neither, or not ticks.
    """
    decoder = _json_ticks if _tick_type(payload, content_type) == JSON else _msgpack_ticks
    try:
        ticks = decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedMessage(str(error)) from error
    return ticks if isinstance(ticks, list) else (ticks,)


def instant_ns(event_time: int | str) -> int:
    """Read an edge's instant, ns or RFC 3339, as ns.

    Raises:
        MalformedMessage: Text that is not RFC 3339, or ns outside the years 1970 to 2262.
    """
    try:
        instant = event_time if isinstance(event_time, int) else parse_instant(event_time)
    except ValueError as error:
        raise MalformedMessage(str(error)) from error
    if not 0 <= instant < 2**63:
        raise MalformedMessage(f"an instant outside the years 1970 to 2262: {event_time!s:.40}")
    return instant


def _tick_type(payload: bytes, content_type: str | None) -> str:
    if content_type in _TICK_TYPES:
        return content_type
    if payload[:4] == _ARROW_START:
        return ARROW
    return JSON if payload[:1] in _JSON_STARTS else MSGPACK
