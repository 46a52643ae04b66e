"""The key directory as its owner keeps it: keys are made, renewed, retired and looked at.

Services read theirs at their start (`shared.adapters.keyring`): nothing here reaches one that runs.
"""

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from shared.adapters.keyring import (
    ROLES,
    KeyMissing,
    Role,
    key_id,
    private_path,
    read_private,
    read_trusted_files,
    write_key,
)


class KeyRefused(Exception):  # noqa: N818 - an answer, not a fault of ours
    """What was asked of a key directory is not done; the text says why, and what can be."""


class KeyShown(Struct, frozen=True, kw_only=True):
    """One key, or what is wrong in place of one.

    Attributes:
        role: Whose.
        key_id: Its name; empty where it could not be read.
        signs: Whether that role signs with it here.
        is_trusted: Whether it is believed here.
        fault: What is wrong with it, and the remedy; empty when it is well.
    """

    role: Role
    key_id: str = ""
    signs: bool = False
    is_trusted: bool = False
    fault: str = ""


def new_keys(directory: Path, roles: Sequence[Role] = ROLES) -> dict[Role, str]:
    """Make the first key of each role; answers their ids.

    Raises:
        KeyRefused: One of the roles has a key: nothing is made.
    """
    known = [role for role in roles if _is_known(directory, role)]
    if known:
        remedy = f"`hedgestat keys rotate {known[0]}` makes another"
        raise KeyRefused(f"{directory} has a key of role {', '.join(known)} already: {remedy}")
    return {role: write_key(directory, role) for role in roles}


def rotate_key(directory: Path, role: Role) -> str:
    """Make a role's next key and sign with it; the old one stays trusted. Answers the new id.

    Raises:
        KeyRefused: The role has none yet.
    """
    if not _is_known(directory, role):
        remedy = f"`hedgestat keys new {role}` makes the first"
        raise KeyRefused(f"{directory} has no key of role {role}: {remedy}")
    return write_key(directory, role)


def retire_key(directory: Path, role: Role, retired: str) -> None:
    """Stop trusting a key.

    Raises:
        KeyRefused: It is not trusted here, or it signs, or it is the only one that is trusted.
        KeyMissing: A key cannot be read.
    """
    files = read_trusted_files(directory, role)
    named = {path for path, key in files.items() if key_id(key) == retired}
    if not named:
        known = ", ".join(sorted({key_id(key) for key in files.values()})) or "none"
        raise KeyRefused(f"no trusted {role} key {retired!r}; there is {known}")
    if private_path(directory, role).exists() and _signing_id(directory, role) == retired:
        remedy = f"`hedgestat keys rotate {role}` first"
        raise KeyRefused(f"{role} signs with {retired}: {remedy}")
    if named == set(files):
        raise KeyRefused(
            f"{retired} is the only trusted key of role {role}: put the next one there"
        )
    for path in named:
        path.unlink()


def list_keys(directory: Path) -> list[KeyShown]:
    """List every key of a directory, by role, the one that signs first."""
    return [shown for role in ROLES for shown in _of_role(directory, role)]


def _of_role(directory: Path, role: Role) -> list[KeyShown]:
    shown: list[KeyShown] = []
    signing, trusted = "", set[str]()
    try:
        trusted = {key_id(key) for key in read_trusted_files(directory, role).values()}
    except KeyMissing as fault:
        shown.append(KeyShown(role=role, is_trusted=True, fault=str(fault)))
    try:
        if _has_private(directory, role):
            signing = _signing_id(directory, role)
    except KeyMissing as fault:
        shown.append(KeyShown(role=role, signs=True, fault=str(fault)))
    astray = ""
    if signing and signing not in trusted and not shown:
        astray = f"it signs and is not in {directory / 'trusted'}: copy it back from elsewhere"
    ids = sorted({signing, *trusted} - {""}, key=lambda name: (name != signing, name))
    return shown + [
        KeyShown(
            role=role,
            key_id=name,
            signs=name == signing,
            is_trusted=name in trusted,
            fault=astray if name == signing else "",
        )
        for name in ids
    ]


def _signing_id(directory: Path, role: Role) -> str:
    return key_id(read_private(directory, role).public_key())


def _has_private(directory: Path, role: Role) -> bool:
    path = private_path(directory, role)
    try:
        return path.exists()
    except OSError:
        return True  # its folder is closed to us: reading it says so


def _is_known(directory: Path, role: Role) -> bool:
    return _has_private(directory, role) or any((directory / "trusted").glob(f"{role}-*.pem"))
