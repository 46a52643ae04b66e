"""Implied volatility of European options (spec section 5).

The price is taken to the option out of the money (put-call parity) and divided by the most that one
can cost, the lesser of A = S·e^((b−r)T) and B = K·e^(−rT). With x = |ln(A/B)|, s = σ√T, h = x/s,
t = s/2 and Y(z) = e^(z²/2)·N(−z) what is left is a function of s alone:

    v(s) = E·(Y(h − t) − Y(h + t)),  1 − v(s) = E·(Y(t − h) + Y(h + t)),  E = e^((x − h² − t²)/2)

Up to its point of inflection, s = √(2x) where h = t, the logarithm of the first is solved for s;
above it that of the second: there neither is flat, and neither needs Y of a negative number. (That
a solution is sought by sides: P. Jäckel, Let's Be Rational, 2015.) It starts from

- below: s of the normal model whose time value is the same multiple of the intrinsic value of the
  option in the money; of its h² = m·z·p(z), z = m/(4 + m), m = ln(1 + intrinsic/time value), a
  cubic p fitted for 1e-6 < m < 300 (least squares reweighted to equal extremes) is within 0.5%;
- above: the parabola that touches ln(1 − v) at the inflection.

Three steps of Householder's third order follow, each of which raises the error to about its fourth
power: a start 40% off ends within rounding. Steps are loops of their own over a block of options
that stays in the cache, without branches.
"""

from enum import IntEnum
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from shared.domain.pricing.approximations import (
    DENSITY_AT_ZERO,
    ROUNDING,
    exponential,
    inlined,
    logarithm_of_ratio,
    scaled_tail,
    tail_denominator,
    tail_numerator,
)
from shared.domain.pricing.kernel import LARGEST_PRICE, SMALLEST_PRICE, Columns
from shared.domain.pricing.vectors import prefer_wide_vectors

STEPS: Final = 3
BLOCK: Final = 512
"""Options at a time: what a block needs fits the cache next to the processor."""

_ROUNDING_OF_PRICES: Final = 1e-15
_LEAST_TIME_VALUE: Final = 1e-300
_LEAST_LOG_MONEYNESS: Final = 1e-30


class Reason(IntEnum):
    """Why there is no implied volatility.

    NONE: There is one.
    BAD_INPUT: Not a number, not finite, not a price above 0, not a sign.
    EXPIRED: No time is left.
    BELOW_INTRINSIC: Cheaper than its payoff on the forward, discounted: arbitrage.
    NO_TIME_VALUE: The same as that, to rounding: any small volatility would do.
    ABOVE_MAXIMUM: Not cheaper than what it can pay at most (call: the underlying; put: the
        strike, discounted): arbitrage.
    """

    NONE = 0
    BAD_INPUT = 1
    EXPIRED = 2
    BELOW_INTRINSIC = 3
    NO_TIME_VALUE = 4
    ABOVE_MAXIMUM = 5


def implied_volatility(  # noqa: PLR0913, PLR0917 - columns
    price: Columns,
    sign: Columns,
    underlying: Columns,
    strike: Columns,
    years: Columns,
    rate: Columns,
    carry: Columns,
    out: Columns,
    reason: NDArray[np.uint8],
) -> None:
    """Imply volatilities from prices: the inverse of `kernel.evaluate`.

    The error is below 1e-10, or what the rounding of `price` alone makes of it (that rounding over
    vega) where this is more: an option deep in the money has no more time value than that.

    Args:
        price: In the unit of the underlying; all columns float64, contiguous, shape `(n,)`.
        sign: +1 call, −1 put.
        underlying: Level of the spot, or of the future or forward where `carry` is 0.
        strike: In the unit of the underlying.
        years: To expiry, ACT/365.
        rate: Continuously compounded, to expiry.
        carry: Cost of carry a year.
        out: To be filled, shape `(n,)`: volatility a year, 0.20 for 20%, NaN where there is none.
        reason: To be filled, uint8, shape `(n,)`: a `Reason`.

    Raises:
        ValueError: The lengths differ.
    """
    columns = (price, sign, underlying, strike, years, rate, carry, out)
    if any(column.shape != (len(price),) for column in (*columns, reason)):
        raise ValueError("columns of different lengths")
    with np.errstate(all="ignore"):  # uncompiled code would warn of what is NaN by design
        _imply(*columns, reason)


@inlined
def _reason(  # noqa: PLR0913, PLR0917 - the terms of an option
    price: float,
    sign: float,
    underlying: float,
    strike: float,
    years: float,
    rate: float,
    carry: float,
    value: float,
    most: float,
    noise: float,
) -> np.uint8:
    """Judge one option: its time value against 0 and the most there can be."""
    reason = Reason.NONE.value
    reason = Reason.NO_TIME_VALUE.value if value <= noise else reason
    reason = Reason.BELOW_INTRINSIC.value if value < -noise else reason
    reason = Reason.ABOVE_MAXIMUM.value if most - value <= _ROUNDING_OF_PRICES * most else reason
    reason = Reason.EXPIRED.value if years <= 0.0 else reason
    all_of_them = abs(price) + underlying + strike + abs(years) + abs(rate) + abs(carry)
    fits = (min(underlying, strike) >= SMALLEST_PRICE) & (max(underlying, strike) <= LARGEST_PRICE)
    fits = fits & (all_of_them < np.inf) & (sign * sign == 1.0)
    return np.uint8(reason if fits else Reason.BAD_INPUT.value)


@inlined
def _start(
    value: float, most: float, gap: float, log_moneyness: float
) -> tuple[float, float, float]:
    """Side of the inflection (−1 below, +1 above), logarithm to be reached, and first s."""
    inflection = np.sqrt(2.0 * log_moneyness)
    tail = scaled_tail(min(inflection, 1e6))
    below = value < (0.5 - tail) * most
    left = max(most - value, _LEAST_TIME_VALUE)
    target = logarithm_of_ratio(value if below else left, most) - 0.5 * log_moneyness
    distance = logarithm_of_ratio(
        value + gap if below else (0.5 + tail) * most, value if below else left
    )
    z = distance / (4.0 + distance)
    p = -0.39308499
    p = p * z + 1.20428688
    p = p * z + 0.51841674
    p = p * z + 0.63956903
    root = np.sqrt(p * z * distance if below else 1.0 + 2.0 * max(distance, 0.0))
    normal = log_moneyness / max(root, 1e-30)
    touching = inflection + (root - 1.0) * (0.5 + tail) / DENSITY_AT_ZERO
    s = min(normal, inflection) if below else touching
    return -1.0 if below else 1.0, target, s


@inlined
def _step(side: float, target: float, log_moneyness: float, s: float) -> float:
    """One step of Householder's third order towards `target`; stays on its side."""
    per_s = 1.0 / s
    h = log_moneyness * per_s
    t = 0.5 * s
    near = abs(t - h)
    far = t + h
    bottom_near = tail_denominator(near)
    bottom_far = tail_denominator(far)
    top = tail_numerator(near) * bottom_far + side * tail_numerator(far) * bottom_near
    bottom = bottom_near * bottom_far
    error = logarithm_of_ratio(top, bottom) - 0.5 * (h * h + t * t) - target
    slope = -side * DENSITY_AT_ZERO * bottom / top
    newton = -error / slope
    curve = h * h * per_s - 0.25 * s  # v''/v'
    bend = curve * curve - 3.0 * h * h * per_s * per_s - 0.25  # v'''/v'
    second = curve - slope
    third = bend + slope * (2.0 * slope - 3.0 * curve)
    change = newton * (1.0 + 0.5 * second * newton)
    change = change / (1.0 + newton * (second + third * newton * (1.0 / 6.0)))
    sound = (change * newton > 0.0) & (abs(change) < 3.0 * abs(newton))
    moved = max(s + (change if sound else newton), 0.5 * s)
    inflection: float = np.sqrt(2.0 * log_moneyness)
    return min(moved, inflection) if side < 0.0 else max(moved, inflection)


@inlined
def _prepare_block(  # noqa: PLR0913, PLR0917 - columns
    price: Columns,
    sign: Columns,
    underlying: Columns,
    strike: Columns,
    years: Columns,
    rate: Columns,
    carry: Columns,
    reason: NDArray[np.uint8],
    work: Columns,
) -> None:
    """Fill `reason`, and of `work` side, target, log-moneyness and first s of each option."""
    sides, targets, moneyness, s = work[0], work[1], work[2], work[3]
    for i in range(len(price)):
        paid = underlying[i] * exponential((carry[i] - rate[i]) * years[i])
        owed = strike[i] * exponential(-rate[i] * years[i])
        most = min(paid, owed)
        gap = abs(paid - owed)
        intrinsic = max(sign[i] * (paid - owed), 0.0)
        value = price[i] - intrinsic
        noise = _ROUNDING_OF_PRICES * (paid + owed) if intrinsic > 0.0 else 0.0
        reason[i] = _reason(
            price[i],
            sign[i],
            underlying[i],
            strike[i],
            years[i],
            rate[i],
            carry[i],
            value,
            most,
            noise,
        )
        ratio = logarithm_of_ratio(underlying[i], strike[i]) + carry[i] * years[i]
        moneyness[i] = max(abs(ratio), _LEAST_LOG_MONEYNESS)
        value = max(value, _LEAST_TIME_VALUE)
        sides[i], targets[i], s[i] = _start(value, most, gap, moneyness[i])


@njit(
    "void(" + "float64[::1], " * 8 + "uint8[::1])",
    cache=True,
    fastmath=ROUNDING,
    error_model="numpy",
    nogil=True,
)
def _imply(  # noqa: PLR0913, PLR0917 - columns
    price: Columns,
    sign: Columns,
    underlying: Columns,
    strike: Columns,
    years: Columns,
    rate: Columns,
    carry: Columns,
    out: Columns,
    reason: NDArray[np.uint8],
) -> None:
    """Fill `out` and `reason`, block by block; all lengths are right."""
    prefer_wide_vectors()
    work = np.empty((4, BLOCK))
    side, target, moneyness, s = work[0], work[1], work[2], work[3]
    for start in range(0, len(price), BLOCK):
        here = slice(start, min(start + BLOCK, len(price)))
        _prepare_block(
            price[here],
            sign[here],
            underlying[here],
            strike[here],
            years[here],
            rate[here],
            carry[here],
            reason[here],
            work,
        )
        size = min(BLOCK, len(price) - start)
        for _ in range(STEPS):
            for i in range(size):
                s[i] = _step(side[i], target[i], moneyness[i], s[i])
        for i in range(size):
            there_is_one = reason[start + i] == Reason.NONE.value
            out[start + i] = s[i] / np.sqrt(years[start + i]) if there_is_one else np.nan
