"""Entries of the decision log, chained by their hashes: none can be changed without a trace.

An entry is the hash of the entry before (32 bytes), its own index from 1 (8 bytes, big endian),
and the decision (MessagePack). Its hash is SHA-256 over all of them. So an entry that is altered,
added, dropped or moved breaks the chain behind it, and a chain that is cut short, or written anew,
does not hold the head that was signed and told elsewhere. Nothing in an entry comes from the wall
clock: the same journal gives the same bytes.
"""

import struct
from hashlib import sha256
from typing import Final

import msgspec
from msgspec import UNSET, Struct, UnsetType

from shared.domain.effects import Effect
from shared.domain.events import ExposureMeasured
from shared.domain.policies import LimitPolicy
from shared.domain.signals_observed import SignalsObserved

NO_HASH: Final = bytes(32)
"""What the first entry follows."""
_PREFIX: Final = struct.Struct(">32sQ")


class BrokenChain(ValueError):  # noqa: N818 - reads as what happened, like KeyError
    """An entry does not follow the one before; the text says which, and how."""


class ChainHead(Struct, frozen=True, array_like=True):
    """The last entry of a chain: its index, 0 before the first, and its hash."""

    index: int = 0
    hash: bytes = NO_HASH


class Grounds(Struct, frozen=True, kw_only=True):
    """What a decision stands on, beside its own figures; written once a decision.

    Attributes:
        code_version: Of the program that decided.
        config_digest: Of the configuration it decided under.
        limits: The pre-trade limits of the book.
        observed: The signals that the book reads, and its marks, as they were.
        measured: The exposure that it was last told; left out by a book that was told none.
    """

    code_version: str
    config_digest: str
    limits: LimitPolicy
    observed: SignalsObserved | None
    measured: ExposureMeasured | UnsetType = UNSET


class DecisionRecord(Struct, frozen=True, array_like=True):
    """One effect of the hedger; a new target has its grounds."""

    effect: Effect
    grounds: Grounds | None = None


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(DecisionRecord).decode


def append(head: ChainHead, record: DecisionRecord) -> tuple[bytes, ChainHead]:
    """Write the entry that follows `head`; returns it and the new head."""
    index = head.index + 1
    entry = _PREFIX.pack(head.hash, index) + _encode(record)
    return entry, ChainHead(index, sha256(entry).digest())


def follow(head: ChainHead, entry: bytes) -> ChainHead:
    """Check that an entry follows `head`, and return the new head.

    Raises:
        BrokenChain: It does not.
    """
    index = head.index + 1
    if len(entry) <= _PREFIX.size:
        raise BrokenChain(f"entry {index} is cut short: {len(entry)} bytes")
    previous, stated = _PREFIX.unpack_from(entry)
    if stated != index:
        raise BrokenChain(f"where entry {index} should be stands entry {stated}")
    if previous != head.hash:
        raise BrokenChain(f"entry {index} follows another entry {head.index} than the one here")
    return ChainHead(index, sha256(entry).digest())


def read_decision(entry: bytes) -> DecisionRecord:
    """Read an entry, whatever it follows.

    Raises:
        msgspec.DecodeError: Not such an entry: the store is damaged.
    """
    try:
        return _decode(memoryview(entry)[_PREFIX.size :])
    except (UnicodeDecodeError, RecursionError) as error:
        raise msgspec.DecodeError(f"not a decision: {error}") from error
