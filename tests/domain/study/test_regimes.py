import numpy as np
import pytest
from fakes.study_rows import index_rows, study_rows

from shared.domain.study.ratios import session_returns, sharpe
from shared.domain.study.regimes import entered_regimes, regime_results


def test_a_session_belongs_to_the_regime_of_the_close_before() -> None:
    rows = study_rows(
        [100.0, 110.0, 88.0, 99.0],
        regime=["low", "low", "high", "low"],
        carry=[1.0, 2.0, 8.0, -3.0],
        cost=[0.5, 0.0, 1.0, 0.0],
        static_profit=[1.0, 1.0, 4.0, -2.0],
        multiplier=[np.nan, 0.5, 1.5, 2.0],
    )
    assert entered_regimes(rows).tolist() == ["low", "low", "low", "high"]
    low, high = regime_results(rows)
    assert (low.regime, low.sessions, low.share) == ("low", 3, 0.75)
    assert low.portfolio_profit == -12.0  # the fall into "high" was entered in "low"
    assert (low.profit, low.transaction_cost, low.static_profit) == (9.5, 1.5, 6.0)
    assert low.average_multiplier == 1.0
    assert low.sharpe == pytest.approx(sharpe(np.array([12 / 100, -15 / 110])))
    assert low.sharpe_unhedged == pytest.approx(sharpe(np.array([0.1, -0.2])))
    assert (high.regime, high.sessions, high.portfolio_profit) == ("high", 1, 11.0)
    assert high.sharpe is None


def test_a_session_without_a_value_counts_for_the_hedge_alone() -> None:
    rows = study_rows([100.0, np.nan, 90.0], regime=["low", "high", "low"], carry=[0.0, 4.0, 5.0])
    low, high = regime_results(rows)
    assert (low.portfolio_profit, low.profit) == (0.0, 4.0)
    assert (high.portfolio_profit, high.profit) == (-10.0, 5.0)
    assert low.average_multiplier is None


def test_regimes_add_up_to_the_whole() -> None:
    rows = index_rows()
    found = regime_results(rows)
    assert {result.regime for result in found} == {"low", "medium", "high"}
    assert sum(result.sessions for result in found) == len(rows)
    assert sum(result.profit for result in found) == pytest.approx(np.sum(rows.profit))
    assert sum(result.portfolio_profit for result in found) == pytest.approx(
        rows.nav[-1] - rows.nav[0]
    )
    high = next(result for result in found if result.regime == "high")
    inside = (entered_regimes(rows) == "high")[1:]
    assert high.sharpe == sharpe(session_returns(rows.nav, rows.profit)[inside])
