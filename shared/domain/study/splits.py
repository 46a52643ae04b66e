"""What is chosen on some sessions and judged on others: splits and walk-forward windows.

Positions count sessions from 0, oldest first; every window is half-open, [start, stop). In each
fold all training sessions lie before all test sessions, and no session is tested twice.
"""

from datetime import date
from itertools import pairwise

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray


class Fold(Struct, frozen=True, kw_only=True):
    """Sessions to choose on, and sessions to judge on.

    Attributes:
        train_start: First session to choose on.
        train_stop: One past the last.
        test_start: First session to judge on, at or after `train_stop`.
        test_stop: One past the last.
    """

    train_start: int
    train_stop: int
    test_start: int
    test_stop: int

    def __post_init__(self) -> None:
        if not 0 <= self.train_start < self.train_stop <= self.test_start < self.test_stop:
            raise ValueError(f"not a fold: {self}")

    @property
    def train(self) -> slice:
        """The sessions to choose on."""
        return slice(self.train_start, self.train_stop)

    @property
    def test(self) -> slice:
        """The sessions to judge on."""
        return slice(self.test_start, self.test_stop)


def out_of_sample(sessions: int, *, train_share: float = 0.5, gap: int = 0) -> Fold:
    """Return one fold: the first part to choose on, the rest to judge on.

    Args:
        sessions: How many there are.
        train_share: Of them, in (0, 1); half, as the paper's backtesting standards ask.
        gap: Sessions between the parts that belong to neither: what a window of that length has
            seen of the first part is then forgotten in the second.

    Raises:
        ValueError: A part would be empty.
    """
    stop = int(sessions * train_share)
    return Fold(train_start=0, train_stop=stop, test_start=stop + gap, test_stop=sessions)


def out_of_sample_from(days: NDArray[np.datetime64], first_test: date, *, gap: int = 0) -> Fold:
    """Return one fold whose test begins on a day, or on the first session after it.

    Args:
        days: Of the sessions, `datetime64[D]`, (n,), rising.
        first_test: The day.
        gap: Sessions left out before it.

    Raises:
        ValueError: A part would be empty.
    """
    start = int(np.searchsorted(days, np.datetime64(first_test, "D")))
    return Fold(train_start=0, train_stop=start - gap, test_start=start, test_stop=len(days))


def walk_forward(
    sessions: int, *, train: int, test: int, anchored: bool, gap: int = 0
) -> tuple[Fold, ...]:
    """Return folds that walk through the sessions, each test beginning where the last ended.

    Args:
        sessions: How many there are.
        train: To choose on: in every fold (sliding), or in the first one (anchored).
        test: To judge on; the last fold may have fewer.
        anchored: Whether training always begins at the first session, and grows.
        gap: Sessions between training and test that belong to neither.

    Returns:
        None at all when there are not enough sessions for one.

    Raises:
        ValueError: `train` or `test` not above 0, or `gap` below 0.
    """
    if train < 1 or test < 1 or gap < 0:
        raise ValueError(f"not a walk: train {train}, test {test}, gap {gap}")
    return tuple(
        Fold(
            train_start=0 if anchored else start - gap - train,
            train_stop=start - gap,
            test_start=start,
            test_stop=min(start + test, sessions),
        )
        for start in range(train + gap, sessions, test)
    )


def regime_spells(regimes: NDArray[np.str_]) -> tuple[tuple[str, slice], ...]:
    """Return the unbroken runs of a regime, in order."""
    if not len(regimes):
        return ()
    starts = [0, *(np.flatnonzero(regimes[1:] != regimes[:-1]) + 1).tolist(), len(regimes)]
    return tuple((str(regimes[start]), slice(start, stop)) for start, stop in pairwise(starts))
