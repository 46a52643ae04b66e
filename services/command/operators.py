"""`hedgestat operators`: who may log in to the page, with a password that is never an argument."""

import contextlib
import sys
from collections.abc import Iterator
from getpass import getpass
from pathlib import Path

from rich.console import Console

from services.command.endings import Refused, refusing
from services.command.printing import tell
from shared.adapters.operators import (
    OperatorRefused,
    OperatorsUnusable,
    add_operator,
    read_operators,
    remove_operator,
)


def add(path: Path, name: str, console: Console) -> None:
    """Let somebody log in, with a password that is asked for twice; or the first line of a pipe.

    Raises:
        Refused: It cannot be; the text says why.
    """
    with _refusing():
        add_operator(path, name, _password(name))
    tell(console, f"{name} may log in to the page, from now on: {path}")


def remove(path: Path, name: str, console: Console) -> None:
    """Let somebody log in no more.

    Raises:
        Refused: There is no such operator.
    """
    with _refusing():
        remove_operator(path, name)
    tell(console, f"{name} may log in no more, and is logged out with the next thing they do.")


def show(path: Path, console: Console) -> None:
    """Print who may log in, one a line.

    Raises:
        Refused: The file cannot be trusted.
    """
    with _refusing():
        names = list(read_operators(path))
    for name in names:
        tell(console, name)


def _password(name: str) -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass(f"Password of {name}: ")
    if getpass("The same again: ") != password:
        raise OperatorRefused("these are two passwords: nothing was changed")
    return password


@contextlib.contextmanager
def _refusing() -> Iterator[None]:
    try:
        with refusing(OperatorRefused, OperatorsUnusable):
            yield
    except (EOFError, KeyboardInterrupt):
        raise Refused("interrupted: nothing was changed") from None
