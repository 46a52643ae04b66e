from statistics import NormalDist
from typing import Literal

import numpy as np
import pytest
from arch.bootstrap import (
    CircularBlockBootstrap,
    IIDBootstrap,
    StationaryBootstrap,
    optimal_block_length,
)
from fakes.study_rows import index_rows
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from numpy.typing import NDArray

from shared.domain.study import resampling
from shared.domain.study.intervals import sharpe_of_rows
from shared.domain.study.ratios import session_returns, sharpe
from shared.domain.study.resampling import (
    BootstrapPolicy,
    automatic_block,
    circular_numbers,
    confidence_interval,
    jackknife,
    resampled,
    stationary_numbers,
)

Column = NDArray[np.float64]
Kind = Literal["stationary", "circular"]


def mean_of_rows(rows: Column) -> Column:
    return np.asarray(np.mean(rows[..., 0], axis=-1), dtype=np.float64)


def index_returns(count: int) -> Column:
    """The last daily returns of the S&P 500 that `arch` carries, one column."""
    nav = index_rows().nav
    return session_returns(nav, np.zeros(len(nav)))[-count:, None]


def autoregression(count: int, paths: int, slope: float, seed: int) -> Column:
    """AR(1) paths of mean 0, (paths, count)."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(paths, count + 100))
    values = np.zeros_like(noise)
    for place in range(1, count + 100):
        values[:, place] = slope * values[:, place - 1] + noise[:, place]
    return values[:, 100:]


def arch_bootstrap(kind: Kind, block: int, rows: Column, seed: int) -> IIDBootstrap:
    chosen = StationaryBootstrap if kind == "stationary" else CircularBlockBootstrap
    return chosen(block, rows, seed=np.random.default_rng(seed))


def one_sharpe(rows: Column) -> Column:
    return np.array([sharpe(rows[:, 0])], dtype=np.float64)


# --- resamples ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["stationary", "circular"])
@pytest.mark.parametrize("block", [1, 7, 50, 300])
def test_resamples_are_those_of_arch_when_seeds_are(kind: Kind, block: int) -> None:
    rows = index_returns(300)
    policy = BootstrapPolicy(kind=kind, block=block, resamples=20, seed=4)
    theirs = arch_bootstrap(kind, block, rows, seed=4).apply(one_sharpe, 20)
    assert resampled(rows, sharpe_of_rows, policy, block) == pytest.approx(theirs[:, 0])


@pytest.mark.parametrize("kind", ["stationary", "circular"])
def test_resamples_do_not_depend_on_how_many_are_made_at_a_time(
    kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = index_returns(100)
    policy = BootstrapPolicy(kind=kind, resamples=30)
    at_once = resampled(rows, mean_of_rows, policy, 5)
    monkeypatch.setattr(resampling, "CHUNK_CELLS", 700)
    assert np.array_equal(resampled(rows, mean_of_rows, policy, 5), at_once)
    monkeypatch.setattr(resampling, "CHUNK_CELLS", 1)
    assert np.array_equal(resampled(rows, mean_of_rows, policy, 5), at_once)


def test_a_circular_resample_is_blocks_round_the_end() -> None:
    starts = np.array([[3, 0, 4], [1, 1, 2]])
    assert circular_numbers(starts, 2, 5).tolist() == [[3, 4, 0, 1, 4], [1, 2, 1, 2, 2]]


def test_a_stationary_resample_goes_on_until_a_block_begins() -> None:
    starts = np.array([3, 0, 1, 2, 0])
    uniforms = np.array([0.9, 0.6, 0.51, 0.5, 0.7])
    assert stationary_numbers(starts, uniforms, 2).tolist() == [3, 4, 0, 2, 3]


@given(st.integers(1, 40), st.integers(1, 60), st.integers(0, 99))
@settings(max_examples=40)
def test_resamples_have_as_many_sessions_as_there_are(count: int, block: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    circular = circular_numbers(rng.integers(0, count, (3, -(-count // block))), block, count)
    stationary = stationary_numbers(
        rng.integers(0, count, (3, count)), rng.random((3, count)), block
    )
    for numbers in (circular, stationary):
        assert numbers.shape == (3, count)
        assert numbers.min() >= 0
        assert numbers.max() < count


def test_stationary_blocks_are_as_long_as_asked_in_the_mean() -> None:
    rng = np.random.default_rng(0)
    numbers = stationary_numbers(rng.integers(0, 5000, (50, 5000)), rng.random((50, 5000)), 12)
    breaks = np.mean((np.diff(numbers, axis=1) % 5000) != 1)
    assert 1 / breaks == pytest.approx(12, rel=0.03)


# --- block length -------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [30, 250, 1000, 5030])
def test_the_automatic_block_is_archs(count: int) -> None:
    returns = index_returns(count)
    for rows in (returns, returns**2):
        best = optimal_block_length(rows[:, 0])
        for kind in ("stationary", "circular"):
            assert automatic_block(rows, kind) == max(1, round(best[kind].iloc[0]))


def test_the_longest_block_of_the_columns_wins() -> None:
    returns = index_returns(1000)
    both = np.column_stack([returns, np.abs(returns), np.ones(1000)])
    assert automatic_block(both, "circular") == automatic_block(np.abs(returns), "circular")
    assert automatic_block(both, "circular") > automatic_block(returns, "circular")


def test_dependence_makes_blocks_longer() -> None:
    lengths = [
        automatic_block(autoregression(2000, 1, slope, 8).T, "stationary")
        for slope in (0.0, 0.4, 0.8)
    ]
    assert lengths == sorted(lengths)
    assert lengths[0] < 8 < lengths[2]


def test_a_block_is_no_longer_than_three_roots_of_the_sessions() -> None:
    wave = np.sin(2 * np.pi * np.arange(120) / 20)[:, None]
    assert automatic_block(wave, "stationary") == 33


@pytest.mark.parametrize("rows", [np.ones((50, 2)), np.ones((2, 1))])
def test_columns_that_say_nothing_have_blocks_of_one(rows: Column) -> None:
    assert automatic_block(rows, "stationary") == 1


def test_a_column_whose_long_run_variance_vanishes_has_the_longest_block() -> None:
    rows = np.array([-1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 2.0])[:, None]
    assert automatic_block(rows, "stationary") == 3


# --- intervals ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["stationary", "circular"])
@pytest.mark.parametrize("interval", ["percentile", "bca"])
def test_intervals_are_those_of_arch(kind: Kind, interval: Literal["percentile", "bca"]) -> None:
    rows = index_returns(250)
    policy = BootstrapPolicy(kind=kind, block=1, resamples=400, seed=9, interval=interval)
    ours = confidence_interval(rows, sharpe_of_rows, policy)
    theirs = arch_bootstrap(kind, 1, rows, seed=9).conf_int(one_sharpe, 400, method=interval)
    assert [ours.low, ours.high] == pytest.approx(theirs[:, 0].tolist(), rel=1e-9)
    assert ours.value == pytest.approx(one_sharpe(rows)[0])


def test_percentiles_with_blocks_are_those_of_arch() -> None:
    rows = index_returns(500)
    policy = BootstrapPolicy(block=15, resamples=300, seed=2, interval="percentile", confidence=0.8)
    ours = confidence_interval(rows, sharpe_of_rows, policy)
    theirs = arch_bootstrap("stationary", 15, rows, seed=2).conf_int(
        one_sharpe, 300, method="percentile", size=0.8
    )
    assert [ours.low, ours.high] == pytest.approx(theirs[:, 0].tolist(), rel=1e-9)
    assert (ours.block, ours.resamples, ours.undefined) == (15, 300, 0)
    assert ours.confidence == 0.8


def test_a_block_is_at_most_a_third_of_the_sessions() -> None:
    policy = BootstrapPolicy(block=100, resamples=20)
    assert confidence_interval(index_returns(10), mean_of_rows, policy).block == 4


def test_an_interval_says_the_block_that_it_found() -> None:
    rows = np.abs(index_returns(1000))
    found = confidence_interval(rows, mean_of_rows, BootstrapPolicy(resamples=20))
    assert found.block == automatic_block(rows, "stationary") > 1


def test_the_deviation_of_the_mean_of_independent_rows_is_its_standard_error() -> None:
    rows = np.random.default_rng(5).normal(size=(400, 1))
    policy = BootstrapPolicy(block=1, resamples=2000)
    found = confidence_interval(rows, mean_of_rows, policy)
    assert found.deviation == pytest.approx(np.std(rows) / 20, rel=0.05)
    assert found.low < found.value < found.high


def covered(slope: float, block: int | None) -> float:
    """How often the interval of 80% of the mean of an AR(1) path holds the true mean, 0."""
    held = [
        found.low <= 0 <= found.high
        for path in autoregression(400, 150, slope, seed=11)
        for found in [
            confidence_interval(
                path[:, None],
                mean_of_rows,
                BootstrapPolicy(block=block, resamples=200, confidence=0.8),
            )
        ]
    ]
    return float(np.mean(held))


def test_intervals_of_dependent_rows_cover_only_with_blocks() -> None:
    assert 0.70 <= covered(0.6, None) <= 0.88
    assert covered(0.6, 1) < 0.60
    assert 0.72 <= covered(0.0, 1) <= 0.88


@pytest.mark.parametrize("interval", ["percentile", "bca"])
def test_a_statistic_without_deviation_has_an_interval_of_one_point(
    interval: Literal["percentile", "bca"],
) -> None:
    policy = BootstrapPolicy(resamples=50, interval=interval)
    found = confidence_interval(np.ones((20, 1)), mean_of_rows, policy)
    assert (found.low, found.value, found.high, found.deviation) == (1.0, 1.0, 1.0, 0.0)


def distinct(rows: Column) -> Column:
    """How many different sessions were taken: fewer in every resample."""
    ordered = np.sort(rows[..., 0], axis=-1)
    return np.asarray(1.0 + np.sum(np.diff(ordered, axis=-1) > 0, axis=-1), dtype=np.float64)


def test_a_bias_that_all_resamples_share_is_taken_as_half_a_resample() -> None:
    rows = np.arange(3000.0)[:, None]
    policy = BootstrapPolicy(block=1, resamples=20)
    found = confidence_interval(rows, distinct, policy)
    bias = NormalDist().inv_cdf(1 - 0.5 / 20)
    tail = NormalDist().cdf(2 * bias + NormalDist().inv_cdf(0.025))
    assert found.low == pytest.approx(np.quantile(resampled(rows, distinct, policy, 1), tail))


def count_of_rows(rows: Column) -> Column:
    """1 where the first session was taken, NaN where it was not."""
    return np.where(np.any(rows[..., 0] == 0, axis=-1), 1.0, np.nan)


def test_resamples_without_a_figure_are_counted_and_left_out() -> None:
    rows = np.arange(30.0)[:, None]
    policy = BootstrapPolicy(block=1, resamples=200)
    found = confidence_interval(rows, count_of_rows, policy)
    assert found.resamples + found.undefined == 200
    assert found.undefined > 40
    assert len(jackknife(rows, count_of_rows, 1)) == 29


def test_a_statistic_without_a_figure_on_any_resample_is_refused() -> None:
    rows = np.arange(30.0)[:, None]

    def only_as_it_was(taken: Column) -> Column:
        return np.where(np.all(taken[..., 0] == rows[:, 0], axis=-1), 1.0, np.nan)

    with pytest.raises(ValueError, match="on none of the resamples"):
        confidence_interval(rows, only_as_it_was, BootstrapPolicy(block=2, resamples=5))


def test_a_statistic_without_a_figure_is_refused() -> None:
    with pytest.raises(ValueError, match="not defined on these"):
        confidence_interval(np.ones((20, 1)), sharpe_of_rows, BootstrapPolicy())


def test_one_session_is_refused() -> None:
    with pytest.raises(ValueError, match="at least two sessions"):
        confidence_interval(np.ones((1, 1)), mean_of_rows, BootstrapPolicy())


def test_a_jackknife_leaves_out_a_block_at_a_time() -> None:
    rows = np.array([[1.0], [2.0], [3.0], [4.0], [10.0]])
    assert jackknife(rows, mean_of_rows, 2).tolist() == [17 / 3, 13 / 3, 2.5]


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"block": 0}, "a block has"),
        ({"resamples": 0}, "at least one resample"),
        ({"confidence": 1.0}, "a confidence lies"),
        ({"confidence": 0.0}, "a confidence lies"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(fields: dict[str, float], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        structs.replace(BootstrapPolicy(), **fields)
