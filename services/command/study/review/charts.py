"""The charts of a month: hedge against target and VIX, profit by day, and the budget's burn."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.command.study.report.attribution_charts import PARTS, STYLES, parts_of
from services.command.study.report.palette import COLOURS, GAIN, LOSS, PORTFOLIO, laid_out
from services.command.study.report.plotting import Figure, empty_figure, stacked_figure
from services.command.study.report.thinning import stepped, thinned
from services.command.study.review.month import BookMonth

TARGET: Final = {"color": "#30373c", "width": 1.5, "dash": "dot", "shape": "hv"}


def exposure_chart(month: BookMonth) -> Figure:
    """Draw VIX, and under it the vega held at each close and its target."""
    figure = stacked_figure(rows=2, shared_xaxes=True, vertical_spacing=0.07)
    daily, days = month.daily, _days(month)
    look = {"mode": "lines+markers", "col": 1}
    vix = {"color": PORTFOLIO, "width": 2}
    figure.add_scatter(**thinned(days, daily["vix"]), **look, line=vix, name="VIX", row=1)
    held = {"color": COLOURS[0], "width": 2, "shape": "hv"}
    figure.add_scatter(
        **thinned(days, daily["held_vega"]), **look, line=held, name="held vega", row=2
    )
    figure.add_scatter(
        **thinned(days, daily["target_vega"]),
        mode="lines",
        line=TARGET,
        name="target",
        row=2,
        col=1,
    )
    laid_out(figure, height=430)
    figure.update_yaxes(title_text="VIX", row=1)
    figure.update_yaxes(
        title_text=f"{month.book.currency} per vol point",
        tickformat="~s",
        rangemode="tozero",
        row=2,
    )
    return figure


def profit_chart(month: BookMonth) -> Figure:
    """Draw what the hedge made each session, and in all so far, beside the free static one."""
    figure = stacked_figure(rows=2, shared_xaxes=True, vertical_spacing=0.07)
    daily, days = month.daily, _days(month)
    profit = daily["profit"]
    figure.add_bar(
        x=days.astype(str).tolist(),
        y=profit.tolist(),
        marker={"color": [GAIN if each >= 0 else LOSS for each in profit.tolist()]},
        name="of the session",
        showlegend=False,
        row=1,
        col=1,
    )
    for name, column, style in (
        ("hedge as traded", "profit", {"color": COLOURS[0], "width": 2.5}),
        ("free static", "static_profit", {"color": PORTFOLIO, "width": 2.5}),
    ):
        made = thinned(days, np.cumsum(daily[column]))
        figure.add_scatter(**made, mode="lines", line=style, name=name, row=2, col=1)
    none = {"color": "#30373c", "width": 1, "dash": "dot"}
    nothing = thinned(days, np.zeros(len(days)))
    figure.add_scatter(**nothing, mode="lines", line=none, name="none", row=2, col=1)
    laid_out(figure, height=430)
    figure.update_yaxes(tickformat="~s")
    figure.update_yaxes(title_text=f"a session, {month.book.currency}", row=1)
    figure.update_yaxes(title_text=f"so far, {month.book.currency}", row=2)
    return figure


def attribution_chart(month: BookMonth) -> Figure | None:
    """Draw the profit by part, session by session; `None` when there is none."""
    daily, days = month.daily, _days(month)
    parts = [name for name in parts_of(daily) if np.any(daily[name])]
    if not parts:
        return None
    figure = empty_figure()
    for name in parts:
        figure.add_bar(
            x=days.astype(str).tolist(),
            y=daily[name].tolist(),
            name=PARTS[name],
            marker={"color": STYLES[PARTS[name]][0], "pattern": {"shape": _pattern(name)}},
        )
    all_of_it = {"color": "#30373c", "width": 2}
    figure.add_scatter(
        **thinned(days, daily["profit"]), mode="lines+markers", line=all_of_it, name="all"
    )
    laid_out(figure, height=330, barmode="relative")
    figure.update_yaxes(title_text=month.book.currency, tickformat="~s")
    return figure


def budget_chart(month: BookMonth) -> Figure | None:
    """Draw the share of the annual budget that was used; `None` without a budget."""
    budget, used = month.book.sizing.budget, month.daily["budget_used"]
    if budget is None or not np.any(np.isfinite(used)):
        return None
    figure = empty_figure()
    style = {"color": COLOURS[1], "width": 2.5, "shape": "hv"}
    figure.add_scatter(**stepped(_days(month), used), mode="lines", line=style, name="used")
    for level, name in ((budget.warn_fraction, "warning"), (1.0, "all of it")):
        figure.add_hline(
            y=level, line={"color": "#30373c", "dash": "dot", "width": 1}, annotation_text=name
        )
    highest = max(1.05, 1.1 * float(np.nanmax(used)))
    laid_out(figure, height=260, showlegend=False)
    figure.update_yaxes(tickformat=".0%", range=[min(0.0, float(np.nanmin(used))), highest])
    return figure


def _days(month: BookMonth) -> NDArray[Any]:
    return month.daily["day"].astype("datetime64[D]")


def _pattern(name: str) -> str:
    return "/" if STYLES[PARTS[name]][1] == "dash" else ""
