"""`hedgestat replay`: publish recorded ticks to a broker."""

import asyncio
import hashlib
import sys
from datetime import date
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct
from rich.console import Console

from services.command.progress import ReplayProgress
from services.feed.__main__ import run as run_feed
from services.feed.service import FeedPolicy
from shared.adapters.calendars import CalendarError
from shared.adapters.history.directory import open_history
from shared.adapters.history.readers import HistoryError
from shared.adapters.history.replay import ReplayStep, replay_steps
from shared.adapters.settings import Settings
from shared.runtime.logs import configure_logging
from shared.runtime.process import stopped_by_signals
from shared.runtime.site import Site

BOTH: Final = frozenset(("hedger", "gateway"))


class ReplayRefused(ValueError):  # noqa: N818 - an answer, not a fault of ours
    """What was asked for cannot be replayed; the text says why."""


class ReplayOptions(Struct, frozen=True, kw_only=True):
    """What is to be replayed, and how.

    Attributes:
        files: CSV files, or folders of them.
        first: First session, or `None` for the first there is.
        last: Last session, or `None` for the last there is.
        speed: Event time per wall time; `None`: as fast as it settles.
        source: Name of the replay, or `None` for one made from its contents.
        wait: Wait for hedger and gateway to settle each step.
    """

    files: tuple[Path, ...]
    first: date | None
    last: date | None
    speed: float | None
    source: str | None
    wait: bool


def run_replay(settings: Settings, options: ReplayOptions, console: Console) -> None:
    """Publish until the last step is settled, or Ctrl-C.

    Raises:
        ReplayRefused: No such history, or a monitor whose clock is the wall clock.
    """
    if settings.clock.source != "feed":
        raise ReplayRefused(
            'this configuration runs on the wall clock: set source = "feed" under [clock], for '
            "ticks of another day are late, and refused"
        )
    configure_logging("warning", stream=sys.stderr)
    site = Site(settings=settings, instance="-replay")
    steps = _steps(site, options, console)
    source = options.source or f"replay-{_digest(steps)}"
    policy = FeedPolicy(
        source=source, waits_for=BOTH if options.wait else frozenset(), speed=options.speed
    )
    asyncio.run(_publish(site, steps, policy, console))


async def _publish(
    site: Site, steps: list[ReplayStep], policy: FeedPolicy, console: Console
) -> None:
    with stopped_by_signals(site.stop), ReplayProgress(steps, console) as progress:
        await run_feed(site, steps, policy, progress.on_step)
    if site.stop.is_set():
        console.print(f"Stopped. To go on: the same command with --source {policy.source}")


def _steps(site: Site, options: ReplayOptions, console: Console) -> list[ReplayStep]:
    wanted = site.settings.calendar
    try:
        history = [
            series
            for path in options.files
            for series in open_history(path, wanted.name, wanted.overrides)
        ]
    except (HistoryError, CalendarError) as error:
        raise ReplayRefused(str(error)) from error
    for finding in (finding for series in history for finding in series.findings):
        console.print(f"[yellow]history[/] {finding}", highlight=False, markup=True)
    first, last = options.first or date.min, options.last or date.max
    steps = [step for step in replay_steps(history, site.calendar(), first, last) if step.ticks]
    if not steps:
        raise ReplayRefused("no session of these files lies in the days asked for")
    return steps


def _digest(steps: list[ReplayStep]) -> str:
    return hashlib.sha256(msgspec.msgpack.encode(steps)).hexdigest()[:12]
