"""Who signed a message, for which topic and environment, and that nothing of it was altered."""

import os
from pathlib import Path
from shutil import rmtree

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from fakes.keys import ENVIRONMENT, make_keyring, write_keys
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from shared.adapters.keyring import (
    ROLES,
    Forged,
    KeyMissing,
    Keyring,
    KeysNeeded,
    Role,
    key_id,
    write_key,
)
from shared.wire import codec, topics
from shared.wire.codec import MalformedMessage
from shared.wire.examples import EXAMPLES
from shared.wire.messages import AckMessage, OrderMessage, SealedMessage
from shared.wire.seal import split

KEYS = make_keyring()
TOPIC = topics.orders("overlay")
ORDER = next(example for example in EXAMPLES if isinstance(example, OrderMessage))
PAYLOAD = KEYS.seal("monitor", TOPIC, ORDER)
SEALED = [example for example in EXAMPLES if isinstance(example, SealedMessage)]


def opened(payload: bytes, topic: str = TOPIC, keyring: Keyring = KEYS) -> OrderMessage:
    return keyring.open("monitor", topic, payload, OrderMessage)


def forgery(payload: bytes, topic: str = TOPIC, keyring: Keyring = KEYS) -> str:
    """Why it is none of ours."""
    with pytest.raises(Forged) as forged:
        opened(payload, topic, keyring)
    return forged.value.reason


# --- sealing and opening -------------------------------------------------------------------------


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("message", SEALED, ids=lambda message: type(message).__name__)
def test_what_a_role_seals_is_opened_as_it_was(role: Role, message: SealedMessage) -> None:
    payload = KEYS.seal(role, "a/topic", message)
    read = KEYS.open(role, "a/topic", payload, type(message))
    assert structs.replace(read, environment="paper", key_id=message.key_id) == message
    assert read.environment == ENVIRONMENT


def test_the_same_message_is_sealed_in_the_same_bytes() -> None:
    """Ed25519 draws no random numbers: what is resent is what was sent."""
    assert KEYS.seal("monitor", TOPIC, ORDER) == PAYLOAD


def test_a_sender_cannot_write_another_environment_or_key_into_a_message() -> None:
    pretending = structs.replace(ORDER, environment="live", key_id="0" * 16)
    read = opened(KEYS.seal("monitor", TOPIC, pretending))
    assert read.environment == ENVIRONMENT
    assert read.key_id != "0" * 16


def test_a_seal_of_long_ago_is_still_read() -> None:
    """Version 1, byte for byte: key, context, topic and message of a fixed signature."""
    private = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    public = private.public_key()
    assert key_id(public) == "56475aa75463474c"
    ack = AckMessage(order_id="overlay-00000001-swap", status="accepted", epoch=3)
    keyring = Keyring(ENVIRONMENT, {"gateway": private}, {"gateway": {key_id(public): public}})
    payload = (
        b'{"environment":"paper","key_id":"56475aa75463474c","order_id":"overlay-00000001-swap",'
        b'"status":"accepted","reason":"","epoch":3}\n'
        b"R4AJLdo9QVnarlhH8N6FnMQ5UtZ9OrTCzDZ79nVrQslIChK4vhxPyvgcJ9PW"
        b"mckT2VP6fkt5kI/0T6QN07LXDw=="
    )
    assert keyring.seal("gateway", topics.acks("overlay"), ack) == payload


# --- forgeries -----------------------------------------------------------------------------------


def test_a_payload_that_differs_in_any_bit_is_refused() -> None:
    for at in range(len(PAYLOAD)):
        for bit in range(8):
            altered = PAYLOAD[:at] + bytes([PAYLOAD[at] ^ (1 << bit)]) + PAYLOAD[at + 1 :]
            with pytest.raises((Forged, MalformedMessage)):
                opened(altered)


@settings(max_examples=300)
@given(at=st.integers(0, len(PAYLOAD) - 1), removed=st.integers(0, 3), put=st.binary(max_size=3))
def test_a_payload_with_anything_cut_or_put_in_is_refused(
    at: int, removed: int, put: bytes
) -> None:
    altered = PAYLOAD[:at] + put + PAYLOAD[at + removed :]
    if altered == PAYLOAD:
        return
    with pytest.raises((Forged, MalformedMessage)):
        opened(altered)


@given(st.binary(max_size=300), st.text(max_size=30))
def test_no_bytes_whatever_are_opened_or_break_it(payload: bytes, topic: str) -> None:
    with pytest.raises((Forged, MalformedMessage)):
        opened(payload, topic.encode(errors="replace").decode())


@pytest.mark.parametrize(
    "topic",
    [
        topics.orders("other"),
        topics.acks("overlay"),
        topics.HALT,
        TOPIC + "/",
        TOPIC.upper(),
        "",
        TOPIC[:-1],
    ],
)
def test_a_message_is_worth_nothing_on_another_topic(topic: str) -> None:
    assert forgery(PAYLOAD, topic) == "bad_signature"


def test_a_topic_with_a_newline_is_refused_and_breaks_nothing() -> None:
    """Brokers pass it on, and a wildcard subscription gets it."""
    with pytest.raises(MalformedMessage, match="newline"):
        opened(PAYLOAD, "hedge/v1/books/a\nb/orders")


def test_a_message_is_worth_nothing_in_another_environment(tmp_path: Path) -> None:
    directory = write_keys(tmp_path)
    paper, live = Keyring.load(directory, "paper"), Keyring.load(directory, "live")
    payload = paper.seal("monitor", TOPIC, ORDER)
    assert opened(payload, keyring=paper).order_id == ORDER.order_id
    assert forgery(payload, keyring=live) == "wrong_environment"


def test_a_message_that_claims_another_environment_is_not_what_was_signed() -> None:
    assert forgery(PAYLOAD.replace(b'"paper"', b'"live-"', 1)) == "bad_signature"


def test_the_key_of_a_stranger_is_unknown() -> None:
    assert forgery(make_keyring().seal("monitor", TOPIC, ORDER)) == "unknown_key"


@pytest.mark.parametrize("role", [role for role in ROLES if role != "monitor"])
def test_a_key_is_trusted_in_its_own_role_alone(role: Role) -> None:
    assert forgery(KEYS.seal(role, TOPIC, ORDER)) == "unknown_key"


def test_a_strangers_signature_under_a_known_name_is_a_bad_one() -> None:
    """Sealed by a stranger who wrote our key's id into the message."""
    line = PAYLOAD.partition(b"\n")[0]
    signature = make_keyring().seal("monitor", TOPIC, ORDER).partition(b"\n")[2]
    assert forgery(line + b"\n" + signature) == "bad_signature"


def test_the_signature_of_one_message_does_not_fit_another() -> None:
    other = KEYS.seal("monitor", TOPIC, structs.replace(ORDER, quantity=500.0))
    grafted = PAYLOAD.partition(b"\n")[0] + b"\n" + other.partition(b"\n")[2]
    assert forgery(grafted) == "bad_signature"


def test_another_kind_of_message_is_malformed() -> None:
    ack = AckMessage(order_id="x", status="accepted", epoch=1)
    with pytest.raises(MalformedMessage, match="required field"):
        opened(KEYS.seal("monitor", TOPIC, ack))


def test_what_is_not_sealed_is_malformed() -> None:
    with pytest.raises(MalformedMessage, match="not signed"):
        opened(split(PAYLOAD).body)


# --- the directory -------------------------------------------------------------------------------


def test_keys_that_were_written_are_the_keys_that_are_read(tmp_path: Path) -> None:
    write_keys(tmp_path)
    one, other = Keyring.load(tmp_path, ENVIRONMENT), Keyring.load(tmp_path, ENVIRONMENT)
    assert opened(one.seal("monitor", TOPIC, ORDER), keyring=other).order_id == ORDER.order_id


@pytest.mark.parametrize("umask", [0, 0o077])
def test_files_are_the_owners_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        name = write_key(tmp_path / "keys", "monitor")
    finally:
        os.umask(before)
    modes = {
        str(path.relative_to(tmp_path)): path.stat().st_mode & 0o777 for path in tmp_path.rglob("*")
    }
    assert modes == {
        "keys": 0o700,
        "keys/private": 0o700,
        "keys/trusted": 0o700,
        "keys/private/monitor.pem": 0o600,
        f"keys/trusted/monitor-{name}.pem": 0o644,
    }


def test_a_write_that_was_cut_off_is_in_nobodys_way(tmp_path: Path) -> None:
    write_key(tmp_path, "monitor")
    (tmp_path / "private/monitor.new").write_bytes(b"half a k")
    new = write_key(tmp_path, "monitor")
    payload = Keyring.load(tmp_path, ENVIRONMENT).seal("monitor", TOPIC, ORDER)
    assert codec.decode(OrderMessage, split(payload).body).key_id == new


def test_a_role_without_a_private_key_is_believed_and_cannot_sign(tmp_path: Path) -> None:
    directory = write_keys(tmp_path)
    payload = Keyring.load(directory, ENVIRONMENT).seal("monitor", TOPIC, ORDER)
    path = directory / "private/monitor.pem"
    path.unlink()
    keyring = Keyring.load(directory, ENVIRONMENT)
    assert not keyring.can_sign("monitor")
    assert keyring.can_sign("gateway")
    assert opened(payload, keyring=keyring).order_id == ORDER.order_id
    with pytest.raises(KeyMissing, match=r"monitor\.pem is not there: `hedgestat keys new"):
        keyring.seal("monitor", TOPIC, ORDER)


def test_a_keyring_made_by_hand_says_what_it_lacks() -> None:
    with pytest.raises(KeyMissing, match="no private key of role monitor: make one with"):
        Keyring(ENVIRONMENT, {}, {}).seal("monitor", TOPIC, ORDER)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610, 0o601])
def test_a_private_key_that_others_can_reach_signs_nothing(tmp_path: Path, mode: int) -> None:
    path = write_keys(tmp_path) / "private/monitor.pem"
    path.chmod(mode)
    keyring = Keyring.load(tmp_path, ENVIRONMENT)
    assert not keyring.can_sign("monitor")
    with pytest.raises(KeyMissing, match=f"can be read by others: chmod 600 {path}"):
        keyring.seal("monitor", TOPIC, ORDER)


@pytest.mark.parametrize("part", ["private", "trusted"])
def test_a_folder_where_others_may_put_keys_is_not_trusted(tmp_path: Path, part: str) -> None:
    (write_keys(tmp_path) / part).chmod(0o720)
    with pytest.raises(KeyMissing, match=f"{part} can be written by others: chmod 700"):
        Keyring.load(tmp_path, ENVIRONMENT).require(KeysNeeded(signs=("monitor",)))


@pytest.mark.parametrize("content", [b"", b"nonsense", b"-----BEGIN KEY-----\n"])
def test_a_private_key_that_is_none_is_named(tmp_path: Path, content: bytes) -> None:
    path = write_keys(tmp_path) / "private/monitor.pem"
    path.write_bytes(content)
    with pytest.raises(KeyMissing, match=f"{path} cannot be read: ") as missing:
        Keyring.load(tmp_path, ENVIRONMENT).require(KeysNeeded(signs=("monitor",)))
    assert "\n" not in str(missing.value)


def test_keys_of_another_kind_are_named(tmp_path: Path) -> None:
    directory = write_keys(tmp_path)
    other = X25519PrivateKey.generate()
    (directory / "private/monitor.pem").write_bytes(
        other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    keyring = Keyring.load(directory, ENVIRONMENT)
    with pytest.raises(KeyMissing, match="not an ed25519 key: `hedgestat keys rotate monitor`"):
        keyring.require(KeysNeeded(signs=("monitor",)))
    public = other.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (directory / "trusted/monitor-x.pem").write_bytes(public)
    with pytest.raises(KeyMissing, match=r"monitor-x\.pem is not an ed25519 key: remove it"):
        Keyring.load(directory, ENVIRONMENT)


def test_a_trusted_key_that_others_can_change_is_not_trusted(tmp_path: Path) -> None:
    path = next((write_keys(tmp_path) / "trusted").glob("operator-*.pem"))
    path.chmod(0o646)
    with pytest.raises(KeyMissing, match=f"{path} can be written by others: chmod 644 {path}"):
        Keyring.load(tmp_path, ENVIRONMENT)


def test_a_trusted_key_that_is_none_is_named(tmp_path: Path) -> None:
    (write_keys(tmp_path) / "trusted/operator-x.pem").write_bytes(b"nonsense")
    with pytest.raises(KeyMissing, match=r"operator-x\.pem cannot be read: "):
        Keyring.load(tmp_path, ENVIRONMENT)


def test_a_directory_without_keys_says_how_to_make_them(tmp_path: Path) -> None:
    with pytest.raises(KeyMissing, match="make them with `hedgestat keys new`"):
        Keyring.load(tmp_path / "nowhere", ENVIRONMENT)


def test_a_file_in_place_of_the_folder_is_named(tmp_path: Path) -> None:
    rmtree(write_keys(tmp_path) / "private")
    (tmp_path / "private").write_text("")
    with pytest.raises(KeyMissing, match=r"monitor\.pem cannot be read: Not a directory"):
        Keyring.load(tmp_path, ENVIRONMENT).require(KeysNeeded(signs=("monitor",)))


# --- what a service needs ------------------------------------------------------------------------


def test_a_service_begins_with_what_it_needs_and_no_more(tmp_path: Path) -> None:
    write_key(tmp_path, "monitor")
    keyring = Keyring.load(tmp_path, ENVIRONMENT)
    keyring.require(KeysNeeded())
    keyring.require(KeysNeeded(signs=("monitor",), believes=("monitor",)))
    with pytest.raises(KeyMissing, match=r"gateway\.pem is not there"):
        keyring.require(KeysNeeded(signs=("gateway",)))
    with pytest.raises(KeyMissing, match="no trusted key of role operator"):
        keyring.require(KeysNeeded(believes=("monitor", "operator")))
