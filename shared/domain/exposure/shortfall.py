"""Expected shortfall of a day, from the days of the past (historical simulation).

Every past day's shock, the index's return and the move of VIX, is applied to today's positions;
the expected shortfall at 97.5% is the mean loss of the worst 2.5% of days (Basel Committee,
"Minimum capital requirements for market risk", January 2016, for the level; C. Acerbi, D. Tasche,
"On the coherence of expected shortfall", 2002, for the part of a day that stands at its edge).

Only days that may be among the worst are valued in full. All are ranked first, by interpolation on
a surface of moves that is valued in full itself; three times as many days as count are taken.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from msgspec import Struct

from shared.domain.exposure.policy import Shock
from shared.domain.exposure.terms import Floats, Integers

LEAST_DAYS: Final = 250
"""Fewer shocks than a year of them say nothing of a tail."""
_MARGIN: Final = 3
_SPOTS: Final = np.array([-0.12, -0.06, -0.03, -0.015, 0.0, 0.015, 0.03, 0.06, 0.12])
_POINTS: Final = np.array([-8.0, 0.0, 8.0, 24.0])
NODES: Final = tuple(Shock(spot, points) for spot in _SPOTS.tolist() for points in _POINTS.tolist())
"""Of the surface; days beyond its edge rank as if they were on it."""


class Close(Struct, frozen=True, array_like=True):
    """One session's closes: of the index, and of VIX in vol points."""

    spot: float
    volatility: float


def daily_shocks(closes: Sequence[Close]) -> tuple[Shock, ...]:
    """Return what happened from each close to the next, oldest first."""
    return tuple(
        Shock(after.spot / before.spot - 1.0, after.volatility - before.volatility)
        for before, after in pairwise(closes)
    )


def expected_shortfall(profits: Floats, confidence: float, days: int) -> float:
    """Return the mean loss of the worst days, as a number from 0 on.

    Args:
        profits: Of days, at least of the worst; shape `(n,)`.
        confidence: 0.975 means the worst 2.5%.
        days: How many there were in all.
    """
    tail = (1.0 - confidence) * days
    whole = min(int(tail), len(profits))
    worst = np.sort(profits)[: whole + 1]
    weights = np.ones(len(worst))
    if len(worst) > whole:
        weights[whole] = tail - whole
    return max(0.0, -float(worst @ weights) / tail)


def interpolated(surface: Floats, history: Sequence[Shock]) -> Floats:
    """Estimate what every book would earn on every day; shape `(days, books)`.

    Args:
        surface: What it would earn at `NODES`, shape `(nodes, books)`.
        history: The days.
    """
    spot = np.clip([shock.spot for shock in history], _SPOTS[0], _SPOTS[-1])
    points = np.clip([shock.volatility for shock in history], _POINTS[0], _POINTS[-1])
    row, along = _cell(_SPOTS, spot)
    column, across = _cell(_POINTS, points)
    nodes = surface.reshape(len(_SPOTS), len(_POINTS), -1)
    along, across = along[:, None], across[:, None]
    near = (1 - across) * nodes[row, column] + across * nodes[row, column + 1]
    far = (1 - across) * nodes[row + 1, column] + across * nodes[row + 1, column + 1]
    estimates: Floats = (1 - along) * near + along * far
    return estimates


def _cell(edges: Floats, values: Floats) -> tuple[Integers, Floats]:
    """Find the cell of each value, and how far into it the value lies, 0..1."""
    cell = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    return cell, (values - edges[cell]) / (edges[cell + 1] - edges[cell])


def candidates(estimates: Floats, confidence: float) -> Integers:
    """Number the days that may be among some book's worst; shape of `estimates` `(days, books)`."""
    tail = (1.0 - confidence) * len(estimates)
    count = min(len(estimates), int(_MARGIN * tail) + 1)
    worst = np.argsort(estimates, axis=0, kind="stable")[:count]
    return np.unique(worst)
