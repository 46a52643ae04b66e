"""How sensitive a figure is to the parameters: a heat map of two, a line of one."""

from html import escape
from typing import Final

import numpy as np

from services.command.study.report.palette import GAIN, laid_out
from services.command.study.report.plotting import Figure, empty_figure
from services.command.study.report.thinning import shown
from shared.adapters.study.plan import Sweep
from shared.domain.study.sensitivity import Surface

SCALE: Final = "Cividis"
"""The colour-blind see the same order of colours in it."""


def sweep_chart(sweep: tuple[Sweep, ...], surface: Surface) -> Figure:
    """Draw the Sharpe ratio over one or two parameters."""
    figure = empty_figure()
    names = [escape(each.key.rpartition(".")[2]) for each in sweep]
    if surface.figures.ndim == 1:
        figure.add_scatter(
            x=_texts(sweep[0]),
            y=_cells(surface.figures),
            mode="lines+markers",
            line={"color": GAIN},
        )
        laid_out(figure, height=320, hovermode="closest")
        figure.update_yaxes(title_text="Sharpe ratio")
        figure.update_xaxes(title_text=names[0], type="category")
        return figure
    figure.add_heatmap(
        x=_texts(sweep[1]),
        y=_texts(sweep[0]),
        z=[_cells(row) for row in surface.figures],
        colorscale=SCALE,
        colorbar={"title": {"text": "Sharpe"}},
        texttemplate="%{z:.3f}",
        hoverongaps=False,
    )
    laid_out(figure, height=130 + 42 * len(sweep[0].values), hovermode="closest")
    figure.update_xaxes(title_text=names[1], type="category")
    figure.update_yaxes(title_text=names[0], type="category")
    return figure


def _texts(sweep: Sweep) -> list[str]:
    return [escape(str(each)) for each in sweep.values]


def _cells(row: np.ndarray) -> list[float | None]:
    return [shown(each) if np.isfinite(each) else None for each in row.tolist()]
