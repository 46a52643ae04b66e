"""Moments against numpy."""

import numpy as np
import pytest

from shared.domain.market.statistics.moments import Moments


def test_moments_agree_with_numpy_at_every_prefix_and_so_does_one_value_more() -> None:
    values = np.random.default_rng(1).normal(1e6, 1.0, 100)  # large mean: naive formulas cancel
    for n in range(2, 100):
        for moments in (Moments.of(values[:n]), Moments.of(values[: n - 1]).plus(values[n - 1])):
            assert moments.size == n
            assert moments.mean == pytest.approx(np.mean(values[:n]), rel=1e-14)
            assert moments.variance == pytest.approx(np.var(values[:n], ddof=1), rel=1e-8)


def test_nothing_has_no_spread() -> None:
    assert Moments.of([]) == Moments(0, 0.0, 0.0)


def test_one_value_more_may_be_an_array_of_alternatives() -> None:
    base, more = Moments.of([1.0, 2.0, 4.0]), np.array([3.0, 7.0])
    together = base.plus(more)  # type: ignore[arg-type]
    assert list(together.mean) == [base.plus(3.0).mean, base.plus(7.0).mean]  # type: ignore[call-overload]
