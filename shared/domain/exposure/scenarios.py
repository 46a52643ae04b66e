"""What a book would earn if the market were elsewhere: every position valued in full.

A scenario moves the index by a share and implied volatilities by points. An underlying moves by
its beta times the index's move; one without a beta moves like the index. What is itself in vol
points (a VIX future) rises by the points and does not see the index; options on it keep their own
volatility. Time does not pass, rates and carries stay.

The named days of the spec, section 5, as facts. Spot: the S&P 500's closes; volatility: closes of
Cboe's VIX, of its predecessor VXO for 1987 (which began in 1986 in retrospect: Cboe's own series).

| day | S&P 500 | | VIX (VXO) | |
| --- | --- | --- | --- | --- |
| 1987-10-19 | 282.70 → 224.84 | −20.47% | 36.37 → 150.19 | +113.82 |
| 2008-10 | 1,166.36 → 968.75 | −16.94% | 39.39 → 59.89 | +20.50 |
| 2018-02-05 | 2,762.13 → 2,648.94 | −4.10% | 17.31 → 37.32 | +20.01 |
| 2020-03-16 | 2,711.02 → 2,386.13 | −11.98% | 57.83 → 82.69 | +24.86 |

October 2008 is a month, from the last close of September to its own last.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from shared.domain.exposure.aggregate import Portfolio
from shared.domain.exposure.policy import Shock
from shared.domain.exposure.row_values import (
    GREEKS,
    LEVEL,
    PRICE,
    UNDERLYING,
    VOLATILITY,
    Scratch,
    struck_at,
    value_rows,
)
from shared.domain.exposure.terms import Floats, Terms
from shared.domain.instants import DAY

SPOT_MOVES: Final = (-0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3)
VOLATILITY_MOVES: Final = (-10.0, 0.0, 10.0, 20.0, 30.0, 40.0)
GRID: Final = tuple(Shock(spot, points) for spot in SPOT_MOVES for points in VOLATILITY_MOVES)
STRESS_DAYS: Final = {
    "1987-10-19": Shock(224.84 / 282.70 - 1, 150.19 - 36.37),
    "2008-10": Shock(968.75 / 1166.36 - 1, 59.89 - 39.39),
    "2018-02-05": Shock(2648.94 / 2762.13 - 1, 37.32 - 17.31),
    "2020-03-16": Shock(2386.13 / 2711.02 - 1, 82.69 - 57.83),
}
LOWEST_VOLATILITY: Final = 0.01
"""Implied volatility does not fall below 1%."""
_LOWEST_POINTS: Final = 1.0
_MONTH_DAYS: Final = 30.0


class Scenarios:
    """Values all rows under shocks, at one instant.

    Args:
        terms: Of the rows.
        beta: Of every row's underlying to the index; shape `(n,)`.
        now_ns: The instant.
    """

    def __init__(self, terms: Terms, beta: Floats, now_ns: int) -> None:
        self._terms = terms
        self._beta = beta
        self._now_ns = now_ns
        self._scratch = Scratch()
        self._values = np.full((GREEKS, len(terms)), np.nan)

    def profits(
        self,
        portfolio: Portfolio,
        shocks: Sequence[Shock],
        values: Floats,
        inputs: Floats,
        *,
        by_tenor: bool = False,
    ) -> Floats:
        """Return what every book would earn under every shock; shape `(shocks, books)`.

        Args:
            portfolio: Of all books.
            shocks: What moves.
            values: Of the rows now.
            inputs: They came from these.
            by_tenor: Whether the points are those of 30 days, and longer volatilities move by
                √(30/days) of them; else all move alike.
        """
        held = np.flatnonzero(portfolio.group >= 0)
        rows, units, books = portfolio.rows[held], portfolio.units[held], portfolio.book[held]
        distinct, struck = np.unique(rows), struck_at(self._terms, inputs)
        weight = self._tenor_weight() if by_tenor else np.ones(len(self._terms))
        earned = np.zeros((len(shocks), len(portfolio.books)))
        for number, shock in enumerate(shocks):
            moved = self._moved(inputs, shock, weight)
            value_rows(
                self._terms, distinct, struck, moved, self._now_ns, self._values, self._scratch
            )
            change = self._values[PRICE, rows] - values[PRICE, rows]
            each = units * np.nan_to_num(change, nan=0.0)  # unmarked: named by the coverage
            earned[number] = np.bincount(books, weights=each, minlength=len(portfolio.books))
        return earned

    def _tenor_weight(self) -> Floats:
        days = (self._terms.expiry_ns - self._now_ns) / DAY
        return np.sqrt(_MONTH_DAYS / np.maximum(days, _MONTH_DAYS))

    def _moved(self, inputs: Floats, shock: Shock, weight: Floats) -> Floats:
        """Shift a copy of the inputs."""
        moved = inputs.copy()
        in_points = self._terms.in_points
        points = shock.volatility * weight
        factor = np.maximum(0.0, 1.0 + self._beta * shock.spot)
        for row in (UNDERLYING, LEVEL):
            raised = np.maximum(_LOWEST_POINTS, inputs[row] + points)
            moved[row] = np.where(in_points, raised, inputs[row] * factor)
        volatility = inputs[VOLATILITY]
        shifted = np.maximum(volatility + points / 100.0, np.minimum(volatility, LOWEST_VOLATILITY))
        moved[VOLATILITY] = np.where(in_points, volatility, shifted)
        return moved
