"""Where a hedge's profit came from: in all, and day by day since the start."""

from typing import Final

import numpy as np

from services.command.study.report.contents import VariantStudy
from services.command.study.report.palette import GAIN, LOSS, laid_out
from services.command.study.report.plotting import Figure, stacked_figure
from services.command.study.report.thinning import thinned
from shared.adapters.study.columns import Columns
from shared.domain.study.session_table import PROFIT_COLUMNS

PARTS: Final = {name: name.removeprefix("pnl_") for name in PROFIT_COLUMNS}
"""What to call the columns that sum to the profit."""

STYLES: Final = {
    "delta": ("#0072B2", "solid"),
    "gamma": ("#009E73", "solid"),
    "theta": ("#D55E00", "solid"),
    "vega": ("#CC79A7", "solid"),
    "vanna": ("#56B4E9", "dash"),
    "volga": ("#0072B2", "dash"),
    "carry": ("#D55E00", "dash"),
    "cost": ("#E69F00", "solid"),
    "unexplained": ("#7d8790", "dot"),
}
_OTHER: Final = ("#7d8790", "dashdot")
NARROW: Final = 400
"""Points of a line: the panel is half as wide as a chart."""


def parts_of(daily: Columns) -> list[str]:
    """Return the columns of parts that are not nothing throughout; unexplained always stands."""
    if not all(name in daily for name in PROFIT_COLUMNS):
        return []
    return [
        name
        for name in PROFIT_COLUMNS
        if name == "pnl_unexplained" or bool(np.any(np.abs(daily[name]) > 0))
    ]


def unexplained_share(daily: Columns) -> float:
    """Return Σ|unexplained| / Σ|profit|, session by session; 0 without a profit."""
    moved = float(np.sum(np.abs(daily["profit"])))
    return float(np.sum(np.abs(daily["pnl_unexplained"]))) / moved if moved else 0.0


def attribution_chart(each: VariantStudy, currency: str) -> Figure:
    """Draw totals by part as bars, and their sums since the start as lines."""
    daily, parts = each.daily, parts_of(each.daily)
    figure = stacked_figure(cols=2, column_widths=[0.3, 0.7], horizontal_spacing=0.11)
    totals = [float(np.sum(daily[name])) for name in parts]
    names, values = [PARTS[name] for name in parts], [*totals]
    names.append("all")
    values.append(float(np.sum(daily["profit"])))
    figure.add_bar(
        x=values,
        y=names,
        orientation="h",
        marker={"color": [GAIN if value >= 0 else LOSS for value in values]},
        showlegend=False,
        hovertemplate="%{y}: %{x:,.0f}<extra></extra>",
        row=1,
        col=1,
    )
    days = daily["day"].astype("datetime64[D]")
    for name in parts:
        colour, dash = STYLES.get(PARTS[name], _OTHER)
        figure.add_scatter(
            **thinned(days, np.cumsum(daily[name]), NARROW),
            mode="lines",
            line={"color": colour, "dash": dash, "width": 1.5},
            name=PARTS[name],
            row=1,
            col=2,
        )
    figure.add_scatter(
        **thinned(days, np.cumsum(daily["profit"]), NARROW),
        mode="lines",
        line={"color": "#30373c", "width": 2.5},
        name="all",
        row=1,
        col=2,
    )
    laid_out(figure, height=280, margin={"l": 90, "r": 20, "t": 40, "b": 40})
    figure.update_yaxes(autorange="reversed", row=1, col=1)
    figure.update_xaxes(tickformat="~s", nticks=5, row=1, col=1)
    figure.update_yaxes(tickformat="~s", title_text=currency, row=1, col=2)
    return figure
