"""The one importer of plotly, which has no types: what charts are made of, and what draws them."""

from typing import Any

import plotly.graph_objects as go  # type: ignore[import-untyped]
from plotly.io import to_json  # type: ignore[import-untyped]
from plotly.offline import get_plotlyjs  # type: ignore[import-untyped]
from plotly.subplots import make_subplots  # type: ignore[import-untyped]

Figure = Any
"""A plotly figure."""


def empty_figure() -> Figure:
    """Return a figure with one pair of axes."""
    return go.Figure()


def stacked_figure(**layout: object) -> Figure:
    """Return a figure with several pairs of axes; arguments as `make_subplots` takes them."""
    return make_subplots(**layout)


def figure_json(figure: Figure) -> str:
    """Return a figure as its script reads it."""
    return str(to_json(figure, validate=False))


def plotly_source() -> str:
    """Return plotly.js as the package carries it."""
    return str(get_plotlyjs())
