"""Who may log in to the page: names and what their passwords hash to, in a file of its owner alone.

One line an operator, `NAME scrypt N R P SALT HASH`, the last two in base64. A stolen file costs a
guesser a quarter of a second and 32 MB for each guess; the throttle of the login is elsewhere
(`services/dashboard/login.py`).
"""

import base64
import hashlib
import hmac
import os
import re
import secrets
import stat
import unicodedata
from pathlib import Path
from typing import Final, Self

from msgspec import Struct

NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
SHORTEST_PASSWORD: Final = 12
LONGEST_PASSWORD: Final = 256

COST: Final = (2**15, 8, 3)
"""N, r and p, of the OWASP's equivalent settings the one of 32 MB."""
_MEMORY: Final = 34 * 2**20
_MOST_PASSES: Final = 16
_SALT_BYTES: Final = 16
_HASH_BYTES: Final = 32


class OperatorsUnusable(Exception):  # noqa: N818 - reads as what happened, like KeyMissing
    """The file is not there, or cannot be trusted; the text says what to do."""


class OperatorRefused(Exception):  # noqa: N818 - an answer, not a fault of ours
    """What was asked of the file is not done; the text says why, and what can be."""


class PasswordHash(Struct, frozen=True):
    """What is kept of a password."""

    cost: tuple[int, int, int]
    salt: bytes
    digest: bytes

    @classmethod
    def of(cls, password: str, cost: tuple[int, int, int] = COST) -> Self:
        """Hash a password with a salt of its own; takes a quarter of a second."""
        salt = secrets.token_bytes(_SALT_BYTES)
        return cls(cost, salt, _scrypt(password, salt, cost))

    @classmethod
    def of_nobody(cls) -> Self:
        """One that no password has: to take as long over a name that nobody has."""
        return cls(COST, secrets.token_bytes(_SALT_BYTES), secrets.token_bytes(_HASH_BYTES))

    def is_of(self, password: str) -> bool:
        """Whether it is this password's; takes as long for any other."""
        return hmac.compare_digest(_scrypt(password, self.salt, self.cost), self.digest)


def read_operators(path: Path) -> dict[str, PasswordHash]:
    """Read who may log in.

    Raises:
        OperatorsUnusable: It is not there, not readable, malformed, or others can read it.
    """
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="ascii")
    except FileNotFoundError as error:
        raise OperatorsUnusable(f"{path} is not there: `hedgestat operators add NAME`") from error
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        raise OperatorsUnusable(f"{path} cannot be read: {reason}") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise OperatorsUnusable(f"{path} can be read by others: chmod 600 {path}")
    return dict(_record(path, number, line) for number, line in enumerate(text.splitlines(), 1))


def add_operator(path: Path, name: str, password: str) -> None:
    """Let somebody log in.

    Raises:
        OperatorRefused: The name is no name or is taken, or the password is too short.
        OperatorsUnusable: See `read_operators`; that it is not there yet is no trouble.
    """
    if not NAME.fullmatch(name):
        raise OperatorRefused(f"{name!r} is no name: letters, digits, dot, hyphen, underscore")
    known = _known(path)
    if name in known:
        remedy = f"`hedgestat operators remove {name}`, then add"
        raise OperatorRefused(f"{name} is in {path} already; for a new password {remedy}")
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        lengths = f"{SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters"
        raise OperatorRefused(f"a password has {lengths}, this one {len(password)}")
    if name.lower() in password.lower():
        raise OperatorRefused("a password does not hold its operator's name")
    write_operators(path, {**known, name: PasswordHash.of(password)})


def remove_operator(path: Path, name: str) -> None:
    """Let somebody log in no more; sessions end with it.

    Raises:
        OperatorRefused: There is no such operator.
        OperatorsUnusable: See `read_operators`.
    """
    known = read_operators(path)
    if name not in known:
        raise OperatorRefused(f"no operator {name!r}; there are {', '.join(known) or 'none'}")
    write_operators(path, {other: kept for other, kept in known.items() if other != name})


def write_operators(path: Path, operators: dict[str, PasswordHash]) -> None:
    """Write the file anew, whole or not at all, for its owner alone."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.writelines(_line(name, kept) for name, kept in sorted(operators.items()))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _known(path: Path) -> dict[str, PasswordHash]:
    return read_operators(path) if path.exists() else {}


def _scrypt(password: str, salt: bytes, cost: tuple[int, int, int]) -> bytes:
    n, r, p = cost
    typed = unicodedata.normalize("NFC", password).encode()  # keyboards write é in two ways
    return hashlib.scrypt(typed, salt=salt, n=n, r=r, p=p, maxmem=_MEMORY, dklen=_HASH_BYTES)


def _record(path: Path, number: int, line: str) -> tuple[str, PasswordHash]:
    try:
        name, kind, *cost, salt, digest = line.split(" ")
        n, r, p = map(int, cost)
        kept = PasswordHash((n, r, p), _bytes(salt), _bytes(digest))
    except ValueError as error:
        raise OperatorsUnusable(f"{path}:{number} is no operator: remove the line") from error
    is_sound = kind == "scrypt" and NAME.fullmatch(name) and len(kept.digest) == _HASH_BYTES
    if not is_sound or not _can_be_paid(kept.cost):
        raise OperatorsUnusable(f"{path}:{number} is no operator: remove the line")
    return name, kept


def _can_be_paid(cost: tuple[int, int, int]) -> bool:
    n, r, p = cost
    is_scrypts = n > 1 and n.bit_count() == 1 and r > 0 and 0 < p <= _MOST_PASSES
    return is_scrypts and 128 * r * (n + p + 2) <= _MEMORY


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _line(name: str, kept: PasswordHash) -> str:
    encoded = [base64.b64encode(each).decode() for each in (kept.salt, kept.digest)]
    return " ".join((name, "scrypt", *map(str, kept.cost), *encoded)) + "\n"
