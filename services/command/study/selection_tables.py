"""A sweep and a walk-forward in a terminal: surface or ranking, windows, and what to believe."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from rich.console import Console
from rich.table import Table

from services.command.study.comparison import ZERO_COST, told
from services.command.study.selection import (
    SweptFigures,
    Walk,
    flatness_of,
    judged,
    sharpe_of,
    surface_of,
)
from shared.adapters.study.plan import StudyPlan
from shared.domain.study.paths import calendar_day
from shared.domain.study.sensitivity import Surface

SHOWN: Final = 10


def print_sweep(
    plan: StudyPlan, figures: Sequence[SweptFigures], tried: int, console: Console
) -> None:
    """Print the surface, the best, and how much of that is luck."""
    surface = surface_of(plan, figures)
    if surface is not None and surface.figures.ndim > 1:
        first, second = plan.sweep
        console.print(f"[italic]Sharpe by {first.key} and {second.key}[/]", highlight=False)
        console.print(_grid(plan, surface))
    console.print(_ranking(plan, figures))
    flat = flatness_of(plan, figures)
    if flat is not None and flat.mean_loss is not None:
        edge = f" The best lies at the edge of {', '.join(flat.at_edge)}." if flat.at_edge else ""
        console.print(
            f"One step from the best Sharpe ratio {flat.mean_loss:.4f} of it is lost on average, "
            f"{flat.largest_loss or 0.0:.4f} at most.{edge}",
            highlight=False,
        )
    selection = judged(figures, tried)
    if selection is not None:
        colour = "bold red" if selection.warning else "green"
        text = selection.warning or (
            f"{selection.trials} variants were tried; deflated by that, the best Sharpe ratio is "
            f"better than luck with probability {selection.deflated:.0%}."
        )
        console.print(f"[{colour}]{text}[/]", highlight=False)
    if plan.zero_cost:
        console.print(f"[bold red]{ZERO_COST}[/]", highlight=False)


def _grid(plan: StudyPlan, surface: Surface) -> Table:
    first, second = plan.sweep
    table = Table()
    table.add_column(first.key.rpartition(".")[2], no_wrap=True)
    for value in second.values:
        table.add_column(str(value), justify="right")
    best = np.nanmax(surface.figures) if not np.all(np.isnan(surface.figures)) else np.nan
    for value, row in zip(first.values, surface.figures.tolist(), strict=True):
        cells = [f"[bold]{each:.4f}[/]" if each == best else told(each, ".4f") for each in row]
        table.add_row(str(value), *cells)
    return table


def _ranking(plan: StudyPlan, figures: Sequence[SweptFigures]) -> Table:
    table = Table(title=f"The best of {len(figures):,}", title_justify="left")
    for sweep in plan.sweep:
        table.add_column(sweep.key.rpartition(".")[2], justify="right")
    for name in ("Sharpe", "net profit", "cost a year", "HER"):
        table.add_column(name, justify="right")
    ranked = sorted(figures, key=lambda each: -np.inf if each.sharpe is None else each.sharpe)
    for each in reversed(ranked[-SHOWN:]):
        table.add_row(
            *(str(each.variant.changes[sweep.key]) for sweep in plan.sweep),
            told(each.sharpe, ".4f"),
            told(each.net_profit, ",.0f"),
            told(each.cost_per_year, ",.0f"),
            told(each.effectiveness, ".4f"),
        )
    return table


def print_walk(plan: StudyPlan, found: Walk, console: Console) -> None:
    """Print what was chosen in each window, and what it did afterwards."""
    way = "anchored" if plan.walk_forward.anchored else "sliding"
    title = f"Walk-forward, {way}, by {plan.walk_forward.objective}"
    table = Table(title=title, title_justify="left")
    table.add_column("judged", no_wrap=True)
    for sweep in plan.sweep:
        table.add_column(sweep.key.rpartition(".")[2], justify="right")
    for name in ("in training", "afterwards", "best afterwards"):
        table.add_column(name, justify="right")
    done = 0
    for each in found.folds:
        length = each.fold.test_stop - each.fold.test_start
        days = found.rows.day[done : done + length]
        done += length
        table.add_row(
            f"{calendar_day(days[0])} to {calendar_day(days[-1])}",
            *(str(each.chosen.changes[sweep.key]) for sweep in plan.sweep),
            told(each.trained, ",.4g"),
            told(each.tested, ",.4g"),
            told(each.best, ",.4g"),
        )
    console.print(table)
    console.print(
        f"Sharpe over all judged sessions {told(sharpe_of(found.rows), '.4f')}, of the portfolio "
        f"alone {told(found.unhedged, '.4f')}; the hedge earned {np.sum(found.rows.profit):,.0f}.",
        highlight=False,
    )
    if plan.zero_cost:
        console.print(f"[bold red]{ZERO_COST}[/]", highlight=False)
