"""What early exercise adds to American options, by a library's engine, on a budget.

Every American option is valued with all others as if it were European, at every tick. What early
exercise adds to its price and Greeks moves slowly; it is computed by `pricing.american`, some
milliseconds each, for the few whose turn it is, and added until their turn comes again. One that
has not had its turn yet is *approximate*: it counts without that addition, and is told as such.
"""

import numpy as np
from msgspec import Struct

from shared.domain.exposure.terms import AMERICAN, YEAR_NS, Floats, Integers, Terms
from shared.domain.pricing.american import evaluate_american
from shared.domain.pricing.kernel import Output

_INPUTS = 4
"""Rows of the inputs that price an option: underlying, rate, carry, volatility."""


class EarlyExerciseState(Struct, frozen=True, array_like=True):
    """What a restart goes on from: additions, and when each was computed, by row; as bytes."""

    rows: tuple[int, ...] = ()
    added: bytes = b""
    computed_ns: bytes = b""


class EarlyExercise:
    """The additions of all American rows.

    Args:
        terms: Of all rows; they grow.
        state: Where to go on from.
    """

    def __init__(self, terms: Terms, state: EarlyExerciseState | None = None) -> None:
        known = state or EarlyExerciseState()
        self._terms = terms
        self._rows: Integers = np.array(known.rows, dtype=np.int64)
        self._added: Floats = (
            np.frombuffer(known.added, dtype="<f8").reshape(len(Output), -1).copy()
        )
        self._computed_ns: Integers = np.frombuffer(known.computed_ns, dtype="<i8").copy()
        self._seen = int(self._rows[-1]) + 1 if len(self._rows) else 0

    def snapshot(self) -> EarlyExerciseState:
        """Copy the state."""
        rows = tuple(self._rows.tolist())
        return EarlyExerciseState(rows, self._added.tobytes(), self._computed_ns.tobytes())

    def grow(self) -> None:
        """Take American rows on that the terms have more."""
        fresh = self._seen + np.flatnonzero(self._terms.model[self._seen :] == AMERICAN)
        self._seen = len(self._terms)
        if len(fresh):
            none = np.zeros((len(Output), len(fresh)))
            self._rows = np.concatenate((self._rows, fresh))
            self._added = np.concatenate((self._added, none), axis=1)
            unknown = np.zeros(len(fresh), dtype=np.int64)
            self._computed_ns = np.concatenate((self._computed_ns, unknown))

    def add(self, rows: Integers, values: Floats) -> None:
        """Add what is known to values that were just computed as if European.

        Args:
            rows: Which were, ascending.
            values: Of all rows, shape `(GREEKS, n)`; written.
        """
        mine = np.isin(self._rows, rows, assume_unique=True)
        values[:, self._rows[mine]] += self._added[:, mine]

    def without(self, values: Floats) -> Floats:
        """Return a copy of values as if all were European."""
        plain = values.copy()
        plain[:, self._rows] -= self._added
        return plain

    def refine(
        self, inputs: Floats, values: Floats, wanted: Integers, now_ns: int, budget: int
    ) -> None:
        """Compute the additions whose turn it is: the oldest first.

        Args:
            inputs: Of all rows, shape `(INPUTS, n)`.
            values: Of all rows; written where an addition has changed.
            wanted: Rows that somebody holds.
            now_ns: From which years to expiry are counted.
            budget: How many.
        """
        can = np.isin(self._rows, wanted) & np.isfinite(values[Output.PRICE, self._rows])
        can &= self._terms.expiry_ns[self._rows] > now_ns
        waiting = np.flatnonzero(can)
        turns = waiting[np.argsort(self._computed_ns[waiting], kind="stable")][:budget]
        for turn in turns.tolist():
            row = int(self._rows[turn])
            plain = values[:, row] - self._added[:, turn]
            added = self._exact(row, inputs, now_ns) - plain
            self._added[:, turn] = np.where(np.isfinite(added), added, 0.0)
            self._computed_ns[turn] = now_ns
            values[:, row] = plain + self._added[:, turn]

    def approximate(self) -> Integers:
        """Rows that have not had their turn."""
        waiting: Integers = self._rows[self._computed_ns == 0]
        return waiting

    def _exact(self, row: int, inputs: Floats, now_ns: int) -> Floats:
        terms = self._terms
        underlying, rate, carry, volatility = inputs[:_INPUTS, row].tolist()
        years = (int(terms.expiry_ns[row]) - now_ns) / YEAR_NS
        sign, strike = float(terms.sign[row]), float(terms.strike[row])
        return evaluate_american(sign, underlying, strike, years, rate, carry, volatility)
