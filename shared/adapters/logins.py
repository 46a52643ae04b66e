"""Logins as their owner keeps them: a password for each identity on each kind of server.

`IDENTITY/mqtt` and `IDENTITY/redis` belong to that identity alone. `servers/` is made of them, for
the servers: access lists and what passwords are compared with, but no password.
"""

import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from shared.adapters.access_lists import (
    broker_list,
    broker_passwords,
    store_list,
    store_passwords,
)
from shared.wire.access import NAMES

KINDS: Final = ("mqtt", "redis")
_BYTES: Final = 24
_SALT_BYTES: Final = 12


class LoginRefused(Exception):  # noqa: N818 - an answer, not a fault of ours
    """What was asked of a directory of logins is not done; the text says why."""


def make_logins(directory: Path) -> list[str]:
    """Make the login of each identity that has none, and the servers' files; answers whose."""
    made = [
        name for name in NAMES if not all(_path(directory, name, each).exists() for each in KINDS)
    ]
    for name in made:
        for kind in KINDS:
            if not _path(directory, name, kind).exists():
                _write(_path(directory, name, kind), secrets.token_urlsafe(_BYTES))
    write_servers_files(directory)
    return made


def rotate_logins(directory: Path, names: Sequence[str]) -> None:
    """Give some identities new passwords; the old ones are good until the servers read anew.

    Raises:
        LoginRefused: There is no such identity, or it has no login here.
    """
    for name in names:
        if name not in NAMES:
            raise LoginRefused(f"no identity {name!r}; there are {', '.join(NAMES)}")
        if not (directory / name).is_dir():
            raise LoginRefused(f"{directory} has no login of {name}: `hedgestat logins make`")
    for name in names:
        for kind in KINDS:
            _write(_path(directory, name, kind), secrets.token_urlsafe(_BYTES))
    write_servers_files(directory)


def write_servers_files(directory: Path) -> None:
    """Write what broker and stores read, of the logins that are there."""
    servers = directory / "servers"
    passwords = _passwords(directory, "mqtt")
    salts = {name: secrets.token_bytes(_SALT_BYTES) for name in passwords}
    _write(servers / "mosquitto/acl", broker_list())
    _write(servers / "mosquitto/passwords", broker_passwords(passwords, salts))
    passwords = _passwords(directory, "redis")
    for server, text in (
        ("redis-orders", store_list("orders")),
        ("redis-market", store_list("market")),
        ("redis", store_list("orders", "market")),  # one server in both roles
    ):
        _write(servers / server / "users.acl", store_passwords(text, passwords))


def _passwords(directory: Path, kind: str) -> dict[str, str]:
    paths = {name: _path(directory, name, kind) for name in NAMES}
    return {name: path.read_text().strip() for name, path in paths.items() if path.exists()}


def _path(directory: Path, name: str, kind: str) -> Path:
    return directory / name / kind


def _write(path: Path, text: str) -> None:
    """Write a file for its owner alone, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = path.with_name(f"{path.name}.new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text if text.endswith("\n") else f"{text}\n")
    beside.replace(path)
