"""Positions put on top of values: sums by book, underlying and expiry bucket (spec 5).

Units. Of a position of q contracts with multiplier m, in an option with raw Greeks of the kernel
on an underlying at level S:

| figure | is | unit |
| --- | --- | --- |
| `value` | q·m·price | currency |
| `delta` | q·m·Δ | units of the underlying |
| `gamma` | q·m·Γ | units of the underlying for one point of it |
| `dollar_delta` | delta · S | currency: what a move of 100% would earn, at today's delta |
| `dollar_gamma` | gamma · S² / 100 | currency: change of dollar delta for a move of 1% |
| `vega` | q·m·vega / 100 | currency for one vol point |
| `weighted_vega` | vega · √(30 / days) | the same, for a point of 30-day volatility |
| `theta` | q·m·theta / 365 | currency a calendar day |
| `rho` | q·m·rho / 100 | currency for 1% of rate |
| `vanna` | q·m·vanna · S / 100 | currency: change of dollar delta for one vol point |
| `volga` | q·m·volga / 10,000 | currency for one vol point: change of vega for one more |
| `charm` | q·m·charm · S / 365 | currency: change of dollar delta in a calendar day |

The weight √(30/days) is the square-root-of-time convention of dealers (N. Taleb, "Dynamic
Hedging", 1997, on modified vega): the short end of a volatility curve moves more, roughly as the
inverse root of maturity. Days are at least 1 in it.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from msgspec import Struct
from numba import njit
from numpy.typing import NDArray

from shared.domain.exposure.policy import BUCKETS, FIGURES, LAST_DAYS
from shared.domain.exposure.row_values import (
    CHARM,
    DELTA,
    GAMMA,
    LEVEL,
    PRICE,
    RHO,
    THETA,
    VANNA,
    VEGA,
    VOLGA,
)
from shared.domain.exposure.terms import NEVER, Floats, Integers, Terms
from shared.domain.instants import DAY

_COUNT: Final = len(FIGURES)
_MONTH_DAYS: Final = 30.0
_LAST_DAYS: Final = np.array(LAST_DAYS, dtype=np.int64)
_NO_ROWS: Final = np.empty(0, dtype=np.int64)
_NOTHING: Final = np.empty(0)


class Group(Struct, frozen=True, array_like=True):
    """What is added up: the positions of a book on one underlying that expire in one bucket."""

    book: str
    underlying: str
    bucket: str


class BookColumns(NamedTuple):
    """The positions of one book, one at least.

    Attributes:
        book: Its name.
        rows: Of every position, −1 where its instrument is unknown; int64.
        quantities: Signed, in contracts.
    """

    book: str
    rows: Integers
    quantities: Floats


class Portfolio:
    """The positions of all books as columns, and what they add up to.

    Groups stay for as long as the positions and the buckets do: `next_change_ns` says until when.

    Args:
        terms: Of the rows.
        held: Of every book that has positions, by name.
        now_ns: What days to expiry are counted from.

    Attributes:
        rows: Of every position; int64.
        books: Names, sorted.
        book: Of every position, a number of `books`, ascending; int64.
        quantities: Of every position, in contracts.
        units: Quantity times multiplier of every position.
        groups: By book, underlying and bucket.
        group: Of every position; int64, −1 for one that is unknown or has expired.
        example: A row of each group.
        counts: Positions of each group.
        next_change_ns: When a position changes its bucket, or expires.
    """

    def __init__(self, terms: Terms, held: Sequence[BookColumns], now_ns: int) -> None:
        self._terms = terms
        self.books = tuple(each.book for each in held)
        self._numbers = {book: number for number, book in enumerate(self.books)}
        sizes = [len(each.rows) for each in held]
        self.book: Integers = np.repeat(np.arange(len(held)), sizes)
        self.rows: Integers = np.concatenate([_NO_ROWS, *(each.rows for each in held)])
        self.quantities: Floats = np.concatenate([_NOTHING, *(each.quantities for each in held)])
        self.units: Floats = self.quantities * np.append(terms.multiplier, np.nan)[self.rows]
        self._firsts = np.cumsum([0, *sizes]).tolist()
        self._first_groups = [0] * (len(held) + 1)
        self.groups: tuple[Group, ...] = ()
        self.group: Integers = np.full(len(self.rows), -1, dtype=np.int64)
        self.example: Integers = np.empty(0, dtype=np.int64)
        self.counts: Integers = np.empty(0, dtype=np.int64)
        self.next_change_ns: int = NEVER
        self.regroup(now_ns)

    def regroup(self, now_ns: int) -> None:
        """Put every position in its bucket as of now."""
        expiry_ns = np.append(self._terms.expiry_ns, 0)[self.rows]
        buckets, self.next_change_ns = buckets_of(expiry_ns, now_ns)
        names = tuple(self._terms.underlyings)
        underlying = np.append(self._terms.underlying, 0)[self.rows]
        keys = (self.book * max(1, len(names)) + underlying) * len(BUCKETS) + buckets
        counts = buckets >= 0
        distinct, first, numbers = np.unique(keys[counts], return_index=True, return_inverse=True)
        self.group[counts] = numbers
        self.group[~counts] = -1
        self.example = self.rows[counts][first]
        self.counts = np.bincount(numbers, minlength=len(distinct))
        pairs, bucket = np.divmod(distinct, len(BUCKETS))
        of_book = np.arange(len(self.books) + 1) * max(1, len(names))
        self._first_groups = np.searchsorted(pairs, of_book).tolist()
        self.groups = tuple(
            Group(self.books[pair // len(names)], names[pair % len(names)], BUCKETS[number])
            for pair, number in zip(pairs.tolist(), bucket.tolist(), strict=True)
        )

    def span(self, book: str) -> slice:
        """Return where a book's positions are."""
        return _between(self._firsts, self._numbers.get(book))

    def groups_of(self, book: str) -> slice:
        """Return where a book's groups are."""
        return _between(self._first_groups, self._numbers.get(book))

    def sums(self, values: Floats, inputs: Floats, now_ns: int) -> tuple[Floats, Integers]:
        """Add up.

        Args:
            values: Of the rows, shape `(GREEKS, n)`.
            inputs: Of the rows, shape `(INPUTS, n)`.
            now_ns: For the weight of vega.

        Returns:
            Figures of every group, shape `(groups, FIGURES)`, of the positions that have a value;
            and how many have, shape `(groups,)`.
        """
        totals = np.zeros((len(self.groups), _COUNT))
        marked = np.zeros(len(self.groups), dtype=np.int64)
        expiry_ns = self._terms.expiry_ns
        _add_up(
            self.rows, self.units, self.group, values, inputs, expiry_ns, now_ns, totals, marked
        )
        return totals, marked

    def unmarked(self, values: Floats) -> NDArray[np.bool_]:
        """Say which positions count and have no value; shape of the positions."""
        missing: NDArray[np.bool_] = (self.group >= 0) & np.isnan(values[PRICE, self.rows])
        return missing


def buckets_of(expiry_ns: Integers, now_ns: int) -> tuple[Integers, int]:
    """Number the buckets of expiries as of now; −1: it has expired. And when one changes next."""
    left_ns = expiry_ns - now_ns
    buckets = 1 + np.searchsorted(_LAST_DAYS, left_ns // DAY, side="left")
    buckets[expiry_ns == NEVER] = 0
    buckets[left_ns <= 0] = -1
    alive = (left_ns > 0) & (expiry_ns != NEVER)
    if not alive.any():
        return buckets, NEVER
    # A bucket is left downwards, when fewer whole days are left than its first: one ns later.
    edges_ns = np.concatenate(([0], (_LAST_DAYS + 1) * DAY))
    below_ns = edges_ns[buckets[alive] - 1]
    steps_ns = np.where(below_ns == 0, left_ns[alive], left_ns[alive] - below_ns + 1)
    return buckets, now_ns + int(steps_ns.min())


def _between(firsts: Sequence[int], number: int | None) -> slice:
    return slice(0, 0) if number is None else slice(firsts[number], firsts[number + 1])


def figures(totals: Floats) -> dict[str, float]:
    """Name the figures of one group, or of a sum of groups; shape `(FIGURES,)`."""
    return dict(zip(FIGURES, totals.tolist(), strict=True))


def beta_of(betas: Mapping[str, float], underlying: str, root: str) -> float | None:
    """Look a beta up, by the underlying itself or by its root."""
    return betas.get(underlying, betas.get(root))


@njit(cache=True)
def _add_up(  # noqa: PLR0913, PLR0917 - compiled code takes columns
    rows: Integers,
    units: Floats,
    group: Integers,
    values: Floats,
    inputs: Floats,
    expiry_ns: Integers,
    now_ns: int,
    totals: Floats,
    marked: Integers,
) -> None:
    for position in range(len(rows)):
        row, to, held = rows[position], group[position], units[position]
        if to < 0 or np.isnan(values[PRICE, row]):
            continue
        marked[to] += 1
        level = inputs[LEVEL, row]
        days = max(1.0, (expiry_ns[row] - now_ns) / DAY)
        delta, gamma = held * values[DELTA, row], held * values[GAMMA, row]
        vega = held * values[VEGA, row] / 100.0
        totals[to, 0] += held * values[PRICE, row]
        totals[to, 1] += delta
        totals[to, 2] += gamma
        totals[to, 3] += delta * level
        totals[to, 4] += gamma * level * level / 100.0
        totals[to, 5] += vega
        totals[to, 6] += vega * np.sqrt(_MONTH_DAYS / days)
        totals[to, 7] += held * values[THETA, row] / 365.0
        totals[to, 8] += held * values[RHO, row] / 100.0
        totals[to, 9] += held * values[VANNA, row] * level / 100.0
        totals[to, 10] += held * values[VOLGA, row] / 10000.0
        totals[to, 11] += held * values[CHARM, row] * level / 365.0
