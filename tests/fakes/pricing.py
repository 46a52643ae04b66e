"""Calls of the pricing kernels with numbers and lists instead of columns, and books of options."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

from shared.domain.pricing.implied import implied_volatility
from shared.domain.pricing.kernel import Output, evaluate

Column = NDArray[np.float64]
Values = float | Sequence[float] | Column


def columns(*values: Values) -> list[Column]:
    """Columns of one length, contiguous."""
    arrays = np.broadcast_arrays(*(np.atleast_1d(np.asarray(one, dtype=float)) for one in values))
    return [np.ascontiguousarray(array) for array in arrays]


def outputs(*terms: Values) -> Column:
    """`evaluate` of sign, underlying, strike, years, rate, carry, volatility; shape `(9, n)`."""
    book = columns(*terms)
    out = np.empty((len(Output), len(book[0])))
    evaluate(*[*book, out])
    return out


def implied(*terms: Values) -> tuple[Column, NDArray[np.uint8]]:
    """`implied_volatility` of price, sign, underlying, …: volatilities and reasons."""
    book = columns(*terms)
    out, reason = np.empty(len(book[0])), np.empty(len(book[0]), dtype=np.uint8)
    price, sign, underlying, strike, years, rate, carry = book
    implied_volatility(price, sign, underlying, strike, years, rate, carry, out, reason)
    return out, reason


@dataclass(frozen=True)
class Book:
    """Options, a column each, in the order of `evaluate`."""

    sign: Column
    underlying: Column
    strike: Column
    years: Column
    rate: Column
    carry: Column
    volatility: Column

    @property
    def terms(self) -> tuple[Column, ...]:
        """Arguments of `evaluate`, without `out`."""
        return tuple(getattr(self, name) for name in self.__dataclass_fields__)

    @property
    def forward(self) -> Column:
        """F = S·e^(bT)."""
        return self.underlying * np.exp(self.carry * self.years)


def scattered_book(  # noqa: PLR0913 - ranges
    size: int,
    seed: int = 1,
    *,
    years: tuple[float, float] = (1 / 365, 10.0),
    volatility: tuple[float, float] = (0.05, 1.0),
    deviations: float = 3.09,
    side: str = "both",
) -> Book:
    """Draw options with a rate and a carry of their own.

    Args:
        size: How many.
        seed: Of the draw.
        years: Least and most time to expiry, drawn evenly in its logarithm.
        volatility: Least and most, drawn likewise.
        deviations: d1 is drawn evenly up to this on both sides; 3.09 is deltas of 0.001 to 0.999.
        side: `both`, or `out`: of the money.
    """
    random = np.random.default_rng(seed)
    span = np.exp(random.uniform(log(years[0]), log(years[1]), size))
    sigma = np.exp(random.uniform(log(volatility[0]), log(volatility[1]), size))
    d1 = random.uniform(-deviations, deviations, size)
    strike = random.uniform(10.0, 5_000.0, size)
    rate = random.uniform(-0.02, 0.1, size)
    carry = np.where(random.random(size) < 0.3, 0.0, rate - random.uniform(-0.02, 0.08, size))
    log_moneyness = d1 * sigma * np.sqrt(span) - 0.5 * sigma**2 * span  # of the forward
    underlying = strike * np.exp(log_moneyness - carry * span)
    sign = np.where(random.random(size) < 0.5, 1.0, -1.0)
    if side == "out":
        sign = np.where(log_moneyness > 0, -1.0, 1.0)
    return Book(sign, underlying, strike, span, rate, carry, sigma)
