"""The smile of an expiry: Gatheral's SVI (2004), fitted without arbitrage (spec section 5).

Total implied variance over log-moneyness k = ln(K/F), in the raw parameters:

    w(k) = a + b·(ρ·(k − m) + √((k − m)² + σ²))

*Fit.* Quasi-explicit (Zeliade 2009): for given (m, σ), with y = (k − m)/σ and z = √(y² + 1), the
smile is linear, w = a + p·(z + y)/2 + q·(z − y)/2, with p = bσ(1 + ρ) and q = bσ(1 − ρ). So three
parameters are a weighted least-squares problem in a box, solved exactly, and only (m, σ) are
searched: a coarse grid, then Nelder and Mead's simplex. The box 0 ≤ p, q ≤ 2σ is Lee's bound (2004)
on both wings: total variance grows no faster than 2|k|. A second pass weighs down what lies far off
the first (Huber), so that one bad quote does not bend a smile.

*Butterfly arbitrage.* The density is positive where Gatheral's g ≥ 0 (Gatheral and Jacquier 2014,
(2.1)). A smile that breaks it anywhere up to one range of strikes beyond the quotes is fitted again
with the breach as a penalty, and says so (`CONSTRAINED`); when that breaks it too, it is refused
(`ARBITRAGE`): no smile is better than one with negative probabilities.

*Calendar arbitrage.* Total variance must not fall with time at the same k. It is reported, not
repaired: both expiries' quotes say so, and which one is wrong is not known.

A fit depends on its quotes alone, never on the fit before. Longer than most: compiled code is read
together.
"""

from enum import IntEnum
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

PARAMETERS: Final = 5
"""a, b, ρ, m, σ in this order: a is a total variance, b its slope, m and σ log-moneyness."""


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

    parameters: NDArray[np.float64]
    status: NDArray[np.uint8]


def total_variance(
    parameters: NDArray[np.float64], log_moneyness: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Evaluate w(k), parameters of shape `(..., 5)` against `log_moneyness`, broadcast."""
    a, b, rho, m, sigma = np.moveaxis(parameters, -1, 0)
    apart = log_moneyness - m
    return np.asarray(a + b * (rho * apart + np.hypot(apart, sigma)))


def fit_smiles(
    starts: NDArray[np.int64],
    log_moneyness: NDArray[np.float64],
    variance: NDArray[np.float64],
    weight: NDArray[np.float64],
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
        points = slice(start, end)
        if end - start < min_strikes:
            smiles.status[e] = SmileStatus.TOO_FEW
        else:
            smiles.status[e] = _fit(
                log_moneyness[points], variance[points], weight[points], smiles.parameters[e]
            )
    return smiles


def least_density(parameters: NDArray[np.float64], lowest: float, highest: float) -> float:
    """The smallest g(k) from `lowest` to `highest`; negative: butterfly arbitrage."""
    return float(_least_density(parameters, lowest, highest))


def calendar_fall(
    near: NDArray[np.float64], far: NDArray[np.float64], log_moneyness: NDArray[np.float64]
) -> float:
    """How far total variance falls at worst from `near` to `far`, as a fraction; 0: nowhere.

    Args:
        near: Parameters of the earlier expiry, shape `(5,)`.
        far: Parameters of the later one.
        log_moneyness: Where to look, shape `(points,)`.
    """
    before, after = total_variance(near, log_moneyness), total_variance(far, log_moneyness)
    return float(max(0.0, np.max(1 - after / before)))


_GRID_M: Final = 7
_GRID_SIGMA: Final = 6
_DENSITY_POINTS: Final = 81
_MARGIN: Final = 1e-6  # a fit is not left on the very edge of arbitrage
_MAX_STEPS: Final = 200
_TOLERANCE: Final = 1e-10
_HUBER: Final = 1.345  # 95% of least squares' efficiency when errors are normal
_NORMAL_SCALE: Final = 1.4826  # median of |errors| to their standard deviation, alike
_SINGULAR: Final = 1e-14
_FREE: Final = 0
_LOW: Final = 1
_compiled = njit(cache=True)


@_compiled
def _solve(
    matrix: NDArray[np.float64], right: NDArray[np.float64], solution: NDArray[np.float64]
) -> bool:
    """Solve 3 × 3 by elimination with pivots, in place; false when it is singular."""
    for i in range(3):
        pivot = i + np.argmax(np.abs(matrix[i:, i]))
        if abs(matrix[pivot, i]) < _SINGULAR:
            return False
        for j in range(3):
            matrix[i, j], matrix[pivot, j] = matrix[pivot, j], matrix[i, j]
        right[i], right[pivot] = right[pivot], right[i]
        for row in range(i + 1, 3):
            factor = matrix[row, i] / matrix[i, i]
            matrix[row] -= factor * matrix[i]
            right[row] -= factor * right[i]
    for i in range(2, -1, -1):
        rest = right[i]
        for j in range(i + 1, 3):
            rest -= matrix[i, j] * solution[j]
        solution[i] = rest / matrix[i, i]
    return True


@_compiled
def _solve_in_box(
    matrix: NDArray[np.float64],
    right: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Minimise xᵀMx − 2rᵀx over a box: every choice of what lies on which bound, free first."""
    smallest = np.inf
    best, solution = low.copy(), np.zeros(3)
    for choice in range(27):
        trial, target = matrix.copy(), right.copy()
        for i in range(3):
            state = choice // 3**i % 3
            if state != _FREE:
                trial[i] = 0.0
                trial[i, i] = 1.0
                target[i] = low[i] if state == _LOW else high[i]
        if not _solve(trial, target, solution):
            continue
        if (solution < low - 1e-15).any() or (solution > high + 1e-15).any():
            continue
        value = 0.0
        for i in range(3):
            value -= 2 * right[i] * solution[i]
            for j in range(3):
                value += solution[i] * matrix[i, j] * solution[j]
        if value < smallest:
            smallest = value
            best[:] = solution
        if choice == 0:  # the minimum of all lies within
            break
    return best


@_compiled
def _linear_fit(  # noqa: PLR0913, PLR0917 - compiled: plain arguments
    k: NDArray[np.float64],
    w: NDArray[np.float64],
    weight: NDArray[np.float64],
    at: NDArray[np.float64],
    lowest: float,
    parameters: NDArray[np.float64],
) -> float:
    """Fit a, p, q at `at` = (m, ln σ) into raw `parameters`; the weighted squared error."""
    m, sigma = at[0], np.exp(at[1])
    matrix, right, basis = np.zeros((3, 3)), np.zeros(3), np.ones(3)
    for i in range(len(k)):
        y = (k[i] - m) / sigma
        z = np.sqrt(y * y + 1)
        basis[1], basis[2] = (z + y) / 2, (z - y) / 2
        for row in range(3):
            right[row] += weight[i] * basis[row] * w[i]
            for column in range(3):
                matrix[row, column] += weight[i] * basis[row] * basis[column]
    scale = 1 / matrix[0, 0]
    low, high = np.zeros(3), np.full(3, 2 * sigma)  # Lee's bound on p and q
    low[0], high[0] = lowest, w.max()
    a, p, q = _solve_in_box(matrix * scale, right * scale, low, high)
    slopes = max(p + q, 1e-300)
    parameters[:] = (a, slopes / (2 * sigma), (p - q) / slopes, m, sigma)
    error = 0.0
    for i in range(len(k)):
        y = (k[i] - m) / sigma
        z = np.sqrt(y * y + 1)
        off = w[i] - a - p * (z + y) / 2 - q * (z - y) / 2
        error += weight[i] * off * off
    return error


@_compiled
def _least_density(parameters: NDArray[np.float64], lowest: float, highest: float) -> float:
    a, b, rho, m, sigma = parameters
    first, last = np.arcsinh((lowest - m) / sigma), np.arcsinh((highest - m) / sigma)
    least = np.inf
    for i in range(_DENSITY_POINTS):  # equal steps of arcsinh: dense where the smile bends
        apart = sigma * np.sinh(first + (last - first) * i / (_DENSITY_POINTS - 1))
        root = np.sqrt(apart * apart + sigma * sigma)
        w = a + b * (rho * apart + root)
        if w <= 0:
            return -np.inf
        slope = b * (rho + apart / root)
        bend = b * sigma * sigma / (root * root * root)
        tilt = 1 - (apart + m) * slope / (2 * w)
        least = min(least, tilt * tilt - slope * slope / 4 * (1 / w + 0.25) + bend / 2)
    return least


@_compiled
def _beyond(k: NDArray[np.float64]) -> tuple[float, float]:
    """Where a smile is checked: one range of the strikes beyond them on either side."""
    reach = k[-1] - k[0]
    return k[0] - reach, k[-1] + reach


@_compiled
def _cost(  # noqa: PLR0913, PLR0917 - compiled: plain arguments
    k: NDArray[np.float64],
    w: NDArray[np.float64],
    weight: NDArray[np.float64],
    at: NDArray[np.float64],
    penalty: float,
    parameters: NDArray[np.float64],
) -> float:
    """Error of the best smile at `at`; with a penalty, a ≥ 0 and arbitrage is dear."""
    if penalty == 0:
        return _linear_fit(k, w, weight, at, -w.max(), parameters)
    error = _linear_fit(k, w, weight, at, 0.0, parameters)
    lowest, highest = _beyond(k)
    shortfall = _MARGIN - _least_density(parameters, lowest, highest)
    return error + penalty * min(max(shortfall, 0.0), 10.0)


@_compiled
def _best_of_grid(
    k: NDArray[np.float64],
    w: NDArray[np.float64],
    weight: NDArray[np.float64],
    penalty: float,
    parameters: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Where (m, ln σ) on a coarse grid costs least: m over the strikes, σ from 2% to 5 ranges."""
    reach = k[-1] - k[0]
    smallest, best, at = np.inf, np.zeros(2), np.zeros(2)
    for i in range(_GRID_M * _GRID_SIGMA):
        at[0] = k[0] + reach * (i // _GRID_SIGMA) / (_GRID_M - 1)
        at[1] = np.log(0.02 * reach * 3.0 ** (i % _GRID_SIGMA))
        cost = _cost(k, w, weight, at, penalty, parameters)
        if cost < smallest:
            smallest = cost
            best[:] = at
    return best


@_compiled
def _descend(  # noqa: PLR0913, PLR0917 - compiled: plain arguments
    k: NDArray[np.float64],
    w: NDArray[np.float64],
    weight: NDArray[np.float64],
    start: NDArray[np.float64],
    penalty: float,
    parameters: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Nelder and Mead's simplex (1965) from `start`; the best point, its smile in `parameters`."""
    corners, costs = np.empty((3, 2)), np.empty(3)
    corners[:] = start
    corners[1, 0] += (k[-1] - k[0]) / 10
    corners[2, 1] += 0.4
    for i in range(3):
        costs[i] = _cost(k, w, weight, corners[i], penalty, parameters)
    for _ in range(_MAX_STEPS):
        order = np.argsort(costs)
        corners, costs = corners[order], costs[order]
        if np.abs(corners[2] - corners[0]).max() < _TOLERANCE:
            break
        middle = (corners[0] + corners[1]) / 2
        trial = 2 * middle - corners[2]
        cost = _cost(k, w, weight, trial, penalty, parameters)
        if cost < costs[0]:
            further = 3 * middle - 2 * corners[2]
            further_cost = _cost(k, w, weight, further, penalty, parameters)
            if further_cost < cost:
                trial, cost = further, further_cost
        elif cost >= costs[1]:
            nearer = (middle + (trial if cost < costs[2] else corners[2])) / 2
            nearer_cost = _cost(k, w, weight, nearer, penalty, parameters)
            if nearer_cost < min(cost, costs[2]):
                trial, cost = nearer, nearer_cost
            else:
                for i in range(1, 3):
                    corners[i] = (corners[i] + corners[0]) / 2
                    costs[i] = _cost(k, w, weight, corners[i], penalty, parameters)
                continue
        corners[2], costs[2] = trial, cost
    best: NDArray[np.float64] = corners[np.argmin(costs)]
    _cost(k, w, weight, best, penalty, parameters)
    return best


@_compiled
def _weigh_down(
    k: NDArray[np.float64],
    w: NDArray[np.float64],
    weight: NDArray[np.float64],
    parameters: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Weights after Huber: what lies far off counts by its distance, not by its square."""
    a, b, rho, m, sigma = parameters
    off = np.empty_like(w)
    for i in range(len(k)):
        apart = k[i] - m
        fitted = a + b * (rho * apart + np.sqrt(apart * apart + sigma * sigma))
        off[i] = np.sqrt(weight[i]) * abs(w[i] - fitted)
    bound = _HUBER * _NORMAL_SCALE * np.median(off)
    return weight * np.minimum(1.0, (bound + 1e-300) / (off + 1e-300))


@_compiled
def _fit(
    k: NDArray[np.float64],
    w: NDArray[np.float64],
    weight: NDArray[np.float64],
    parameters: NDArray[np.float64],
) -> int:
    start = _best_of_grid(k, w, weight, 0.0, parameters)
    start = _descend(k, w, weight, start, 0.0, parameters)
    robust = _weigh_down(k, w, weight, parameters)
    _descend(k, w, robust, start, 0.0, parameters)
    lowest, highest = _beyond(k)
    if _least_density(parameters, lowest, highest) >= 0:
        return SmileStatus.GOOD
    penalty = np.sum(robust * w * w)
    start = _best_of_grid(k, w, robust, penalty, parameters)
    _descend(k, w, robust, start, penalty, parameters)
    if _least_density(parameters, lowest, highest) >= 0:
        return SmileStatus.CONSTRAINED
    parameters[:] = np.nan
    return SmileStatus.ARBITRAGE
