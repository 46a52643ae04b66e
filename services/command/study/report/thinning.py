"""Fewer points of a line that looks the same: no peak and no trough is lost.

29 years of sessions on a chart some 800 pixels wide are nine sessions a pixel. Of each stretch of
sessions the first, the lowest, the highest and the last are kept, at their own days, so that what
is drawn at this width is what every session would have drawn ("M4": Jugel et al., VLDB 2014).
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

MOST: Final = 800
"""Points of a line; histories up to as many sessions are drawn whole."""
_KEPT: Final = 4


def kept(values: NDArray[np.float64], most: int = MOST) -> NDArray[np.intp]:
    """Return the positions to draw, rising.

    Args:
        values: Of the line, (n,); NaN where not known.
        most: How many positions there may be, at least 4.
    """
    if len(values) <= most:
        return np.arange(len(values))
    bounds = np.linspace(0, len(values), most // _KEPT + 1).astype(np.intp)
    found: list[int] = []
    for start, stop in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        found += [start, *_extremes(values[start:stop], start), stop - 1]
    return np.unique(np.array(found, dtype=np.intp))


def thinned(days: NDArray[Any], values: NDArray[np.float64], most: int = MOST) -> dict[str, Any]:
    """Return `x` and `y` of a line as plotly takes them; NaN is a gap.

    Args:
        days: `datetime64[D]`, (n,).
        values: (n,).
        most: How many points there may be, at least 4.
    """
    return _points(days, values, kept(values, most))


def stepped(days: NDArray[Any], values: NDArray[np.float64]) -> dict[str, Any]:
    """Return `x` and `y` of a line of steps: only where it changes, the last included."""
    changes = np.flatnonzero(values[1:] != values[:-1]) + 1  # NaN differs from itself, and stays
    at = np.unique(np.concatenate([[0], changes, [len(values) - 1]])).astype(np.intp)
    return _points(days, values, at[kept(values[at])])


def _points(
    days: NDArray[Any], values: NDArray[np.float64], at: NDArray[np.intp]
) -> dict[str, Any]:
    return {
        "x": days[at].astype(str).tolist(),
        "y": [None if unknown else shown(value) for value, unknown in _cells(values[at])],
    }


def shown(value: float) -> float:
    """Round to six digits: more cannot be seen, and weigh megabytes."""
    return float(f"{value:.6g}")


def _extremes(values: NDArray[np.float64], start: int) -> list[int]:
    if np.all(np.isnan(values)):
        return []
    return [start + int(np.nanargmin(values)), start + int(np.nanargmax(values))]


def _cells(values: NDArray[np.float64]) -> list[tuple[float, bool]]:
    return list(zip(values.tolist(), np.isnan(values).tolist(), strict=True))
