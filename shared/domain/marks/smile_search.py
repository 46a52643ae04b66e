"""The search for a smile: compiled; `shared.domain.marks.smile` says what is searched and why.

Everywhere: `k` log-moneyness, ascending, `w` total variance, `weight` of the squared errors, all of
shape `(n,)`; `parameters` the raw a, b, ρ, m, σ of shape `(5,)`, written in place.
"""

from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ENOUGH: Final = 1e-3
"""A density is looked for that is at least so large where it is looked at: between is no less than
half of it."""

_GRID_M: Final = 7
_GRID_SIGMA: Final = 6
_DENSITY_POINTS: Final = 81
_MAX_STEPS: Final = 200
_LARGEST_BREACH: Final = 10.0  # where total variance falls to 0 it would be infinite
_SINGULAR: Final = 1e-14
_compiled = njit(cache=True)


@_compiled
def _fix(normal: Floats, choice: int, bounds: Floats) -> None:
    """Put unknowns on their bounds: by the digits of `choice`, 0 free, 1 lower, 2 upper."""
    for i in range(3):
        state = choice % 3
        choice //= 3
        if state > 0:
            value = bounds[state - 1, i]
            for row in range(3):
                normal[row, 3] -= normal[row, i] * value
                normal[row, i], normal[i, row] = 0.0, 0.0
            normal[i, i], normal[i, 3] = 1.0, value


@_compiled
def _solve(normal: Floats) -> bool:
    """Solve in place: 3 × 3 and, as last column, the right side; false when it is singular."""
    for i in range(3):
        if abs(normal[i, i]) < _SINGULAR:
            return False
        for row in range(i + 1, 3):
            factor = normal[row, i] / normal[i, i]
            for column in range(i, 4):
                normal[row, column] -= factor * normal[i, column]
    for i in range(2, -1, -1):
        for row in range(i + 1, 3):
            normal[i, 3] -= normal[i, row] * normal[row, 3]
        normal[i, 3] /= normal[i, i]
    return True


@_compiled
def _solve_in_box(normal: Floats, bounds: Floats) -> Floats:
    """Minimise xᵀMx − 2rᵀx over a box: every choice of what lies on which bound, free first."""
    smallest, best, trial = np.inf, np.zeros(3), np.empty((3, 4))
    for choice in range(27):
        trial[:] = normal
        _fix(trial, choice, bounds)
        if not _solve(trial):
            continue
        value, is_within = 0.0, True
        for i in range(3):
            x = trial[i, 3]
            is_within &= bounds[0, i] <= x <= bounds[1, i]
            value -= 2 * normal[i, 3] * x
            for j in range(3):
                value += x * normal[i, j] * trial[j, 3]
        if is_within and value < smallest:
            smallest = value
            for i in range(3):
                best[i] = trial[i, 3]
            if choice == 0:  # the minimum of all
                break
    return best


@_compiled
def _normal_equations(  # noqa: PLR0913, PLR0917 - compiled: plain arguments
    k: Floats,
    w: Floats,
    weight: Floats,
    m: float,
    sigma: float,
    normal: Floats,
) -> None:
    """Sums over the points for the unknowns a, p, q; scaled to a first element of 1."""
    one, u_, v_, uu, uv, vv, r, ru, rv = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(len(k)):
        y = (k[i] - m) / sigma
        z = np.sqrt(y * y + 1)
        u, v = (z + y) / 2, (z - y) / 2
        one += weight[i]
        u_ += weight[i] * u
        v_ += weight[i] * v
        uu += weight[i] * u * u
        uv += weight[i] * u * v
        vv += weight[i] * v * v
        r += weight[i] * w[i]
        ru += weight[i] * w[i] * u
        rv += weight[i] * w[i] * v
    normal[0, 0], normal[1, 1], normal[2, 2] = 1.0, uu / one, vv / one
    normal[0, 1] = normal[1, 0] = u_ / one
    normal[0, 2] = normal[2, 0] = v_ / one
    normal[1, 2] = normal[2, 1] = uv / one
    normal[0, 3], normal[1, 3], normal[2, 3] = r / one, ru / one, rv / one


@_compiled
def _linear_fit(  # noqa: PLR0913, PLR0917 - compiled: plain arguments
    k: Floats,
    w: Floats,
    weight: Floats,
    at: Floats,
    lowest: float,
    highest: float,
    parameters: Floats,
) -> float:
    """Fit a, p, q at `at` = (m, ln σ) into raw `parameters`; the weighted squared error."""
    m, sigma = at[0], np.exp(at[1])
    normal, bounds = np.empty((3, 4)), np.zeros((2, 3))
    _normal_equations(k, w, weight, m, sigma, normal)
    bounds[0, 0], bounds[1, 0] = lowest, highest
    bounds[1, 1], bounds[1, 2] = 2 * sigma, 2 * sigma  # Lee's bound on p and q
    solution = _solve_in_box(normal, bounds)
    a, p, q = solution[0], solution[1], solution[2]
    slopes = max(p + q, 1e-300)
    parameters[0], parameters[1], parameters[2] = a, slopes / (2 * sigma), (p - q) / slopes
    parameters[3], parameters[4] = m, sigma
    error = 0.0
    for i in range(len(k)):
        y = (k[i] - m) / sigma
        z = np.sqrt(y * y + 1)
        off = w[i] - a - p * (z + y) / 2 - q * (z - y) / 2
        error += weight[i] * off * off
    return error


@_compiled
def least_density(parameters: Floats, lowest: float, highest: float) -> float:
    """The smallest g(k) from `lowest` to `highest`; negative: butterfly arbitrage."""
    a, b, rho = parameters[0], parameters[1], parameters[2]
    m, sigma = parameters[3], parameters[4]
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
def _cost(  # noqa: PLR0913, PLR0917 - compiled: plain arguments
    k: Floats,
    w: Floats,
    weight: Floats,
    at: Floats,
    penalty: float,
    parameters: Floats,
) -> float:
    """Error of the best smile at `at` = (m, ln σ), and the penalty times its breach of g ≥ 0."""
    highest = w.max()
    error: float = _linear_fit(k, w, weight, at, -highest, highest, parameters)
    if penalty > 0:
        reach = k[-1] - k[0]
        breach: float = ENOUGH - least_density(parameters, k[0] - reach, k[-1] + reach)
        error += penalty * min(max(breach, 0.0), _LARGEST_BREACH)
    return error


@_compiled
def best_of_grid(
    k: Floats,
    w: Floats,
    weight: Floats,
    penalty: float,
    parameters: Floats,
) -> Floats:
    """Where (m, ln σ) on a coarse grid costs least: m over the strikes, σ from 2% to 5 ranges."""
    reach = k[-1] - k[0]
    smallest, best, at = np.inf, np.zeros(2), np.zeros(2)
    for i in range(_GRID_M * _GRID_SIGMA):
        at[0] = k[0] + reach * (i // _GRID_SIGMA) / (_GRID_M - 1)
        at[1] = np.log(0.02 * reach * 3.0 ** (i % _GRID_SIGMA))
        cost = _cost(k, w, weight, at, penalty, parameters)
        if cost < smallest:
            smallest = cost
            best[0], best[1] = at
    return best


@_compiled
def _order(corners: Floats, costs: Floats) -> None:
    """Sort the corners by cost."""
    for i, j in ((0, 1), (1, 2), (0, 1)):
        if costs[j] < costs[i]:
            costs[i], costs[j] = costs[j], costs[i]
            for axis in range(2):
                corners[i, axis], corners[j, axis] = corners[j, axis], corners[i, axis]


@_compiled
def descend(  # noqa: PLR0913, PLR0917 - compiled: plain arguments
    k: Floats,
    w: Floats,
    weight: Floats,
    start: Floats,
    penalty: float,
    tolerance: float,
    parameters: Floats,
) -> None:
    """Nelder and Mead's simplex (1965) from `start` = (m, ln σ); the best smile it finds."""
    corners, costs, trial, other = np.empty((3, 2)), np.empty(3), np.empty(2), np.empty(2)
    for i in range(3):
        corners[i, 0] = start[0] + (k[-1] - k[0]) / 10 * (i % 2)
        corners[i, 1] = start[1] + 0.4 * (i // 2)
        costs[i] = _cost(k, w, weight, corners[i], penalty, parameters)
    for _ in range(_MAX_STEPS):
        _order(corners, costs)
        if max(_apart(corners, 0), _apart(corners, 1)) < tolerance:
            break
        _beyond(corners, 1.0, trial)
        cost = _cost(k, w, weight, trial, penalty, parameters)
        if costs[0] <= cost < costs[1]:
            corners[2], costs[2] = trial, cost
            continue
        _beyond(corners, 2.0 if cost < costs[0] else 0.5 if cost < costs[2] else -0.5, other)
        other_cost = _cost(k, w, weight, other, penalty, parameters)
        if other_cost < min(cost, costs[2]):
            corners[2], costs[2] = other, other_cost
        elif cost < costs[0]:
            corners[2], costs[2] = trial, cost
        else:
            for i in range(1, 3):
                for axis in range(2):
                    corners[i, axis] = (corners[i, axis] + corners[0, axis]) / 2
                costs[i] = _cost(k, w, weight, corners[i], penalty, parameters)
    _order(corners, costs)
    _cost(k, w, weight, corners[0], penalty, parameters)


@_compiled
def _apart(corners: Floats, axis: int) -> float:
    return float(abs(corners[2, axis] - corners[0, axis]))


@_compiled
def _beyond(corners: Floats, stride: float, point: Floats) -> None:
    """The point `stride` times as far beyond the middle of the better two as the worst before."""
    for axis in range(2):
        middle = (corners[0, axis] + corners[1, axis]) / 2
        point[axis] = middle + stride * (middle - corners[2, axis])
