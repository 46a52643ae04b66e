"""The bar of a replay: sessions done, the day reached, the time left."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from services.feed.pacing import NumberedStep
from shared.adapters.history.replay import ReplayStep
from shared.domain.instants import SECOND


class ReplayProgress:
    """A progress bar; a context manager.

    Args:
        steps: The whole replay.
        console: Where it is drawn; lines printed there appear above it.
    """

    def __init__(self, steps: Sequence[ReplayStep], console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("sessions"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
        )
        sessions = len({_day(step.clock_ns) for step in steps})
        self._task = self._progress.add_task("replaying", total=sessions)
        self._days: set[date] = set()

    def on_step(self, step: NumberedStep) -> None:
        """Count a step that is done."""
        day = _day(step.clock.event_ns)
        self._days.add(day)
        self._progress.update(self._task, completed=len(self._days), description=f"replaying {day}")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._progress.stop()


def _day(instant_ns: int) -> date:
    return datetime.fromtimestamp(instant_ns // SECOND, tz=UTC).date()
