"""`hedgestat simulate`: many seeds, and what they came to.

A campaign fails on a violation; and also when a fault never struck or a guard never fired, for
then it has shown nothing about them. Small campaigns are spared the latter.
"""

import gc
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Final, NoReturn

import structlog
from msgspec import Struct, field
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from services.command.simulation.guards import REQUIRED
from services.command.simulation.people import simulated_keyring
from services.command.simulation.weather import FAULTS
from services.command.simulation.world import Outcome, simulate
from shared.adapters.clock import Clock, SystemClock
from shared.adapters.settings import Settings, load_settings

CONFIGURATION: Final = Path(__file__).with_name("configuration.toml")
LEAST_FOR_GUARDS: Final = 500
"""Seeds from which on a fault that never struck, or a guard that never fired, is a failure."""

_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - where files are memory, on Linux
_MOST_SHOWN: Final = 10
_LINES: Final = 10
_MANY: Final = 1_000


class CampaignOptions(Struct, frozen=True, kw_only=True):
    """What was asked for.

    Attributes:
        first: The first seed.
        seeds: How many, unless `minutes` are given.
        minutes: How long, or `None`.
    """

    first: int = 1
    seeds: int = 500
    minutes: float | None = None


class Tally(Struct):
    """What a campaign has come to so far."""

    seeds: int = 0
    orders: int = 0
    virtual_s: float = 0.0
    elapsed_s: float = 0.0
    core_s: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    guards: Counter[str] = field(default_factory=Counter)
    endings: Counter[str] = field(default_factory=Counter)
    failed: list[Outcome] = []

    def add(self, outcome: Outcome) -> None:
        """Count one seed in."""
        self.seeds += 1
        self.orders += outcome.orders
        self.virtual_s += outcome.virtual_s
        self.faults.update(outcome.faults)
        self.guards.update(outcome.guards)
        self.endings.update(outcome.endings)
        if outcome.violations:
            self.failed.append(outcome)

    @property
    def never(self) -> list[str]:
        """Faults that never struck, guards that never fired: of a campaign too small, nothing."""
        if self.seeds < LEAST_FOR_GUARDS:
            return []
        return [
            *(f"fault {name} never struck" for name in FAULTS if not self.faults[name]),
            *(f"guard {name} never fired" for name in REQUIRED if not self.guards[name]),
        ]

    @property
    def is_well(self) -> bool:
        """Whether the campaign has passed."""
        return not self.failed and not self.never


class Simulator:
    """Runs seeds one after another; a context manager.

    Args:
        settings: What the services are told; the simulation's own when absent.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self._settings = settings or load_settings(CONFIGURATION, {})
        self._keyring = simulated_keyring(self._settings.trading.environment)

    def run(self, seed: int, tell: Callable[[str], None] | None = None) -> Outcome:
        """Run a seed.

        Args:
            seed: Which.
            tell: Told of all that happens.
        """
        parent = _MEMORY if _MEMORY.is_dir() else None
        with _collected_between(), tempfile.TemporaryDirectory(dir=parent) as directory:
            record = Path(directory) / "gateway.sqlite"
            return simulate(seed, self._settings, self._keyring, record, tell)


@contextmanager
def _collected_between() -> Iterator[None]:
    """Collect garbage between two seeds, never within: what dies would depend on the moment."""
    gc.disable()
    try:
        yield
    finally:
        gc.collect()
        gc.enable()


def run_campaign(options: CampaignOptions, console: Console, clock: Clock | None = None) -> Tally:
    """Run seeds, show how far it is, and print what they came to."""
    quiet()
    clock = clock or SystemClock()
    simulator, tally = Simulator(), Tally()
    simulator.run(0)  # what is compiled is loaded before the time is taken
    gc.freeze()
    began_s, began_core_s = clock.monotonic_s(), time.process_time()
    try:
        with _progress(console, None if options.minutes else options.seeds) as advance:
            for seed in count(options.first):
                tally.elapsed_s = clock.monotonic_s() - began_s
                tally.core_s = time.process_time() - began_core_s
                if _is_enough(options, tally):
                    break
                tally.add(simulator.run(seed))
                advance()
    finally:
        gc.unfreeze()
        print_tally(tally, console)
    return tally


def replay(seed: int, console: Console) -> Outcome:
    """Run one seed again and print all that happens in it."""
    quiet()
    outcome = Simulator().run(seed, lambda line: console.out(line, highlight=False))
    for violation in outcome.violations:
        console.print(f"[bold red]{violation}[/]", highlight=False)
    console.print(f"digest {outcome.digest}", highlight=False)
    return outcome


def quiet() -> None:
    """Have the services log nothing."""
    silent = structlog.make_filtering_bound_logger("critical")
    structlog.configure(wrapper_class=silent, processors=[_drop])


def _drop(_logger: object, _method: str, _event: object) -> NoReturn:
    raise structlog.DropEvent


def print_tally(tally: Tally, console: Console) -> None:
    """Print what a campaign came to."""
    console.print(_table("faults that struck", tally.faults, FAULTS))
    console.print(_table("guards that fired", tally.guards, REQUIRED))
    if tally.endings:
        console.print(_table("processes that ended by themselves", tally.endings, ()))
    console.print(
        f"{tally.seeds:,} seeds in {tally.elapsed_s:.1f} s ({_rate(tally.seeds, tally.elapsed_s)} "
        f"a second, {_rate(tally.seeds, tally.core_s)} a second of its core's time): "
        f"{tally.virtual_s / 3_600:.1f} hours of virtual time, {tally.orders:,} orders, "
        f"{sum(tally.faults.values()):,} faults.",
        highlight=False,
    )
    for outcome in tally.failed[:_MOST_SHOWN]:
        console.print(f"[bold red]seed {outcome.seed}[/]: {'; '.join(outcome.violations[:3])}")
        console.print(f"  hedgestat simulate --seed {outcome.seed}", highlight=False)
    for never in tally.never:
        console.print(f"[bold red]{never}[/]", highlight=False)
    verdict = f"[bold red]{len(tally.failed)} seed(s) failed.[/]"
    console.print("[green]No violation.[/]" if not tally.failed else verdict)


def _rate(seeds: int, seconds: float) -> str:
    return f"{seeds / seconds:.1f}" if seconds else "-"


def _is_enough(options: CampaignOptions, tally: Tally) -> bool:
    if options.minutes is not None:
        return tally.elapsed_s >= 60 * options.minutes
    return tally.seeds >= options.seeds


@contextmanager
def _progress(console: Console, total: int | None) -> Iterator[Callable[[], None]]:
    """Show a bar on a terminal, and elsewhere a line now and then."""
    if not console.is_terminal:
        done = count(1)
        yield lambda: _print_some(next(done), total, console)
        return
    with Progress(
        TextColumn("simulating"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TextColumn("seeds"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
    ) as progress:
        task = progress.add_task("simulating", total=total)
        yield lambda: progress.advance(task)


def _print_some(done: int, total: int | None, console: Console) -> None:
    if done % max(1, (total or _MANY) // _LINES) == 0:
        console.print(f"simulated {done} of {total or '?'} seeds", highlight=False)


def _table(
    title: str, counts: Mapping[str, int], expected: Mapping[str, object] | tuple[str, ...]
) -> Table:
    table = Table("", "times", title=title, title_justify="left", show_header=False)
    for name in sorted({*counts, *expected}):
        table.add_row(name, f"{counts.get(name, 0):,}")
    return table
