"""A look at each crisis: what the portfolio lost, and what each hedge made, from the high on."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.command.study.report.contents import VariantStudy
from services.command.study.report.palette import PORTFOLIO, laid_out, line
from services.command.study.report.plotting import Figure, stacked_figure
from services.command.study.report.scales import Scales, by_scale
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
    scales = by_scale(variants, lambda each: float(np.ptp(_made(each, high, shown))))
    panels = 3 if scales.larger else 2
    figure = stacked_figure(
        rows=panels,
        shared_xaxes=True,
        vertical_spacing=0.06,
        row_heights=[0.4, 0.6, 0.35][:panels],
    )
    rows = variants[0].figures.rows
    days, nav = rows.day[shown], (rows.nav - rows.nav[high])[shown]
    wide = {"color": PORTFOLIO, "width": 2.5}
    look = {"mode": "lines", "col": 1}
    figure.add_scatter(**thinned(days, nav), **look, line=wide, name="portfolio, no hedge", row=1)
    static = np.cumsum(rows.static_profit)
    points = thinned(days, (static - static[high])[shown])
    figure.add_scatter(**points, **look, line=wide | {"dash": "dot"}, name="free static", row=2)
    for panel, dealt in ((2, scales.usual), (3, scales.larger)):
        for number, each in dealt:
            points = thinned(days, _made(each, high, shown))
            figure.add_scatter(**points, **look, line=line(number), name=each.label, row=panel)
    laid_out(figure, height=400 if panels == 2 else 480)  # noqa: PLR2004
    _name_axes(figure, currency, scales)
    figure.add_vrect(
        x0=str(rows.day[high]),
        x1=crisis.last.isoformat(),
        fillcolor="#8c959c",
        opacity=0.16,
        line_width=0,
        layer="below",
    )
    return figure


def _name_axes(figure: Figure, currency: str, scales: Scales) -> None:
    figure.update_yaxes(tickformat="~s", nticks=6)
    figure.update_yaxes(title_text=f"portfolio, {currency}", row=1)
    figure.update_yaxes(title_text=f"hedge, {currency}", row=2)
    if scales.larger:
        names = "<br>".join(each.label for _, each in scales.larger)
        figure.update_yaxes(title_text=names, row=3)


def _made(each: VariantStudy, high: int, shown: slice) -> NDArray[np.float64]:
    """Profit of the hedge since the close of the high."""
    made = np.cumsum(each.figures.rows.profit)
    return np.asarray((made - made[high])[shown], dtype=np.float64)
