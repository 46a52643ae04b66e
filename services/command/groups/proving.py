"""Proving it: seeded faults on a virtual clock and on real servers."""

from pathlib import Path
from typing import Annotated, Final

import typer

from services.command.groups.common import answering, console

PANEL: Final = "Prove"

app = typer.Typer()


@app.command(
    rich_help_panel=PANEL,
    epilog="Examples:\n\n  hedgestat simulate --seeds 500\n\n  hedgestat simulate --seed 1234",
)
def simulate(
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds.")] = 500,
    first: Annotated[int, typer.Option(min=0, help="The first of them.")] = 1,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Run this one alone and print all that happens.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0, help="As many seeds as fit, instead of --seeds.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="How many processes share them.")] = 1,
) -> None:
    """Run the services on a virtual clock through seeded faults, and check what is left."""
    from services.command.simulation.campaign import CampaignOptions, replay, run_campaign

    if seed is not None:
        is_well = not replay(seed, console).violations
    else:
        options = CampaignOptions(first=first, seeds=seeds, minutes=minutes, jobs=jobs)
        try:
            is_well = run_campaign(options, console).is_well
        except KeyboardInterrupt:
            raise typer.Exit(130) from None
    if not is_well:
        raise typer.Exit(1)


@app.command(
    rich_help_panel=PANEL,
    epilog="Examples:\n\n  hedgestat torture --minutes 5\n\n"
    "  hedgestat torture --minutes 1 --seed 1234 --keep broken/\n\n"
    "  hedgestat torture --minutes 1 --sweeps 2 --orders 25000 --kills 110",
)
def torture(
    minutes: Annotated[float, typer.Option(min=0.1, help="How long.")] = 5.0,
    seed: Annotated[int | None, typer.Option(min=0, help="Of the first sweep.")] = None,
    keep: Annotated[
        Path | None, typer.Option(help="Leave everything here, also when nothing was violated.")
    ] = None,
    scenarios: Annotated[
        str,
        typer.Option(help="What is played after the sweeps: all, none, or names, a comma each."),
    ] = "all",
    orders: Annotated[
        int, typer.Option(min=0, help="First, in each sweep, so many as fast as can be.")
    ] = 0,
    kills: Annotated[int, typer.Option(min=0, help="Meanwhile, so many, everybody in turn.")] = 0,
    sweeps: Annotated[
        int | None, typer.Option(min=1, help="How many share the time; else a minute each.")
    ] = None,
) -> None:
    """Kill, freeze and cut off real servers and services again and again, and judge the rest."""
    from services.command.torture.command import TortureOptions, named_scenarios, run_torture

    with answering():
        options = TortureOptions(
            minutes=minutes,
            seed=seed,
            keep=keep,
            scenarios=named_scenarios(scenarios),
            orders=orders,
            kills=kills,
            sweeps=sweeps,
        )
        is_well = run_torture(options, console)
    if not is_well:
        raise typer.Exit(1)
