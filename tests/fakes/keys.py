"""Keys of a test: of every role, in files for programs, in memory for the rest."""

from pathlib import Path

from shared.adapters.keyring import ROLES, Keyring, write_key

ENVIRONMENT = "paper"


def make_keyring() -> Keyring:
    """Fresh keys of every role, each believed by all."""
    return Keyring.generate(ENVIRONMENT)


def write_keys(directory: Path) -> Path:
    """Write such keys as `hedgestat keys new` does; answers the directory."""
    for role in ROLES:
        write_key(directory, role)
    return directory
