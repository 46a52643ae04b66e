"""The index and what is read off it."""

import math

import numpy as np
import pytest
from fakes.calendars import Desk, at, close_of

from shared.domain.instants import HOUR
from shared.domain.market.sources.index import IndexSource, IndexState
from shared.domain.policies import SignalPolicy
from shared.domain.signals_observed import Quality


def followed(
    returns: list[float], desk: Desk, state: IndexState | None = None, day: int = 0
) -> IndexSource:
    source = IndexSource(SignalPolicy(), desk.cursor, state or IndexState())
    level = 100.0
    for step in [0.0, *returns]:
        day, level = day + 1, level * math.exp(step)
        source.observe("SPX", level, desk.enter(close_of(day)))
    return source


def values(source: IndexSource) -> list[float | None]:
    return [reading.signal.value for reading in source.readings[1:]]


def test_volatility_needs_twenty_returns_and_a_crash_twenty_before_it() -> None:
    returns = [0.01, -0.01] * 10
    _, rv, intensity, ratio = followed(returns[:19], Desk()).readings
    assert (rv.signal.quality, rv.signal.have, rv.need) == (Quality.WARMING, 19, 20)
    _, rv, intensity, ratio = followed(returns, Desk()).readings
    assert rv.signal.value == pytest.approx(0.01 * math.sqrt(252))
    assert (intensity.signal.value, intensity.signal.have) == (None, 19)
    _, rv, intensity, ratio = followed([*returns, 0.0], Desk()).readings
    a_day_on = 0.02 + 0.02 * math.exp(-0.1)
    assert intensity.signal.value == pytest.approx(a_day_on)
    assert ratio.signal.value == pytest.approx(a_day_on / 0.04)


def test_a_fall_beyond_two_sigmas_raises_the_intensity_at_once() -> None:
    desk = Desk()
    source = followed([0.01, -0.01] * 10, desk)
    source.observe("SPX", 100 * math.exp(-0.0199), desk.enter(at(22)))
    assert values(source)[1] == pytest.approx(0.04)
    source.observe("SPX", 100 * math.exp(-0.0201), desk.enter(at(22)))
    assert values(source)[1:] == pytest.approx([0.09, 0.09 / 0.04])
    source.observe("SPX", 90.0, desk.enter(at(22, HOUR)))  # half a session later, the same crash
    assert values(source)[1] == pytest.approx(0.02 + 0.07 * math.exp(-0.1 * 0.5))


def test_the_return_of_the_day_is_against_the_close_before() -> None:
    desk = Desk()
    source = followed([], desk)
    today = source.readings[0]
    assert (today.signal.value, today.signal.have, today.signal.quality) == (
        None,
        0,
        Quality.WARMING,
    )
    source.observe("SPX", 95.0, desk.enter(at(2)))
    assert today.signal.value == pytest.approx(-0.05)
    source.observe("SPX", 50.0, desk.enter(at(4)))  # no close of the day before: unknown
    assert today.signal.value is None


def test_a_jump_across_a_missing_day_is_no_crash() -> None:
    desk = Desk()
    source = followed([0.01, -0.01] * 10, desk)
    source.observe("SPX", 50.0, desk.enter(at(23)))
    assert values(source)[0] == pytest.approx(0.01 * math.sqrt(252))  # completed sessions alone
    assert values(source)[1] == pytest.approx(0.02 + 0.02 * math.exp(-0.1))


def test_a_restart_changes_nothing() -> None:
    desk, levels = Desk(), 100 * np.exp(np.cumsum(np.random.default_rng(1).normal(0, 0.02, 60)))
    going = IndexSource(SignalPolicy(), desk.cursor, IndexState())
    for day, level in enumerate(levels.tolist(), start=1):
        now = desk.enter(close_of(day))
        resumed = IndexSource(SignalPolicy(), desk.cursor, going.snapshot())
        going.observe("SPX", level, now)
        resumed.observe("SPX", level, now)
        assert resumed.snapshot() == going.snapshot()
        assert values(resumed) == values(going)


def test_the_return_of_five_days_is_told_only_when_a_rule_asks_for_it() -> None:
    desk, policy = Desk(), SignalPolicy(asked=("index_return_5d",))
    source = IndexSource(policy, desk.cursor, IndexState())
    assert len(followed([], desk).readings) == 4
    for day in range(1, 8):
        source.observe("SPX", 100.0 - day, desk.enter(close_of(day)))
        source = IndexSource(policy, desk.cursor, source.snapshot())
    source.observe("SPX", 90.0, desk.enter(close_of(8)))
    reading = source.readings[-1]
    assert (reading.name, reading.need) == ("index_return_5d", 6)
    assert reading.signal.value == pytest.approx(90.0 / 97.0 - 1)
