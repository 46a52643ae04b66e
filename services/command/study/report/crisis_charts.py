"""A look at each crisis: what the portfolio lost, and what each hedge made, from the high on."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

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


class View(NamedTuple):
    """The days of a chart.

    Attributes:
        first: Of it.
        high: Of the index: from its close on everything counts.
        last: Of the chart.
    """

    first: np.datetime64
    high: np.datetime64
    last: np.datetime64

    def is_seen_by(self, days: NDArray[np.datetime64]) -> bool:
        """Whether sessions reach from the high, or before it, into the crisis."""
        return bool(days[0] <= self.high < days[-1])

    def since_the_high(
        self, days: NDArray[np.datetime64], values: NDArray[np.float64]
    ) -> tuple[NDArray[np.datetime64], NDArray[np.float64]]:
        """Return the days shown, and the change of what is added up since the high; else no day."""
        shown = slice(
            int(np.searchsorted(days, self.first)), int(np.searchsorted(days, self.last)) + 1
        )
        at = int(np.searchsorted(days, self.high, side="right")) - 1
        if not self.is_seen_by(days):
            return days[:0], np.zeros(1)
        return days[shown], values[shown] - values[at]


def crisis_charts(
    variants: Sequence[VariantStudy], reference: VariantStudy, currency: str
) -> Iterator[tuple[Crisis, Figure]]:
    """Yield the crises that the history covers, each with its chart.

    Args:
        variants: In the order of the plan; one without sessions in a crisis is left out of it.
        reference: Whose portfolio and free static hedge are drawn.
        currency: Of the book.
    """
    rows = reference.figures.rows
    for crisis, window in crisis_slices(rows.day):
        last = min(len(rows), window.stop + AFTER) - 1
        view = View(rows.day[max(0, window.start - BEFORE)], rows.day[window.start], rows.day[last])
        yield crisis, _chart(variants, reference, currency, crisis, view)


def _chart(
    variants: Sequence[VariantStudy],
    reference: VariantStudy,
    currency: str,
    crisis: Crisis,
    view: View,
) -> Figure:
    scales = by_scale(variants, lambda each: float(np.ptp(_made(each, view)[1])))
    panels = 3 if scales.larger else 2
    figure = stacked_figure(
        rows=panels,
        shared_xaxes=True,
        vertical_spacing=0.06,
        row_heights=[0.4, 0.6, 0.35][:panels],
    )
    rows = reference.figures.rows
    wide = {"color": PORTFOLIO, "width": 2.5}
    look = {"mode": "lines", "col": 1}
    lost = thinned(*view.since_the_high(rows.day, rows.nav))
    figure.add_scatter(**lost, **look, line=wide, name="portfolio, no hedge", row=1)
    static = thinned(*view.since_the_high(rows.day, np.cumsum(rows.static_profit)))
    figure.add_scatter(**static, **look, line=wide | {"dash": "dot"}, name="free static", row=2)
    for panel, dealt in ((2, scales.usual), (3, scales.larger)):
        for number, each in dealt:
            if view.is_seen_by(each.figures.rows.day):
                made = thinned(*_made(each, view))
                figure.add_scatter(**made, **look, line=line(number), name=each.label, row=panel)
    laid_out(figure, height=400 if panels == 2 else 480)  # noqa: PLR2004
    _name_axes(figure, currency, scales)
    figure.add_vrect(
        x0=str(view.high),
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


def _made(each: VariantStudy, view: View) -> tuple[NDArray[np.datetime64], NDArray[np.float64]]:
    """Days and profit of the hedge since the close of the high; no day when it has not seen it."""
    rows = each.figures.rows
    return view.since_the_high(rows.day, np.cumsum(rows.profit))
