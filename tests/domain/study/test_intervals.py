import numpy as np
import pytest
from fakes.study_rows import index_rows, study_rows

from shared.domain.study.intervals import (
    effectiveness_columns,
    performance_intervals,
    ratio_of_sums,
    sharpe_difference,
    sharpe_of_rows,
    yearly_ratio,
)
from shared.domain.study.performance import crash_sessions, measure_performance
from shared.domain.study.resampling import BootstrapPolicy

QUICK = BootstrapPolicy(resamples=60, block=20, confidence=0.9)


def test_intervals_are_around_the_figures_themselves() -> None:
    rows = index_rows()
    found = measure_performance(rows, cap=2.0)
    intervals = performance_intervals(rows, crash_sessions(rows, found.crashes), QUICK)
    assert found.hedge.path.sharpe is not None
    assert found.unhedged.sharpe is not None
    assert found.hedge.cost_per_year is not None
    expected = {
        "sharpe": found.hedge.path.sharpe,
        "sharpe_gain": found.hedge.path.sharpe - found.unhedged.sharpe,
        "effectiveness": found.hedge.effectiveness,
        "static_effectiveness": found.static.effectiveness,
        "cost_per_year": found.hedge.cost_per_year,
    }
    for name, value in expected.items():
        interval = getattr(intervals, name)
        assert interval.value == pytest.approx(value, rel=1e-9), name
        assert interval.low < interval.value < interval.high, name
        assert interval.confidence == 0.9


def test_a_figure_that_is_not_defined_has_no_interval() -> None:
    rows = study_rows([100.0, 101.0, 102.0, 103.0, 105.0], carry=[0.0, 1.0, -1.0, 0.5, 0.0])
    found = performance_intervals(rows, np.zeros(5, dtype=bool), QUICK)
    assert found.effectiveness is None
    assert found.cost_per_year is not None
    assert found.cost_per_year.value == pytest.approx(-0.5 * 252 / 5)


def test_too_few_sessions_have_no_interval() -> None:
    rows = study_rows([100.0, 101.0], carry=[0.0, 1.0])
    found = performance_intervals(rows, np.zeros(2, dtype=bool), QUICK)
    assert found.sharpe is None
    assert found.cost_per_year is None


def test_the_loss_of_a_session_without_a_value_goes_with_the_next() -> None:
    nav = np.array([100.0, 95.0, np.nan, 80.0, 90.0])
    profit = np.array([9.0, 2.0, 3.0, 4.0, 9.0])
    gain, loss = effectiveness_columns(nav, profit, np.array([False, True, True, True, False]))
    assert gain.tolist() == [0.0, 2.0, 3.0, 4.0, 0.0]
    assert loss.tolist() == [0.0, 5.0, 0.0, 15.0, 0.0]


def test_statistics_take_any_number_of_resamples_at_once() -> None:
    rows = np.random.default_rng(1).normal(0.1, 1.0, size=(4, 50, 2))
    for statistic in (sharpe_of_rows, sharpe_difference, ratio_of_sums, yearly_ratio):
        together = statistic(rows)
        assert together.shape == (4,)
        assert together == pytest.approx([statistic(one[None])[0] for one in rows], nan_ok=True)


def test_a_ratio_to_nothing_is_not_defined() -> None:
    rows = np.array([[[1.0, 0.0]], [[1.0, -2.0]], [[1.0, 2.0]]])
    assert ratio_of_sums(rows) == pytest.approx([np.nan, np.nan, 0.5], nan_ok=True)
    assert yearly_ratio(rows) == pytest.approx([np.nan, np.nan, 126.0], nan_ok=True)
    assert np.isnan(sharpe_of_rows(np.ones((1, 5, 1)))).all()
