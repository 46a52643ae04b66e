"""The compiled search: least squares in a box, and the density that must not be negative."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.marks.smile_search import (
    ENOUGH,
    _solve,
    _solve_in_box,
    best_of_grid,
    descend,
    least_density,
)

UNIT = st.floats(-1, 1).map(lambda x: round(x, 3))


def normal_equations(points: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Matrix and right side of least squares, shape `(3, 4)`."""
    return np.column_stack([points.T @ points, points.T @ target])


def projected(normal: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    """The minimum in the box by many small projected steps: slow, and simple enough to trust."""
    x: np.ndarray = bounds[0].copy()
    step = 1 / np.linalg.eigvalsh(normal[:, :3])[-1]
    for _ in range(3000):
        x = np.clip(x - step * (normal[:, :3] @ x - normal[:, 3]), *bounds)
    return x


@settings(max_examples=25)
@given(st.lists(st.tuples(UNIT, UNIT, UNIT, UNIT), min_size=6, max_size=6))
def test_the_minimum_in_a_box_is_that_of_projected_descent(rows: list[tuple[float, ...]]) -> None:
    table = np.array(rows) + np.eye(6, 4) * 2
    normal = normal_equations(table[:, :3], table[:, 3])
    bounds = np.array([[-0.2, 0.0, 0.0], [0.3, 0.4, 0.4]])
    found, wanted = _solve_in_box(normal, bounds), projected(normal, bounds)
    assert np.all((found >= bounds[0]) & (found <= bounds[1]))
    assert found == pytest.approx(wanted, abs=1e-5)


def test_a_minimum_within_the_box_is_the_solution_of_the_equations() -> None:
    normal = np.array([[2.0, 0.5, 0.1, 0.3], [0.5, 3.0, 0.2, 0.4], [0.1, 0.2, 1.0, 0.2]])
    found = _solve_in_box(normal, np.array([[-1.0, 0.0, 0.0], [1.0, 1.0, 1.0]]))
    assert found == pytest.approx(np.linalg.solve(normal[:, :3], normal[:, 3]), abs=1e-14)


def test_unknowns_that_cannot_be_told_apart_are_solved_at_a_bound() -> None:
    singular = np.array([[1.0, 1.0, 0.0, 1.0], [1.0, 1.0, 0.0, 1.0], [0.0, 0.0, 1.0, 0.5]])
    assert not _solve(singular.copy())
    a, p, q = _solve_in_box(singular, np.array([[0.0, 0.0, 0.0], [0.4, 2.0, 2.0]]))
    assert (a + p, q) == pytest.approx((1.0, 0.5))


def test_a_flat_smile_has_the_density_of_the_normal_law() -> None:
    flat = np.array([0.04, 0.0, 0.0, 0.0, 0.1])
    assert least_density(flat, -1.0, 1.0) == pytest.approx(1.0)


def test_the_least_density_is_that_of_differences_of_the_curve() -> None:
    a, b, rho, m, sigma = raw = np.array([-0.0410, 0.1331, 0.3060, 0.3586, 0.4153])
    k = np.linspace(-1.5, 1.5, 30_001)
    w = a + b * (rho * (k - m) + np.sqrt((k - m) ** 2 + sigma**2))
    slope = np.gradient(w, k)
    bend = np.gradient(slope, k)
    g = (1 - k * slope / (2 * w)) ** 2 - slope**2 / 4 * (1 / w + 0.25) + bend / 2
    assert least_density(raw, -1.5, 1.5) == pytest.approx(g[2:-2].min(), abs=1e-4)
    assert least_density(raw, -1.5, 1.5) < 0  # Axel Vogt's example of arbitrage


def test_a_variance_that_falls_to_nothing_is_the_worst_of_all() -> None:
    assert least_density(np.array([-0.02, 0.1, 0.0, 0.0, 0.1]), -1.0, 1.0) == -np.inf


@pytest.mark.parametrize("start", [(-0.3, -6.0), (0.3, 1.0), (0.0, -2.0)])
def test_the_simplex_finds_its_way_from_afar(start: tuple[float, float]) -> None:
    raw = np.array([0.01, 0.1, -0.6, 0.02, 0.15])
    k = np.linspace(-0.4, 0.3, 9)
    w = raw[0] + raw[1] * (raw[2] * (k - raw[3]) + np.sqrt((k - raw[3]) ** 2 + raw[4] ** 2))
    found = np.empty(5)
    descend(k, w, np.ones_like(k), np.array(start), 0.0, 1e-9, found)
    assert found == pytest.approx(raw, abs=1e-5)


def test_the_simplex_stops_after_its_steps_where_there_is_no_bottom() -> None:
    k = np.linspace(-0.2, 0.2, 9)
    found = np.empty(5)
    descend(k, 0.04 + 0.05 * k, np.ones_like(k), np.zeros(2), 0.0, 0.0, found)  # a straight line
    fitted = found[0] + found[1] * (
        found[2] * (k - found[3]) + np.sqrt((k - found[3]) ** 2 + found[4] ** 2)
    )
    assert fitted == pytest.approx(0.04 + 0.05 * k, abs=1e-3)


def test_a_penalty_leads_to_a_smile_without_arbitrage_at_a_little_more_error() -> None:
    a, b, rho, m, sigma = (-0.0410, 0.1331, 0.3060, 0.3586, 0.4153)  # Vogt's
    k = np.linspace(-1.5, 1.5, 9)
    w = a + b * (rho * (k - m) + np.sqrt((k - m) ** 2 + sigma**2))
    found, weight = np.empty(5), np.ones_like(k)
    for penalty, is_free in ((0.0, False), (1.0, True)):
        start = best_of_grid(k, w, weight, penalty, found)
        descend(k, w, weight, start, penalty, 1e-6, found)
        assert (least_density(found, -4.5, 4.5) >= ENOUGH / 2) == is_free


def test_the_grid_starts_near_where_the_smile_bends() -> None:
    k = np.linspace(-0.3, 0.3, 13)
    found = np.empty(5)
    m, log_sigma = best_of_grid(k, 0.01 + np.abs(k - 0.1), np.ones_like(k), 0.0, found)
    assert m == pytest.approx(0.1)
    assert log_sigma < np.log(0.1)
