"""Keys that sign orders, acknowledgements and commands, and those that are believed.

A key belongs to a *role*: the monitor signs orders, the gateway its answers, an operator commands,
the desk what somebody who is logged in to the page may command.
One directory holds them, `private/ROLE.pem` (readable by its owner alone, present only where that
role acts) and `trusted/ROLE-KEYID.pem`; a role may have several trusted keys, so that a key is
rotated without a pause: trust the new one everywhere, sign with it, then stop trusting the old.
"""

import os
import stat
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final, Literal, TypeVar, get_args

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from msgspec import Struct, structs

from shared.wire import codec
from shared.wire.messages import SealedMessage
from shared.wire.seal import Sealed, join, signed_bytes, split

Role = Literal["monitor", "gateway", "operator", "auditor", "desk"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)

MessageType = TypeVar("MessageType", bound=SealedMessage)


class KeyMissing(Exception):  # noqa: N818 - reads as what happened, like KeyError
    """A key that is needed is not there, or cannot be read; the text says what to do."""


FORGED: Final = ("unknown_key", "bad_signature", "wrong_environment")
"""Reasons of `Forged`; metrics count them from 0, so that the first time is an increase."""


class Forged(Exception):  # noqa: N818 - reads as what happened, like KeyError
    """A message is not from whom it should be.

    Attributes:
        reason: `unknown_key`, `bad_signature` or `wrong_environment`.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class KeysNeeded(Struct, frozen=True):
    """What a service must have to begin.

    Attributes:
        signs: Roles it acts in.
        believes: Roles it hears.
    """

    signs: tuple[Role, ...] = ()
    believes: tuple[Role, ...] = ()


class _PrivateKey(Struct, frozen=True):
    key: Ed25519PrivateKey
    key_id: str


class Keyring:
    """The keys of one process, for one environment.

    Args:
        environment: `paper`, `live` …: what is signed for one is worth nothing in another.
        private: What this process signs with, by role.
        trusted: Whom it believes, by role and key id.
        troubles: Why it cannot sign as a role, where there is more to say than that it has no key.
    """

    def __init__(
        self,
        environment: str,
        private: Mapping[Role, Ed25519PrivateKey],
        trusted: Mapping[Role, Mapping[str, Ed25519PublicKey]],
        troubles: Mapping[Role, str] | None = None,
    ) -> None:
        self.environment = environment
        self._troubles = dict(troubles or {})
        self._private = {
            role: _PrivateKey(key, key_id(key.public_key())) for role, key in private.items()
        }
        self._trusted = {role: dict(trusted.get(role, {})) for role in ROLES}

    @classmethod
    def generate(cls, environment: str) -> "Keyring":
        """Make keys for every role, kept nowhere: for a demo, which ends with its process."""
        private: dict[Role, Ed25519PrivateKey] = {
            role: Ed25519PrivateKey.generate() for role in ROLES
        }
        public = {role: key.public_key() for role, key in private.items()}
        return cls(environment, private, {role: {key_id(key): key} for role, key in public.items()})

    @classmethod
    def load(cls, directory: Path, environment: str) -> "Keyring":
        """Read a key directory; roles without a private key can only be believed.

        A private key that cannot be read, or that others can read, is no key: it is told when
        somebody wants to sign with it.

        Raises:
            KeyMissing: The directory holds no keys, or a trusted one that cannot be trusted.
        """
        trusted = {role: read_trusted(directory, role) for role in ROLES}
        if not any(trusted.values()):
            raise KeyMissing(f"no keys in {directory}: make them with `hedgestat keys new`")
        private: dict[Role, Ed25519PrivateKey] = {}
        troubles: dict[Role, str] = {}
        for role in ROLES:
            try:
                private[role] = read_private(directory, role)
            except KeyMissing as missing:
                troubles[role] = str(missing)
        return cls(environment, private, trusted, troubles)

    def require(self, needed: KeysNeeded) -> None:
        """See that a service can begin.

        Raises:
            KeyMissing: It cannot; the text says which key is missing, and what to do.
        """
        for role in needed.signs:
            self._signing(role)
        for role in needed.believes:
            if not self._trusted[role]:
                remedy = "copy trusted/ from where that key was made"
                raise KeyMissing(f"no trusted key of role {role}: {remedy}")

    def seal(self, role: Role, topic: str, message: SealedMessage) -> bytes:
        """Sign a message as a role, for one topic.

        Raises:
            KeyMissing: This process has no private key of that role.
        """
        private = self._signing(role)
        stated = structs.replace(message, environment=self.environment, key_id=private.key_id)
        body = codec.encode(stated)
        return join(Sealed(body, private.key.sign(signed_bytes(topic, body))))

    def open(self, role: Role, topic: str, payload: bytes, kind: type[MessageType]) -> MessageType:
        """Read a message that only a role can have sent to this topic.

        Raises:
            MalformedMessage: It is not signed, or no such message.
            Forged: It is signed by somebody else, for elsewhere, or was altered.
        """
        sealed = split(payload)
        message = codec.decode(kind, sealed.body)
        key = self._trusted[role].get(message.key_id)
        if key is None:
            raise Forged("unknown_key", f"no trusted {role} key {message.key_id!r}")
        try:
            key.verify(sealed.signature, signed_bytes(topic, sealed.body))
        except InvalidSignature as error:
            raise Forged("bad_signature", f"not what {role} key {message.key_id} signed") from error
        if message.environment != self.environment:
            raise Forged(
                "wrong_environment", f"signed for {message.environment}, this is {self.environment}"
            )
        return message

    def can_sign(self, role: Role) -> bool:
        """Whether this process has a private key of a role."""
        return role in self._private

    def _signing(self, role: Role) -> _PrivateKey:
        if role not in self._private:
            remedy = f"make one with `hedgestat keys new {role}`"
            raise KeyMissing(self._troubles.get(role, f"no private key of role {role}: {remedy}"))
        return self._private[role]


def key_id(key: Ed25519PublicKey) -> str:
    """Name a key: the first 16 hexadecimal digits of its SHA-256."""
    return sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]


def write_key(directory: Path, role: Role) -> str:
    """Make a new key for a role, sign with it from now on, trust it; answers its id.

    A key that was there goes on being trusted. The new one is trusted before it signs, and each
    file is whole or not there.
    """
    key = Ed25519PrivateKey.generate()
    name = key_id(key.public_key())
    for folder in (directory, directory / "private", directory / "trusted"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    _write(directory / "trusted" / f"{role}-{name}.pem", public, 0o644)
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    _write(private_path(directory, role), secret, 0o600)
    return name


def private_path(directory: Path, role: Role) -> Path:
    """Where the key is that a role signs with."""
    return directory / "private" / f"{role}.pem"


def read_private(directory: Path, role: Role) -> Ed25519PrivateKey:
    """Read what a role signs with.

    Raises:
        KeyMissing: It is not there, not readable, no such key, or readable by others.
    """
    path = private_path(directory, role)
    try:
        mode = path.stat().st_mode
        key = load_pem_private_key(path.read_bytes(), password=None)
    except FileNotFoundError as error:
        raise KeyMissing(f"{path} is not there: `hedgestat keys new {role}`") from error
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyMissing(f"{path} cannot be read: {_reason(error)}") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyMissing(f"{path} can be read by others: chmod 600 {path}")
    _check_closed(path.parent)
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyMissing(f"{path} is not an ed25519 key: `hedgestat keys rotate {role}`")
    return key


def read_trusted(directory: Path, role: Role) -> dict[str, Ed25519PublicKey]:
    """Read whom to believe in a role, by key id.

    Raises:
        KeyMissing: One is not readable, no such key, or writable by others.
    """
    return {key_id(key): key for key in read_trusted_files(directory, role).values()}


def read_trusted_files(directory: Path, role: Role) -> dict[Path, Ed25519PublicKey]:
    """Read the same, by file.

    Raises:
        KeyMissing: See `read_trusted`.
    """
    folder = directory / "trusted"
    found = {path: _read_public(path) for path in sorted(folder.glob(f"{role}-*.pem"))}
    if found:
        _check_closed(folder)
    return found


def _read_public(path: Path) -> Ed25519PublicKey:
    try:
        mode = path.stat().st_mode
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise KeyMissing(f"{path} cannot be read: {_reason(error)}") from error
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise KeyMissing(f"{path} can be written by others: chmod 644 {path}")
    if not isinstance(key, Ed25519PublicKey):
        raise KeyMissing(f"{path} is not an ed25519 key: remove it")
    return key


def _check_closed(folder: Path) -> None:
    """Whoever can write a folder can put a key of their own there."""
    if folder.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise KeyMissing(f"{folder} can be written by others: chmod 700 {folder}")


def _reason(error: Exception) -> str:
    """The first sentence of it: cryptography's go on about OpenSSL for lines."""
    text = error.strerror if isinstance(error, OSError) else str(error).partition(".")[0]
    return text or type(error).__name__


def _write(path: Path, content: bytes, mode: int) -> None:
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fchmod(file.fileno(), mode)  # whatever the umask is
        os.fsync(file.fileno())
    fresh.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
