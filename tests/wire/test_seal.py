"""What was signed travels as it is, and whatever else arrives is not sealed."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.wire.codec import JSON, MalformedMessage
from shared.wire.seal import (
    SEALED,
    SIGNATURE_BYTES,
    NotSealed,
    Sealed,
    content_type,
    join,
    signed_bytes,
    split,
)

BODY = b'{"scope":"all"}'
SIGNATURE = bytes(range(SIGNATURE_BYTES))
TEXT = b64encode(SIGNATURE)

bodies = st.binary(max_size=200).filter(lambda body: b"\n" not in body)
signatures = st.binary(min_size=SIGNATURE_BYTES, max_size=SIGNATURE_BYTES)


def test_a_sealed_payload_is_two_lines() -> None:
    assert join(Sealed(BODY, SIGNATURE)) == (
        b'{"scope":"all"}\n'
        b"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="
    )


def test_two_lines_are_sealed_and_one_is_json() -> None:
    assert content_type(join(Sealed(BODY, SIGNATURE))) == SEALED
    assert content_type(BODY) == JSON


def test_signed_are_the_version_the_topic_and_the_line() -> None:
    assert signed_bytes("hedge/v1/control/halt", BODY) == (
        b'hedgestat/v1\nhedge/v1/control/halt\n{"scope":"all"}'
    )


@given(bodies, signatures)
def test_what_was_joined_is_split_into_the_same(body: bytes, signature: bytes) -> None:
    sealed = Sealed(body, signature)
    assert split(join(sealed)) == sealed


two_lines = st.builds(lambda body, line: body + b"\n" + line, bodies, st.binary(max_size=96))
nearly_signed = st.builds(
    lambda body, signature: body + b"\n" + b64encode(signature), bodies, st.binary(max_size=72)
)


@given(st.binary(max_size=300) | two_lines | nearly_signed)
def test_any_bytes_are_sealed_in_one_way_or_not_at_all(payload: bytes) -> None:
    try:
        sealed = split(payload)
    except NotSealed:
        return
    assert join(sealed) == payload


def test_no_other_byte_at_any_place_leaves_the_same_behind() -> None:
    """Two of the last digit's bits are not of the signature: they must be as they were written."""
    sealed = Sealed(BODY, SIGNATURE)
    payload = join(sealed)
    for at in range(len(payload)):
        for byte in range(256):
            if byte == payload[at]:
                continue
            altered = payload[:at] + bytes([byte]) + payload[at + 1 :]
            try:
                assert split(altered) != sealed
            except NotSealed:
                continue


@pytest.mark.parametrize(
    ("payload", "what"),
    [
        (b"", "second line"),
        (BODY, "second line"),
        (BODY + b"\n", "0 bytes"),
        (BODY + b"\n" + b64encode(SIGNATURE[1:]), "63 bytes"),
        (BODY + b"\n" + b64encode(SIGNATURE + b"x"), "65 bytes"),
        (BODY + b"\n" + TEXT[:-1], "not base64"),
        (BODY + b"\n" + TEXT + b"\n", "not base64"),
        (BODY + b"\n" + TEXT.replace(b"A", b"*", 1), "not base64"),
        (BODY + b"\n\n" + TEXT, "not base64"),
        (BODY + b"\n" + TEXT[:-3] + b"x==", "as it is written"),
    ],
)
def test_what_is_not_sealed_says_what_is_wrong(payload: bytes, what: str) -> None:
    with pytest.raises(NotSealed, match=what):
        split(payload)
    assert issubclass(NotSealed, MalformedMessage)


@pytest.mark.parametrize(
    ("topic", "body"), [("a\nb", BODY), ("a", b"b\n{}"), ("a\n", BODY), ("a", b"\n")]
)
def test_nothing_with_a_newline_is_signed_for_it_could_be_taken_for_another(
    topic: str, body: bytes
) -> None:
    with pytest.raises(NotSealed, match="newline"):
        signed_bytes(topic, body)


@given(st.text(max_size=20), bodies, st.text(max_size=20), bodies)
def test_two_things_to_sign_are_never_the_same_bytes(
    topic: str, body: bytes, other_topic: str, other_body: bytes
) -> None:
    if "\n" in topic + other_topic or (topic, body) == (other_topic, other_body):
        return
    assert signed_bytes(topic, body) != signed_bytes(other_topic, other_body)
