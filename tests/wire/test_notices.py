import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.wire.notices import Notice, decode_notice, encode_notice


@given(st.builds(Notice, topic=st.text(), payload=st.binary(), retain=st.booleans()))
def test_a_notice_comes_back(notice: Notice) -> None:
    assert decode_notice(encode_notice(notice)) == notice


@given(st.binary(max_size=30))
def test_any_bytes_are_a_notice_or_a_decode_error(payload: bytes) -> None:
    try:
        decode_notice(payload)
    except msgspec.DecodeError:
        return


def test_a_topic_that_is_no_text_is_a_decode_error() -> None:
    damaged = encode_notice(Notice("rejects", b"")).replace(b"rejects", b"reject\xff")
    with pytest.raises(msgspec.DecodeError):
        decode_notice(damaged)
    payload = b"\x93\xa1\xff\xc4\x00\xc2"
    with pytest.raises(msgspec.DecodeError, match="not a notice"):
        decode_notice(payload)
