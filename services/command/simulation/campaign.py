"""`hedgestat simulate`: many seeds, and what they came to.

A campaign fails on a violation; and also when a fault never struck or a guard never fired, for
then it has shown nothing about them. Small campaigns are spared the latter.
"""

import gc
import multiprocessing
import tempfile
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from itertools import count, islice
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
_ENDLESS: Final = 1_000_000_000
_AHEAD: Final = 4


class CampaignOptions(Struct, frozen=True, kw_only=True):
    """What was asked for.

    Attributes:
        first: The first seed.
        seeds: How many, unless `minutes` are given.
        minutes: How long, or `None`.
        jobs: How many processes share them; a seed is the same run in any of them.
    """

    first: int = 1
    seeds: int = 500
    minutes: float | None = None
    jobs: int = 1


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

    def add(self, outcome: Outcome, core_s: float = 0.0) -> None:
        """Count one seed in, and what it took of a core."""
        self.seeds += 1
        self.core_s += core_s
        self.orders += outcome.orders
        self.virtual_s += outcome.virtual_s
        self.faults.update(outcome.faults)
        self.guards.update(outcome.guards)
        self.endings.update(outcome.endings)
        if outcome.violations:
            self.failed.append(outcome)

    @property
    def kills(self) -> int:
        """How often a process was killed."""
        return sum(n for name, n in self.faults.items() if name.startswith("process_killed"))

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
    """Collect garbage between two seeds, never within: what dies would depend on the moment.

    Only what the seed made is looked through: all that was there before is set aside meanwhile.
    """
    gc.disable()
    gc.freeze()
    try:
        yield
    finally:
        gc.collect()
        gc.unfreeze()
        gc.enable()


def run_campaign(options: CampaignOptions, console: Console, clock: Clock | None = None) -> Tally:
    """Run seeds, show how far it is, and print what they came to."""
    clock = clock or SystemClock()
    tally = Tally()
    with _runners(options.jobs) as run:
        began_s = clock.monotonic_s()
        wanted = None if options.minutes else options.seeds
        seeds = iter(range(options.first, options.first + (wanted or _ENDLESS)))
        try:
            with _progress(console, wanted) as advance:
                for outcome, core_s in run(seeds):
                    tally.add(outcome, core_s)
                    tally.elapsed_s = clock.monotonic_s() - began_s
                    advance()
                    if options.minutes is not None and tally.elapsed_s >= 60 * options.minutes:
                        break
        finally:
            print_tally(tally, console)
    return tally


Run = Callable[[Iterator[int]], Iterator[tuple[Outcome, float]]]


@contextmanager
def _runners(jobs: int) -> Iterator[Run]:
    """Have seeds run here, or by several processes; yields what runs them, in their order."""
    quiet()
    _prepare()
    if jobs == 1:
        yield lambda seeds: map(_run_one, seeds)
        return
    context = multiprocessing.get_context("fork")  # what is compiled and loaded is there already
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        list(pool.map(abs, range(jobs)))  # forked before a progress bar starts its thread
        yield lambda seeds: _shared(pool, seeds, _AHEAD * jobs)
        pool.shutdown(cancel_futures=True)


def _shared(
    pool: ProcessPoolExecutor, seeds: Iterator[int], ahead: int
) -> Iterator[tuple[Outcome, float]]:
    waiting = deque(pool.submit(_run_one, seed) for seed in islice(seeds, ahead))
    while waiting:
        yield waiting.popleft().result()
        waiting.extend(pool.submit(_run_one, seed) for seed in islice(seeds, 1))


_simulator: Simulator | None = None


def _prepare() -> None:
    """Load what is compiled, before time is taken."""
    global _simulator  # noqa: PLW0603 - once a process, and before it is forked
    if _simulator is None:
        _simulator = Simulator()
        _simulator.run(0)


def _run_one(seed: int) -> tuple[Outcome, float]:
    """Run a seed; with the seconds that it took of a core."""
    assert _simulator is not None  # noqa: S101 - prepared before the fork
    began_s = time.process_time()
    return _simulator.run(seed), time.process_time() - began_s


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
        f"a second, {_rate(tally.seeds, tally.core_s)} a second of a core's time): "
        f"{tally.virtual_s / 3_600:.1f} hours of virtual time, {tally.orders:,} orders, "
        f"{sum(tally.faults.values()):,} faults, {tally.kills:,} of them kills of a process.",
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
