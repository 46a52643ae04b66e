"""Sessions out of prints."""

from math import log

import pytest

from shared.domain.instants import MINUTE
from shared.domain.market.statistics.session_moves import SessionMoves

FIVE = 5 * MINUTE


def test_a_session_is_its_open_high_low_and_close_against_the_close_before() -> None:
    moves = SessionMoves(20, FIVE)
    assert moves.live() is None
    assert moves.observe(100.0, 0, 0)
    assert moves.live() is None  # nothing to compare the first session with
    assert moves.observe(102.0, 1, 0)
    for level in (110.0, 99.0, 104.0):
        assert not moves.observe(level, 0, 0)
    live = moves.live()
    assert live is not None
    expected = (log(1.02), log(110 / 102), log(99 / 102), log(104 / 102))
    assert (live.overnight, live.high, live.low, live.close) == pytest.approx(expected)
    assert live.total == pytest.approx(log(1.04))
    moves.observe(104.0, 1, 0)
    assert list(moves.completed) == [live]


def test_returns_are_sampled_at_the_last_print_before_each_boundary() -> None:
    moves = SessionMoves(20, FIVE)
    moves.observe(100.0, 0, 0)
    prints = [
        (100.0, 0),
        (101.0, 2 * MINUTE),
        (103.0, FIVE),
        (99.0, 2 * FIVE + 1),
        (98.0, 16 * MINUTE),
    ]
    for i, (level, into) in enumerate(prints):
        moves.observe(level, 1 if i == 0 else 0, into)
    live = moves.live()
    assert live is not None
    # boundaries at 5 min (103), 10 min (103), 15 min (99), and the print at 16 min (98)
    expected = log(103 / 100) ** 2 + log(99 / 103) ** 2 + log(98 / 99) ** 2
    assert live.squares == pytest.approx(expected)


def test_a_missing_day_leaves_no_return_behind() -> None:
    moves = SessionMoves(20, FIVE)
    moves.observe(100.0, 0, 0)
    moves.observe(101.0, 1, 0)
    moves.observe(150.0, 2, 0)  # a session without a print in between
    assert [move.total for move in moves.completed] == pytest.approx([log(1.01)])
    assert moves.live() is None
    moves.observe(151.0, 1, 0)
    assert len(moves.completed) == 1
    assert moves.live() is not None


def test_only_as_many_sessions_are_kept_as_asked_for() -> None:
    moves = SessionMoves(3, FIVE)
    for level in range(100, 110):
        moves.observe(float(level), 1, 0)
    assert len(moves.completed) == 3
    assert SessionMoves(3, FIVE, moves.snapshot()).snapshot() == moves.snapshot()
