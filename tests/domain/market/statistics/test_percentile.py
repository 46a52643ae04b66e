"""Rank among closes against numpy at every prefix."""

import msgspec
import numpy as np
import pytest

from shared.domain.market.statistics.percentile import ClosePercentile, PercentileState


def test_the_rank_is_the_share_of_closes_below_with_half_of_the_equal_ones() -> None:
    percentile, random = ClosePercentile(20), np.random.default_rng(1)
    closes: list[float] = []
    last = None
    for _ in range(300):
        value, rolled = float(random.integers(10, 20)), bool(random.random() < 0.5)
        if rolled and last is not None:
            closes.append(last)
        percentile.observe(value, int(rolled))
        last, window = value, np.array(closes[-20:])
        assert percentile.have == len(window)
        if len(window) < 20:
            assert percentile.value is None
        else:
            assert percentile.value == np.mean((window < value) + 0.5 * (window == value))


def test_above_every_close_is_one_and_below_every_close_is_zero() -> None:
    percentile = ClosePercentile(3)
    assert percentile.value is None
    for close in (1.0, 2.0, 3.0):
        percentile.observe(close, 1)
    percentile.observe(9.0, 1)
    assert percentile.value == 1
    percentile.observe(0.5, 0)
    assert percentile.value == 0


def test_a_restart_changes_nothing_and_a_shorter_window_keeps_the_youngest() -> None:
    going, resumed = ClosePercentile(5), ClosePercentile(5)
    for value in np.random.default_rng(2).uniform(10, 20, 30).tolist():
        going.observe(value, 1)
        resumed.observe(value, 1)
        state = msgspec.msgpack.decode(
            msgspec.msgpack.encode(resumed.snapshot()), type=PercentileState
        )
        resumed = ClosePercentile(5, state)
        assert (resumed.value, resumed.have) == (going.value, going.have)
    assert ClosePercentile(2, going.snapshot()).snapshot().closes == going.snapshot().closes[-2:]


@pytest.mark.parametrize("sessions", [1, 504])
def test_it_needs_as_many_closes_as_it_ranks_among(sessions: int) -> None:
    assert ClosePercentile(sessions).need == sessions
