"""The curve by contract; levels of 2018-02-05 as published, on sessions made up around them."""

from datetime import date

from fakes.new_york import instant, new_york

from shared.domain.instruments.expiries import SessionDays
from shared.domain.study.curve import (
    Settlement,
    VixCurve,
    by_position,
    expiries_after,
    midnight_ns,
    monthly_expiries,
    settlement_ns,
    vix_expiry,
)

DAYS = SessionDays(new_york())
JANUARY, FEBRUARY, MARCH = date(2026, 1, 21), date(2026, 2, 18), date(2026, 3, 18)
MONDAY, TUESDAY = date(2026, 1, 12), date(2026, 1, 13)


def test_expiries_are_those_of_the_exchange_and_beyond_the_calendar_of_the_rule() -> None:
    assert [vix_expiry(2026, month, DAYS) for month in (1, 2, 3)] == [JANUARY, FEBRUARY, MARCH]
    assert vix_expiry(2026, 5, DAYS) == date(2026, 5, 19)  # a holiday 30 days later
    assert vix_expiry(2027, 12, DAYS) == date(2027, 12, 22)
    months = list(monthly_expiries(date(2026, 11, 20), date(2026, 12, 1), DAYS))
    assert months[:3] == [date(2026, 11, 18), date(2026, 12, 16), date(2027, 1, 20)]
    assert months[-1] == date(2027, 12, 22)


def test_what_expires_settles_at_the_opening() -> None:
    assert settlement_ns(JANUARY, DAYS) == instant(JANUARY, 9, 30)
    assert settlement_ns(date(2027, 12, 22), DAYS) == instant(date(2027, 12, 22), 9, 30)
    assert midnight_ns(date(1970, 1, 3)) == 2 * 86_400 * 10**9


def test_a_position_is_the_so_manyth_expiry_after_its_day() -> None:
    positions = {
        1: {MONDAY: 33.225, JANUARY: 25.0},
        2: {MONDAY: 27.975},
    }
    assert sorted(by_position(positions, DAYS), key=lambda each: (each.day, each.expiry)) == [
        Settlement(MONDAY, JANUARY, 33.225),
        Settlement(MONDAY, FEBRUARY, 27.975),
        Settlement(JANUARY, FEBRUARY, 25.0),
    ]
    assert list(by_position({}, DAYS)) == []


CURVE = VixCurve(
    [
        Settlement(MONDAY, JANUARY, 15.0),
        Settlement(MONDAY, JANUARY, 16.0),
        Settlement(MONDAY, MARCH, 20.0),
        Settlement(TUESDAY, JANUARY, 24.0),
    ]
)


def test_the_later_of_two_settlements_counts_and_between_contracts_the_line() -> None:
    assert CURVE
    assert CURVE.expiries == (JANUARY, MARCH)
    assert CURVE.level(MONDAY, JANUARY) == CURVE.at(MONDAY, JANUARY) == 16.0
    assert CURVE.at(MONDAY, FEBRUARY) == 18.0
    assert CURVE.level(MONDAY, FEBRUARY) is None
    assert CURVE.at(MONDAY, date(2026, 1, 14)) is None
    assert CURVE.at(MONDAY, date(2026, 4, 15)) is None
    assert CURVE.at(date(2026, 1, 14), JANUARY) is None
    assert list(expiries_after(CURVE.expiries, JANUARY)) == [MARCH]


def test_a_curve_covers_its_first_day_and_those_after() -> None:
    assert [CURVE.covers(day) for day in (date(2026, 1, 9), MONDAY, MARCH)] == [False, True, True]
    assert not VixCurve([])
    assert not VixCurve([]).covers(MONDAY)


def test_a_far_move_of_the_front_settlement_is_named_within_the_period() -> None:
    (note,) = CURVE.notes(MONDAY, TUESDAY)
    assert note.startswith("2026-01-13: the front VIX future settled +50% at 16:15, a quarter of")
    assert CURVE.notes(TUESDAY, TUESDAY) == ()
    apart = VixCurve([Settlement(MONDAY, JANUARY, 15.0), Settlement(TUESDAY, MARCH, 45.0)])
    assert apart.notes(MONDAY, TUESDAY) == ()
