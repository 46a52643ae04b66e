"""How far a replay is: a bar on a terminal, a line for each tenth elsewhere."""

from collections.abc import Sequence
from datetime import date
from typing import Self

from rich.console import Console
from rich.progress import MofNCompleteColumn, TimeElapsedColumn, TimeRemainingColumn

from services.command.printing import passes_tenth, progress_bar
from services.command.recorded import day_of
from services.feed.pacing import NumberedStep
from shared.adapters.history.replay import ReplayStep


class ReplayProgress:
    """The progress of a replay; a context manager.

    Args:
        steps: The whole replay.
        console: Where it is shown; lines printed there appear above a bar.
    """

    def __init__(self, steps: Sequence[ReplayStep], console: Console) -> None:
        self._last_steps = {step.clock_ns: day_of(step) for step in steps}
        self._sessions = sorted(set(self._last_steps.values()))
        self._done = 0
        self._bar = progress_bar(
            console,
            MofNCompleteColumn(),
            "sessions",
            TimeElapsedColumn(),
            "left",
            TimeRemainingColumn(),
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
        total = len(self._sessions)
        if self._bar.disable and passes_tenth(before, self._done, total):
            self._bar.console.print(f"replayed to {reached}, {self._done} of {total} sessions")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()
