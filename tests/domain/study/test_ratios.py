from collections.abc import Callable
from functools import cache

import empyrical
import numpy as np
import pytest
from arch.data import sp500
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from shared.domain.study.ratios import (
    annual_return,
    annual_volatility,
    calmar,
    closed_form_sharpe,
    correlation,
    maximum_drawdown,
    session_returns,
    sharpe,
    sortino,
    wealth,
)

Column = NDArray[np.float64]


@cache
def real_returns() -> Column:
    """Daily returns of the S&P 500, 1999 to 2018, as `arch` carries them."""
    closes = sp500.load()["Close"].to_numpy()
    return session_returns(closes, np.zeros(len(closes)))


ORACLES: list[tuple[Callable[[Column], float | None], Callable[[Column], float]]] = [
    (annual_return, empyrical.annual_return),
    (annual_volatility, empyrical.annual_volatility),
    (sharpe, empyrical.sharpe_ratio),
    (sortino, empyrical.sortino_ratio),
    (calmar, empyrical.calmar_ratio),
    (maximum_drawdown, empyrical.max_drawdown),
]


def assert_same(ours: float | None, theirs: float) -> None:
    if ours is None:
        assert not np.isfinite(theirs)
    else:
        assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("figure", "oracle"), ORACLES)
def test_figures_of_the_index_are_those_of_empyrical(
    figure: Callable[[Column], float | None], oracle: Callable[[Column], float]
) -> None:
    assert_same(figure(real_returns()), oracle(real_returns()))


@pytest.mark.parametrize(("figure", "oracle"), ORACLES)
def test_figures_at_every_prefix_are_those_of_empyrical(
    figure: Callable[[Column], float | None], oracle: Callable[[Column], float]
) -> None:
    lehman = real_returns()[2400:2620]
    for length in range(len(lehman) + 1):
        assert_same(figure(lehman[:length]), oracle(lehman[:length]))


@given(st.lists(st.integers(-500, 500), max_size=30))
@settings(max_examples=50)
def test_figures_of_random_returns_are_those_of_empyrical(basis_points: list[int]) -> None:
    returns = np.asarray(basis_points, dtype=float) / 10_000
    for figure, oracle in ORACLES:
        assert_same(figure(returns), oracle(returns))


# --- returns ------------------------------------------------------------------------------------


def test_a_return_is_the_change_of_value_and_the_hedge_profit_over_the_value_before() -> None:
    nav, profit = np.array([100.0, 90.0, 99.0]), np.array([7.0, 5.0, -1.8])
    assert session_returns(nav, profit).tolist() == pytest.approx([-0.05, 0.08])


def test_the_profit_of_a_session_without_a_value_goes_with_the_next_return() -> None:
    nav = np.array([np.nan, 100.0, np.nan, 110.0, np.nan])
    profit = np.array([9.0, 9.0, 1.0, 2.0, 9.0])
    assert session_returns(nav, profit).tolist() == pytest.approx([0.13])


@pytest.mark.parametrize("nav", [[], [100.0], [np.nan, 100.0, np.nan]])
def test_fewer_than_two_values_have_no_return(nav: list[float]) -> None:
    assert len(session_returns(np.asarray(nav, dtype=float), np.ones(len(nav)))) == 0


def test_wealth_begins_at_one() -> None:
    assert wealth(np.array([0.1, -0.5])).tolist() == pytest.approx([1.0, 1.1, 0.55])


# --- what is not defined ------------------------------------------------------------------------


def test_a_path_that_lost_everything_lost_all_of_it_a_year() -> None:
    assert annual_return(np.array([0.1, -1.0])) == -1.0
    assert annual_return(np.array([0.1, -1.5, 0.1, 0.1, 0.1])) == -1.0


def test_returns_without_deviation_have_no_sharpe() -> None:
    assert sharpe(np.full(10, 0.001)) is None


def test_returns_without_a_loss_have_no_sortino_and_no_calmar() -> None:
    assert sortino(np.array([0.01, 0.0, 0.02])) is None
    assert calmar(np.array([0.01, 0.0, 0.02])) is None


# --- drawdown -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("returns", "expected"),
    [
        ([0.5, 0.5], 0.0),
        ([-0.5, 1.0], -0.5),
        ([1.0, -0.25, -0.5, 0.0, 2.0], -0.625),
        ([0.0, 0.0, -0.5], -0.5),
        ([], None),
    ],
)
def test_the_deepest_fall_is_from_the_highest_before_it(
    returns: list[float], expected: float | None
) -> None:
    assert maximum_drawdown(np.array(returns)) == expected


# --- correlation and the paper's closed form ----------------------------------------------------


def test_correlation_is_pearsons() -> None:
    rng = np.random.default_rng(1)
    first, second = rng.normal(size=(2, 50))
    centred = (first - first.mean()) @ (second - second.mean())
    assert correlation(first, second) == pytest.approx(
        centred / np.sqrt(np.var(first) * np.var(second)) / 50
    )


def test_what_does_not_move_is_correlated_with_nothing() -> None:
    moving = np.array([0.1, 0.2])
    assert correlation(np.zeros(2), moving) is None
    assert correlation(moving, np.zeros(2)) is None
    assert correlation(moving[:1], moving[:1]) is None


def test_the_papers_closed_form() -> None:
    ratio = closed_form_sharpe(mean_return=0.08, cost_rate=0.01, volatility=0.16, correlation=-0.6)
    assert ratio == pytest.approx(0.07 / (0.16 * 0.8))


@pytest.mark.parametrize(("volatility", "correlated"), [(0.0, 0.0), (0.2, 1.0), (0.2, -1.0)])
def test_the_closed_form_without_risk_is_not_defined(volatility: float, correlated: float) -> None:
    assert (
        closed_form_sharpe(
            mean_return=0.08, cost_rate=0.0, volatility=volatility, correlation=correlated
        )
        is None
    )
