"""The history that a replay is asked for: read, what is odd about it said, cut into steps."""

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.markup import escape

from services.command.endings import Refused
from services.command.figures import counted
from shared.adapters.calendars import CalendarError
from shared.adapters.history.directory import open_history
from shared.adapters.history.packaged import packaged_history
from shared.adapters.history.readers import HistoryError
from shared.adapters.history.replay import ReplayStep, replay_steps
from shared.adapters.history.series import Series
from shared.adapters.history.sessions import checked
from shared.adapters.settings import Settings
from shared.domain.instants import SECOND
from shared.domain.sessions import SessionCalendar

FINDINGS_SHOWN: Final = 5


def check_days(first: date | None, last: date | None) -> None:
    """Refuse days that are the wrong way round, before anything is read.

    Raises:
        Refused: They are.
    """
    if first and last and first > last:
        raise Refused(f"--from {first} is after --to {last}")


def read_history(settings: Settings, files: Sequence[Path]) -> tuple[Series, ...]:
    """Read files and folders, or without any the packaged history.

    Raises:
        Refused: It cannot be read.
    """
    name, overrides = settings.calendar.name, settings.calendar.overrides
    try:
        if files:
            return open_history(files, name, overrides)
        return checked(packaged_history(), name, overrides)
    except (HistoryError, CalendarError) as error:
        raise Refused(str(error)) from error


def known_series(
    settings: Settings, history: Sequence[Series], spared: Collection[str] = ()
) -> tuple[Series, ...]:
    """Leave out what the configuration does not know.

    Args:
        settings: Which symbols are known, and which are needed.
        history: What there is.
        spared: What can be done without, marked or not.

    Raises:
        Refused: What it cannot do without is not there.
    """
    found = {series.symbol for series in history}
    needed = {settings.signals.vix_symbol, *settings.signals.mark_symbols}
    if missing := sorted(needed - found - set(spared)):
        raise Refused(
            f"no history of {' and '.join(missing)}, which the configuration needs; there is "
            f"{', '.join(sorted(found))}. A file is named after its symbol."
        )
    for series in history:
        if series.symbol in needed and not series.bars:
            why = f": {series.findings[0]}" if series.findings else ""
            raise Refused(f"{series.place}: no row of {series.symbol} can be used{why}")
    return tuple(series for series in history if series.symbol in settings.intake.symbols)


def print_findings(history: Sequence[Series], first: date, last: date, console: Console) -> None:
    """Say what is odd about the sessions asked for; the first few of them in full."""
    findings = [
        finding
        for series in history
        for finding in series.findings
        if finding.day is None or first <= finding.day <= last
    ]
    for finding in findings[:FINDINGS_SHOWN]:
        line = f"[yellow]history[/] {escape(str(finding))}"
        console.print(line, highlight=False, soft_wrap=True)
    if len(findings) > FINDINGS_SHOWN:
        more = counted(len(findings) - FINDINGS_SHOWN, "more finding")
        console.print(f"[yellow]history[/] and {more}")


def steps_between(
    history: Sequence[Series], calendar: SessionCalendar, first: date, last: date
) -> list[ReplayStep]:
    """Cut history into steps, from the first that has a tick to the last.

    Raises:
        Refused: No session of it lies between these days.
    """
    steps = list(replay_steps(history, calendar, first, last))
    with_ticks = [number for number, step in enumerate(steps) if step.ticks]
    if not with_ticks:
        raise Refused(f"no session of this history lies between {first} and {last}")
    return steps[with_ticks[0] : with_ticks[-1] + 1]


def day_of(step: ReplayStep) -> date:
    """The day that a step's clock reaches, UTC."""
    return datetime.fromtimestamp(step.clock_ns // SECOND, tz=UTC).date()
