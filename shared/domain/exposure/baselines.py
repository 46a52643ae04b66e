"""The valuation of every instrument up to which its profit is explained.

| status | is |
| --- | --- |
| `NEVER` | never marked: its profit begins with its first mark |
| `FRESH` | marked at the last step |
| `SUSPENDED` | has lost its mark: the valuation before is kept, and one step leads from there to |
| | the next mark, be it hours later |
| `SETTLED` | expired: worth its intrinsic value at the underlying's level of the first valuation |
| | from its expiry on; one whose level is unknown then is suspended |
"""

from typing import Final, NamedTuple

import numpy as np
from msgspec import Struct
from numba import njit
from numpy.typing import NDArray

from shared.domain.exposure import attribution, row_values
from shared.domain.exposure.attribution import (
    CARRY_PART,
    COLUMNS,
    OF_THE_MARKET,
    PRICE,
    UNDERLYING,
    VEGA_PART,
    VOLGA_PART,
    Flags,
    attribute,
)
from shared.domain.exposure.swap_profit import (
    Moment,
    SwapPoint,
    struck_anew,
    swap_point,
    swap_profit,
)
from shared.domain.exposure.terms import AMERICAN, VARIANCE, YEAR_NS, Floats, Integers, Terms

Codes = NDArray[np.int8]

NEVER: Final = 0
FRESH: Final = 1
SUSPENDED: Final = 2
SETTLED: Final = 3

_GREEKS: Final = np.array(
    [
        row_values.PRICE,
        row_values.DELTA,
        row_values.GAMMA,
        row_values.VEGA,
        row_values.THETA,
        row_values.VANNA,
        row_values.VOLGA,
        row_values.CHARM,
    ]
)
"""In the order of `attribution`."""
_INPUTS: Final = np.array(
    [row_values.UNDERLYING, row_values.RATE, row_values.CARRY, row_values.VOLATILITY]
)


class Valuation(NamedTuple):
    """All rows, as the monitor has just valued them.

    Attributes:
        values: Shape `(GREEKS, n)`.
        inputs: Shape `(INPUTS, n)`.
        valued_ns: When each was, shape `(n,)`.
        is_marked: Whether something marks it, shape `(n,)`.
        index_level: Of the index; NaN while unknown.
    """

    values: Floats
    inputs: Floats
    valued_ns: Integers
    is_marked: Flags
    index_level: float


class BaselineState(Struct, frozen=True, array_like=True):
    """Snapshot of `Baselines`; arrays as bytes, little endian.

    Attributes:
        rows: int64 of shape `(k,)`.
        columns: float64 of shape `(COLUMNS, k)`.
        since_ns: int64 of shape `(k,)`.
        status: int8 of shape `(k,)`.
        swaps: Of variance swaps, by row.
    """

    rows: bytes = b""
    columns: bytes = b""
    since_ns: bytes = b""
    status: bytes = b""
    swaps: dict[int, SwapPoint] = {}


class Step(NamedTuple):
    """What one unit of every instrument has earned, shape `(k,)` in the last place.

    Attributes:
        rows: The instruments; int64, ascending.
        parts: Of the market, shape `(OF_THE_MARKET, k)`.
        change: Of value.
        mark: Before it, of a variance swap its fair strike; NaN for what was never marked.
        status: Before it.
    """

    rows: Integers
    parts: Floats
    change: Floats
    mark: Floats
    status: Codes


class Baselines:
    """The valuations of the instruments that are held, `k` of them.

    Args:
        terms: Of all rows; it grows.
        state: Where to go on from.

    Attributes:
        rows: Theirs, ascending; int64.
        since_ns: When each was valued; int64.
        status: See the module; int8.
    """

    def __init__(self, terms: Terms, state: BaselineState) -> None:
        self._terms = terms
        self.rows: Integers = np.frombuffer(state.rows, dtype="<i8").copy()
        self.since_ns: Integers = np.frombuffer(state.since_ns, dtype="<i8").copy()
        self.status: Codes = np.frombuffer(state.status, dtype="<i1").copy()
        columns = np.frombuffer(state.columns, dtype="<f8")
        self._columns: Floats = columns.reshape(COLUMNS, len(self.rows)).copy()
        self._swaps = dict(state.swaps)

    def mark(self, row: int) -> float | None:
        """Return what an instrument is marked at, of a variance swap its fair strike."""
        at = place(self.rows, row)
        if at is None or not is_marked(self.status[at]):
            return None
        column = UNDERLYING if self._terms.model[row] == VARIANCE else PRICE
        return float(self._columns[column, at])

    def marked_ns(self, row: int) -> int:
        """Return when one that is held was last marked; 0: never."""
        return int(self.since_ns[np.searchsorted(self.rows, row)])

    def advance(self, valuation: Valuation, variance: float, moment: Moment) -> Step:
        """Go on to a valuation.

        Args:
            valuation: Of all rows.
            variance: Realized of the index so far; NaN while unknown.
            moment: Now.
        """
        was, before = self.status, self._columns
        after, after_ns, status = self._seen(valuation, variance, moment.now_ns)
        is_swap = self._terms.model[self.rows] == VARIANCE
        step = Step(
            self.rows,
            np.zeros((OF_THE_MARKET, len(was))),
            np.zeros(len(was)),
            np.where(is_swap, before[UNDERLYING], before[PRICE]),
            was,
        )
        taken = (was != SETTLED) & is_marked(status)
        both = taken & (was != NEVER) & ~is_swap
        years = (after_ns - self.since_ns) / YEAR_NS
        attribute(before, after, years, self._terms.in_points[self.rows], both, step.parts)
        step.change[both] = after[PRICE, both] - before[PRICE, both]
        for swap in np.flatnonzero(taken & is_swap).tolist():
            self._advance_swap(swap, float(after[UNDERLYING, swap]), variance, moment, step)
        np.copyto(self._columns, after, where=taken)
        np.copyto(self.since_ns, after_ns, where=taken)
        self.status = status
        return step

    def hold(self, rows: Integers) -> None:
        """Keep just these, ascending; those that are new were never marked."""
        there = np.isin(rows, self.rows)
        came_from = np.searchsorted(self.rows, rows[there])
        columns = np.full((COLUMNS, len(rows)), np.nan)
        since_ns = np.zeros(len(rows), dtype=np.int64)
        status = np.zeros(len(rows), dtype=np.int8)
        columns[:, there] = self._columns[:, came_from]
        since_ns[there] = self.since_ns[came_from]
        status[there] = self.status[came_from]
        self.rows, self._columns, self.since_ns, self.status = rows, columns, since_ns, status
        kept = set(rows.tolist())
        self._swaps = {row: point for row, point in self._swaps.items() if row in kept}

    def snapshot(self) -> BaselineState:
        """Copy the state."""
        return BaselineState(
            self.rows.tobytes(),
            self._columns.tobytes(),
            self.since_ns.tobytes(),
            self.status.tobytes(),
            dict(self._swaps),
        )

    # --- one step --------------------------------------------------------------------------------

    def _seen(
        self, valuation: Valuation, variance: float, now_ns: int
    ) -> tuple[Floats, Integers, Codes]:
        """Read a valuation: what is known of each, as of when, and its status from now on."""
        rows, was, terms = self.rows, self.status, self._terms
        after = np.empty((COLUMNS, len(rows)))
        _gather(rows, valuation.values, valuation.inputs, after)
        expiry_ns, after_ns = terms.expiry_ns[rows], valuation.valued_ns[rows]
        level = valuation.inputs[row_values.LEVEL, rows]
        is_known = valuation.is_marked[rows] & np.isfinite(after[PRICE])
        is_swap = terms.model[rows] == VARIANCE  # nobody quotes it: its underlying marks it
        is_known[is_swap] = np.isfinite(level[is_swap]) & np.isfinite(variance)
        expired = expiry_ns <= now_ns
        is_known[expired & ~is_swap] = np.isfinite(level[expired & ~is_swap])
        after_ns[expired] = expiry_ns[expired]
        after[:, expired] = _settled(
            terms, rows[expired], level[expired], self._columns[:, expired]
        )
        after[attribution.YEARS] = (expiry_ns - after_ns) / YEAR_NS
        unknown = np.where(was == NEVER, NEVER, SUSPENDED)
        status = np.where(is_known, np.where(expired, SETTLED, FRESH), unknown).astype(np.int8)
        status[was == SETTLED] = SETTLED
        return after, after_ns, status

    def _advance_swap(
        self, at: int, level: float, variance: float, moment: Moment, step: Step
    ) -> None:
        row = int(self.rows[at])
        instrument, before = self._terms.instruments[row], self._swaps.get(row)
        if before is not None:
            before = struck_anew(instrument, before, moment)
        now = swap_point(instrument, level, variance, moment, before)
        self._swaps[row] = now
        if before is None:
            return
        profit = swap_profit(instrument, before, now)
        step.parts[VEGA_PART, at] = profit.vega
        step.parts[VOLGA_PART, at] = profit.volga
        step.parts[CARRY_PART, at] = profit.carry
        step.change[at] = profit.total


def is_marked(status: Codes) -> Flags:
    """Whether what has this status is worth something."""
    return np.asarray((status == FRESH) | (status == SETTLED))


@njit(cache=True)
def _gather(rows: Integers, values: Floats, inputs: Floats, after: Floats) -> None:
    """Copy rows of a valuation, in the order of `attribution`."""
    for to in range(len(_GREEKS)):
        greek = _GREEKS[to]
        for i in range(len(rows)):
            after[to, i] = values[greek, rows[i]]
    for to in range(len(_INPUTS)):
        column = _INPUTS[to]
        for i in range(len(rows)):
            after[len(_GREEKS) + to, i] = inputs[column, rows[i]]


def place(rows: Integers, row: int) -> int | None:
    """Find a row among rows in ascending order; `None` when it is not there."""
    at = int(np.searchsorted(rows, row))
    return at if at < len(rows) and rows[at] == row else None


def _settled(terms: Terms, rows: Integers, level: Floats, before: Floats) -> Floats:
    """Value what has expired: intrinsic value, slope, and nothing more to come of it."""
    after = np.zeros((COLUMNS, len(rows)))
    is_option = terms.model[rows] <= AMERICAN
    sign = terms.sign[rows]
    intrinsic = np.maximum(0.0, sign * (level - terms.strike[rows]))
    after[PRICE] = np.where(is_option, intrinsic, level)
    after[attribution.DELTA] = np.where(is_option, sign * (intrinsic > 0), 1.0)
    after[UNDERLYING] = level
    for column in (attribution.RATE, attribution.CARRY, attribution.VOLATILITY):
        after[column] = before[column]
    return after
