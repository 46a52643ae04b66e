import numpy as np
import pytest
from fakes.study_rows import index_rows, study_rows
from numpy.typing import NDArray

from shared.domain.study.paths import closed_form, path_figures
from shared.domain.study.ratios import closed_form_sharpe, session_returns, sharpe


def test_the_deepest_fall_of_the_index_is_that_of_2008() -> None:
    rows = index_rows()
    figures = path_figures(rows.nav, np.zeros(len(rows)))
    assert figures.maximum_drawdown == pytest.approx(-0.567754, abs=1e-6)


def test_sessions_without_a_value_are_passed_over() -> None:
    rows = study_rows([np.nan, 100.0, np.nan, 50.0, 60.0])
    assert path_figures(rows.nav, np.zeros(5)).maximum_drawdown == -0.5


def test_one_value_has_no_figures() -> None:
    rows = study_rows([100.0])
    figures = path_figures(rows.nav, np.zeros(1))
    assert figures.sharpe is None
    assert figures.maximum_drawdown is None


def test_the_closed_form_is_made_of_the_paths_own_figures() -> None:
    nav = np.array([100.0, 102.0, 101.0, 105.0, 95.0, 99.0])
    profit = np.array([50.0, -0.2, 0.3, -0.4, 3.0, -0.1])
    crash = np.array([False, False, False, False, True, False])
    portfolio = np.diff(nav) / nav[:-1]
    hedge = profit[1:] / nav[:-1]
    found = closed_form(nav, profit, crash)
    assert found is not None
    assert found.mean_return == pytest.approx(portfolio.mean() * 252)
    assert found.cost_rate == pytest.approx(-hedge[[0, 1, 2, 4]].mean() * 252)
    assert found.volatility == pytest.approx(portfolio.std(ddof=1) * np.sqrt(252))
    assert found.correlation == pytest.approx(np.corrcoef(portfolio, hedge)[0, 1])
    assert found.sharpe == closed_form_sharpe(
        mean_return=found.mean_return,
        cost_rate=found.cost_rate,
        volatility=found.volatility,
        correlation=found.correlation,
    )


def test_without_calm_sessions_a_hedge_cost_nothing() -> None:
    nav, profit = np.array([100.0, 90.0, 80.0]), np.array([0.0, 1.0, 3.0])
    found = closed_form(nav, profit, np.ones(3, dtype=bool))
    assert found is not None
    assert found.cost_rate == 0.0


def test_a_hedge_that_does_nothing_has_no_closed_form() -> None:
    nav = np.array([100.0, 90.0, 80.0])
    assert closed_form(nav, np.zeros(3), np.zeros(3, dtype=bool)) is None


def test_the_closed_form_of_no_cost_and_no_correlation_is_the_measured_ratio() -> None:
    rng = np.random.default_rng(3)
    nav: NDArray[np.float64] = np.asarray(100.0 * np.cumprod(1 + rng.normal(0.0005, 0.01, 5000)))
    noise = np.tile([1e-6, -1e-6], 2500)  # earns nothing, goes with nothing
    found = closed_form(nav, noise, np.zeros(5000, dtype=bool))
    assert found is not None
    assert found.sharpe == pytest.approx(sharpe(session_returns(nav, np.zeros(5000))), rel=1e-3)
