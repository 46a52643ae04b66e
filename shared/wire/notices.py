"""Entries of an `announcements` stream: messages to publish, in order, by whoever relays them."""

import msgspec
from msgspec import Struct


class Notice(Struct, frozen=True, array_like=True):
    """One message, encoded.

    Attributes:
        topic: Where to.
        payload: JSON.
        retain: Whether the broker keeps it as the topic's last value.
    """

    topic: str
    payload: bytes
    retain: bool = False


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Notice).decode


def encode_notice(notice: Notice) -> bytes:
    """Write an entry."""
    return _encode(notice)


def decode_notice(payload: bytes) -> Notice:
    """Read an entry.

    Raises:
        msgspec.DecodeError: Not such an entry: the store is damaged.
    """
    try:
        return _decode(payload)
    except UnicodeDecodeError as error:
        raise msgspec.DecodeError(f"not a notice: {error}") from error
