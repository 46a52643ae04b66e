import math

import numpy as np
import pytest

from shared.domain.pricing.approximations import (
    FARTHEST,
    exponential,
    logarithm_of_ratio,
    scaled_tail,
)

ROUNDINGS = 8e-16


@pytest.mark.parametrize("x", [*np.linspace(-700.0, 700.0, 57), 0.0, 1e-300, 0.34, -0.35])
def test_the_exponential_is_exact_to_rounding(x: float) -> None:
    assert exponential(x) == pytest.approx(math.exp(x), rel=ROUNDINGS, abs=0)


@pytest.mark.parametrize("x", [-1e300, -800.0, 800.0, 1e300])
def test_the_exponential_stays_finite_far_out(x: float) -> None:
    assert exponential(x) == pytest.approx(math.exp(math.copysign(708.0, x)), rel=ROUNDINGS, abs=0)


@pytest.mark.parametrize("x", np.geomspace(1e-99, 1e99, 41))
@pytest.mark.parametrize("y", [1.0, 1.5, 0.7, 3.3e-9, 2.2e12])
def test_the_logarithm_of_a_ratio_is_exact_to_rounding(x: float, y: float) -> None:
    true = math.log(x) - math.log(y)
    scale = max(abs(math.log(x)), abs(math.log(y)), 0.4)
    assert logarithm_of_ratio(x, y) == pytest.approx(true, abs=ROUNDINGS * scale)


@pytest.mark.parametrize("excess", [1e-15, 1e-12, 1e-6, -1e-9, -1e-3])
def test_the_logarithm_of_a_ratio_near_one_keeps_its_digits(excess: float) -> None:
    x = 100.0 * (1.0 + excess)
    assert logarithm_of_ratio(x, 100.0) == pytest.approx(
        math.log1p((x - 100.0) / 100.0), rel=5e-16, abs=0
    )


@pytest.mark.parametrize("x", np.linspace(0.0, 26.0, 53))
def test_the_scaled_tail_is_the_normal_tail_over_its_density_s_shape(x: float) -> None:
    true = math.erfc(x / math.sqrt(2)) / 2 / math.exp(-x * x / 2)
    assert scaled_tail(x) == pytest.approx(true, rel=ROUNDINGS * (1 + x * x / 2), abs=0)


def test_the_scaled_tail_falls_like_its_asymptotic_series() -> None:
    x = FARTHEST
    series = (1 - x**-2 + 3 * x**-4 - 15 * x**-6) / (x * math.sqrt(2 * math.pi))
    assert scaled_tail(x) == pytest.approx(series, rel=1e-9)
