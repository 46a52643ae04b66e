"""The value and the Greeks of every row, kept up to date with the market.

A row is a distinct instrument, whoever holds it; positions are put on top in `aggregate`. A row is
valued anew when one of its inputs has moved, and with all others when `everything` is asked for:
in between only time has passed.
"""

from typing import Protocol

import numpy as np
from msgspec import Struct
from numba import njit
from numpy.typing import NDArray

from shared.domain.exposure.early_exercise import EarlyExercise, EarlyExerciseState
from shared.domain.exposure.row_values import GREEKS, INPUTS, Scratch, struck_at, value_rows
from shared.domain.exposure.terms import Floats, Integers, Terms


class Market(Protocol):
    """What the market says of every row; shape `(n,)` each, NaN where unknown.

    `underlying` is what the kernel takes: a spot for Black-Scholes, a forward for Black. `rate` and
    `carry` (of `underlying`) are per year, continuously compounded; `volatility` is a decimal.
    `level` is what the underlying itself trades at: what makes dollars of a delta.
    """

    @property
    def underlying(self) -> Floats:
        """See the class."""
        ...

    @property
    def rate(self) -> Floats:
        """See the class."""
        ...

    @property
    def carry(self) -> Floats:
        """See the class."""
        ...

    @property
    def volatility(self) -> Floats:
        """See the class."""
        ...

    @property
    def level(self) -> Floats:
        """See the class."""
        ...


class RevaluationState(Struct, frozen=True, array_like=True):
    """What a restarted revaluation goes on from; arrays as bytes, little endian.

    Attributes:
        values: float64 of shape `(GREEKS, n)`.
        inputs: float64 of shape `(INPUTS, n)`: what the values came from.
        valued_ns: int64 of shape `(n,)`.
        early: What early exercise adds.
    """

    values: bytes = b""
    inputs: bytes = b""
    valued_ns: bytes = b""
    early: EarlyExerciseState = EarlyExerciseState()


class Revaluation:
    """Values of all rows.

    Args:
        terms: Of the rows; it grows, and `grow` follows.

    Attributes:
        values: float64, shape `(GREEKS, n)`.
        inputs: float64, shape `(INPUTS, n)`: what the values came from.
        valued_ns: int64, shape `(n,)`: when each was last valued; 0 for never.
        wanted: bool, shape `(n,)`: rows that are valued at all.
    """

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.values: Floats = np.full((GREEKS, len(terms)), np.nan)
        self.inputs: Floats = np.full((INPUTS, len(terms)), np.nan)
        self.valued_ns: Integers = np.zeros(len(terms), dtype=np.int64)
        self.wanted: NDArray[np.bool_] = np.zeros(len(terms), dtype=np.bool_)
        self.early = EarlyExercise(terms)
        self.early.grow()
        self._scratch = Scratch()

    def grow(self) -> None:
        """Make room for the rows that the terms have more; they have no value yet."""
        self.early.grow()
        more = len(self.terms) - len(self.valued_ns)
        if more:
            self.values = np.concatenate((self.values, np.full((GREEKS, more), np.nan)), axis=1)
            self.inputs = np.concatenate((self.inputs, np.full((INPUTS, more), np.nan)), axis=1)
            self.valued_ns = np.concatenate((self.valued_ns, np.zeros(more, dtype=np.int64)))
            self.wanted = np.concatenate((self.wanted, np.zeros(more, dtype=np.bool_)))

    def refresh(self, market: Market, now_ns: int, *, everything: bool) -> int:
        """Value anew what has moved, or everything; answers how many rows.

        Args:
            market: Of as many rows as there are.
            now_ns: From which years to expiry are counted.
            everything: Whether rows whose inputs have not moved are valued, too.
        """
        rows = np.empty(len(self.terms), dtype=np.int64)
        count = _note_moves(
            market.underlying,
            market.rate,
            market.carry,
            market.volatility,
            market.level,
            self.wanted,
            self.inputs,
            rows,
            everything,
        )
        rows = rows[:count]
        struck = struck_at(self.terms, self.inputs)
        value_rows(self.terms, rows, struck, self.inputs, now_ns, self.values, self._scratch)
        self.early.add(rows, self.values)
        self.valued_ns[rows] = now_ns
        return int(count)

    def refine(self, now_ns: int, budget: int) -> None:
        """Compute what early exercise adds to some American options: see `early_exercise`."""
        wanted = np.flatnonzero(self.wanted)
        self.early.refine(self.inputs, self.values, wanted, now_ns, budget)

    def snapshot(self) -> RevaluationState:
        """Copy the state."""
        return RevaluationState(
            self.values.tobytes(),
            self.inputs.tobytes(),
            self.valued_ns.tobytes(),
            self.early.snapshot(),
        )

    @classmethod
    def resume(cls, terms: Terms, state: RevaluationState) -> "Revaluation":
        """Go on from a snapshot; of as many rows as the terms have."""
        resumed = cls(terms)
        count = len(terms)
        resumed.values = np.frombuffer(state.values, dtype="<f8").reshape(GREEKS, count).copy()
        resumed.inputs = np.frombuffer(state.inputs, dtype="<f8").reshape(INPUTS, count).copy()
        resumed.valued_ns = np.frombuffer(state.valued_ns, dtype="<i8").copy()
        resumed.early = EarlyExercise(terms, state.early)
        resumed.early.grow()
        return resumed


@njit(cache=True)
def _note_moves(  # noqa: PLR0913, PLR0917 - compiled code takes columns
    underlying: Floats,
    rate: Floats,
    carry: Floats,
    volatility: Floats,
    level: Floats,
    wanted: NDArray[np.bool_],
    inputs: Floats,
    rows: Integers,
    everything: bool,  # noqa: FBT001 - compiled code takes no keywords
) -> int:
    """Copy the market into `inputs`; write the rows that moved, or all, and answer their count."""
    count = 0
    for row in range(len(level)):
        if not wanted[row]:
            continue
        moved = everything
        now = (underlying[row], rate[row], carry[row], volatility[row], level[row])
        for column, value in enumerate(now):
            known = inputs[column, row]
            if value != known and not (np.isnan(value) and np.isnan(known)):
                inputs[column, row] = value
                moved = True
        if moved:
            rows[count] = row
            count += 1
    return count
