"""Volatility surfaces that are *stated*, not quoted: what options are priced on without quotes.

A figure that comes of these is model-priced, and says so wherever it stands. They are as simple as
they can be and still have the three features that a hedge's cost hangs on: a level that follows
VIX, a slope in time back to a long-run level, and a skew.

Index options: with v₀ the at-the-money volatility of 30 days, a stated share of VIX (VIX is the
root of a variance with all its tails, so it lies above it), variance reverts to θ at the rate κ

    atm(T)² = θ² + (v₀² − θ²)·m(κT)/m(κ·30 days),  m(x) = (1 − e^(−x))/x

    σ(K, T) = atm(T) − skew · ln(K/F)/√T

the skew linear in log-moneyness by the square root of time (R. W. Lee, "Implied Volatility:
Statics, Dynamics, and Probabilistic Interpretation", 2005, and others: at short terms the slope in
ln K goes as 1/√T), the moneyness cut off where a line says nothing any more.

VIX options: Black (1976) on the future that expires with them, or where there is none on

    F(T) = L + (VIX − L)·e^(−λT)

with a volatility that falls with time as a mean-reverting level's does, and rises in the strike

    σ(K, T) = v·√(m(2λT)/m(2λ·30 days)) + skew · ln(K/F).
"""

from collections.abc import Callable
from math import exp, sqrt
from statistics import NormalDist
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MONTH_YEARS: Final = 30 / 365
LEAST_YEARS: Final = 1 / 365
"""Moneyness by the square root of less time than a day is that of a day."""
ROUNDS: Final = 25
"""Strike and volatility follow from each other; so many rounds settle both to a cent."""


class SurfacePolicy(Struct, frozen=True, kw_only=True):
    """The numbers of both surfaces; volatilities are decimals, levels of VIX points.

    Attributes:
        rate: Continuously compounded.
        dividend_yield: Of the index.
        atm_share: v₀ / VIX.
        long_run: θ.
        reversion: κ, a year.
        skew: In volatility, per unit of ln(K/F)/√year.
        widest: ln(K/F)/√T counts up to ± this.
        least: No volatility is below.
        vix_long_run: L.
        vix_reversion: λ, a year.
        vix_volatility: v, of 30 days.
        vix_skew: Per unit of ln(K/F).
    """

    rate: float = 0.02
    dividend_yield: float = 0.02
    atm_share: float = 0.88
    long_run: float = 0.18
    reversion: float = 3.0
    skew: float = 0.15
    widest: float = 1.2
    least: float = 0.04
    vix_long_run: float = 19.5
    vix_reversion: float = 4.0
    vix_volatility: float = 0.85
    vix_skew: float = 0.35

    @property
    def carry(self) -> float:
        """Cost of carry of the index."""
        return self.rate - self.dividend_yield

    @property
    def statement(self) -> str:
        """What a person is told wherever a figure comes of it."""
        return (
            f"model-priced: index volatility {self.atm_share:.0%} of VIX at 30 days, reverting to"
            f" {self.long_run:.0%} at {self.reversion:g} a year, skew {self.skew:g} of"
            f" ln(K/F)/sqrt(T); VIX options on the future (without one: to {self.vix_long_run:g}"
            f" at {self.vix_reversion:g} a year), volatility {self.vix_volatility:.0%} at 30 days,"
            f" skew {self.vix_skew:g} of ln(K/F); rate {self.rate:.1%}, dividend yield"
            f" {self.dividend_yield:.1%}"
        )


def index_volatility(
    policy: SurfacePolicy, vix: Floats, underlying: Floats, strike: Floats, years: Floats
) -> Floats:
    """Return the implied volatility of index options, shape `(n,)` as all of them.

    Args:
        policy: The surface.
        vix: Points.
        underlying: Level of the index.
        strike: The same unit.
        years: To expiry.

    Example:
        >>> at = np.array([0.25])
        >>> spot = np.array([100.0])
        >>> float(index_volatility(SurfacePolicy(), np.array([20.0]), spot, spot, at).round(4)[0])
        0.1769
    """
    now = (policy.atm_share * vix / 100) ** 2
    back = _kept(policy.reversion * years) / _kept(policy.reversion * np.array(MONTH_YEARS))
    atm = np.sqrt(np.maximum(policy.long_run**2 * (1 - back) + now * back, policy.least**2))
    forward = underlying * np.exp(policy.carry * years)
    moneyness = np.log(strike / forward) / np.sqrt(np.maximum(years, LEAST_YEARS))
    tilted = atm - policy.skew * np.clip(moneyness, -policy.widest, policy.widest)
    return np.maximum(tilted, policy.least)


def vix_volatility(policy: SurfacePolicy, forward: Floats, strike: Floats, years: Floats) -> Floats:
    """Return the implied volatility of options on VIX, shape `(n,)` as all of them.

    Args:
        policy: The surface.
        forward: Level of the future, points.
        strike: The same unit.
        years: To expiry.
    """
    rate = 2 * policy.vix_reversion
    damped = np.sqrt(_kept(rate * years) / _kept(rate * np.array(MONTH_YEARS)))
    return np.maximum(
        policy.vix_volatility * damped + policy.vix_skew * np.log(strike / forward), policy.least
    )


def vix_forward(policy: SurfacePolicy, vix: Floats, years: Floats) -> Floats:
    """Return the model's VIX future, points, where no future is known."""
    return policy.vix_long_run + (vix - policy.vix_long_run) * np.exp(-policy.vix_reversion * years)


def strike_of_delta(
    delta: float, forward: float, years: float, volatility: Callable[[float], float]
) -> float:
    """Return the strike at which a call, or a put if `delta` is below 0, has this forward delta.

    Args:
        delta: −1..1, of the forward, not 0.
        forward: Of the underlying.
        years: To expiry.
        volatility: By strike.

    Example:
        >>> round(strike_of_delta(0.3, 20.0, 30 / 365, lambda _: 0.85), 2)
        23.39
    """
    quantile = NormalDist().inv_cdf(delta if delta > 0 else 1 + delta)
    strike = forward
    for _ in range(ROUNDS):
        spread = volatility(strike) * sqrt(years)
        strike = (strike + forward * exp(spread * spread / 2 - quantile * spread)) / 2
    return strike


def _kept(x: Floats) -> Floats:
    """(1 − e^(−x))/x, 1 at 0."""
    return np.where(x > 0, -np.expm1(-x) / np.where(x > 0, x, 1.0), 1.0)
