from math import e, log, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from shared.domain.study.ratios import sharpe
from shared.domain.study.selection import (
    expected_maximum_sharpe,
    judge_selection,
    probabilistic_sharpe,
)


def moment(values: NDArray[np.float64], order: int) -> float:
    """The standardized central moment: 3 for skewness, 4 for kurtosis."""
    return float(np.mean(((values - values.mean()) / values.std()) ** order))


# --- figures printed in the papers ----------------------------------------------------------------

DAILY = 2.5 / sqrt(250)  # the deflated paper's example: 5 years of days, 100 trials of variance 1/2
DEVIATION = sqrt(0.5 / 250)


def test_the_deflated_papers_threshold_is_0_1132() -> None:
    assert expected_maximum_sharpe(100, DEVIATION) == pytest.approx(0.1132, abs=5e-5)


@pytest.mark.parametrize(
    ("trials", "skewness", "kurtosis", "expected"),
    [(100, -3.0, 10.0, 0.9004), (46, -3.0, 10.0, 0.9505), (88, 0.0, 3.0, 0.9505)],
)
def test_the_deflated_papers_probabilities(
    trials: int, skewness: float, kurtosis: float, expected: float
) -> None:
    found = probabilistic_sharpe(
        DAILY,
        1250,
        benchmark=expected_maximum_sharpe(trials, DEVIATION),
        skewness=skewness,
        kurtosis=kurtosis,
    )
    assert found == pytest.approx(expected, abs=5e-5)


def test_the_efficient_frontier_papers_probabilities() -> None:
    assert probabilistic_sharpe(0.458, 24) == pytest.approx(0.982, abs=5e-4)
    skewed = probabilistic_sharpe(0.458, 24, skewness=-2.448, kurtosis=10.164)
    assert skewed == pytest.approx(0.913, abs=5e-4)


def test_ten_trials_without_skill_are_expected_to_show_1_57() -> None:
    assert expected_maximum_sharpe(10) == pytest.approx(1.57, abs=5e-3)


# --- what the formulas mean ---------------------------------------------------------------------


@pytest.mark.parametrize("trials", [10, 50, 500])
def test_the_expected_maximum_is_that_of_simulated_trials(trials: int) -> None:
    draws = np.random.default_rng(1).normal(0, 0.3, size=(4000, trials))
    simulated = draws.max(axis=1).mean()
    assert expected_maximum_sharpe(trials, 0.3) == pytest.approx(simulated, rel=0.03)


def test_a_true_ratio_above_the_benchmark_is_as_likely_as_said() -> None:
    rng = np.random.default_rng(2)
    returns = rng.gamma(4.0, 1.0, size=(3000, 250)) - 4.0 + 0.1  # skewed, mean 0.1, deviation 2
    ratios = returns.mean(axis=1) / returns.std(axis=1, ddof=1)
    believed = np.array(
        [
            probabilistic_sharpe(
                float(ratio),
                250,
                benchmark=0.05,
                skewness=moment(path, 3),
                kurtosis=moment(path, 4),
            )
            for ratio, path in zip(ratios, returns, strict=True)
        ]
    )
    # of a true ratio at the benchmark, a probability above p has the probability 1 − p
    assert np.mean(believed > 0.9) == pytest.approx(0.1, abs=0.025)
    assert np.mean(believed < 0.1) == pytest.approx(0.1, abs=0.025)


@given(st.integers(2, 10_000))
@settings(max_examples=40)
def test_the_expected_maximum_rises_with_the_trials_and_under_its_bound(trials: int) -> None:
    found = expected_maximum_sharpe(trials)
    assert found < expected_maximum_sharpe(trials + 1)
    assert found <= sqrt(2 * log(trials)) or trials < 4


def test_one_trial_is_not_deflated() -> None:
    assert expected_maximum_sharpe(1, 5.0) == 0.0


# --- judging ------------------------------------------------------------------------------------

NOISE = np.random.default_rng(7).normal(0.0, 0.01, 1260)
RETURNS = NOISE - NOISE.mean() + 0.0006


def test_the_chosen_one_is_judged_among_all_that_are_known() -> None:
    annual = [0.2, 0.5, 0.8, 0.3, float(sharpe(RETURNS) or 0)]
    found = judge_selection(RETURNS, trials=40, annual_sharpes=annual)
    deviation = float(np.std(annual, ddof=1))
    assert found.annual_sharpe == pytest.approx(sharpe(RETURNS))
    assert found.annual_expected_maximum == pytest.approx(expected_maximum_sharpe(40, deviation))
    assert found.skewness == pytest.approx(moment(RETURNS, 3))
    assert found.kurtosis == pytest.approx(moment(RETURNS, 4))
    assert found.deflated == pytest.approx(
        probabilistic_sharpe(
            found.annual_sharpe / sqrt(252),
            1260,
            benchmark=expected_maximum_sharpe(40, deviation / sqrt(252)),
            skewness=found.skewness,
            kurtosis=found.kurtosis,
        )
    )
    assert found.years == 5.0


def test_trials_of_which_nothing_is_known_are_taken_as_without_skill() -> None:
    found = judge_selection(RETURNS, trials=40)
    assert found.annual_expected_maximum == pytest.approx(
        expected_maximum_sharpe(40, sqrt(252 / 1260))
    )
    assert found == judge_selection(RETURNS, trials=40, annual_sharpes=[0.7])


def test_a_ratio_that_luck_explains_is_warned_of() -> None:
    found = judge_selection(RETURNS, trials=1000)
    assert found.deflated < 0.95
    assert found.warning is not None
    assert "1000 variants" in found.warning
    assert f"{found.annual_sharpe:.2f}" in found.warning


def test_a_ratio_that_luck_does_not_explain_is_not() -> None:
    assert judge_selection(RETURNS + 0.004, trials=1000).warning is None


def test_one_trial_is_never_warned_of() -> None:
    found = judge_selection(-RETURNS, trials=1)
    assert found.warning is None
    assert found.deflated == found.probabilistic < 0.5


# --- refused ------------------------------------------------------------------------------------


@pytest.mark.parametrize("returns", [[], [0.1], [0.1, 0.1, 0.1]])
def test_returns_without_deviation_are_refused(returns: list[float]) -> None:
    with pytest.raises(ValueError, match="without deviation"):
        judge_selection(np.asarray(returns, dtype=float), trials=1)


def test_no_trial_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one variant"):
        expected_maximum_sharpe(0)


def test_one_observation_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 2 observations"):
        probabilistic_sharpe(0.1, 1)


def test_moments_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="no returns have skewness"):
        probabilistic_sharpe(1.0, 10, skewness=e, kurtosis=3.0)
