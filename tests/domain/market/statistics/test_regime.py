"""The regime: thresholds, hysteresis, persistence."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.instants import MINUTE
from shared.domain.market.statistics.regime import Regime, RegimeMonitor, RegimeState
from shared.domain.policies import Hold, RegimePolicy

AT_ONCE = Hold(trading_ns=0, sessions=1, observations=1)
LOW, MEDIUM, HIGH = Regime


def regimes(policy: RegimePolicy, prints: list[tuple[float, int, int]]) -> list[Regime]:
    monitor = RegimeMonitor(policy)
    return [monitor.observe(*one) for one in prints]


def minutely(levels: list[float]) -> list[tuple[float, int, int]]:
    return [(level, MINUTE, 0) for level in levels]


@pytest.mark.parametrize(
    ("level", "regime"), [(14.99, LOW), (15, MEDIUM), (25, MEDIUM), (25.01, HIGH), (82.69, HIGH)]
)
def test_the_first_print_decides_alone_and_thresholds_are_medium(
    level: float, regime: Regime
) -> None:
    assert regimes(RegimePolicy(), minutely([level])) == [regime]


@pytest.mark.parametrize(
    ("start", "level", "regime"),
    [
        (14, 15.49, LOW),
        (14, 15.5, MEDIUM),
        (14, 25.5, MEDIUM),
        (14, 25.51, HIGH),
        (20, 14.5, MEDIUM),
        (20, 14.49, LOW),
        (20, 25.5, MEDIUM),
        (20, 25.51, HIGH),
        (30, 24.51, HIGH),
        (30, 24.5, MEDIUM),
        (30, 14.5, MEDIUM),
        (30, 14.49, LOW),
    ],
)
def test_a_threshold_must_be_passed_by_the_hysteresis(
    start: float, level: float, regime: Regime
) -> None:
    assert regimes(RegimePolicy(hold=AT_ONCE), minutely([start, level]))[-1] == regime


def test_the_regime_changes_when_it_held_long_enough_and_often_enough() -> None:
    prints = minutely([20.0] + [30.0] * 16)  # the sixteenth comes 15 minutes after the first
    assert regimes(RegimePolicy(), prints) == [MEDIUM] * 16 + [HIGH]
    rare = [(20.0, 0, 0), (30.0, MINUTE, 0), (30.0, 20 * MINUTE, 0), (30.0, MINUTE, 0)]
    assert regimes(RegimePolicy(), rare) == [MEDIUM] * 3 + [HIGH]  # three observations, at least


def test_a_spike_that_breaks_off_starts_the_count_anew() -> None:
    prints = minutely([20.0] + [30.0] * 15 + [20.0] + [30.0] * 16)  # whipsaw inside the window
    assert regimes(RegimePolicy(), prints) == [MEDIUM] * 32 + [HIGH]


def test_a_swing_around_the_upper_threshold_still_leaves_the_low_regime() -> None:
    prints = minutely([12] + [26.0, 24.0] * 10)
    assert regimes(RegimePolicy(), prints)[-1] == MEDIUM


def test_two_sessions_are_two_sessions_however_much_time_passes_in_one() -> None:
    policy = RegimePolicy(hold=Hold(trading_ns=0, sessions=2, observations=1))
    prints = [(20.0, 0, 0), (30.0, MINUTE, 0), (30.0, 300 * MINUTE, 0), (30.0, MINUTE, 1)]
    assert regimes(policy, prints) == [MEDIUM] * 3 + [HIGH]


def test_thresholds_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="must end below"):
        RegimeMonitor(RegimePolicy(low_below=25, high_above=15))


PRINTS = st.lists(
    st.tuples(st.sampled_from([12.0, 15.2, 20.0, 25.2, 30.0]), st.just(MINUTE), st.integers(0, 1)),
    max_size=30,
)


@given(before=PRINTS, after=PRINTS)
def test_a_restart_changes_nothing(
    before: list[tuple[float, int, int]], after: list[tuple[float, int, int]]
) -> None:
    policy = RegimePolicy(hold=Hold(trading_ns=2 * MINUTE, observations=2))
    going = RegimeMonitor(policy)
    for one in before:
        going.observe(*one)
    state = msgspec.msgpack.decode(msgspec.msgpack.encode(going.snapshot()), type=RegimeState)
    resumed = RegimeMonitor(policy, state)
    assert [resumed.observe(*one) for one in after] == [going.observe(*one) for one in after]
    assert resumed.snapshot() == going.snapshot()
