"""A level that repeats itself."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.instants import HOUR, SECOND
from shared.domain.market.statistics.freeze import FreezeState, FreezeWatch
from shared.domain.policies import SignalPolicy

INTERVAL = 15 * SECOND
HOLD = SignalPolicy().vix_frozen


def frozen(levels: list[float], apart_ns: int = INTERVAL) -> list[bool]:
    watch = FreezeWatch(HOLD, FreezeState())
    return [watch.observe(level, apart_ns) for level in levels]


def test_eight_intervals_without_a_change_freeze() -> None:
    assert frozen([20.0, *[20.01] * 10]) == [False] * 9 + [True] * 2


def test_a_change_in_the_last_digit_is_a_change() -> None:
    assert not any(frozen([20.0] * 8 + [20.01] * 8 + [20.0] * 8))


def test_prints_that_come_faster_freeze_no_sooner() -> None:
    assert frozen([20.0] * 122, SECOND).index(True) == 120


def test_prints_that_come_slower_must_be_as_many() -> None:
    assert frozen([20.0] * 12, 60 * SECOND).index(True) == 8


@pytest.mark.parametrize("apart_ns", [HOLD.trading_ns + 1, 6 * HOUR])
def test_a_feed_of_a_few_prints_a_session_cannot_freeze(apart_ns: int) -> None:
    assert not any(frozen([20.0] * 100, apart_ns))


def test_it_thaws_when_two_prints_in_a_row_are_off_the_level() -> None:
    assert frozen([20.0] * 9 + [21.0, 20.0, 21.0, 22.0, 22.0])[8:] == [True] * 4 + [False] * 2


def test_what_thawed_can_freeze_again() -> None:
    again = frozen([20.0] * 9 + [21.0] * 10)
    assert again[8:] == [True, True, *[False] * 8, True]


LEVELS = st.lists(st.sampled_from([20.0, 20.0, 20.0, 21.0]), max_size=30)


@given(before=LEVELS, after=LEVELS)
def test_a_restart_changes_nothing(before: list[float], after: list[float]) -> None:
    going = FreezeWatch(HOLD, FreezeState())
    for level in before:
        going.observe(level, INTERVAL)
    state = msgspec.msgpack.decode(msgspec.msgpack.encode(going.snapshot()), type=FreezeState)
    resumed = FreezeWatch(HOLD, state)
    for level in after:
        assert resumed.observe(level, INTERVAL) == going.observe(level, INTERVAL)
    assert resumed.snapshot() == going.snapshot()
