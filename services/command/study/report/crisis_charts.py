"""A look at each crisis: what the portfolio lost, and what each hedge made, from the high on."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from services.command.study.report.contents import VariantStudy
from services.command.study.report.palette import PORTFOLIO, laid_out, line
from services.command.study.report.plotting import Figure, stacked_figure
from services.command.study.report.thinning import thinned
from shared.domain.study.crises import Crisis, crisis_slices

BEFORE: Final = 10
AFTER: Final = 20
"""Sessions shown around a crisis."""


def crisis_charts(
    variants: Sequence[VariantStudy], currency: str
) -> Iterator[tuple[Crisis, Figure]]:
    """Yield the crises that the history covers, each with its chart."""
    rows = variants[0].figures.rows
    for crisis, window in crisis_slices(rows.day):
        shown = slice(max(0, window.start - BEFORE), min(len(rows), window.stop + AFTER))
        yield crisis, _chart(variants, currency, crisis, window.start, shown)


def _chart(
    variants: Sequence[VariantStudy], currency: str, crisis: Crisis, high: int, shown: slice
) -> Figure:
    figure = stacked_figure(
        rows=2, shared_xaxes=True, vertical_spacing=0.07, row_heights=[0.4, 0.6]
    )
    rows = variants[0].figures.rows
    nav = rows.nav
    figure.add_scatter(
        **thinned(rows.day[shown], nav[shown] - nav[high]),
        mode="lines",
        line={"color": PORTFOLIO, "width": 2.5},
        name="portfolio, no hedge",
        row=1,
        col=1,
    )
    _add_made(figure, variants[0], high, shown, static=True)
    for number, each in enumerate(variants):
        _add_made(figure, each, high, shown, number=number)
    laid_out(figure, height=430)
    figure.add_vrect(
        x0=str(rows.day[high]),
        x1=crisis.last.isoformat(),
        fillcolor="#8c959c",
        opacity=0.16,
        line_width=0,
        layer="below",
    )
    figure.update_yaxes(tickformat="~s", zeroline=True)
    figure.update_yaxes(title_text=f"portfolio, {currency}", row=1)
    figure.update_yaxes(title_text=f"hedge, {currency}", row=2)
    return figure


def _add_made(  # noqa: PLR0913 - where, and whose
    figure: Figure,
    each: VariantStudy,
    high: int,
    shown: slice,
    *,
    number: int = 0,
    static: bool = False,
) -> None:
    rows = each.figures.rows
    made = np.cumsum(rows.static_profit if static else rows.profit)
    style = {"color": PORTFOLIO, "width": 2.5, "dash": "dot"} if static else line(number)
    figure.add_scatter(
        **thinned(rows.day[shown], (made - made[high])[shown]),
        mode="lines",
        line=style,
        name="free static" if static else each.label,
        row=2,
        col=1,
    )
