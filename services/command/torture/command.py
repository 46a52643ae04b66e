"""`hedgestat torture`: sweeps until the time is up, then a table."""

import asyncio
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct
from rich.console import Console
from rich.markup import escape

from services.command.endings import Failed, Refused, leaves
from services.command.torture.guards import (
    PROVOKED_GUARDS,
    STORE_GUARDS,
    SWEEP_GUARDS,
    never_fired,
)
from services.command.torture.programs import nursery
from services.command.torture.report import sum_of, table_of, total, violations
from services.command.torture.scenarios import SCENARIOS, ScenarioFound, play
from services.command.torture.servers import check_programs
from services.command.torture.sweep import SweepFound, SweepPlan, sweep
from shared.adapters.clock import SystemClock
from shared.adapters.code_version import code_version
from shared.runtime.logs import configure_logging

_MOST_TOLD: Final = 20
_SETS: Final[dict[str, tuple[str, ...]]] = {"all": tuple(SCENARIOS), "none": ()}


class TortureOptions(Struct, frozen=True, kw_only=True):
    """What was asked for.

    Attributes:
        minutes: How long.
        seed: Of the first sweep; the next ones count on from it.
        keep: Where everything stays; `None`: only what shows a violation.
        books: How many books trade.
        jump_s: Between two jumps of VIX.
        sweep_s: How long one sweep breaks things in storms.
        sweeps: How many share the time; `None`: as many as begin in it.
        orders: Of the dense part of each sweep.
        kills: In the dense part of each sweep.
        scenarios: Which of them are played after the sweeps.
    """

    minutes: float
    seed: int | None
    keep: Path | None
    books: int = 100
    jump_s: float = 0.25
    sweep_s: float = 60.0
    sweeps: int | None = None
    orders: int = 0
    kills: int = 0
    scenarios: tuple[str, ...] = tuple(SCENARIOS)


def run_torture(options: TortureOptions, console: Console) -> bool:
    """Run a campaign; whether nothing was violated and every guard was seen at work.

    Raises:
        Refused: A server is not installed.
        Failed: One does not start, or nothing is ever ordered.
        SystemExit: With 130, when Ctrl-C has ended it before the end.
    """
    check_programs()
    code_version()  # remembered as it is now: sources may change while a campaign lasts
    configure_logging("error", stream=sys.stderr)
    seed = secrets.randbelow(10**6) if options.seed is None else options.seed
    directory = options.keep or Path(tempfile.mkdtemp(prefix="hedgestat-torture-"))
    found: list[SweepFound] = []
    played: list[ScenarioFound] = []
    try:
        for plan in _plans(options, seed, directory):
            found.append(_one(plan, console))
            _tell(console, found[-1].violations)
        for name in options.scenarios:
            played.append(asyncio.run(play(name, directory / name, nursery())))
            console.print(f"{name}: {played[-1].seen}", highlight=False, soft_wrap=True)
            _tell(console, played[-1].violations)
    except KeyboardInterrupt:
        console.print(f"Stopped before the end; everything is in {directory}", soft_wrap=True)
        raise SystemExit(130) from None
    console.print(table_of(found, played))
    silent = never_fired(
        total([*(each.guards for each in found), *(each.guards for each in played)]),
        _expected(options),
    )
    _tell(console, [f"guard never seen at work: {name}" for name in silent])
    console.print(sum_of(found, played), highlight=False, soft_wrap=True)
    is_sound = not silent and not violations(found, played)
    if is_sound and options.keep is None:
        shutil.rmtree(directory)
    else:
        console.print(f"everything is in {directory}", highlight=False, soft_wrap=True)
    return is_sound


def named_scenarios(text: str) -> tuple[str, ...]:
    """Read which scenarios are wanted.

    Raises:
        Refused: There is none of a name.
    """
    if text in _SETS:
        return _SETS[text]
    names = tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in SCENARIOS:
            raise Refused(f"--scenarios {name}: there are {', '.join(SCENARIOS)}, all, none")
    return names


def _expected(options: TortureOptions) -> tuple[str, ...]:
    """The guards that must have been seen; those of scenarios, when these were played."""
    expected = SWEEP_GUARDS
    if "provocations" in options.scenarios:
        expected += PROVOKED_GUARDS
    if set(options.scenarios) == set(SCENARIOS):
        expected += STORE_GUARDS
    return expected


def _plans(options: TortureOptions, seed: int, directory: Path) -> Iterator[SweepPlan]:
    """Sweep after sweep."""
    for number, seconds in enumerate(_storms_s(options), seed):
        yield SweepPlan(
            seed=number,
            seconds=seconds,
            books=options.books,
            jump_s=options.jump_s,
            directory=directory / f"seed-{number}",
            orders=options.orders,
            kills=options.kills,
        )


def _storms_s(options: TortureOptions) -> Iterator[float]:
    """For how long each sweep breaks things in storms: so many sweeps, or until the time is up."""
    if options.sweeps is not None:
        yield from [60 * options.minutes / options.sweeps] * options.sweeps
        return
    clock = SystemClock()
    deadline_s = clock.monotonic_s() + 60 * options.minutes
    while (left_s := deadline_s - clock.monotonic_s()) > 0:
        yield min(options.sweep_s, left_s)


def _one(plan: SweepPlan, console: Console) -> SweepFound:
    def say(text: str) -> None:
        console.print(f"seed {plan.seed}: {text}", highlight=False)

    try:
        return asyncio.run(sweep(plan, nursery(), say))
    except ExceptionGroup as group:
        reasons = list(leaves(group))
        if not all(isinstance(reason, Failed) for reason in reasons):
            raise
        raise Failed(*map(str, reasons)) from None


def _tell(console: Console, troubles: Sequence[str]) -> None:
    for trouble in troubles[:_MOST_TOLD]:
        console.print(f"[red]{escape(trouble)}[/]", highlight=False, soft_wrap=True)
    if len(troubles) > _MOST_TOLD:
        console.print(f"[red]and {len(troubles) - _MOST_TOLD} more[/]")
