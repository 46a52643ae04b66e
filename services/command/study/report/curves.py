"""Charts of paths: the portfolio with and without its hedge, and the hedge alone."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.command.study.report.contents import VariantStudy
from services.command.study.report.palette import PORTFOLIO, laid_out, line
from services.command.study.report.plotting import Figure, empty_figure, stacked_figure
from services.command.study.report.scales import by_scale
from services.command.study.report.thinning import thinned
from shared.domain.study.daily import DailyRows
from shared.domain.study.ratios import session_returns, wealth

Floats = NDArray[np.float64]

LOGARITHMIC_FROM: Final = 3.0
"""Times the start: from there on equal steps are equal percentages, and the axis says so."""


_STEPS: Final = [step * 10**power for power in range(7) for step in (1, 2, 5)]


def growth_chart(variants: Sequence[VariantStudy], reference: VariantStudy) -> Figure:
    """Draw what 100 became, and how far it was below its highest: without a hedge and with each.

    A hedge over fewer sessions begins where the portfolio alone was on its first.
    """
    figure = stacked_figure(
        rows=2, shared_xaxes=True, vertical_spacing=0.06, row_heights=[0.58, 0.42]
    )
    rows = reference.figures.rows
    days, alone = _path(rows, np.zeros(len(rows)))
    _add_path(figure, days, alone, "no hedge", {"color": PORTFOLIO, "width": 3})
    highest = float(np.max(alone, initial=0.0))
    for number, each in enumerate(variants):
        rows = each.figures.rows
        first, values = _path(rows, rows.profit)
        begun = max(int(np.searchsorted(days, first[0], side="right")) - 1, 0)
        values *= alone[begun] / values[0]
        _add_path(figure, first, values, each.label, line(number))
        highest = max(highest, float(np.max(values)))
    laid_out(figure, height=560)
    is_logarithmic = highest > LOGARITHMIC_FROM * 100
    title = "start = 100, logarithmic" if is_logarithmic else "start = 100"
    figure.update_yaxes(type="log" if is_logarithmic else "linear", title_text=title, row=1)
    if is_logarithmic:
        figure.update_yaxes(tickvals=_STEPS, row=1)
    figure.update_yaxes(tickformat=".0%", title_text="below the highest", row=2)
    return figure


def _path(rows: DailyRows, profit: Floats) -> tuple[NDArray[np.datetime64], Floats]:
    """Return the days with a value, and what 100 was worth on them."""
    values = 100.0 * wealth(session_returns(rows.nav, profit))
    days = rows.day[~np.isnan(rows.nav)]
    return (days, values) if len(days) else (rows.day[:1], values)


def _add_path(
    figure: Figure,
    days: NDArray[np.datetime64],
    values: Floats,
    name: str,
    style: dict[str, object],
) -> None:
    falls = values / np.maximum.accumulate(values) - 1.0
    look = {"mode": "lines", "line": style, "name": name, "legendgroup": name}
    figure.add_scatter(**thinned(days, values), **look, row=1, col=1)
    figure.add_scatter(**thinned(days, falls), **look, showlegend=False, row=2, col=1)


def profit_charts(
    variants: Sequence[VariantStudy], reference: VariantStudy, currency: str
) -> Iterator[tuple[str, Figure]]:
    """Yield what each hedge alone has made since the start; those far larger in a second chart."""
    scales = by_scale(variants, lambda each: float(np.ptp(np.cumsum(each.figures.rows.profit))))
    yield "", _profit_chart(reference, scales.usual, currency)
    if scales.larger:
        names = ", ".join(each.label for _, each in scales.larger)
        yield f"On another scale: {names}", _profit_chart(reference, scales.larger, currency)


def _profit_chart(
    first: VariantStudy, shown: Sequence[tuple[int, VariantStudy]], currency: str
) -> Figure:
    figure = empty_figure()
    rows = first.figures.rows
    made = thinned(rows.day, np.cumsum(rows.static_profit))
    wide = {"color": PORTFOLIO, "width": 3}
    figure.add_scatter(**made, mode="lines", line=wide, name="free static")
    for number, each in shown:
        rows = each.figures.rows
        made = thinned(rows.day, np.cumsum(rows.profit))
        figure.add_scatter(**made, mode="lines", line=line(number), name=each.label)
    laid_out(figure, height=420 if len(shown) > 1 else 300)
    figure.update_yaxes(title_text=currency, tickformat="~s")
    return figure
