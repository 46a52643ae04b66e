"""How every chart of a report looks: colours that the colour-blind tell apart, and print.

Colours are Okabe and Ito's ("Color Universal Design", 2008), their yellow left out: it cannot be
read on white. Variants beyond the sixth get another dash instead of another colour.
"""

from typing import Any, Final

from services.command.study.report.plotting import Figure

COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
DASHES: Final = ("solid", "dash", "dot", "dashdot")
PORTFOLIO: Final = "#7d8790"
"""Of the portfolio alone, VIX, and whatever is a background to the hedge."""
GRID: Final = "#d5dade"
REGIMES: Final = {"low": "#56B4E9", "medium": "#E69F00", "high": "#D55E00"}
GAIN: Final = "#0072B2"
LOSS: Final = "#D55E00"

WIDTH: Final = 860
"""Pixels of every chart; the sheet of paper gets it scaled by its style sheet."""
_FONT: Final = 'system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif'
_AXIS: Final = {
    "gridcolor": GRID,
    "zerolinecolor": "#8c959c",
    "linecolor": "#8c959c",
    "ticks": "outside",
    "tickcolor": "#8c959c",
    "automargin": True,
}


def line(number: int) -> dict[str, Any]:
    """Return the line of the variant that stands at this place of the plan, from 0."""
    colour = COLOURS[number % len(COLOURS)]
    return {
        "color": colour,
        "dash": DASHES[number // len(COLOURS) % len(DASHES)],
        "width": 1.6,
    }


def laid_out(figure: Figure, *, height: int, **layout: Any) -> Figure:  # noqa: ANN401 - plotly's own
    """Give a figure the look of all others.

    Args:
        figure: With its traces.
        height: In pixels.
        layout: Anything else that plotly knows.
    """
    figure.update_layout(
        template="none",
        width=WIDTH,
        height=height,
        font={"family": _FONT, "size": 13, "color": "#1c2226"},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        margin={"l": 64, "r": 20, "t": 34, "b": 40},
        hovermode="x unified",
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "font": {"size": 12}},
        separators=".,",
    )
    figure.update_layout(**layout)
    figure.update_xaxes(**_AXIS, title_font={"size": 12})
    figure.update_yaxes(**_AXIS, title_font={"size": 12})
    return figure
