"""The paper's figure 1 on real data: what the hedge was, against VIX and its regimes."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.command.study.report.contents import VariantStudy
from services.command.study.report.palette import REGIMES, laid_out, line
from services.command.study.report.plotting import Figure, stacked_figure
from services.command.study.report.thinning import stepped, thinned
from shared.adapters.study.columns import Columns
from shared.domain.study.splits import regime_spells

_MARKET: Final = 170
_EACH: Final = 92
"""Pixels in height."""
MOST_ON_A_SHEET: Final = 8


def has_market(daily: Columns) -> bool:
    """Whether a study wrote down what a chart of hedge against VIX needs."""
    return all(
        name in daily and bool(np.any(np.isfinite(daily[name]))) for name in ("vix", "held_vega")
    )


def hedge_chart(
    variants: Sequence[VariantStudy], reference: VariantStudy, first_number: int = 0
) -> Figure:
    """Draw VIX over its regimes, and under it what each variant held.

    Args:
        variants: At most `MOST_ON_A_SHEET`, all with `has_market`.
        reference: Whose VIX is drawn.
        first_number: Place of the first of them in the plan.
    """
    count = len(variants)
    height = _MARKET + _EACH * count
    figure = stacked_figure(
        rows=1 + count,
        shared_xaxes=True,
        vertical_spacing=14 / height,
        row_heights=[_MARKET, *[_EACH] * count],
    )
    _add_vix(figure, reference.daily)
    for number, each in enumerate(variants):
        days, held = _days(each.daily), each.daily["held_vega"]
        style = line(first_number + number) | {"shape": "hv", "dash": "solid"}
        figure.add_scatter(
            **stepped(days, held),
            mode="lines",
            line=style,
            fill="tozeroy",
            name=each.label,
            showlegend=False,
            row=2 + number,
            col=1,
        )
    laid_out(figure, height=height + 70)
    figure.update_yaxes(title_text="VIX", rangemode="tozero", row=1)
    for number, each in enumerate(variants):
        figure.update_yaxes(rangemode="tozero", tickformat="~s", nticks=4, row=2 + number)
        figure.add_annotation(
            text=each.label,
            x=0.004,
            y=0.96,
            xref=f"x{2 + number} domain",
            yref=f"y{2 + number} domain",
            xanchor="left",
            yanchor="top",
            showarrow=False,
            font={"size": 12},
            bgcolor="rgba(255,255,255,0.75)",
        )
    return figure


def _add_vix(figure: Figure, daily: Columns) -> None:
    days, vix = _days(daily), daily["vix"]
    for regime, colour in REGIMES.items():
        band = regime_band(days, daily.get("regime"), regime, float(np.nanmax(vix)) * 1.05)
        if band["x"]:
            figure.add_scatter(
                **band,
                mode="lines",
                line={"width": 0},
                fill="toself",
                fillcolor=colour,
                opacity=0.3,
                name=f"{regime} regime",
                hoverinfo="skip",
                row=1,
                col=1,
            )
    figure.add_scatter(
        **thinned(days, vix),
        mode="lines",
        line={"color": "#30373c", "width": 1.2},
        name="VIX",
        row=1,
        col=1,
    )


def regime_band(
    days: NDArray[Any], regimes: NDArray[np.str_] | None, regime: str, top: float
) -> dict[str, list[Any]]:
    """Return the outline of all spells of a regime, gaps between them; empty without one.

    A spell lasts to the day on which the next begins.
    """
    outline: dict[str, list[Any]] = {"x": [], "y": []}
    for name, spell in () if regimes is None else regime_spells(regimes):
        if name == regime:
            first, last = str(days[spell.start]), str(days[min(spell.stop, len(days) - 1)])
            outline["x"] += [first, last, last, first, first, None]
            outline["y"] += [0, 0, top, top, 0, None]
    return outline


def _days(daily: Columns) -> NDArray[Any]:
    return daily["day"].astype("datetime64[D]")
