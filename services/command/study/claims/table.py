"""The claims in a terminal: a table a section, readable at a hundred columns."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from services.command.figures import counted, rounded
from services.command.study.claims.command import ClaimsDocument
from services.command.study.comparison import ZERO_COST
from shared.domain.study.claims.claim import Judged, Unit, Verdict
from shared.domain.study.claims.market import HEDGES

WIDTH_OF_A_FILE: Final = 100
WIDTH_OF_A_CELL: Final = 16
_COLOURS: Final = {
    Verdict.HOLDS: "green",
    Verdict.DOES_NOT_HOLD: "red",
    Verdict.CANNOT_BE_TOLD: "yellow",
}
_FORMS: Final[dict[Unit, str]] = {
    "share": ".1%",
    "ratio": ".3f",
    "money": ",.0f",
    "vega": ",.0f",
    "points": ".2f",
    "count": ",.0f",
    "shares": ",.0f",
}


def print_claims(document: ClaimsDocument, console: Console) -> None:
    """Print every claim beside what was measured, and how many hold."""
    console = console if console.is_terminal else Console(width=WIDTH_OF_A_FILE)
    console.print(
        f"Measured on {document.first} to {document.last}: {document.sessions:,} sessions, "
        f"{document.closes:,} with a close of VIX.",
        highlight=False,
    )
    for title, judged in document.sections.items():
        for table in _tables(title, judged):
            if document.zero_cost:
                table.caption = ZERO_COST
            console.print(table)
    counts = Counter(each.verdict for found in document.sections.values() for each in found)
    told = ", ".join(f"{counts[verdict]} {_coloured(verdict)}" for verdict in Verdict)
    console.print(f"{counted(sum(counts.values()), 'claim')}: {told}.", highlight=False)
    for note in (_LEGEND, *document.notes):
        console.print(f"[dim]{escape(note)}[/]", highlight=False)


def _tables(title: str, judged: Sequence[Judged]) -> Iterator[Table]:
    """Yield a table of what stands alone, and one of what every variant is asked."""
    alone = [each for each in judged if not each.variant]
    by_variant = [each for each in judged if each.variant]
    if alone:
        yield _table(title, alone)
    if by_variant:
        yield _grid(f"{title}: each rule", by_variant)


def _grid(title: str, judged: Sequence[Judged]) -> Table:
    columns = {each.claim.key.partition(".")[0]: each for each in judged}
    table = Table(title=title, title_justify="left", expand=True)
    table.add_column("rule", ratio=1, no_wrap=True)
    for each in columns.values():
        table.add_column(f"{each.claim.text}\n[dim]{_where(each)}[/]", max_width=WIDTH_OF_A_CELL)
    for variant in dict.fromkeys(each.variant for each in judged):
        own = {each.claim.key.partition(".")[0]: each for each in judged if each.variant == variant}
        labels = next(iter(own.values())).labels
        name = "\n".join((variant, *(f"[magenta]{label}[/]" for label in labels)))
        table.add_row(name, *(_cell(own[key]) for key in columns), end_section=True)
    return table


def _cell(judged: Judged) -> str:
    value = "-" if judged.value is None else figure(judged.value, judged.claim.unit)
    return f"{value}\n[dim]{_interval(judged)}[/]\n{_coloured(judged.verdict)}"


def figure(value: float, unit: Unit) -> str:
    """Write a figure of a claim in its unit."""
    return rounded(value, _FORMS[unit])


def claimed(judged: Judged) -> str:
    """Write what is claimed: a figure, or a range."""
    low, high = (figure(each, judged.claim.unit) for each in (judged.claim.low, judged.claim.high))
    return low if low == high else f"{low} to {high}"


def _table(title: str, judged: Sequence[Judged]) -> Table:
    table = Table(title=title, title_justify="left", expand=True)
    table.add_column("claim, and what was measured", ratio=1)
    table.add_column("claimed", justify="right", max_width=9)
    table.add_column("measured", justify="right", no_wrap=True)
    if any(each.interval for each in judged):
        table.add_column("95% interval", justify="right", max_width=10)
    table.add_column("verdict", max_width=14)
    for each in judged:
        value = "-" if each.value is None else figure(each.value, each.claim.unit)
        table.add_row(
            _said(each),
            claimed(each),
            value,
            *([_interval(each)] if any(one.interval for one in judged) else ()),
            _coloured(each.verdict),
        )
    return table


def _said(judged: Judged) -> str:
    parts = [f"[bold]{escape(judged.claim.text)}[/] [dim]({escape(_where(judged))})[/]"]
    parts += [escape(judged.sentence)] * bool(judged.sentence)
    parts += [f"[yellow]Cannot be told: {escape(judged.reason)}.[/]"] * bool(judged.reason)
    parts += [f"[magenta]{label}[/]" for label in judged.labels]
    return "\n".join(parts)


def _where(judged: Judged) -> str:
    return judged.claim.where.removeprefix(f"{HEDGES}, ")


def _interval(judged: Judged) -> str:
    if judged.interval is None:
        return "-"
    low, high = judged.interval.low, judged.interval.high
    return f"{figure(low, judged.claim.unit)} to {figure(high, judged.claim.unit)}"


def _coloured(verdict: Verdict) -> str:
    return f"[{_COLOURS[verdict]}]{verdict}[/]"


_LEGEND: Final = (
    "A measured claim does not hold when its interval (block bootstrap) misses what is claimed; it "
    "cannot be told when the interval reaches below half of it or above one and a half times it, "
    "or when the history does not cover what it speaks of. A worked example holds when the live "
    "code gives the printed figure. Cost: what a hedge lost outside crash windows (falls of the "
    "portfolio by more than 5%), trades paid, a year of 252 of those sessions."
)
