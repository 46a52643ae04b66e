"""Signed heads are kept in order, and a last one that was cut short is passed over."""

from pathlib import Path

import pytest
from fakes.keys import make_keyring

from shared.adapters.head_record import HeadRecord, signed_head
from shared.adapters.keyring import Forged
from shared.wire import topics
from shared.wire.codec import MalformedMessage
from shared.wire.decisions import ChainHead
from shared.wire.messages import DecisionHeadMessage

KEYRING = make_keyring()
FIRST, SECOND = ChainHead(7, b"\x01" * 32), ChainHead(9, b"\x02" * 32)


def sealed(head: ChainHead, topic: str = topics.DECISION_HEAD) -> bytes:
    message = DecisionHeadMessage(index=head.index, hash=head.hash.hex())
    return KEYRING.seal("monitor", topic, message)


def kept(record: HeadRecord) -> list[ChainHead]:
    return [signed_head(KEYRING, payload) for payload in record.payloads()]


def test_what_was_appended_is_read_in_order_also_by_another(tmp_path: Path) -> None:
    record = HeadRecord(tmp_path / "heads")
    assert kept(record) == []
    record.append(sealed(FIRST))
    record.append(sealed(SECOND) + b"\n")
    assert kept(HeadRecord(tmp_path / "heads")) == [FIRST, SECOND]


@pytest.mark.parametrize("lost", [1, 30, 100, 200])
def test_a_head_that_was_cut_short_is_passed_over(tmp_path: Path, lost: int) -> None:
    path = tmp_path / "heads"
    HeadRecord(path).append(sealed(FIRST))
    HeadRecord(path).append(sealed(SECOND))
    path.write_bytes(path.read_bytes()[:-lost])
    assert kept(HeadRecord(path)) == [FIRST]


def test_after_one_that_was_cut_short_the_next_is_read(tmp_path: Path) -> None:
    path = tmp_path / "heads"
    HeadRecord(path).append(sealed(FIRST))
    path.write_bytes(path.read_bytes() + sealed(SECOND)[:40])
    HeadRecord(path).append(sealed(SECOND))
    assert kept(HeadRecord(path)) == [FIRST, SECOND]


def test_only_what_the_monitor_signed_for_that_topic_is_a_head() -> None:
    assert signed_head(KEYRING, sealed(FIRST)) == FIRST
    with pytest.raises(Forged):
        signed_head(KEYRING, sealed(FIRST, topics.HALT))
    with pytest.raises(Forged):
        signed_head(make_keyring(), sealed(FIRST))
    with pytest.raises(MalformedMessage):
        signed_head(KEYRING, b"{}\nAAAA")
