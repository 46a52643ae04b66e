"""`hedgestat study`: history through the live steps, and what a desk asks of it."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from msgspec import structs
from rich.markup import escape

from services.command.groups.common import (
    DEPLOY,
    Configuration,
    answering,
    complain,
    console,
    settings_of,
)
from shared.adapters.configuration.faults import FaultyConfiguration
from shared.adapters.study.plan import StudyPlan, load_plan, without_costs

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")

Plan = Annotated[Path, typer.Argument(help="The study's plan.", show_default="deploy/study.toml")]
History = Annotated[
    list[Path] | None,
    typer.Option(help="A file or folder of your own instead of the plan's; again for another."),
]
First = Annotated[
    datetime | None,
    typer.Option("--from", formats=["%Y-%m-%d"], help="First session, instead of the plan's."),
]
Last = Annotated[
    datetime | None,
    typer.Option("--to", formats=["%Y-%m-%d"], help="Last session, included, likewise."),
]
Results = Annotated[
    Path | None, typer.Option("-o", "--results", help="Folder for results, likewise.")
]
Jobs = Annotated[
    int | None, typer.Option("-j", "--jobs", min=1, help="Processes; one a core if not given.")
]
Dask = Annotated[
    str | None,
    typer.Option(help="Run on this Dask cluster instead: tcp://scheduler:8786."),
]
ZeroCost = Annotated[
    bool, typer.Option("--zero-cost", help="Trade for nothing; every table then says so.")
]
DEFAULT: Final = DEPLOY / "study.toml"


def plan_of(
    path: Path,
    history: list[Path] | None,
    first: datetime | None,
    last: datetime | None,
    results: Path | None,
    *,
    zero_cost: bool,
) -> StudyPlan:
    """Read a plan with what the command line says otherwise, or exit with 2 and all its faults."""
    try:
        plan = load_plan(path)
    except FaultyConfiguration as faulty:
        for fault in faulty.faults:
            complain(f"[bold red]{escape(str(path))}[/]: {escape(str(fault))}")
        complain(f"{len(faulty.faults)} fault(s); nothing was run.")
        raise typer.Exit(2) from None
    plan = structs.replace(
        plan,
        history=tuple(history) if history else plan.history,
        first=first.date() if first else plan.first,
        last=last.date() if last else plan.last,
        results=results or plan.results,
    )
    return without_costs(plan) if zero_cost else plan


@app.command(
    epilog="Examples:\n\n  hedgestat study run\n\n"
    "  hedgestat study run my-study.toml --history ~/csv --from 1990-01-02 --to 2018-12-31"
)
def run(
    plan: Plan = DEFAULT,
    history: History = None,
    first: First = None,
    last: Last = None,
    results: Results = None,
    jobs: Jobs = None,
    dask: Dask = None,
    zero_cost: ZeroCost = False,
) -> None:
    """Run every variant of a plan over history; what was run already is kept."""
    from services.command.study.commands import run_study
    from services.command.study.study import Hands

    with answering():
        study = plan_of(plan, history, first, last, results, zero_cost=zero_cost)
        run_study(study, Hands(jobs=jobs, dask=dask), console)


@app.command(
    epilog="Examples:\n\n  hedgestat study compare\n\n"
    "  hedgestat study compare my-study.toml --from 2017-01-03"
)
def compare(
    plan: Plan = DEFAULT,
    history: History = None,
    first: First = None,
    last: Last = None,
    results: Results = None,
    jobs: Jobs = None,
    dask: Dask = None,
    zero_cost: ZeroCost = False,
) -> None:
    """Print all variants of a plan side by side, beside no hedge and a free static one."""
    from services.command.study import commands
    from services.command.study.study import Hands

    with answering():
        study = plan_of(plan, history, first, last, results, zero_cost=zero_cost)
        commands.compare(study, Hands(jobs=jobs, dask=dask), console)


@app.command(epilog="Example:\n\n  hedgestat study sweep my-study.toml --dask tcp://scheduler:8786")
def sweep(
    plan: Plan = DEFAULT,
    history: History = None,
    first: First = None,
    last: Last = None,
    results: Results = None,
    jobs: Jobs = None,
    dask: Dask = None,
    zero_cost: ZeroCost = False,
) -> None:
    """Run every combination of the values that the plan sweeps: what the result hangs on."""
    from services.command.study import commands
    from services.command.study.study import Hands

    with answering():
        study = plan_of(plan, history, first, last, results, zero_cost=zero_cost)
        commands.sweep(study, Hands(jobs=jobs, dask=dask), console)


@app.command(
    epilog="Example:\n\n  hedgestat study walkforward my-study.toml --dask tcp://scheduler:8786"
)
def walkforward(
    plan: Plan = DEFAULT,
    history: History = None,
    first: First = None,
    last: Last = None,
    results: Results = None,
    jobs: Jobs = None,
    dask: Dask = None,
    zero_cost: ZeroCost = False,
) -> None:
    """Choose the swept parameters on the past, judge them on what follows, and walk on."""
    from services.command.study import commands
    from services.command.study.study import Hands

    with answering():
        study = plan_of(plan, history, first, last, results, zero_cost=zero_cost)
        commands.walk_forward(study, Hands(jobs=jobs, dask=dask), console)


@app.command(
    epilog="Examples:\n\n  hedgestat study report\n\n"
    "  hedgestat study report my-study.toml --out ~/report.html"
)
def report(
    plan: Plan = DEFAULT,
    history: History = None,
    first: First = None,
    last: Last = None,
    results: Results = None,
    jobs: Jobs = None,
    dask: Dask = None,
    zero_cost: ZeroCost = False,
    out: Annotated[
        Path | None,
        typer.Option(help="The file.", show_default="report.html in the folder of results"),
    ] = None,
) -> None:
    """Write one HTML file for a portfolio manager: figures, charts, doubts, how to repeat it."""
    from services.command.study.commands import report as write
    from services.command.study.study import Hands

    with answering():
        study = plan_of(plan, history, first, last, results, zero_cost=zero_cost)
        write(study, Hands(jobs=jobs, dask=dask), out, console)


@app.command(
    epilog="Examples:\n\n  hedgestat study claims\n\n"
    "  hedgestat study claims --history ~/csv --from 1990-01-02 --json claims.json"
)
def claims(
    plan: Plan = DEFAULT,
    history: History = None,
    first: First = None,
    last: Last = None,
    results: Results = None,
    jobs: Jobs = None,
    dask: Dask = None,
    zero_cost: ZeroCost = False,
    file: Annotated[
        Path | None, typer.Option("--json", help="Write it here too, besides claims.json.")
    ] = None,
) -> None:
    """Hold the papers' own figures against history: claimed, measured, how sure, and a verdict."""
    from services.command.study import commands
    from services.command.study.study import Hands

    with answering():
        study = plan_of(plan, history, first, last, results, zero_cost=zero_cost)
        commands.claims(study, Hands(jobs=jobs, dask=dask), console, file)


@app.command(
    epilog="Examples:\n\n  hedgestat study review --month 2026-10 -c deploy/hedges.toml\n\n"
    "  hedgestat study review --month 2026-10 --journal run.parquet -c deploy/hedges.toml"
)
def review(
    month: Annotated[datetime, typer.Option(formats=["%Y-%m"], help="Which: 2026-10.")],
    config: Configuration,
    journal: Annotated[
        Path | None,
        typer.Option(
            help="As `hedgestat journal export` writes it.",
            show_default="archive and store as configured",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The file.", show_default="review-MONTH.html, here")
    ] = None,
) -> None:
    """Write a month of a live journal as one HTML file: decisions, fills, cost, attribution."""
    from services.command.study.review.command import review as write
    from services.command.study.review.month import Month

    settings = settings_of(config)
    chosen = Month.of(month.year, month.month)
    with answering():
        write(settings, chosen, journal, out or Path(f"review-{chosen}.html"), console)
