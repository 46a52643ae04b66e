"""How far a study is: a bar with the time left on a terminal, a line for each tenth elsewhere."""

from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

_LINES: Final = 10


class StudyProgress:
    """The progress of some variants over one history; a context manager.

    Args:
        variants: How many.
        steps: Of the history.
        console: Where it is shown.
    """

    def __init__(self, variants: int, steps: int, console: Console) -> None:
        self._console = console if console.is_terminal else Console(stderr=True)
        self._variants = variants
        self._steps = steps
        self._done = 0
        self._bar = Progress(
            TextColumn("{task.fields[done]} of {task.fields[variants]} variants"),
            BarColumn(bar_width=20),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task(
            "variants", total=variants * steps, done=0, variants=variants
        )

    def stepped(self, variants: int) -> None:
        """Count a step that so many variants have taken, where that is seen here."""
        self._bar.advance(self._task, variants)

    def finished(self, variants: int) -> None:
        """Count variants that are done."""
        before, self._done = self._done, self._done + variants
        self._bar.update(self._task, completed=self._done * self._steps, done=self._done)
        shown = before * _LINES // self._variants != self._done * _LINES // self._variants
        if shown and not self._console.is_terminal:
            self._console.print(f"{self._done} of {self._variants} variants", highlight=False)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.stop()
