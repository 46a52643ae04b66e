"""Price and all Greeks of European options in one pass over a book (spec section 5).

The generalized Black-Scholes model with cost of carry b: b = r − q is Black-Scholes-Merton with
dividend yield q, b = 0 is Black's model of 1976 on a future or forward. Formulas: E. G. Haug, The
Complete Guide to Option Pricing Formulas, 2nd edition, chapters 1 and 2; their common parts are
taken once:

    g = e^((b−r)T − d1²/2),  A = S·e^((b−r)T)·N(w·d1),  B = K·e^(−rT)·N(w·d2),  price = w·(A − B)

and since S·e^((b−r)T)·φ(d1) = K·e^(−rT)·φ(d2), both tails have the factor S·g: three exponentials,
one logarithm, one root and three divisions an option, and no branch.

Limits. σ and T are floored (1e-16, 1e-30 years) before they divide, so that at expiry and without
volatility every output is its limit to rounding: the payoff on the forward, its slope, no gamma.
Exactly at the strike some Greeks have no finite limit: they come out finite and enormous.
"""

from enum import IntEnum
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from shared.domain.pricing.approximations import (
    DENSITY_AT_ZERO,
    FARTHEST,
    ROUNDING,
    exponential,
    inlined,
    logarithm_of_ratio,
    tail_denominator,
    tail_numerator,
)
from shared.domain.pricing.vectors import prefer_wide_vectors

SMALLEST_PRICE: Final = 1e-100
LARGEST_PRICE: Final = 1e100
"""Underlyings and strikes beyond these are no prices: NaN."""

LEAST_VOLATILITY: Final = 1e-16
LEAST_YEARS: Final = 1e-30

Columns = NDArray[np.float64]


class Output(IntEnum):
    """Rows of `evaluate`'s output, w being the sign of the option.

    PRICE: In currency a unit of the underlying.
    DELTA: ∂/∂S, of the underlying as given: of the future where b = 0 stands for one.
    GAMMA: ∂²/∂S².
    VEGA: ∂/∂σ, per 1.00 of volatility.
    THETA: −∂/∂T, per year: negative where time is lost.
    RHO: ∂/∂r at constant yield b − r (a spot's), per 1.00. On a future, where b stays 0 instead,
        it is −T·price.
    VANNA: ∂²/∂S∂σ.
    VOLGA: ∂²/∂σ².
    CHARM: −∂²/∂S∂T, per year: what delta gains as time passes.
    """

    PRICE = 0
    DELTA = 1
    GAMMA = 2
    VEGA = 3
    THETA = 4
    RHO = 5
    VANNA = 6
    VOLGA = 7
    CHARM = 8


def evaluate(  # noqa: PLR0913, PLR0917 - columns
    sign: Columns,
    underlying: Columns,
    strike: Columns,
    years: Columns,
    rate: Columns,
    carry: Columns,
    volatility: Columns,
    out: Columns,
) -> None:
    """Price a book: every `Output` of every option, in one compiled pass.

    All columns float64, contiguous, shape `(n,)`. A row that is no option (a NaN or an infinity, a
    price outside 1e-100 to 1e100, time or volatility below 0, a sign other than ±1) is NaN
    throughout. Errors of all else: a few roundings of the larger of underlying and strike.

    Args:
        sign: +1 call, −1 put.
        underlying: Level of the spot, or of the future or forward where `carry` is 0.
        strike: In the unit of the underlying.
        years: To expiry, ACT/365; 0 is the instant of expiry.
        rate: Continuously compounded, to expiry.
        carry: Cost of carry b a year: r − q on a spot with yield q, 0 on a future or forward.
        volatility: A year, 0.20 for 20%.
        out: To be filled, float64, contiguous, shape `(9, n)`; rows as in `Output`.

    Raises:
        ValueError: The lengths differ.
    """
    columns = (sign, underlying, strike, years, rate, carry, volatility)
    if any(column.shape != (len(sign),) for column in columns):
        raise ValueError("columns of different lengths")
    if out.shape != (len(Output), len(sign)):
        raise ValueError(f"out has shape {out.shape}, not {(len(Output), len(sign))}")
    with np.errstate(all="ignore"):  # uncompiled code would warn of what is NaN by design
        _evaluate(*columns, out)


_SEVEN_COLUMNS: Final = ", ".join(["float64[::1]"] * 7)


@inlined
def _one_or_nan(  # noqa: PLR0913, PLR0917 - the terms of an option
    sign: float,
    underlying: float,
    strike: float,
    years: float,
    rate: float,
    carry: float,
    volatility: float,
) -> float:
    """1 if this is an option that can be priced, else NaN: a factor of every output."""
    least = min(underlying, strike)
    most = max(underlying, strike)
    rest = years + volatility + abs(rate) + abs(carry)
    whole = underlying + strike + rest  # NaN if any of them is, which min and max may overlook
    fits = (least >= SMALLEST_PRICE) & (most <= LARGEST_PRICE) & (whole <= np.inf)
    fits = fits & (years >= 0.0) & (volatility >= 0.0) & (rest < np.inf) & (sign * sign == 1.0)
    return 1.0 if fits else np.nan


@inlined
def _greeks(  # noqa: PLR0913, PLR0917 - the terms of an option
    sign: float,
    underlying: float,
    strike: float,
    years: float,
    rate: float,
    carry: float,
    volatility: float,
) -> tuple[float, float, float, float, float, float, float, float, float]:
    """All of `Output` for one option, in its order."""
    valid = _one_or_nan(sign, underlying, strike, years, rate, carry, volatility)
    sigma = max(volatility, LEAST_VOLATILITY)
    root = np.sqrt(max(years, LEAST_YEARS))
    spread = sigma * root
    drift = carry - rate
    growth = valid * exponential(drift * years)
    discount = valid * exponential(-rate * years)

    per_gamma = 1.0 / (spread * underlying)
    per_spread = per_gamma * underlying  # 1/(σ√T); times √T it is 1/σ, times σ it is 1/√T
    d1 = (logarithm_of_ratio(underlying, strike) + carry * years) * per_spread + 0.5 * spread
    d2 = d1 - spread
    x1 = min(abs(d1), FARTHEST)
    x2 = min(abs(d2), FARTHEST)
    half_square = 0.5 * d1 * d1
    shape = exponential(-half_square) if half_square < 0.5 * FARTHEST * FARTHEST else 0.0
    shape = growth * shape

    bottom1 = tail_denominator(x1)
    bottom2 = tail_denominator(x2)
    per_bottoms = shape / (bottom1 * bottom2)
    tail1 = tail_numerator(x1) * bottom2 * per_bottoms
    tail2 = tail_numerator(x2) * bottom1 * per_bottoms * underlying
    delta = sign * (tail1 if sign * d1 < 0.0 else growth - tail1)
    owed = strike * discount
    repaid = sign * (tail2 if sign * d2 < 0.0 else owed - tail2)

    density = DENSITY_AT_ZERO * shape
    vega = density * underlying * root
    per_sigma = per_spread * root
    price = delta * underlying - repaid
    decay = 0.5 * density * underlying * sigma * sigma * per_spread
    theta = -decay - drift * underlying * delta - rate * repaid
    turn = per_spread * (carry - 0.5 * d2 * sigma * sigma * per_spread)
    return (
        price,
        delta,
        density * per_gamma,
        vega,
        theta,
        years * repaid,
        -density * d2 * per_sigma,
        vega * d1 * d2 * per_sigma,
        -density * turn - drift * delta,
    )


@njit(
    f"void({_SEVEN_COLUMNS}, float64[:, ::1])",
    cache=True,
    fastmath=ROUNDING,
    error_model="numpy",
    nogil=True,
)
def _evaluate(  # noqa: PLR0913, PLR0917 - columns
    sign: Columns,
    underlying: Columns,
    strike: Columns,
    years: Columns,
    rate: Columns,
    carry: Columns,
    volatility: Columns,
    out: Columns,
) -> None:
    """Fill `out`; all lengths are right."""
    prefer_wide_vectors()
    price, delta, gamma, vega, theta = out[0], out[1], out[2], out[3], out[4]
    rho, vanna, volga, charm = out[5], out[6], out[7], out[8]
    for i in range(len(sign)):
        (
            price[i],
            delta[i],
            gamma[i],
            vega[i],
            theta[i],
            rho[i],
            vanna[i],
            volga[i],
            charm[i],
        ) = _greeks(sign[i], underlying[i], strike[i], years[i], rate[i], carry[i], volatility[i])
