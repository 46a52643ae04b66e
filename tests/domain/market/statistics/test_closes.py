"""Trend and return over closes, against the plain formulas at every print."""

import msgspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.market.statistics.closes import CloseReturn, ClosesState, CloseTrend, Trend


def followed(closes: list[float]) -> CloseTrend:
    trend = CloseTrend()
    for number, close in enumerate(closes):
        trend.observe(close, int(number > 0))
    return trend


def expected_trend(closes: list[float]) -> Trend | None:
    series = pd.Series(closes)
    apart = (series.rolling(5).mean() - series.rolling(20).mean()).tail(10)
    if apart.isna().any() or len(apart) < 10:
        return None
    if (apart > 1e-12).all():
        return Trend.UP
    return Trend.DOWN if (apart < -1e-12).all() else Trend.NONE


def test_the_trend_is_that_of_ten_days_at_every_close() -> None:
    walk = 20 * np.exp(np.cumsum(np.random.default_rng(7).normal(0, 0.06, 400)))
    trend, closes, seen = CloseTrend(), [], set()
    for number, close in enumerate(walk.tolist()):
        closes.append(close)
        trend.observe(close * 1.2, int(number > 0))  # a print inside the session
        trend.observe(close, 0)
        assert trend.value == expected_trend(closes)
        assert trend.have == min(len(closes), trend.need)
        seen.add(trend.value)
    assert seen == {None, Trend.UP, Trend.NONE, Trend.DOWN}


def test_nine_days_above_are_no_trend_and_ten_are() -> None:
    rising = [20.0] * 20
    for day in range(1, 12):
        rising.append(20.0 + day)
        assert followed(rising).value == (None if day < 9 else Trend.UP if day > 9 else Trend.NONE)


def test_the_live_value_counts_as_the_tenth_day() -> None:
    trend = followed([20.0] * 20 + [20.0 + day / 10 for day in range(1, 11)])
    told = [trend.value]
    for level in (1.0, 30.0):
        trend.observe(level, 0)
        told.append(trend.value)
    assert told == [Trend.UP, Trend.NONE, Trend.UP]


def test_a_return_is_against_the_close_five_sessions_ago() -> None:
    week = CloseReturn(5)
    for number, close in enumerate([100.0, 90.0, 91.0, 92.0, 93.0]):
        week.observe(close, int(number > 0))
        assert week.value is None
    week.observe(98.0, 1)
    assert week.value == pytest.approx(-0.02)
    week.observe(97.0, 0)
    assert week.value == pytest.approx(-0.03)
    assert week.values() == (100.0, 90.0, 91.0, 92.0, 93.0, 97.0)
    assert CloseReturn(5, ClosesState(closes=(1.0,))).values() == (1.0,)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.floats(5, 90), st.integers(0, 2)), max_size=60), st.integers(0, 60))
def test_a_restart_changes_nothing(prints: list[tuple[float, int]], at: int) -> None:
    steady, stopped = CloseTrend(), CloseTrend()
    for number, (level, sessions) in enumerate(prints):
        if number == at:
            stored = msgspec.msgpack.encode(stopped.snapshot())
            stopped = CloseTrend(msgspec.msgpack.decode(stored, type=ClosesState))
        steady.observe(level, sessions)
        stopped.observe(level, sessions)
        assert steady.value == stopped.value
    assert steady.snapshot() == stopped.snapshot()
