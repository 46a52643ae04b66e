"""`hedgestat torture`: sweeps until the time is up, then a table."""

import asyncio
import secrets
import shutil
import sys
import tempfile
import time
from collections import Counter
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Final

from msgspec import Struct
from rich.console import Console

from services.command.torture.programs import nursery
from services.command.torture.servers import check_programs
from services.command.torture.sweep import SweepFound, SweepPlan, sweep
from shared.adapters.code_version import code_version
from shared.runtime.logs import configure_logging


class TortureOptions(Struct, frozen=True, kw_only=True):
    """What was asked for.

    Attributes:
        minutes: How long.
        seed: Of the first sweep; the next ones count on from it.
        keep: Where everything stays; `None`: only what shows a violation.
        books: How many books trade.
        jump_s: Between two jumps of VIX.
        sweep_s: How long one sweep breaks things.
    """

    minutes: float
    seed: int | None
    keep: Path | None
    books: int = 50
    jump_s: float = 0.25
    sweep_s: float = 60.0


def run_torture(options: TortureOptions, console: Console) -> bool:
    """Run a campaign; whether nothing was violated."""
    check_programs()
    code_version()  # remembered as it is now: sources may change while a campaign lasts
    configure_logging("error", stream=sys.stderr)
    seed = secrets.randbelow(10**6) if options.seed is None else options.seed
    directory = options.keep or Path(tempfile.mkdtemp(prefix="hedgestat-torture-"))
    context = nursery()
    found: list[SweepFound] = []
    deadline = time.perf_counter() + 60 * options.minutes
    while time.perf_counter() < deadline:
        left_s = deadline - time.perf_counter()
        plan = SweepPlan(
            seed=seed + len(found),
            seconds=min(options.sweep_s, left_s),
            books=options.books,
            jump_s=options.jump_s,
            directory=directory / f"seed-{seed + len(found)}",
        )
        found.append(one_sweep(plan, context, console))
        for line in found[-1].violations[:20]:
            console.print(f"[red]{line}[/]", highlight=False)
    is_sound = not any(each.violations for each in found)
    for each in found:
        console.print(each)
    if is_sound and options.keep is None:
        shutil.rmtree(directory)
    return is_sound


def one_sweep(plan: SweepPlan, context: ForkServerContext, console: Console) -> SweepFound:
    """Run one sweep, saying how it goes."""

    def say(text: str) -> None:
        console.print(f"seed {plan.seed}: {text}", highlight=False)

    return asyncio.run(sweep(plan, context, say))
