"""`hedgestat study compare`: all variants of a plan side by side in a terminal."""

from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from services.command.study.doubts import flags_of, split_of
from services.command.study.figures import VariantFigures, crises_of
from shared.adapters.study.plan import StudyPlan
from shared.domain.study.paths import ClosedForm, PathFigures

ZERO_COST: Final = "ZERO COST: nothing that was traded cost anything."


def print_comparison(plan: StudyPlan, figures: Sequence[VariantFigures], console: Console) -> None:
    """Print what the variants cost, earned and did."""
    for table in (
        _money(figures),
        _crises(figures),
        _behaviour(figures),
    ):
        if plan.zero_cost:
            table.caption = ZERO_COST
        console.print(table)
    for each in figures:
        if each.performance.average_multiplier is None:
            console.print(
                f"[bold red]{each.variant.name} never decided: what its rule reads is not in this "
                "history.[/]",
                highlight=False,
            )
        for flag in flags_of(each, split_of(each.rows, plan.out_of_sample)):
            text = f"[bold red]{each.variant.name}: {escape(flag.sentence)}[/]"
            console.print(text, highlight=False)
    console.print(
        f"[dim]Money in {figures[0].variant.book.currency}. Cost: what the hedge lost outside "
        "crash windows (falls of the portfolio by more than 5%), transaction cost included, a "
        "year of 252 of those sessions. HER: hedge gain over portfolio loss in all crash windows "
        "together. Spared: what the trades there and back of suppressed whipsaws would have cost; "
        "regret: behind the best constant hedge in hindsight. `none` is the portfolio alone, "
        "`free static` the base held throughout for nothing; both stand in every study.[/]",
        highlight=False,
    )


def _money(figures: Sequence[VariantFigures]) -> Table:
    table = Table(title="What it cost and earned", title_justify="left")
    table.add_column("variant", no_wrap=True)
    for name in ("cost a year", "traded for", "net profit", "HER", "Sharpe", "formula", "deepest"):
        table.add_column(name, justify="right")
    first = figures[0].performance
    table.add_row("none", "", "", "", "", *_path(first.unhedged))
    static = first.static
    table.add_row(
        "free static",
        told(static.cost_per_year, ",.0f"),
        "0",
        told(static.net_profit, ",.0f"),
        told(static.effectiveness, ".4f"),
        *_path(static.path, static.closed_form),
        end_section=True,
    )
    for each in figures:
        hedge = each.performance.hedge
        table.add_row(
            each.variant.name,
            told(hedge.cost_per_year, ",.0f"),
            told(hedge.transaction_cost, ",.0f"),
            told(hedge.net_profit, ",.0f"),
            told(hedge.effectiveness, ".4f"),
            *_path(hedge.path, hedge.closed_form),
        )
    return table


def _path(path: PathFigures, formula: ClosedForm | None = None) -> tuple[str, str, str]:
    sharpe = None if formula is None else formula.sharpe
    return told(path.sharpe, ".4f"), told(sharpe, ".4f"), told(path.maximum_drawdown, ".2%")


def _crises(figures: Sequence[VariantFigures]) -> Table:
    crises = crises_of(figures)
    table = Table(title="Hedge gain by crisis", title_justify="left")
    table.add_column("variant", no_wrap=True)
    for crisis in crises:
        table.add_column(crisis.name, justify="right")
    losses = [told(crisis.result.portfolio_loss, ",.0f") for crisis in crises]
    table.add_row("portfolio loss", *losses)
    free = [told(crisis.result.static_gain, ",.0f") for crisis in crises]
    table.add_row("free static", *free, end_section=True)
    for each in figures:
        gains = {one.name: one.result.dynamic_gain for one in each.performance.crises}
        cells = (told(gains.get(crisis.name), ",.0f") for crisis in crises)  # some begin later
        table.add_row(each.variant.name, *cells)
    return table


def _behaviour(figures: Sequence[VariantFigures]) -> Table:
    table = Table(title="What it did", title_justify="left")
    table.add_column("variant", no_wrap=True)
    names = (
        "average",
        "most",
        "at floor",
        "at cap",
        "trades",
        "vega a year",
        "whipsaws",
        "spared",
        "regret",
    )
    for name in names:
        table.add_column(name, justify="right")
    for each in figures:
        found = each.performance
        table.add_row(
            each.variant.name,
            told(found.average_multiplier, ".3f"),
            told(found.maximum_multiplier, ".3f"),
            told(found.time_at_floor, ".0%"),
            told(found.time_at_cap, ".0%"),
            f"{found.trades:,}",
            told(found.turnover_vega_per_year, ",.0f"),
            f"{each.whipsaws:,}",
            told(each.whipsaw_cost.total, ",.0f"),
            told(found.regret.profit_regret, ",.0f"),
        )
    return table


def told(figure: float | None, form: str) -> str:
    """Write a figure, or a dash when there is none."""
    return "-" if figure is None or figure != figure else format(figure, form)  # noqa: PLR0124 - NaN
