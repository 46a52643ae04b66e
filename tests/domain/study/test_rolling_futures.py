"""A rolled VIX future over settlements that are made up."""

from datetime import date

import numpy as np
import pytest
from fakes import rolled_market
from fakes.rolled_market import DAYS

from shared.domain.exposure.attribution import DELTA, PRICE, UNDERLYING
from shared.domain.study.contracts import ContractHistory, RollingFuture
from shared.domain.study.curve import Settlement, VixCurve, expiries_after
from shared.domain.study.rolling_futures import future_history

POINTS = rolled_market.points()
CURVE = rolled_market.curve()


def rolled(curve: VixCurve = CURVE, **fields: int) -> ContractHistory:
    return future_history(RollingFuture(symbol="VX1R", **fields), POINTS, curve, DAYS)  # type: ignore[arg-type] # fields by name


@pytest.mark.parametrize(("position", "before"), [(1, 1), (1, 5), (2, 3)])
def test_it_is_rolled_so_many_sessions_before_the_front_expires(position: int, before: int) -> None:
    history = rolled(position=position, sessions_before=before)
    assert len(history.rolls) >= 15
    for number, roll in enumerate(history.rolls):
        day = POINTS.days[roll.point]
        front = expiries_after(CURVE.expiries, day)[0]
        old, new = history.contracts[number], history.contracts[number + 1]
        assert POINTS.is_close[roll.point]
        assert DAYS.sessions_between(day, front) == before
        assert new.name == f"VX {expiries_after(CURVE.expiries, day)[position]}"
        assert old.name == f"VX {expiries_after(CURVE.expiries, day)[position - 1]}"
        assert old.expiry_ns < new.expiry_ns


def test_marks_are_settlements_of_the_contract_held_up_to_the_close() -> None:
    history = rolled()
    for point in np.flatnonzero(POINTS.is_close).tolist():
        name = history.contracts[history.number[point]].name
        expiry = date.fromisoformat(name.removeprefix("VX "))
        assert history.level[point] == CURVE.level(POINTS.days[point], expiry)
    assert np.isnan(history.level[~POINTS.is_close]).all()


def test_time_goes_on_from_the_new_contract_after_a_roll_and_from_the_mark_elsewhere() -> None:
    history = rolled()
    first = history.rolls[0]
    assert history.after[PRICE, first.point] == history.level[first.point] == first.given_up
    assert history.before[PRICE, first.point] == first.taken_on != first.given_up
    assert history.before[PRICE, first.point - 2] == history.level[first.point - 2]
    assert (history.before[DELTA] == 1.0).all()
    np.testing.assert_array_equal(history.before[UNDERLYING], history.before[PRICE])


def closes(count: int) -> list[tuple[int, date]]:
    numbers = np.flatnonzero(POINTS.is_close).tolist()[:count]
    return [(point, POINTS.days[point]) for point in numbers]


def test_a_roll_waits_for_a_settlement_of_the_next_contract_and_gives_up_the_last_known() -> None:
    """The second month is listed only after the first has expired."""
    days = [day for _, day in closes(40)]
    first, second, third = expiries_after(CURVE.expiries, days[0])[:3]
    settlements = [Settlement(day, first, 15.0) for day in days if day < first]
    settlements += [Settlement(day, second, 18.0) for day in days if first < day]
    settlements += [Settlement(day, third, 20.0) for day in days if first < day]
    history = rolled(VixCurve(settlements), sessions_before=2)
    roll = history.rolls[0]
    assert POINTS.days[roll.point] == next(day for day in days if day > first)
    assert (roll.given_up, roll.taken_on) == (15.0, 18.0)
    assert np.isnan(history.level[roll.point])


def test_before_the_first_settlement_there_is_no_contract_and_the_last_is_held_on() -> None:
    days = [day for _, day in closes(60)]
    only = expiries_after(CURVE.expiries, days[0])[1]
    history = rolled(VixCurve([Settlement(day, only, 15.0) for day in days[10:] if day < only]))
    start = closes(11)[10][0]
    assert history.number[:start].tolist() == [-1] * start
    assert (history.number[start], history.level[start]) == (0, 15.0)
    assert history.rolls == ()
    assert len(history.contracts) == 1
    assert rolled(VixCurve([])).contracts == ()


def test_the_far_moves_of_its_front_are_its_notes() -> None:
    assert rolled().notes == CURVE.notes(POINTS.days[0], POINTS.days[-1])
