"""Expected shortfall of a day, from the days of the past (historical simulation).

Every past day's shock, the index's return and the move of VIX, is applied to today's positions;
the expected shortfall at 97.5% is the mean loss of the worst 2.5% of days (Basel Committee,
"Minimum capital requirements for market risk", January 2016, for the level; C. Acerbi, D. Tasche,
"On the coherence of expected shortfall", 2002, for the part of a day that stands at its edge).

Only days that may be among the worst are valued in full: a book's Greeks rank all of them first,
and of its worst tail three times as many days as count are taken.
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


def candidates(estimates: Floats, confidence: float) -> Integers:
    """Number the days that may be among some book's worst; shape of `estimates` `(days, books)`."""
    tail = (1.0 - confidence) * len(estimates)
    count = min(len(estimates), int(_MARGIN * tail) + 1)
    worst = np.argsort(estimates, axis=0, kind="stable")[:count]
    return np.unique(worst)
