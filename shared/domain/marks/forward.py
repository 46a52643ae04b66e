"""The forward and the rate of an expiry, from its own quotes (spec section 5).

Put-call parity, C − P = D·(F − K), holds for European options of one expiry whatever the model:
the differences lie on a line over the strikes. Its slope is −D, and it crosses 0 at the forward.

1. *Rate*. The median slope over pairs of pairs, each half the strikes apart ("complete halves",
   after Theil 1950): a few bad quotes do not move it. It is believed when the spreads pin the rate
   down; else the configured rate stands, and the source says so.
2. *Forward*. The median of K + (C − P)/D over the pairs nearest to the money, where spreads are
   smallest and D hardly matters.
3. Too few pairs: level·e^((rate − dividend yield)·years), when both are configured.
4. Options on a future: the future itself, always; never parity, never spot (a VIX option is settled
   on what its future is settled on). Parity gives their rate alone.
5. Else there is none, and no number.

American options obey parity only as inequalities: near the money the two premiums of early exercise
nearly cancel, so rule 2 is applied to them as an approximation, and rule 1 is not.
"""

from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from shared.domain.marks.policy import MarkPolicy


class ForwardSource(IntEnum):
    """Where a forward came from."""

    NONE = 0
    PARITY = 1
    """Forward and rate, both from the quotes."""
    PARITY_AT_RATE = 2
    """The forward from the quotes, discounted at the configured rate."""
    CARRY = 3
    """Level, configured rate and dividend yield."""
    FUTURE = 4
    """The future that the options are on."""


class Chain(NamedTuple):
    """Options of several expiries, one expiry after the other, each sorted by strike, put first.

    Attributes:
        starts: First option of each expiry, and the end, shape `(expiries + 1,)`.
        strike: Shape `(n,)`, like all below.
        sign: +1 call, −1 put.
        middle: Of the quotes, NaN where the quote is not good.
        half_spread: Of the quotes, alike.
    """

    starts: NDArray[np.int64]
    strike: NDArray[np.float64]
    sign: NDArray[np.float64]
    middle: NDArray[np.float64]
    half_spread: NDArray[np.float64]


class Underlyings(NamedTuple):
    """What is known of each expiry besides its quotes, all of shape `(expiries,)`.

    Attributes:
        years: To expiry, above 0.
        level: Of the underlying, NaN when missing.
        dividend_yield: Continuous, per year, NaN when not configured.
        on_future: Whether the options are on a future.
        european: Whether parity is an equation.
    """

    years: NDArray[np.float64]
    level: NDArray[np.float64]
    dividend_yield: NDArray[np.float64]
    on_future: NDArray[np.bool_]
    european: NDArray[np.bool_]


class Forwards(NamedTuple):
    """The forwards of some expiries: level, rate per year and `ForwardSource`, `(expiries,)`."""

    forward: NDArray[np.float64]
    rate: NDArray[np.float64]
    source: NDArray[np.uint8]


def imply_forwards(chain: Chain, underlyings: Underlyings, policy: MarkPolicy) -> Forwards:
    """Find forward and rate of each expiry; NaN, and source `NONE`, where there is none."""
    expiries = len(chain.starts) - 1
    found = Forwards(
        np.full(expiries, np.nan), np.full(expiries, np.nan), np.zeros(expiries, dtype=np.uint8)
    )
    configured = np.nan if policy.rate is None else policy.rate
    limits = (policy.min_pairs, policy.near_pairs, policy.max_rate_error, policy.max_rate)
    _imply(chain, underlyings, configured, limits, found)
    return found


_PUT: Final = -1.0
_compiled = njit(cache=True)


@_compiled
def _imply(
    chain: Chain,
    underlyings: Underlyings,
    configured: float,
    limits: tuple[int, int, float, float],
    found: Forwards,
) -> None:
    min_pairs, near_pairs, max_rate_error, max_rate = limits
    for e in range(len(found.forward)):
        years, level = underlyings.years[e], underlyings.level[e]
        strikes, differences, errors = _pairs(chain, chain.starts[e], chain.starts[e + 1])
        rate = np.nan
        if underlyings.european[e] and len(strikes) >= 2 * min_pairs:
            rate = _implied_rate(strikes, differences, errors, years, max_rate_error, max_rate)
        source = ForwardSource.PARITY_AT_RATE if np.isnan(rate) else ForwardSource.PARITY
        rate = configured if np.isnan(rate) else rate
        forward = np.nan
        if underlyings.on_future[e]:
            source, forward = ForwardSource.FUTURE, level
        elif len(strikes) >= min_pairs:
            forward = _crossing(strikes, differences, np.exp(-rate * years), near_pairs)
        else:
            source = ForwardSource.CARRY
            forward = level * np.exp((rate - underlyings.dividend_yield[e]) * years)
        if forward > 0 and not np.isnan(rate):
            found.forward[e], found.rate[e], found.source[e] = forward, rate, source


@_compiled
def _pairs(
    chain: Chain, start: int, end: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Strike, call − put, and the sum of both half-spreads, of every strike with both quotes."""
    strikes = np.empty((end - start) // 2)
    differences, errors = np.empty_like(strikes), np.empty_like(strikes)
    count = 0
    for i in range(start, end - 1):
        is_pair = chain.sign[i] == _PUT and chain.sign[i + 1] != _PUT
        difference = chain.middle[i + 1] - chain.middle[i]
        if is_pair and chain.strike[i] == chain.strike[i + 1] and not np.isnan(difference):
            strikes[count], differences[count] = chain.strike[i], difference
            errors[count] = chain.half_spread[i] + chain.half_spread[i + 1]
            count += 1
    return strikes[:count], differences[:count], errors[:count]


@_compiled
def _implied_rate(  # noqa: PLR0913, PLR0917 - compiled: plain arguments
    strikes: NDArray[np.float64],
    differences: NDArray[np.float64],
    errors: NDArray[np.float64],
    years: float,
    max_rate_error: float,
    max_rate: float,
) -> float:
    """Rate of the line's slope, or NaN when it is not pinned down to `max_rate_error`."""
    half = len(strikes) // 2
    far = len(strikes) - half
    runs = strikes[far:] - strikes[:half]
    discount = np.median((differences[:half] - differences[far:]) / runs)
    error = np.median((errors[:half] + errors[far:]) / runs) / np.sqrt(half)
    if not (discount > 0 and error <= max_rate_error * years * discount):
        return np.nan
    rate = -np.log(discount) / years
    return rate if abs(rate) <= max_rate else np.nan


@_compiled
def _crossing(
    strikes: NDArray[np.float64],
    differences: NDArray[np.float64],
    discount: float,
    near_pairs: int,
) -> float:
    nearest = np.argsort(np.abs(differences))[:near_pairs]
    return np.median(strikes[nearest] + differences[nearest] / discount)
