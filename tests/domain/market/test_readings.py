"""Readings age."""

import pytest
from fakes.calendars import Desk, at, close_of

from shared.domain.instants import HOUR, MINUTE
from shared.domain.market.readings import Reading
from shared.domain.signals_observed import Quality

LIMIT = 5 * MINUTE


def reading(desk: Desk) -> Reading:
    return Reading("rv", "decimal", LIMIT, desk.cursor, need=20)


def test_a_reading_without_a_value_is_warming_and_says_how_far_it_is() -> None:
    desk = Desk()
    rv = reading(desk)
    assert (rv.at(0).quality, rv.at(0).value, rv.at(0).need) == (Quality.WARMING, None, 20)
    now = desk.enter(at(1))
    rv.move(None, event_ns=now, oldest_ns=now, observations=1, have=7)
    assert (rv.at(at(9)).quality, rv.at(at(9)).have) == (Quality.WARMING, 7)
    assert rv.stale_from is None


def test_it_is_stale_when_older_than_its_limit_and_keeps_its_value() -> None:
    desk = Desk()
    rv, now = reading(desk), desk.enter(at(1))
    rv.move(0.2, event_ns=now, oldest_ns=now, observations=1)
    assert rv.stale_from == now + LIMIT + 1
    assert rv.at(now + LIMIT).is_good
    stale = rv.at(now + LIMIT + 1)
    assert (stale.quality, stale.value, stale.event_ns) == (Quality.STALE, 0.2, now)
    assert rv.at(now + HOUR) is stale


def test_a_value_that_is_known_and_not_good_is_said_to_be_so_and_does_not_age() -> None:
    desk = Desk()
    rv, now = reading(desk), desk.enter(at(1))
    rv.move(0.2, event_ns=now, oldest_ns=now, observations=1, known=Quality.FROZEN)
    assert (rv.at(now + HOUR).quality, rv.at(now + HOUR).value) == (Quality.FROZEN, 0.2)
    assert rv.stale_from is None


def test_closed_hours_do_not_age_it() -> None:
    desk = Desk()
    rv, now = reading(desk), desk.enter(close_of(1) - MINUTE)
    rv.move(0.2, event_ns=now, oldest_ns=now, observations=1)
    assert rv.at(at(2, 4 * MINUTE)).is_good
    assert rv.at(at(2, 4 * MINUTE + 1)).quality == Quality.STALE


def test_it_is_as_old_as_the_oldest_print_it_needs() -> None:
    desk = Desk()
    rv, now = reading(desk), at(1)
    for minute in range(5):
        now = desk.enter(at(1, minute * MINUTE))
        rv.move(0.2, event_ns=now, oldest_ns=at(1), observations=1)
        assert rv.stale_from == at(1, LIMIT + 1)
    rv.move(0.2, event_ns=now, oldest_ns=now, observations=1)
    assert rv.stale_from == now + LIMIT + 1


def test_a_value_that_is_lost_is_warming_again() -> None:
    desk = Desk()
    rv, now = reading(desk), desk.enter(at(1))
    rv.move(0.2, event_ns=now, oldest_ns=now, observations=1)
    rv.move(None, event_ns=now, oldest_ns=now, observations=2)
    assert rv.at(at(2)).quality == Quality.WARMING
    rv.move(0.2, event_ns=now, oldest_ns=now, observations=3)
    assert rv.stale_from == now + LIMIT + 1


@pytest.mark.parametrize("value", [None, 0.2])
def test_a_restart_changes_nothing(value: float | None) -> None:
    desk = Desk()
    going, resumed, now = reading(desk), reading(desk), desk.enter(at(1))
    going.move(value, event_ns=now, oldest_ns=now, observations=1, state="flat")
    resumed.restore(going.snapshot())
    assert resumed.snapshot() == going.snapshot()
    assert resumed.stale_from == going.stale_from
    assert resumed.at(at(2)) == going.at(at(2))
