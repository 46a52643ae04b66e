"""The market of a campaign goes as fast as orders are answered."""

from services.command.torture.pace import Owed

BOOKS = 100


def test_three_jumps_may_be_owed_and_no_fourth() -> None:
    owed = Owed(BOOKS)
    held = []
    for jumps in range(1, 6):
        owed.count(jumps, answered=0, now_s=0.1)
        held.append(owed.is_too_much)
    assert held == [False, False, False, True, True]
    owed.count(5, answered=2 * BOOKS, now_s=0.2)
    assert not owed.is_too_much


def test_what_a_jump_makes_is_learnt_when_nothing_more_is_answered() -> None:
    owed = Owed(BOOKS)
    owed.count(10, answered=600, now_s=1.0)
    assert owed.is_too_much
    owed.count(10, answered=600, now_s=1.4)
    assert owed.is_too_much
    owed.count(10, answered=600, now_s=1.6)
    assert not owed.is_too_much
    owed.count(13, answered=601, now_s=1.7)
    assert not owed.is_too_much
    owed.count(14, answered=602, now_s=1.8)
    assert owed.is_too_much


def test_while_nobody_answers_one_jump_comes_each_time_until_somebody_does() -> None:
    owed = Owed(BOOKS)
    owed.count(4, answered=0, now_s=0.1)
    owed.count(4, answered=0, now_s=0.6)
    assert not owed.is_too_much
    owed.count(5, answered=0, now_s=0.7)
    assert owed.is_too_much
    owed.count(5, answered=BOOKS, now_s=0.8)
    owed.count(8, answered=BOOKS, now_s=0.9)
    assert not owed.is_too_much


def test_a_gateway_that_does_not_say_changes_nothing() -> None:
    owed = Owed(BOOKS)
    owed.count(4, answered=0, now_s=0.1)
    owed.count(4, answered=-1, now_s=9.0)
    assert owed.is_too_much
