"""A decision log, and what somebody might do to it."""

import hashlib
from collections.abc import Callable

from shared.domain.effects import AlertRaised
from shared.wire.decisions import ChainHead, DecisionRecord, append

Tampering = Callable[[list[bytes], int], list[bytes]]
"""Does something to a log at a position."""


def record(number: int) -> DecisionRecord:
    """Any effect."""
    effect = AlertRaised(
        book="overlay",
        event_ns=number,
        severity="info",
        what="signal_unknown",
        where=f"signal-{number % 7}",
        figures={"value": number / 3},
        runbook="",
    )
    return DecisionRecord(effect)


def chain(size: int) -> tuple[list[bytes], ChainHead]:
    head, log = ChainHead(), []
    for number in range(size):
        entry, head = append(head, record(number))
        log.append(entry)
    return log, head


def head_at(log: list[bytes], index: int) -> ChainHead:
    """The head when the log had so many entries."""
    return ChainHead(index, hashlib.sha256(log[index - 1]).digest()) if index else ChainHead()


def flipped(log: list[bytes], at: int) -> list[bytes]:
    entry, position = log[at], at * 7919 % (len(log[at]) * 8)
    changed = bytearray(entry)
    changed[position // 8] ^= 1 << position % 8
    return [*log[:at], bytes(changed), *log[at + 1 :]]


def deleted(log: list[bytes], at: int) -> list[bytes]:
    return [*log[:at], *log[at + 1 :]]


def doubled(log: list[bytes], at: int) -> list[bytes]:
    return [*log[:at], log[at], *log[at:]]


def inserted(log: list[bytes], at: int) -> list[bytes]:
    """An entry made by somebody who knows how, behind the one before."""
    return [*log[:at], append(head_at(log, at), record(4711))[0], *log[at:]]


def truncated(log: list[bytes], at: int) -> list[bytes]:
    return log[:at]


def swapped(log: list[bytes], at: int) -> list[bytes]:
    other = (at + 1) % len(log)
    changed = list(log)
    changed[at], changed[other] = log[other], log[at]
    return changed


def forged(log: list[bytes], at: int) -> list[bytes]:
    """All of it written anew from one record on, with every hash right."""
    head = head_at(log, at)
    changed = log[:at]
    for number in range(at, len(log)):
        entry, head = append(head, record(number + (number == at)))
        changed.append(entry)
    return changed


TAMPERINGS: tuple[Tampering, ...] = (flipped, deleted, doubled, inserted, truncated, swapped)
"""What shows at any position; of `forged`, only what a signed head knows."""
