"""Mean and spread of a sample, with one more value at the price of one."""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Moments(NamedTuple):
    """Size, mean and sum of squared deviations (Welford): nothing cancels, unlike E[x²] − E[x]².

    `plus` also takes an array and then answers for each of its values apart.
    """

    size: int = 0
    mean: float = 0.0
    squares: float = 0.0

    @classmethod
    def of(cls, values: Iterable[float]) -> "Moments":
        """Summarise `values`."""
        sample = tuple(values)
        if not sample:
            return cls()
        mean = math.fsum(sample) / len(sample)
        return cls.around(mean, [value - mean for value in sample])

    @classmethod
    def around(cls, mean: float, apart: Sequence[float]) -> "Moments":
        """Summarise a sample by its mean and how far each value lies from it."""
        return cls(len(apart), mean, math.fsum([each**2 for each in apart]))

    def plus(self, value: float) -> "Moments":
        """The sample with one value more."""
        size = self.size + 1
        apart = value - self.mean
        return Moments(
            size,
            self.mean + apart / size,
            self.squares + apart * apart * (self.size / size),
        )

    @property
    def variance(self) -> float:
        """Sample variance, ddof = 1."""
        return self.squares / (self.size - 1)
