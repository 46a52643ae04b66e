"""The two-state chain."""

import msgspec
import numpy as np
import pytest

from shared.domain.market.statistics.transitions import (
    Exits,
    TransitionCounter,
    TransitionState,
    mean_spell,
    stationary_probability,
)


def test_the_checks_of_the_specification() -> None:
    assert stationary_probability(0.05, 0.15) == pytest.approx(0.25)
    assert mean_spell(0.05) == pytest.approx(20)
    assert mean_spell(0.15) == pytest.approx(6.67, abs=0.005)


def test_a_state_that_is_never_left_has_no_end() -> None:
    assert mean_spell(0.0) is None
    assert stationary_probability(0.0, 0.0) is None
    assert stationary_probability(0.0, 0.1) == 0


def test_probabilities_are_weighted_counts_at_every_prefix() -> None:
    counter, random = TransitionCounter(50.0), np.random.default_rng(1)
    states = random.random(400) < 0.4
    for n in range(1, len(states) + 1):
        counter.observe(stressed=not states[n - 1], sessions=1)  # an earlier print of the session
        counter.observe(stressed=bool(states[n - 1]), sessions=0)
        closes = states[: n - 1]  # the last one is still live
        source, target = closes[:-1], closes[1:]
        weights = 2 ** (-np.arange(len(source))[::-1] / 50)
        for exits, state in ((counter.low, False), (counter.high, True)):
            own = source == state
            assert exits.observed == np.sum(own)
            if exits.observed < 20:
                assert exits.probability is None
            else:
                left = np.sum(weights[own & (target != state)])
                assert exits.probability == pytest.approx(left / np.sum(weights[own]))
    low, high = counter.low.probability, counter.high.probability
    assert low is not None
    assert high is not None
    assert counter.stationary_high == pytest.approx(low / (low + high))


def test_nothing_is_counted_across_a_missing_day() -> None:
    counter = TransitionCounter(756.0)
    for stressed, sessions in ((False, 0), (False, 1), (True, 2), (True, 1), (True, 1)):
        counter.observe(stressed=stressed, sessions=sessions)
    assert counter.low.observed == 1  # calm to calm; calm to stressed lies across the gap
    assert counter.low.left == 0
    assert counter.high.observed == 1


def test_too_little_history_gives_no_stationary_probability() -> None:
    counter = TransitionCounter(756.0)
    assert counter.stationary_high is None
    only_low = TransitionState(low=Exits(1.0, 20.0, 20))
    assert TransitionCounter(756.0, only_low).stationary_high is None


def test_a_restart_changes_nothing() -> None:
    going, resumed = TransitionCounter(10.0), TransitionCounter(10.0)
    for stressed in np.random.default_rng(2).random(100) < 0.5:
        for counter in (going, resumed):
            counter.observe(stressed=bool(stressed), sessions=1)
        state = msgspec.msgpack.encode(resumed.snapshot())
        resumed = TransitionCounter(10.0, msgspec.msgpack.decode(state, type=TransitionState))
        assert (resumed.low, resumed.high) == (going.low, going.high)
