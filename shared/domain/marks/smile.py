"""The smile of an expiry: Gatheral's SVI (2004), fitted without arbitrage (spec section 5).

Total implied variance over log-moneyness k = ln(K/F), in the raw parameters:

    w(k) = a + b·(ρ·(k − m) + √((k − m)² + σ²))

*Fit.* Quasi-explicit (Zeliade 2009): for given (m, σ), with y = (k − m)/σ and z = √(y² + 1), the
smile is linear, w = a + p·(z + y)/2 + q·(z − y)/2, with p = bσ(1 + ρ) and q = bσ(1 − ρ). So three
parameters are a weighted least-squares problem in a box, solved exactly, and only (m, σ) are
searched: a coarse grid, then Nelder and Mead's simplex. The box 0 ≤ p, q ≤ 2σ is Lee's bound (2004)
on both wings: total variance grows no faster than 2|k|. Further passes weigh down what lies far
off the one before (Huber), so that one bad quote does not bend a smile.

*Butterfly arbitrage.* The density is positive where Gatheral's g ≥ 0 (Gatheral and Jacquier 2014,
(2.1)). A smile that breaks it anywhere up to one range of strikes beyond the quotes is fitted again
with the breach as a penalty, and says so (`CONSTRAINED`); when that breaks it too, it is refused
(`ARBITRAGE`): no smile is better than one with negative probabilities.

*Calendar arbitrage.* Total variance must not fall with time at the same k. It is reported, not
repaired: both expiries' quotes say so, and which one is wrong is not known.

A fit depends on its quotes alone, never on the fit before.
"""

from enum import IntEnum
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shared.domain.marks.smile_search import ENOUGH, best_of_grid, descend, least_density

Floats = NDArray[np.float64]

PARAMETERS: Final = 5
"""a, b, ρ, m, σ in this order: a is a total variance, b its slope, m and σ log-moneyness."""


_TOLERANCES: Final = (1e-3, 1e-3, 1e-3, 1e-8)
"""In m and ln σ: of the fits from which outliers are told, and of the last."""
_HUBER: Final = 1.345  # 95% of least squares' efficiency when errors are normal
_NORMAL_SCALE: Final = 1.4826  # median of |errors| to their standard deviation, alike


class SmileStatus(IntEnum):
    """What became of a fit."""

    NONE = 0
    """Not tried."""
    GOOD = 1
    CONSTRAINED = 2
    """Free of arbitrage only because it was made so."""
    TOO_FEW = 3
    """Too few strikes; no fit."""
    ARBITRAGE = 4
    """Every fit has negative probabilities; refused."""

    @property
    def is_fitted(self) -> bool:
        """Whether there are parameters."""
        return self in {SmileStatus.GOOD, SmileStatus.CONSTRAINED}


class Smiles(NamedTuple):
    """Fits of some expiries.

    Attributes:
        parameters: NaN where there is no fit, shape `(expiries, 5)`.
        status: A `SmileStatus` each, uint8, shape `(expiries,)`.
    """

    parameters: Floats
    status: NDArray[np.uint8]


def total_variance(parameters: Floats, log_moneyness: Floats) -> Floats:
    """Evaluate w(k), parameters of shape `(..., 5)` against `log_moneyness`, broadcast."""
    a, b, rho, m, sigma = (parameters[..., i] for i in range(PARAMETERS))
    apart = log_moneyness - m
    return np.asarray(a + b * (rho * apart + np.hypot(apart, sigma)))


def fit_smiles(
    starts: NDArray[np.int64],
    log_moneyness: Floats,
    variance: Floats,
    weight: Floats,
    min_strikes: int,
) -> Smiles:
    """Fit one smile to each expiry.

    Args:
        starts: First point of each expiry, and the end, shape `(expiries + 1,)`.
        log_moneyness: ln(K/F), ascending within an expiry, shape `(n,)`.
        variance: Total implied variances, volatility² × years, shape `(n,)`.
        weight: Of the squared errors, shape `(n,)`: (vega/(2·volatility·years·half-spread))² makes
            them errors in half-spreads.
        min_strikes: Fewer points give no fit.
    """
    expiries = len(starts) - 1
    smiles = Smiles(np.full((expiries, PARAMETERS), np.nan), np.zeros(expiries, dtype=np.uint8))
    for e, (start, end) in enumerate(pairwise(starts)):
        k, w, weights = (column[start:end] for column in (log_moneyness, variance, weight))
        smiles.status[e] = SmileStatus.TOO_FEW
        if end - start >= min_strikes:
            smiles.status[e] = _fit(k, w, weights, smiles.parameters[e])
    return smiles


def _fit(k: Floats, w: Floats, weight: Floats, parameters: Floats) -> SmileStatus:
    """Fit one smile into `parameters`."""
    robust, start = weight, best_of_grid(k, w, weight, 0.0, parameters)
    for tolerance in _TOLERANCES:
        descend(k, w, robust, start, 0.0, tolerance, parameters)
        start = np.array([parameters[3], np.log(parameters[4])])
        robust = _weigh_down(np.abs(w - total_variance(parameters, k)), weight)
    if _is_free_of_arbitrage(k, parameters):
        return SmileStatus.GOOD
    penalty = float(robust @ w**2)
    start = best_of_grid(k, w, robust, penalty, parameters)
    descend(k, w, robust, start, penalty, _TOLERANCES[-1], parameters)
    if _is_free_of_arbitrage(k, parameters):
        return SmileStatus.CONSTRAINED
    parameters[:] = np.nan
    return SmileStatus.ARBITRAGE


def _is_free_of_arbitrage(k: Floats, parameters: Floats) -> bool:
    reach = k[-1] - k[0]
    return bool(least_density(parameters, k[0] - reach, k[-1] + reach) > ENOUGH / 2)


def _weigh_down(off: Floats, weight: Floats) -> Floats:
    """Weights after Huber: what lies far off counts by its distance, not by its square."""
    scaled = np.sqrt(weight) * off
    bound = _HUBER * _NORMAL_SCALE * np.median(scaled) + np.finfo(float).tiny
    return np.asarray(weight * np.minimum(1.0, bound / np.maximum(scaled, bound)))


def calendar_fall(near: Floats, far: Floats, log_moneyness: Floats) -> float:
    """How far total variance falls at worst from `near` to `far`, as a fraction; 0: nowhere.

    Args:
        near: Parameters of the earlier expiry, shape `(5,)`.
        far: Parameters of the later one.
        log_moneyness: Where to look, shape `(points,)`.
    """
    before, after = total_variance(near, log_moneyness), total_variance(far, log_moneyness)
    return float(max(0.0, np.max(1 - after / before)))
