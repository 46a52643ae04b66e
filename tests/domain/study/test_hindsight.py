import numpy as np
import pytest
from fakes.study_rows import index_rows
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.study.hindsight import best_constant_multiple, regret
from shared.domain.study.ratios import session_returns, sharpe

NAV = np.array([100.0, 101.0, 99.0, 103.0, 102.0])


@pytest.mark.parametrize(
    ("static", "multiple", "best"),
    [
        ([0.0, 1.0, 2.0, -1.0, 0.0], 2.0, 4.0),
        ([0.0, 1.0, -2.0, 1.0, -1.0], 0.0, 0.0),
        ([0.0, 0.0, 0.0, 0.0, 0.0], 0.0, 0.0),
    ],
)
def test_the_best_constant_hedge_by_profit_is_none_or_the_cap(
    static: list[float], multiple: float, best: float
) -> None:
    profit = np.full(5, 0.5)
    found = regret(nav=NAV, profit=profit, static_profit=np.array(static), cap=2.0)
    assert (found.multiple_by_profit, found.best_profit) == (multiple, best)
    assert found.profit_regret == pytest.approx(best - 2.5)


@given(st.integers(0, 1000), st.floats(0.1, 5.0), st.floats(-1.5, 0.5))
@settings(max_examples=40)
def test_no_constant_hedge_on_a_grid_has_a_better_sharpe(
    seed: int, cap: float, slope: float
) -> None:
    rng = np.random.default_rng(seed)
    moves = rng.normal(0.05, 1.0, 60)
    nav = 100.0 + np.cumsum(moves)
    static = slope * moves + rng.normal(0.02, 0.3, 60)
    found = best_constant_multiple(nav, static, cap)
    assert found is not None
    multiple, best = found
    assert 0.0 <= multiple <= cap
    assert best == sharpe(session_returns(nav, multiple * static))
    for other in np.linspace(0.0, cap, 101):
        ratio = sharpe(session_returns(nav, other * static))
        assert ratio is None or best >= ratio - 1e-12


def test_the_best_constant_hedge_of_the_index_lies_between_none_and_a_high_cap() -> None:
    rows = index_rows()
    found = regret(nav=rows.nav, profit=rows.profit, static_profit=rows.static_profit, cap=20.0)
    traded = sharpe(session_returns(rows.nav, rows.profit))
    assert found.multiple_by_sharpe is not None
    assert 0.0 < found.multiple_by_sharpe < 20.0
    assert found.best_sharpe is not None
    assert traded is not None
    assert found.sharpe_regret == pytest.approx(found.best_sharpe - traded)


def test_a_hedge_that_beat_every_constant_one_has_a_negative_regret() -> None:
    static = np.array([0.0, 1.0, -3.0, 1.0, -1.0])
    clever = np.maximum(static, 0.0)
    found = regret(nav=NAV, profit=clever, static_profit=static, cap=2.0)
    assert found.profit_regret == -2.0
    assert found.sharpe_regret is not None
    assert found.sharpe_regret < 0


def test_a_static_hedge_that_does_nothing_leaves_no_hedge_as_the_best() -> None:
    found = best_constant_multiple(NAV, np.zeros(5), 2.0)
    assert found == (0.0, sharpe(session_returns(NAV, np.zeros(5))))


def test_too_few_sessions_have_no_best_by_sharpe() -> None:
    found = regret(nav=NAV[:2], profit=np.zeros(2), static_profit=np.ones(2), cap=2.0)
    assert found.multiple_by_sharpe is None
    assert found.best_sharpe is None
    assert found.sharpe_regret is None
    assert found.best_profit == 4.0
