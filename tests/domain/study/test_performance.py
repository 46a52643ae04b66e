from datetime import date

import msgspec
import numpy as np
import pytest
from fakes.study_rows import index_rows, study_rows
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.accounts.effectiveness import summarize
from shared.domain.study.crises import Crisis
from shared.domain.study.paths import closed_form, path_figures
from shared.domain.study.performance import Performance, crash_sessions, measure_performance


def test_cost_crashes_and_sharpe_are_the_live_accounts() -> None:
    rows = index_rows()
    found = measure_performance(rows, cap=2.0, skipped=3)
    report = summarize(rows.results(), skipped=3)
    assert [crash.result for crash in found.crashes] == list(report.crashes)
    for ours, theirs in ((found.hedge, report.dynamic), (found.static, report.static)):
        assert ours.carry_profit == theirs.carry_profit
        assert ours.transaction_cost == theirs.transaction_cost
        assert ours.net_profit == theirs.net_profit
        assert ours.cost_per_year == theirs.cost_per_year
        assert ours.path.sharpe == pytest.approx(theirs.sharpe, rel=1e-12)
    assert found.unhedged.sharpe == pytest.approx(report.none.sharpe, rel=1e-12)
    assert found.average_multiplier == report.average_multiplier
    assert found.maximum_multiplier == 2.0
    assert (found.sessions, found.sessions_skipped) == (len(rows), 3)
    assert found.trades == report.trades
    assert found.turnover_vega_per_year == pytest.approx(report.turnover_vega / len(rows) * 252)


@given(
    st.lists(
        st.tuples(
            st.one_of(st.just(np.nan), st.floats(50.0, 150.0)),
            st.integers(-3, 3),
            st.integers(-3, 3),
        ),
        min_size=1,
        max_size=30,
    )
)
@settings(max_examples=50)
def test_sessions_without_a_value_are_counted_as_the_live_account_counts_them(
    sessions: list[tuple[float, int, int]],
) -> None:
    nav, carry, static = zip(*sessions, strict=True)
    rows = study_rows(
        list(nav), carry=np.array(carry, float), static_profit=np.array(static, float)
    )
    found, report = measure_performance(rows, cap=2.0), summarize(rows.results())
    for ours, theirs in ((found.hedge, report.dynamic), (found.static, report.static)):
        assert (ours.path.sharpe is None) == (theirs.sharpe is None)
        assert (ours.path.sharpe or 0) == pytest.approx(theirs.sharpe or 0, rel=1e-6, abs=1e-9)
        assert ours.cost_per_year == theirs.cost_per_year
    assert sum(regime.sessions for regime in found.regimes) == len(sessions)


def test_effectiveness_is_the_gain_over_the_loss_of_all_crashes_together() -> None:
    rows = study_rows(
        [100.0, 90.0, 100.0, 80.0, 101.0],
        carry=[9.0, 5.0, -1.0, 4.0, -1.0],
        static_profit=[9.0, 2.0, -1.0, 1.0, -1.0],
    )
    found = measure_performance(rows, cap=2.0)
    assert found.hedge.effectiveness == pytest.approx(9 / 30)
    assert found.static.effectiveness == pytest.approx(3 / 30)
    assert crash_sessions(rows, found.crashes).tolist() == [False, True, False, True, False]
    assert [crash.name for crash in found.crashes] == [
        "2020-01-01 to 2020-01-02",
        "2020-01-03 to 2020-01-04",
    ]
    assert [crash.first for crash in found.crashes] == [date(2020, 1, 1), date(2020, 1, 3)]


def test_paths_and_closed_form_are_those_of_hedge_and_static_hedge() -> None:
    rows = index_rows()
    found = measure_performance(rows, cap=2.0)
    crash = crash_sessions(rows, found.crashes)
    assert found.hedge.path == path_figures(rows.nav, rows.profit)
    assert found.static.path == path_figures(rows.nav, rows.static_profit)
    assert found.unhedged == path_figures(rows.nav, np.zeros(len(rows)))
    assert found.hedge.closed_form == closed_form(rows.nav, rows.profit, crash)
    assert found.static.closed_form == closed_form(rows.nav, rows.static_profit, crash)


def test_without_a_crash_there_is_no_effectiveness() -> None:
    found = measure_performance(study_rows([100.0, 99.0, 101.0]), cap=2.0)
    assert found.hedge.effectiveness is None
    assert found.crashes == ()
    assert found.hedge.closed_form is None


def test_named_crises_are_measured() -> None:
    whit = Crisis("Whit", date(2020, 1, 1), date(2020, 1, 2))
    rows = study_rows([100.0, 99.0, 101.0], carry=[0.0, 0.5, -0.5])
    found = measure_performance(rows, cap=2.0, crises=[whit])
    assert [(crisis.name, crisis.result.dynamic_effectiveness) for crisis in found.crises] == [
        ("Whit", 0.5)
    ]


def test_time_at_floor_and_cap_is_of_the_sessions_that_had_a_target() -> None:
    rows = study_rows(
        [100.0] * 5,
        multiplier=[np.nan, 0.2, 0.2, 1.0, 2.0],
        at_floor=[False, True, True, False, False],
        at_cap=[False, False, False, False, True],
    )
    found = measure_performance(rows, cap=2.0)
    assert (found.time_at_floor, found.time_at_cap) == (0.5, 0.25)
    without = measure_performance(study_rows([100.0] * 5), cap=2.0)
    assert without.time_at_floor is None
    assert without.time_at_cap is None


def test_a_session_without_profit_or_loss_is_neither_won_nor_lost() -> None:
    rows = study_rows([100.0] * 4, carry=[0.0, 3.0, -1.0, 2.0], cost=[0.0, 1.0, 0.0, 2.0])
    assert measure_performance(rows, cap=2.0).win_rate == 0.5
    assert measure_performance(study_rows([100.0] * 4), cap=2.0).win_rate is None


def test_months_are_won_by_their_sum() -> None:
    rows = study_rows([100.0] * 5, first="2020-01-30", carry=[3.0, -1.0, 1.0, -5.0, 1.0])
    found = measure_performance(rows, cap=2.0)
    assert found.win_rate == 0.6
    assert found.monthly_win_rate == 0.5
    assert (found.first, found.last) == (date(2020, 1, 30), date(2020, 2, 3))


def test_regret_may_choose_up_to_the_cap() -> None:
    rows = study_rows([100.0] * 3, static_profit=[0.0, 1.0, 1.0], carry=[0.0, 1.0, 0.0])
    found = measure_performance(rows, cap=3.0)
    assert found.regret.best_profit == 6.0
    assert found.regret.profit_regret == 5.0


def test_a_performance_survives_json() -> None:
    found = measure_performance(index_rows(), cap=2.0)
    assert msgspec.json.decode(msgspec.json.encode(found), type=Performance) == found


def test_no_sessions_cannot_be_measured() -> None:
    with pytest.raises(ValueError, match="no sessions"):
        measure_performance(study_rows([]), cap=2.0)
