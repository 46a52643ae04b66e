"""Smoothed levels against numpy at every prefix."""

from typing import get_args

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.instants import MINUTE, SECOND
from shared.domain.market.statistics.averages import (
    CloseAverage,
    DecayedAverage,
    SmootherState,
    TrailingMedian,
    decay_many,
    smoother,
)
from shared.domain.policies import SmoothingPolicy

METHODS = get_args(SmoothingPolicy.__annotations__["method"])
POLICIES = [
    SmoothingPolicy(method=method, sessions=2, window_trading_ns=90 * SECOND) for method in METHODS
]
PRINTS = st.lists(
    st.tuples(st.sampled_from([12.5, 13.0, 18.0, 40.0]), st.integers(0, 3 * MINUTE), st.booleans()),
    min_size=1,
    max_size=12,
)


def irregular_prints(seed: int, n: int = 200) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    gaps = random.integers(0, 10 * MINUTE, n)
    gaps[0] = 0
    return 20 * np.exp(np.cumsum(random.normal(0, 0.02, n))), gaps


def test_the_decayed_average_weighs_every_print_by_its_age_at_every_prefix() -> None:
    levels, gaps = irregular_prints(1)
    average, half_life = DecayedAverage(30 * MINUTE), 30 * MINUTE
    instants = np.cumsum(gaps)
    for n in range(1, len(levels) + 1):
        result = average.observe(levels[n - 1], int(gaps[n - 1]))
        # each print holds the share of the weight that decayed since the one before it
        kept = np.exp2(-(instants[n - 1] - instants[:n]) / half_life)
        since = np.concatenate(([1.0], 1 - np.exp2(-np.diff(instants[:n]) / half_life)))
        assert result == pytest.approx(np.sum(levels[:n] * kept * since), rel=1e-12)


def test_half_of_a_step_is_forgotten_after_one_half_life_however_many_prints_it_took() -> None:
    for prints in (1, 7, 60):
        average = DecayedAverage(30 * MINUTE)
        average.observe(10.0, 0)
        results = [average.observe(20.0, 30 * MINUTE // prints) for _ in range(prints)]
        assert results[-1] == pytest.approx(15.0, rel=1e-9)


def test_a_run_in_one_call_is_the_same_as_print_by_print() -> None:
    levels, gaps = irregular_prints(2)
    single, batch = DecayedAverage(30 * MINUTE), DecayedAverage(30 * MINUTE)
    expected = [
        single.observe(float(level), int(gap)) for level, gap in zip(levels, gaps, strict=True)
    ]
    path = [
        *batch.observe_many(levels[:50], gaps[:50]),
        *batch.observe_many(levels[50:], gaps[50:]),
    ]
    assert path == pytest.approx(expected, rel=1e-14)
    assert batch.have == single.have == 1


def test_the_kernel_does_the_same_uncompiled() -> None:
    levels, gaps = irregular_prints(3)
    weights = np.exp2(-gaps / MINUTE)
    uncompiled = getattr(decay_many, "py_func", decay_many)  # itself, under NUMBA_DISABLE_JIT
    assert np.array_equal(decay_many(levels, weights, 20.0), uncompiled(levels, weights, 20.0))


def test_the_close_average_is_the_mean_of_closes_and_the_live_value() -> None:
    average = CloseAverage(5)
    closes: list[float] = []
    random = np.random.default_rng(4)
    last = None
    for _ in range(200):
        level, rolled = float(random.uniform(10, 40)), bool(random.random() < 0.3)
        if rolled and last is not None:
            closes.append(last)
        assert average.observe(level, 0, int(rolled)) == pytest.approx(
            np.mean([*closes[-5:], level])
        )
        assert average.have == min(len(closes), 5) + 1
        last = level
    assert average.need == 6


def test_the_median_is_that_of_the_prints_younger_than_the_window() -> None:
    levels, gaps = irregular_prints(5)
    gaps -= gaps % (5 * MINUTE)  # many are just as old as the window is wide: out
    median, instants = TrailingMedian(30 * MINUTE), np.cumsum(gaps)
    for n in range(1, len(levels) + 1):
        inside = instants[:n] > instants[n - 1] - 30 * MINUTE
        expected = np.median(levels[:n][inside])
        assert median.observe(levels[n - 1], int(gaps[n - 1])) == pytest.approx(expected)
        assert median.have == min(instants[n - 1], 30 * MINUTE)


@pytest.mark.parametrize("policy", POLICIES, ids=METHODS)
@given(before=PRINTS, after=PRINTS)
def test_a_restart_changes_nothing(
    policy: SmoothingPolicy,
    before: list[tuple[float, int, bool]],
    after: list[tuple[float, int, bool]],
) -> None:
    going = smoother(policy)
    assert going.have == 0
    for level, gap, rolled in before:
        going.observe(level, gap, int(rolled))
    state = msgspec.msgpack.decode(msgspec.msgpack.encode(going.snapshot()), type=SmootherState)
    resumed = smoother(policy, state)
    for level, gap, rolled in after:
        assert resumed.observe(level, gap, int(rolled)) == going.observe(level, gap, int(rolled))
        assert resumed.have == going.have
    assert resumed.snapshot() == going.snapshot()
