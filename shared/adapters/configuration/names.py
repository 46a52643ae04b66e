"""Names of books and legs: what one may be, and that it is given once."""

import re
from collections.abc import Sequence
from typing import Final

from shared.adapters.configuration.table import Table
from shared.domain.trading import ALL

_NAME: Final = re.compile(r"[a-z0-9_]{1,32}")


def read_name(table: Table, what: str) -> str:
    """`name` of a book or a leg."""
    name = table.text("name")
    if table.is_sound("name") and not _NAME.fullmatch(name):
        remedy = "it becomes part of order ids: write 1 to 32 of a-z 0-9 _"
        table.fault("name", f"{name!r} cannot be the name of a {what}", remedy)
    if name == ALL and what == "book":
        table.fault("name", f"{ALL!r} is how a command means every book", "name it differently")
    return name


def refuse_twins(tables: Sequence[Table], names: Sequence[str], what: str) -> None:
    """Report each table whose name another one before it has."""
    seen: set[str] = set()
    for table, name in zip(tables, names, strict=True):
        if name in seen and table.is_sound("name"):
            problem = f"two {what} are called {name!r}"
            table.fault("name", problem, "name one of them differently")
        seen.add(name)
