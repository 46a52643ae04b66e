"""How far a replay is: a bar on a terminal, a line for each tenth elsewhere.

Where standard output is a file or a pipe, it is told on standard error: it is no result.
"""

from collections.abc import Sequence
from datetime import date
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from services.command.recorded import day_of
from services.feed.pacing import NumberedStep
from shared.adapters.history.replay import ReplayStep

_LINES: Final = 10


class ReplayProgress:
    """The progress of a replay; a context manager.

    Args:
        steps: The whole replay.
        console: Where it is shown; lines printed there appear above a bar.
    """

    def __init__(self, steps: Sequence[ReplayStep], console: Console) -> None:
        console = console if console.is_terminal else Console(stderr=True)
        self._console = console
        self._last_steps = {step.clock_ns: day_of(step) for step in steps}
        self._sessions = sorted(set(self._last_steps.values()))
        self._done = 0
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("sessions"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("replaying", total=len(self._sessions))

    @property
    def day(self) -> date | None:
        """The last day that was reached."""
        return self._sessions[self._done - 1] if self._done else None

    def on_step(self, step: NumberedStep) -> None:
        """Count a step that is done."""
        before = self._done
        reached = self._last_steps[step.clock.event_ns]
        while self._done < len(self._sessions) and self._sessions[self._done] <= reached:
            self._done += 1
        self._bar.update(self._task, completed=self._done, description=f"replaying {reached}")
        if not self._console.is_terminal and self._is_tenth(before):
            total = len(self._sessions)
            self._console.print(f"replayed to {reached}, {self._done} of {total} sessions")

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

    def _is_tenth(self, before: int) -> bool:
        total = len(self._sessions)
        return before * _LINES // total != self._done * _LINES // total
