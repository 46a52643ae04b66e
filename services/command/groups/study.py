"""`hedgestat study`: history through the live steps, and what a desk asks of it."""

from collections.abc import Callable
from datetime import datetime
from inspect import Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from msgspec import structs

from services.command.groups.common import (
    DEPLOY,
    Configuration,
    answering,
    console,
    refusing_faults,
    settings_of,
)
from shared.adapters.study.plan import StudyPlan, load_plan, without_costs

if TYPE_CHECKING:
    from services.command.study.study import Hands

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


def over_a_plan(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of every study, before its own.

    The command is called with the plan as the command line has it, who does the work, and its own
    options by name. Typer reads the options from the signature, so the two are put together here.
    """

    def asked(
        plan: Plan = DEFAULT,
        history: History = None,
        first: First = None,
        last: Last = None,
        results: Results = None,
        jobs: Jobs = None,
        dask: Dask = None,
        zero_cost: ZeroCost = False,
        **own: object,
    ) -> None:
        from services.command.study.study import Hands

        with refusing_faults(plan, "nothing was run"):
            study = load_plan(plan)
        study = structs.replace(
            study,
            history=tuple(history) if history else study.history,
            first=first.date() if first else study.first,
            last=last.date() if last else study.last,
            results=results or study.results,
        )
        with answering():
            command(
                without_costs(study) if zero_cost else study, Hands(jobs=jobs, dask=dask), **own
            )

    *shared, _ = signature(asked).parameters.values()
    _, _, *own_options = signature(command).parameters.values()
    asked.__signature__ = Signature([*shared, *own_options])  # type: ignore[attr-defined]
    asked.__name__, asked.__doc__ = command.__name__, command.__doc__
    return asked


@app.command(
    epilog="Examples:\n\n  hedgestat study run\n\n"
    "  hedgestat study run my-study.toml --history ~/csv --from 1990-01-02 --to 2018-12-31"
)
@over_a_plan
def run(study: StudyPlan, hands: "Hands") -> None:
    """Run every variant of a plan over history; what was run already is kept."""
    from services.command.study.commands import run_study

    run_study(study, hands, console)


@app.command(
    epilog="Examples:\n\n  hedgestat study compare\n\n"
    "  hedgestat study compare my-study.toml --from 2017-01-03"
)
@over_a_plan
def compare(study: StudyPlan, hands: "Hands") -> None:
    """Print all variants of a plan side by side, beside no hedge and a free static one."""
    from services.command.study import commands

    commands.compare(study, hands, console)


@app.command(epilog="Example:\n\n  hedgestat study sweep my-study.toml --dask tcp://scheduler:8786")
@over_a_plan
def sweep(study: StudyPlan, hands: "Hands") -> None:
    """Run every combination of the values that the plan sweeps: what the result hangs on."""
    from services.command.study import commands

    commands.sweep(study, hands, console)


@app.command(
    epilog="Example:\n\n  hedgestat study walkforward my-study.toml --dask tcp://scheduler:8786"
)
@over_a_plan
def walkforward(study: StudyPlan, hands: "Hands") -> None:
    """Choose the swept parameters on the past, judge them on what follows, and walk on."""
    from services.command.study import commands

    commands.walk_forward(study, hands, console)


@app.command(
    epilog="Examples:\n\n  hedgestat study report\n\n"
    "  hedgestat study report my-study.toml --out ~/report.html"
)
@over_a_plan
def report(
    study: StudyPlan,
    hands: "Hands",
    out: Annotated[
        Path | None,
        typer.Option(help="The file.", show_default="report.html in the folder of results"),
    ] = None,
) -> None:
    """Write one HTML file for a portfolio manager: figures, charts, doubts, how to repeat it."""
    from services.command.study.commands import report as write

    write(study, hands, out, console)


@app.command(
    epilog="Examples:\n\n  hedgestat study claims\n\n"
    "  hedgestat study claims --history ~/csv --from 1990-01-02 --json claims.json"
)
@over_a_plan
def claims(
    study: StudyPlan,
    hands: "Hands",
    file: Annotated[
        Path | None, typer.Option("--json", help="Write it here too, besides claims.json.")
    ] = None,
) -> None:
    """Hold the papers' own figures against history: claimed, measured, how sure, and a verdict."""
    from services.command.study import commands

    commands.claims(study, hands, console, file)


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
