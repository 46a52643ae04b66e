"""The decision log's chain: whatever is done to a record of it shows."""

import hashlib

import msgspec
import pytest
from fakes.decision_log import TAMPERINGS, Tampering, chain, forged, head_at, record
from fakes.hedged_market import policy

from shared.domain.signals_observed import Quality, Signal, SignalsObserved
from shared.wire.decisions import (
    NO_HASH,
    BrokenChain,
    ChainHead,
    DecisionRecord,
    Grounds,
    append,
    follow,
    read_decision,
)

SIZE = 2_000


def grounded() -> DecisionRecord:
    signal = Signal(value=18.0, unit="points", quality=Quality.GOOD, event_ns=3, observations=9)
    observed = SignalsObserved(event_ns=4, index=7, cause="VIX", signals={"vix": signal})
    grounds = Grounds(
        code_version="0.1.0", config_digest="abc", limits=policy().limits, observed=observed
    )
    return DecisionRecord(record(1).effect, grounds)


def holds(log: list[bytes], told: ChainHead) -> bool:
    """Whether the log follows from its beginning and holds the head that was told."""
    head = ChainHead()
    try:
        for entry in log:
            head = follow(head, entry)
            if head.index == told.index and head != told:
                return False
    except BrokenChain:
        return False
    return head.index >= told.index


LOG, HEAD = chain(SIZE)


def test_an_untouched_log_holds() -> None:
    assert holds(LOG, HEAD)
    assert holds(LOG, head_at(LOG, 1_000))


@pytest.mark.timeout(120)
@pytest.mark.parametrize("tamper", TAMPERINGS)
def test_whatever_is_done_to_one_record_at_any_position_shows(
    tamper: Tampering,
) -> None:
    found = sum(not holds(tamper(LOG, at), HEAD) for at in range(SIZE))
    assert found == SIZE


def test_a_log_written_anew_does_not_hold_the_head_that_was_told() -> None:
    assert not any(holds(forged(LOG, at), HEAD) for at in range(0, SIZE, 100))
    assert not holds(forged(LOG, SIZE - 1), HEAD)


def test_what_lies_behind_the_last_head_told_can_only_be_cut_off() -> None:
    told = head_at(LOG, 1_000)
    assert holds(LOG[:1_000], told)
    assert not holds(LOG[:999], told)


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (b"", "entry 3 is cut short: 0 bytes"),
        (LOG[2][:40], "entry 3 is cut short: 40 bytes"),
        (LOG[3], "where entry 3 should be stands entry 4"),
        (bytes(32) + LOG[2][32:], "entry 3 follows another entry 2"),
    ],
)
def test_a_break_says_where_and_how(entry: bytes, says: str) -> None:
    head = follow(follow(ChainHead(), LOG[0]), LOG[1])
    with pytest.raises(BrokenChain, match=says):
        follow(head, entry)


def test_a_record_is_read_as_it_was_written() -> None:
    entry, head = append(ChainHead(), grounded())
    assert read_decision(entry) == grounded()
    assert head.index == 1
    assert entry[:32] == NO_HASH
    assert head.hash == hashlib.sha256(entry).digest()


@pytest.mark.parametrize("damage", [b"", b"\xc1", b"\x92\x81\xa1\xff\x01\xc0", b"\x91" * 5_000])
def test_damage_is_told_as_such(damage: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        read_decision(bytes(40) + damage)


def test_text_that_is_none_is_damage_too() -> None:
    entry, _ = append(ChainHead(), grounded())
    assert b"0.1.0" in entry
    with pytest.raises(msgspec.DecodeError, match="not a decision"):
        read_decision(entry.replace(b"0.1.0", b"0.1.\xff"))
