"""How commands print: texts as they are, and how far they have come.

A bar is drawn on a terminal; elsewhere nothing is, and who counts may say a line for each tenth.
Where standard output is a file or a pipe, progress is told on standard error: it is no result.
"""

from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, ProgressColumn

_LINES: Final = 10


def tell(console: Console, text: str) -> None:
    """Print a text that may have brackets, in one line however long it is."""
    console.print(escape(text), highlight=False, soft_wrap=True)


def progress_bar(
    console: Console, *columns: str | ProgressColumn, what: str = "{task.description}"
) -> Progress:
    """Make a bar.

    Args:
        console: Where it is shown, if it is a terminal; else where standard error goes.
        columns: Behind the bar.
        what: Before the bar, as rich formats it.
    """
    shown = console if console.is_terminal else Console(stderr=True)
    return Progress(
        what, BarColumn(bar_width=20), *columns, console=shown, disable=not shown.is_terminal
    )


def passes_tenth(before: int, done: int, total: int) -> bool:
    """Say whether one more tenth of the whole is done than before."""
    return before * _LINES // total != done * _LINES // total
