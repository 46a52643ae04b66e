"""The positions that figures leave out, or hold only roughly: found in all books at once."""

import numpy as np
from numpy.typing import NDArray

from shared.domain.exposure.aggregate import Portfolio
from shared.domain.exposure.layout import Layout
from shared.domain.exposure.revaluation import Revaluation
from shared.domain.exposure.terms import Integers


class Places:
    """Some of all positions.

    Args:
        portfolio: All of them.
        which: Whether it is one of these, of every position.
    """

    def __init__(self, portfolio: Portfolio, which: NDArray[np.bool_]) -> None:
        self._portfolio = portfolio
        self._found = np.flatnonzero(which)

    def of(self, book: str) -> Integers:
        """Return those of a book, ascending."""
        span = self._portfolio.span(book)
        first, last = np.searchsorted(self._found, (span.start, span.stop)).tolist()
        return self._found[first:last]


class Survey:
    """What is said of single positions after a revaluation.

    Args:
        layout: Whose the positions are.
        revaluation: What their instruments are worth.

    Attributes:
        unknown: Nobody knows their instruments.
        gone: Expired …
        delivered: … and the underlying has been delivered.
        unmarked: Without a value.
        approximate: In American options that were not valued as such yet.
    """

    def __init__(self, layout: Layout, revaluation: Revaluation) -> None:
        portfolio = layout.portfolio
        waiting = np.isin(portfolio.rows, revaluation.early.approximate())
        self.unknown = Places(portfolio, portfolio.rows < 0)
        self.gone = Places(portfolio, layout.gone)
        self.delivered = Places(portfolio, layout.delivered)
        self.unmarked = Places(portfolio, portfolio.unmarked(revaluation.values))
        self.approximate = Places(portfolio, waiting & (portfolio.group >= 0))
