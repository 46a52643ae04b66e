from collections.abc import Sequence

import msgspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.accounts.effectiveness import SessionResult, drawdowns, measure_window, summarize

BLANK = SessionResult(
    close_ns=0,
    nav=None,
    dynamic_carry=0.0,
    transaction_cost=0.0,
    static_carry=0.0,
    turnover_vega=0.0,
    trades=0,
    multiplier=None,
    at_floor=False,
    at_cap=False,
)


def rows(**columns: Sequence[object]) -> list[SessionResult]:
    """One result a row of the columns, closing at 1, 2, 3 and on."""
    return [
        msgspec.structs.replace(BLANK, close_ns=number, **dict(zip(columns, row, strict=True)))
        for number, row in enumerate(zip(*columns.values(), strict=True), start=1)
    ]


# --- drawdowns -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], []),
        ([100.0], []),
        ([100.0, 95.0], []),  # 5% is not beyond 5%
        ([100.0, 94.9], [(0, 1)]),
        ([100.0, 90.0, 95.0, 89.0, 99.0], [(0, 3)]),  # not regained: one window
        ([100.0, 90.0, 100.0, 90.0], [(0, 1), (2, 3)]),  # regained: two
        ([100.0, 100.0, 90.0, 90.0], [(1, 2)]),  # last peak, first trough
        ([100.0, 110.0, 104.0, 111.0, 100.0, 90.0, 95.0, 112.0, 111.0], [(1, 2), (3, 5)]),
    ],
)
def test_falls_beyond_five_percent_are_found(
    values: list[float], expected: list[tuple[int, int]]
) -> None:
    assert drawdowns(values) == expected


@given(st.lists(st.integers(80, 120), min_size=1, max_size=40), st.sampled_from([0.05, 0.1, 0.2]))
def test_drawdowns_are_what_pandas_finds(values: list[int], threshold: float) -> None:
    nav = pd.Series(values, dtype=float)
    spells = (nav >= nav.cummax()).cumsum()  # a new peak, or the same again, begins a spell
    expected = []
    for _, spell in nav.groupby(spells):
        if spell.min() < spell.iloc[0] * (1 - threshold):
            expected.append((spell.index.min(), int(np.argmin(spell)) + spell.index.min()))
    assert drawdowns(values, threshold) == expected


# --- windows -------------------------------------------------------------------------------------


def test_a_windows_loss_starts_from_the_value_before_it() -> None:
    results = rows(
        nav=[100.0, 98.0, 90.0, 95.0],
        dynamic_carry=[1.0, 2.0, 5.0, 7.0],
        transaction_cost=[0.0, 0.5, 0.5, 0.0],
        static_carry=[9.0, 1.0, 1.5, 9.0],
    )
    window = measure_window(results, after_ns=1, end_ns=3)
    assert (window.sessions, window.portfolio_loss) == (2, 10.0)
    assert (window.dynamic_gain, window.static_gain) == (6.0, 2.5)
    assert (window.dynamic_effectiveness, window.static_effectiveness) == (0.6, 0.25)


@pytest.mark.parametrize("navs", [[None, 98.0], [100.0, None]])
def test_a_window_without_a_value_at_both_ends_has_no_ratio(navs: list[float | None]) -> None:
    window = measure_window(rows(nav=navs), after_ns=1, end_ns=2)
    assert window.portfolio_loss is None
    assert window.dynamic_effectiveness is None


@pytest.mark.parametrize("end", [103.0, 100.0])
def test_a_window_in_which_the_portfolio_lost_nothing_has_no_ratio(end: float) -> None:
    window = measure_window(rows(nav=[100.0, end]), after_ns=1, end_ns=2)
    assert window.portfolio_loss == 100.0 - end
    assert window.static_effectiveness is None


def test_an_unknown_value_inside_a_window_does_not_hide_its_end() -> None:
    results = rows(nav=[100.0, None, 95.0, None])
    assert measure_window(results, after_ns=2, end_ns=4).portfolio_loss == 5.0


# --- the report ----------------------------------------------------------------------------------


def test_cost_is_what_was_lost_outside_crash_windows() -> None:
    report = summarize(
        rows(
            nav=[100.0, 101.0, 90.0, 92.0],
            dynamic_carry=[-1.0, -2.0, 30.0, -3.0],
            transaction_cost=[0.5, 0.0, 1.0, 0.25],
            static_carry=[-2.0, -4.0, 20.0, -6.0],
        )
    )
    assert [(crash.after_ns, crash.end_ns) for crash in report.crashes] == [(2, 3)]
    assert report.crashes[0].dynamic_effectiveness == pytest.approx(29 / 11)
    dynamic, static = report.dynamic, report.static
    assert (dynamic.carry_profit, dynamic.transaction_cost, dynamic.net_profit) == (24, 1.75, 22.25)
    assert dynamic.cost == 6.75
    assert dynamic.cost_per_year == pytest.approx(6.75 * 252 / 3)
    assert (static.net_profit, static.transaction_cost, static.cost) == (8, 0, 12)
    assert (report.none.net_profit, report.none.cost) == (0, 0)


def test_multipliers_count_over_the_sessions_that_had_a_target() -> None:
    report = summarize(
        rows(
            multiplier=[None, 0.2, 1.0, 2.0, 2.0],
            at_floor=[False, True, False, False, False],
            at_cap=[False, False, False, True, True],
            turnover_vega=[0.0, 200.0, 800.0, 1000.0, 0.0],
            trades=[0, 1, 2, 1, 0],
        ),
        skipped=3,
    )
    assert (report.sessions, report.sessions_skipped) == (5, 3)
    assert report.average_multiplier == pytest.approx(1.3)
    assert report.maximum_multiplier == 2.0
    assert (report.sessions_at_floor, report.sessions_at_cap) == (1, 2)
    assert (report.turnover_vega, report.trades) == (2000.0, 4)


def test_before_any_session_every_figure_is_empty() -> None:
    report = summarize([])
    assert (report.sessions, report.average_multiplier, report.maximum_multiplier) == (
        0,
        None,
        None,
    )
    assert (report.dynamic.cost_per_year, report.dynamic.sharpe, report.crashes) == (None, None, ())
    assert str(report.none.cost) == "0.0"  # not −0.0: it goes into JSON


def test_a_sharpe_ratio_is_of_portfolio_and_hedge_together() -> None:
    report = summarize(rows(nav=[100.0, 102.0, 101.0, 104.0], static_carry=[7.0, -1.0, 1.0, -2.0]))
    hedged = np.array([2 - 1, -1 + 1, 3 - 2]) / np.array([100.0, 102.0, 101.0])
    alone = np.array([2, -1, 3]) / np.array([100.0, 102.0, 101.0])
    for result, returns in [(report.static, hedged), (report.none, alone)]:
        expected = returns.mean() / returns.std(ddof=1) * 252**0.5
        assert result.sharpe == pytest.approx(expected)


def test_the_profit_of_a_session_without_a_value_goes_with_the_next_return() -> None:
    gap = summarize(rows(nav=[100.0, None, 102.0, 101.0], static_carry=[0.0, 3.0, -1.0, 1.0]))
    whole = summarize(rows(nav=[100.0, 102.0, 101.0], static_carry=[0.0, 2.0, 1.0]))
    assert gap.static.sharpe == pytest.approx(whole.static.sharpe)


@pytest.mark.parametrize("navs", [[100.0, 101.0], [100.0, 200.0, 400.0]])
def test_without_a_deviation_there_is_no_sharpe_ratio(navs: list[float]) -> None:
    assert summarize(rows(nav=navs)).none.sharpe is None
