"""One series of a chart in bounded memory: by time bucket its lowest, highest and last value."""

from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

BUCKET_S: Final = 15.0
COLUMNS: Final = 6
_FIRST_ROWS: Final = 32
_LOW_AT, _LOW, _HIGH_AT, _HIGH, _LAST_AT, _LAST = range(COLUMNS)

Point = tuple[float, float]
"""Seconds since the Unix epoch, value."""
Row = list[float]
"""A bucket: instant and value of its lowest, of its highest, of its last."""


class Ring:
    """The newest buckets of a series.

    A bucket without a value takes no room, nor do those in which nothing but the value before
    them stood: a series that moves once a day reaches back for years, and one that always moves
    for `capacity` buckets.

    Args:
        capacity: Most buckets; beyond it the oldest goes.
        bucket_s: Length of one, in seconds.

    Attributes:
        settled: How many buckets will not change any more, those that are gone counted.
    """

    def __init__(self, capacity: int, bucket_s: float = BUCKET_S) -> None:
        self.settled = 0
        self._capacity = capacity
        self._bucket_s = bucket_s
        self._rows: NDArray[np.float64] = np.empty((min(_FIRST_ROWS, capacity), COLUMNS))
        self._first = 0
        self._count = 0
        self._bucket = float("-inf")
        self._before: Row = []
        self._open: Row = []

    def __len__(self) -> int:
        """Count buckets."""
        return self._count + bool(self._before) + bool(self._open)

    def add(self, at: float, value: float) -> None:
        """Take a value; one that lies before the newest bucket is left out: time runs forwards."""
        bucket = at // self._bucket_s
        if bucket > self._bucket:
            self._begin(bucket, [at, value, at, value, at, value])
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

    def restore(self, row: Row) -> None:
        """Take a bucket that was settled before we came."""
        bucket = row[_LAST_AT] // self._bucket_s
        if bucket > self._bucket:
            self._begin(bucket, list(row))

    def since(self, settled: int) -> list[Row]:
        """Return the buckets that have settled after the first `settled`, as far as are kept."""
        fresh = min(self.settled - settled, self._count)
        rows: list[Row] = self._ordered()[self._count - fresh : self._count].tolist()
        return rows

    def unsettled(self) -> list[Row]:
        """Return the newest buckets, which may still change."""
        return [list(row) for row in (self._before, self._open) if row]

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
        if rows[0, _LOW] == rows[0, _HIGH]:  # it may have stood so for days
            rows[0, [_LOW_AT, _HIGH_AT]] = max(since, float(rows[0, _LOW_AT]))
        for begin, end in pairwise(edges):
            points += _extremes(rows[begin:end])
        if points[-1] != last:
            points.append(last)
        return points

    def _begin(self, bucket: float, row: Row) -> None:
        self._close()
        self._bucket, self._open = bucket, row

    def _close(self) -> None:
        """Put the open bucket behind the one before it, or into it when nothing has moved."""
        row, before = self._open, self._before
        if not row:
            return
        if before and before[_LOW] == before[_HIGH] == row[_LOW] == row[_HIGH]:
            before[_LAST_AT] = row[_LAST_AT]
            return
        if before:
            self._settle(before)
        self._before = row

    def _settle(self, row: Row) -> None:
        if self._count == len(self._rows) < self._capacity:
            self._grow()
        full = self._count == len(self._rows)
        self._rows[(self._first + self._count) % len(self._rows)] = row
        self._first = (self._first + full) % len(self._rows)
        self._count += not full
        self.settled += 1

    def _grow(self) -> None:
        grown = np.empty((min(2 * len(self._rows), self._capacity), COLUMNS))
        grown[: self._count] = self._rows[: self._count]
        self._rows = grown

    def _ordered(self) -> NDArray[np.float64]:
        rows = np.roll(self._rows, -self._first, axis=0) if self._first else self._rows
        newest = self.unsettled()
        return np.vstack([rows[: self._count], *newest]) if newest else rows[: self._count]


def _extremes(rows: NDArray[np.float64]) -> list[Point]:
    """Return the lowest and the highest of some buckets; of one value when it began and ended."""
    low, high = int(rows[:, _LOW].argmin()), int(rows[:, _HIGH].argmax())
    lowest = (float(rows[low, _LOW_AT]), float(rows[low, _LOW]))
    highest = (float(rows[high, _HIGH_AT]), float(rows[high, _HIGH]))
    if lowest[1] == highest[1]:
        highest = (float(rows[-1, _LAST_AT]), lowest[1])
    return [lowest] if lowest == highest else sorted([lowest, highest])
