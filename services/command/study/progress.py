"""How far a study is: a bar with the time left on a terminal, a line for each tenth elsewhere."""

from typing import Self

from rich.console import Console
from rich.progress import TimeElapsedColumn, TimeRemainingColumn

from services.command.printing import passes_tenth, progress_bar


class StudyProgress:
    """The progress of some variants over one history; a context manager.

    Args:
        variants: How many.
        steps: Of the history.
        console: Where it is shown.
    """

    def __init__(self, variants: int, steps: int, console: Console) -> None:
        self._variants = variants
        self._steps = steps
        self._done = 0
        self._bar = progress_bar(
            console,
            TimeElapsedColumn(),
            "left",
            TimeRemainingColumn(),
            what="{task.fields[done]} of {task.fields[variants]} variants",
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
        if self._bar.disable and passes_tenth(before, self._done, self._variants):
            self._bar.console.print(f"{self._done} of {self._variants} variants", highlight=False)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()
