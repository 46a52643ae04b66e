"""One series of a chart in bounded memory: by time bucket its lowest, highest and last value."""

from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

BUCKET_S: Final = 15.0
_FIRST_ROWS: Final = 32
_LOW_AT, _LOW, _HIGH_AT, _HIGH, _LAST_AT, _LAST = range(6)

Point = tuple[float, float]
"""Seconds since the Unix epoch, value."""


class Ring:
    """The newest buckets of a series.

    A bucket without a value takes no room, so a series that prints once a day reaches back for
    years, and one that prints all the time for `capacity` buckets.

    Args:
        capacity: Most buckets; beyond it the oldest goes.
        bucket_s: Length of one, in seconds.
    """

    def __init__(self, capacity: int, bucket_s: float = BUCKET_S) -> None:
        self._capacity = capacity
        self._bucket_s = bucket_s
        self._rows: NDArray[np.float64] = np.empty((min(_FIRST_ROWS, capacity), 6))
        self._first = 0
        self._count = 0
        self._bucket = float("-inf")
        self._open: list[float] = []

    def __len__(self) -> int:
        """Count buckets."""
        return self._count + bool(self._open)

    def add(self, at: float, value: float) -> None:
        """Take a value; one that lies before the newest bucket is left out: time runs forwards."""
        bucket = at // self._bucket_s
        if bucket > self._bucket:
            self._close()
            self._bucket = bucket
            self._open = [at, value, at, value, at, value]
            return
        if bucket < self._bucket:
            return
        row = self._open
        if value < row[_LOW]:
            row[_LOW_AT], row[_LOW] = at, value
        if value > row[_HIGH]:
            row[_HIGH_AT], row[_HIGH] = at, value
        if at >= row[_LAST_AT]:
            row[_LAST_AT], row[_LAST] = at, value

    def points(self, since: float, most: int) -> list[Point]:
        """Return at most so many points from `since` on, oldest first.

        Neighbouring buckets become one where there are too many; of each its lowest and its
        highest value stand, when they were: a spike stays visible. The very last value is always
        there.
        """
        rows = self._ordered()
        rows = rows[rows[:, _LAST_AT] >= since]
        if not len(rows):
            return []
        last = (float(rows[-1, _LAST_AT]), float(rows[-1, _LAST]))
        groups = min(len(rows), max(1, (most - 1) // 2))
        edges = np.linspace(0, len(rows), groups + 1).astype(int).tolist()
        points: list[Point] = []
        for begin, end in pairwise(edges):
            points += _extremes(rows[begin:end])
        if points[-1] != last:
            points.append(last)
        return points

    def newest(self) -> tuple[float, float, float, float, float, float] | None:
        """Return the newest bucket: instants and values of its lowest, highest and last."""
        if not self._open:
            return None
        low_at, low, high_at, high, last_at, last = self._open
        return low_at, low, high_at, high, last_at, last

    def _close(self) -> None:
        if not self._open:
            return
        if self._count == len(self._rows) < self._capacity:
            self._grow()
        full = self._count == len(self._rows)
        self._rows[(self._first + self._count) % len(self._rows)] = self._open
        self._first = (self._first + full) % len(self._rows)
        self._count += not full

    def _grow(self) -> None:
        grown = np.empty((min(2 * len(self._rows), self._capacity), 6))
        grown[: self._count] = self._rows[: self._count]
        self._rows = grown

    def _ordered(self) -> NDArray[np.float64]:
        rows = np.roll(self._rows, -self._first, axis=0)[: self._count] if self._first else None
        closed = self._rows[: self._count] if rows is None else rows
        return np.vstack([closed, self._open]) if self._open else closed


def _extremes(rows: NDArray[np.float64]) -> list[Point]:
    low, high = int(rows[:, _LOW].argmin()), int(rows[:, _HIGH].argmax())
    lowest = (float(rows[low, _LOW_AT]), float(rows[low, _LOW]))
    highest = (float(rows[high, _HIGH_AT]), float(rows[high, _HIGH]))
    return [lowest] if lowest == highest else sorted([lowest, highest])
