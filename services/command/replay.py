"""`hedgestat replay`: publish recorded ticks to a broker."""

import asyncio
import hashlib
import sys
from datetime import date
from pathlib import Path

import msgspec
from msgspec import Struct
from rich.console import Console

from services.command.endings import Refused, named_reasons
from services.command.progress import ReplayProgress
from services.command.recorded import check_days, print_findings, read_history, steps_between
from services.feed.__main__ import run as run_feed
from services.feed.service import FeedPolicy, waited_for
from shared.adapters.history.replay import ReplayStep
from shared.adapters.settings import Settings
from shared.runtime.logs import configure_logging
from shared.runtime.process import stopped_by_signals
from shared.runtime.site import Site


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


def run_replay(settings: Settings, options: ReplayOptions, console: Console) -> bool:
    """Publish until the last step is settled, or Ctrl-C; whether it came to its end.

    Raises:
        Refused: No such history, or a monitor whose clock is the wall clock.
        Failed: The journal lost data.
    """
    if settings.clock.source != "feed":
        raise Refused(
            'this configuration runs on the wall clock: set source = "feed" under [clock], for '
            "ticks of another day are late, and refused"
        )
    check_days(options.first, options.last)
    configure_logging("warning", stream=sys.stderr)
    site = Site(settings=settings, instance="-replay")
    steps = _steps(site, options, console)
    source = options.source or f"replay-{_digest(steps)}"
    waits_for = waited_for(has_positions=settings.has_positions)
    policy = FeedPolicy(
        source=source, waits_for=waits_for if options.wait else frozenset(), speed=options.speed
    )
    try:
        with named_reasons():
            asyncio.run(_publish(site, steps, policy, console))
    except KeyboardInterrupt:
        return False
    return not site.stop.is_set()


async def _publish(
    site: Site, steps: list[ReplayStep], policy: FeedPolicy, console: Console
) -> None:
    with stopped_by_signals(site.stop), ReplayProgress(steps, console) as progress:
        await run_feed(site, steps, policy, progress.on_step)
    if site.stop.is_set():
        reached = f" at {progress.day}" if progress.day else ""
        again = f"To go on: the same command with --source {policy.source}"
        console.print(f"Stopped{reached}; what was sent stays journalled. {again}", soft_wrap=True)


def _steps(site: Site, options: ReplayOptions, console: Console) -> list[ReplayStep]:
    first, last = options.first or date.min, options.last or date.max
    history = read_history(site.settings, options.files)
    steps = steps_between(history, site.calendar(), first, last)
    print_findings(history, first, last, console)
    return steps


def _digest(steps: list[ReplayStep]) -> str:
    return hashlib.sha256(msgspec.msgpack.encode(steps)).hexdigest()[:12]
