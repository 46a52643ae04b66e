"""Quantities as people write them."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.configuration.units import (
    WrongUnit,
    duration,
    fraction,
    hold,
    ticks,
    trading_duration,
)
from shared.domain.instants import DAY, HOUR, MILLISECOND, MINUTE, SECOND
from shared.domain.policies import Hold

SESSION = 6 * HOUR + 30 * MINUTE


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("30 s", 30 * SECOND),
        ("15min", 15 * MINUTE),
        (" 1.5 h ", 90 * MINUTE),
        ("50 ms", 50 * MILLISECOND),
        ("0.1 s", 100 * MILLISECOND),
        ("250 us", 250_000),
        ("7 days", 7 * DAY),
        ("1 day", DAY),
        ("0 s", 0),
    ],
)
def test_a_duration_is_a_number_and_a_unit(text: str, wanted: int) -> None:
    assert duration(text) == wanted


@given(st.integers(0, 10**9))
def test_a_duration_is_exact(milliseconds: int) -> None:
    assert duration(f"{milliseconds / 1000:.3f} s") == milliseconds * MILLISECOND


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("15 min", 15 * MINUTE), ("2 sessions", 2 * SESSION), ("1.5 sessions", SESSION * 3 // 2)],
)
def test_trading_time_may_be_given_in_sessions(text: str, wanted: int) -> None:
    assert trading_duration(text, SESSION) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("15 min and 3 ticks", Hold(trading_ns=15 * MINUTE, sessions=1, observations=3)),
        ("2 sessions and 2 ticks", Hold(trading_ns=0, sessions=2, observations=2)),
        ("1 tick", Hold(trading_ns=0, sessions=1, observations=1)),
        ("3 ticks and 1 h and 2 sessions", Hold(trading_ns=HOUR, sessions=2, observations=3)),
    ],
)
def test_a_hold_joins_its_conditions(text: str, wanted: Hold) -> None:
    assert hold(text) == wanted


def test_a_percentage_is_the_decimal_nearest_to_it() -> None:
    assert (fraction("15%"), fraction("-5 %"), fraction("0.1%")) == (0.15, -0.05, 0.001)


def test_ticks_are_counted() -> None:
    assert (ticks("3 ticks"), ticks("1 tick")) == (3, 1)


@pytest.mark.parametrize(
    ("read", "text", "problem", "remedy"),
    [
        (duration, "30", "not a number with a unit", "15 min"),
        (duration, "soon", "not a number with a unit", "15 min"),
        (duration, "30 seconds", "unknown unit 'seconds'", "us, ms, s, min, h or days"),
        (duration, "-30 s", "is negative", "positive"),
        (duration, "2 sessions", "knows no sessions", "2 h"),
        (
            lambda text: trading_duration(text, SESSION),
            "2 days",
            "a day is a session",
            "2 sessions",
        ),
        (lambda text: trading_duration(text, SESSION), "2", "not a number with a unit", "sessions"),
        (hold, "15 min and 20 min", "says a time twice", "3 ticks"),
        (hold, "1.5 sessions", "cannot be counted", "whole number"),
        (hold, "0 ticks", "cannot be counted", "whole number"),
        (hold, "2 days", "a day is a session", "2 sessions"),
        (hold, "15", "not a number with a unit", "3 ticks"),
        (ticks, "3 min", "counts prints", "3 ticks"),
        (ticks, "0.5 ticks", "cannot be counted", "whole number"),
        (fraction, "15", "not a percentage", "15%"),
    ],
)
def test_what_cannot_be_read_says_what_to_write(
    read: Callable[[str], object], text: str, problem: str, remedy: str
) -> None:
    with pytest.raises(WrongUnit, match=problem) as refusal:
        read(text)
    assert remedy in refusal.value.remedy
