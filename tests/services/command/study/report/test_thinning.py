"""What is drawn of a line has its peaks, its troughs and its ends."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from services.command.study.report.thinning import kept, shown, stepped, thinned

lines = st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")), min_size=1, max_size=300).map(
    lambda values: np.array(values, dtype=np.float64)
)


def days_of(values: NDArray[np.float64]) -> NDArray[np.datetime64]:
    return np.datetime64("2020-01-01", "D") + np.arange(len(values))


@settings(max_examples=50)
@given(lines, st.integers(4, 60))
def test_no_peak_and_no_trough_is_lost(values: NDArray[np.float64], most: int) -> None:
    at = kept(values, most)
    assert len(at) <= max(most, 4)
    assert np.all(np.diff(at) > 0)
    assert at[0] == 0
    assert at[-1] == len(values) - 1
    if not np.all(np.isnan(values)):
        assert np.nanmax(values[at]) == np.nanmax(values)
        assert np.nanmin(values[at]) == np.nanmin(values)


def test_a_short_line_is_drawn_whole_and_what_is_not_known_is_a_gap() -> None:
    values = np.array([1.0, np.nan, 3.0])
    assert thinned(days_of(values), values) == {
        "x": ["2020-01-01", "2020-01-02", "2020-01-03"],
        "y": [1.0, None, 3.0],
    }


def test_29_years_of_sessions_weigh_no_more_than_five() -> None:
    values = np.cumsum(np.random.default_rng(1).normal(size=7300))
    assert len(thinned(days_of(values), values)["x"]) <= 800


def test_a_stretch_that_is_not_known_at_all_keeps_its_ends() -> None:
    values = np.full(100, np.nan)
    values[:50] = 1.0
    assert kept(values, 8)[-1] == 99


@settings(max_examples=50)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=100))
def test_steps_can_be_drawn_from_where_they_change(levels: list[int]) -> None:
    values = np.array(levels, dtype=np.float64)
    days = days_of(values)
    drawn = stepped(days, values)
    at = np.searchsorted(np.array(drawn["x"], dtype="datetime64[D]"), days, side="right") - 1
    assert np.array_equal(np.array(drawn["y"])[at], values)


def test_six_digits_are_drawn() -> None:
    assert shown(50_123_456.789) == 50_123_500.0
