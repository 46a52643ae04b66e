"""The daily table of a variant, column by column."""

import numpy as np
import pytest
from fakes import rolled_market
from fakes.rolled_books import backtest, fresh_backtest, instruments

from shared.domain.policies import BudgetPolicy, SizingPolicy
from shared.domain.study.backtest import Backtest
from shared.domain.study.session_table import PROFIT_COLUMNS, session_table

CALENDAR = rolled_market.CALENDAR


def table(test: Backtest) -> dict[str, np.ndarray]:
    return session_table(test, CALENDAR, "SPX", instruments())


@pytest.mark.parametrize("leg", ["swap", "put", "call", "future"])
def test_the_profit_columns_sum_to_the_profit(leg: str) -> None:
    columns = table(backtest(leg))
    total = sum(columns[name] for name in PROFIT_COLUMNS)
    largest = np.abs([columns[name] for name in PROFIT_COLUMNS]).sum(axis=0)
    assert (np.abs(total - columns["profit"]) <= 1e-9 * largest).all()
    np.testing.assert_array_equal(columns["profit"], columns["carry"] - columns["cost"])
    np.testing.assert_array_equal(columns["pnl_cost"], -columns["cost"])


def test_every_column_has_a_row_a_session() -> None:
    test = backtest("put")
    columns = table(test)
    assert {len(column) for column in columns.values()} == {rolled_market.SESSIONS}
    points = rolled_market.points()
    np.testing.assert_array_equal(columns["index"], points.index[points.is_close])
    np.testing.assert_array_equal(columns["vix"], points.vix[points.is_close])
    np.testing.assert_array_equal(columns["close_ns"], points.clock_ns[points.is_close])
    days = [str(day) for day, closes in zip(points.days, points.is_close, strict=True) if closes]
    assert columns["day"].astype(str).tolist() == days
    assert columns["day"].dtype == np.dtype("datetime64[D]")


def test_signals_and_standing_are_those_of_the_close() -> None:
    test = backtest("put")
    columns = table(test)
    assert set(columns["regime"].tolist()) == {"low", "medium", "high"}
    assert np.isnan(columns["rv"][:15]).all()
    assert not np.isnan(columns["rv"][30:]).any()
    peaks = np.maximum.accumulate(columns["nav"])
    assert columns["drawdown"].min() < -0.05
    assert (columns["drawdown"] <= columns["nav"] / peaks - 1 + 1e-12).all()
    assert columns["multiplier"][-1] * 5000.0 == pytest.approx(columns["target_vega"][-1])
    assert columns["held_vega"][0] == 0.0
    assert columns["trades"].sum() == len(test.trades)
    assert columns["turnover_vega"].sum() > 0
    assert columns["whipsaws"].sum() == test.counts["whipsaw"]
    assert np.isnan(columns["budget_used"]).all()
    assert columns["at_floor"].dtype == columns["at_cap"].dtype == np.bool_


def test_a_budget_shows_what_is_used_of_it() -> None:
    sizing = SizingPolicy(base_vega=5000.0, budget=BudgetPolicy(annual=1e6))
    used = table(fresh_backtest("put", sizing=sizing))["budget_used"]
    assert 0 < np.nanmax(used) < 1
    assert not np.isnan(used).any()


def test_without_instruments_of_its_own_a_book_has_the_same_table() -> None:
    test = backtest("swap")
    alone, known = session_table(test, CALENDAR, "SPX"), table(test)
    assert alone.keys() == known.keys()
    for name, column in alone.items():
        np.testing.assert_array_equal(column, known[name])


def test_signals_that_are_not_there_are_unknown() -> None:
    test = fresh_backtest("swap")
    session = test.sessions[0]
    bare = session.book.observed.__class__(event_ns=1, index=1, cause="clock", signals={})
    test.sessions[0] = session._replace(book=session.book._replace(observed=bare))
    columns = table(test)
    assert columns["regime"][0] == ""
    assert np.isnan(columns["vix"][0])
