"""Signed messages: the bytes that were signed travel as they are.

A sealed payload is two lines. The first is the message, JSON, exactly as it was signed; the second
is its ed25519 signature in base64. Signed are `hedgestat/v1`, the topic and the first line, each
ended by a newline but the last: so a message is worth nothing on another topic, and nothing is
ever encoded again to check it. `environment` and `key_id` stand in the message itself.
"""

import binascii
from base64 import b64decode, b64encode
from typing import Final

from msgspec import Struct

from shared.wire.codec import JSON, MalformedMessage

SEALED: Final = "application/vnd.hedgestat.sealed"
"""Content type of a sealed payload."""

SIGNATURE_BYTES: Final = 64
_CONTEXT: Final = b"hedgestat/v1\n"


class NotSealed(MalformedMessage):
    """What cannot have been signed: a payload is two lines, the second a signature."""


class Sealed(Struct, frozen=True):
    """A message and its signature, neither checked yet."""

    body: bytes
    signature: bytes


def content_type(payload: bytes) -> str:
    """Say what a payload of ours is: JSON as we write it is one line, a seal is another."""
    return SEALED if b"\n" in payload else JSON


def signed_bytes(topic: str, body: bytes) -> bytes:
    """Return what is signed.

    Raises:
        NotSealed: The topic or the message has a newline, and could be taken for another.
    """
    if "\n" in topic or b"\n" in body:
        raise NotSealed("a newline in what is to be signed")
    return _CONTEXT + topic.encode() + b"\n" + body


def join(sealed: Sealed) -> bytes:
    """Write a sealed payload."""
    return sealed.body + b"\n" + b64encode(sealed.signature)


def split(payload: bytes) -> Sealed:
    """Read a sealed payload.

    Raises:
        NotSealed: It is none.
    """
    body, newline, text = payload.partition(b"\n")
    if not newline:
        raise NotSealed("not signed: a second line with the signature is missing")
    try:
        signature = b64decode(text, validate=True)
    except binascii.Error as error:
        raise NotSealed(f"the signature is not base64: {error}") from error
    if len(signature) != SIGNATURE_BYTES:
        raise NotSealed(f"a signature of {len(signature)} bytes, not {SIGNATURE_BYTES}")
    sealed = Sealed(body, signature)
    if join(sealed) != payload:  # base64 leaves bits over, which nobody would have signed
        raise NotSealed("the signature is not base64 as it is written")
    return sealed
