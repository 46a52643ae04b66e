"""`hedgestat keys`: what orders and commands are signed with, made and looked after."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from services.command.endings import Refused, refusing
from services.command.printing import tell
from shared.adapters.key_files import (
    KeyRefused,
    KeyShown,
    list_keys,
    new_keys,
    retire_key,
    rotate_key,
)
from shared.adapters.keyring import ROLES, KeyMissing, Role, private_path

WHERE = {
    "monitor": "where the hedger runs",
    "gateway": "where the gateway runs",
    "operator": "with whoever commands",
    "auditor": "where the auditor runs",
    "desk": "where the page is served, if it is to act",
}
"""Where a role's private key belongs, and nowhere else."""


def role_named(text: str) -> Role:
    """Take a role by its name.

    Raises:
        Refused: There is no such role.
    """
    for role in ROLES:
        if role == text:
            return role
    raise Refused(f"no role {text!r}; there are {', '.join(ROLES)}")


def make(directory: Path, names: Sequence[str], console: Console) -> None:
    """Make the first key of some roles, or of all.

    Raises:
        Refused: There is no such role, or it has a key.
    """
    roles = [role_named(name) for name in names] or list(ROLES)
    with refusing(KeyRefused, KeyMissing):
        made = new_keys(directory, roles)
    for role, name in made.items():
        tell(console, f"{role} signs with {name}: {private_path(directory, role)}, {WHERE[role]}")
    tell(console, f"All of {directory / 'trusted'} belongs wherever a service runs.")


def rotate(directory: Path, name: str, console: Console) -> None:
    """Make the next key of a role.

    Raises:
        Refused: There is no such role, or it has no key.
    """
    role = role_named(name)
    with refusing(KeyRefused, KeyMissing):
        made = rotate_key(directory, role)
    tell(console, f"{role} signs with {made} from its next start on; the old key stays trusted.")
    trusted = directory / "trusted" / f"{role}-{made}.pem"
    tell(console, f"1. Copy {trusted} to all other machines; restart the services there.")
    tell(console, f"2. Restart what signs as {role}.")
    tell(console, f"3. Everywhere: hedgestat keys retire {role} OLD_KEY_ID, and restart.")


def retire(directory: Path, name: str, key_id: str, console: Console) -> None:
    """Stop trusting a key.

    Raises:
        Refused: There is no such role or key, or the key is needed.
    """
    role = role_named(name)
    with refusing(KeyRefused, KeyMissing):
        retire_key(directory, role, key_id)
    tell(console, f"{role} key {key_id} is trusted no more, from the services' next start on.")


def show(directory: Path, console: Console) -> bool:
    """Print every key, one a line; whether all is well, which it is without the desk's, too."""
    keys = list_keys(directory)
    for key in keys:
        tell(console, _line(key))
    absent = [role for role in ROLES if role not in {key.role for key in keys}]
    for role in absent:
        tell(console, f"{role:<9} no key: `hedgestat keys new {role}`, or copy it here")
    return not set(absent) - {"desk"} and not any(key.fault for key in keys)


def _line(key: KeyShown) -> str:
    uses = [word for word, is_so in (("signs", key.signs), ("trusted", key.is_trusted)) if is_so]
    line = f"{key.role:<9} {key.key_id or '?':<16}  {', '.join(uses)}"
    return f"{line}  FAULT: {key.fault}" if key.fault else line
