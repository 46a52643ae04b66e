"""Variance swaps: implied against realized, as the accounts have it and as the contract has it."""

from math import log, nan

import pytest
from fakes.exposures import EXPIRY, NOW, SWAP

from shared.domain.accounts.variance_swap import rolled_profit
from shared.domain.exposure.swap_profit import (
    Moment,
    Realized,
    SwapPoint,
    SwapProfit,
    locate,
    observed,
    struck_anew,
    swap_point,
    swap_profit,
)
from shared.domain.instants import DAY, HOUR
from shared.domain.instruments.instrument import Instrument
from shared.domain.sessions import SessionCalendar

CONSTANT, TERM = SWAP
OPEN = 14 * HOUR
CLOSE = 20 * HOUR
CALENDAR = SessionCalendar([OPEN, OPEN + DAY], [CLOSE, CLOSE + DAY])


def walk(
    instrument: Instrument, path: list[tuple[int, float, float]]
) -> tuple[SwapPoint, list[SwapProfit]]:
    """Go along instants, levels of the index and of VIX."""
    realized, opened_ns = Realized(), 0
    point: SwapPoint | None = None
    profits: list[SwapProfit] = []
    for now_ns, index, vix in path:
        moment = locate(CALENDAR, now_ns)
        realized = observed(realized, index, is_new_session=moment.opened_ns != opened_ns)
        opened_ns = moment.opened_ns
        before = None if point is None else struck_anew(instrument, point, moment)
        point = swap_point(instrument, vix, realized.total, moment, before)
        if before is not None:
            profits.append(swap_profit(instrument, before, point))
    assert point is not None
    return point, profits


def test_a_sessions_steps_add_up_to_the_roll_of_the_accounts() -> None:
    path = [
        (CLOSE, 100.0, 20.0),
        (OPEN + DAY, 99.0, 21.0),
        (OPEN + DAY + HOUR, 98.5, 23.0),
        (CLOSE + DAY, 98.0, 22.0),
    ]
    _, profits = walk(CONSTANT, path)
    assert sum(each.total for each in profits) == pytest.approx(
        rolled_profit(1.0, 20.0, log(98 / 100), 22.0)
    )


def test_nothing_of_a_swap_is_unexplained() -> None:
    for instrument in SWAP:
        path = [(NOW + each * DAY, 100.0 + each, 20.0 - each) for each in range(5)]
        for profit in walk(instrument, path)[1]:
            assert profit.vega + profit.volga + profit.carry == pytest.approx(profit.total)


def test_carry_is_realized_less_implied() -> None:
    calm = walk(CONSTANT, [(CLOSE, 100.0, 20.0), (CLOSE + DAY, 100.0, 20.0)])[1][0]
    assert (calm.vega, calm.volga) == (0.0, 0.0)
    assert calm.carry == pytest.approx(-20 / 2 / 21)
    wild = walk(CONSTANT, [(CLOSE, 100.0, 20.0), (CLOSE + DAY, 95.0, 20.0)])[1][0]
    assert wild.carry == pytest.approx((252 * 1e4 * log(0.95) ** 2 - 400) / 21 / 40)


def test_a_swap_with_terms_ends_at_what_was_realized() -> None:
    start = NOW - 30 * DAY
    days = 60
    path = [(start + day * DAY, 100.0 * 1.01 ** (day % 2), 20.0 + day % 3) for day in range(61)]
    calendar = SessionCalendar(
        [start + day * DAY for day in range(61)], [start + day * DAY + 1 for day in range(61)]
    )
    assert path[-1][0] == EXPIRY
    realized, point, total, opened_ns = Realized(), None, 0.0, 0
    for now_ns, index, vix in path:
        moment = locate(calendar, now_ns + 1)
        moment = Moment(now_ns, moment.opened_ns, moment.sessions)
        realized = observed(realized, index, is_new_session=moment.opened_ns != opened_ns)
        opened_ns = moment.opened_ns
        now = swap_point(TERM, vix, realized.total, moment, point)
        total += swap_profit(TERM, point, now).total if point else 0.0
        point = now
    variance = 1e4 * days * log(1.01) ** 2 * 365 / days
    # from worth (20² − 20²)/40 = 0 at its start to realized − strike at its end
    assert total == pytest.approx((variance - 400) / 40)


def test_nothing_accrues_while_none_of_its_life_passes() -> None:
    point = SwapPoint(20.0, 0.0, 20.0, 0.5, 0.0, OPEN)
    later = SwapPoint(20.0, 0.0, 20.0, 0.5, 0.01, OPEN)
    assert swap_profit(TERM, point, later).total == 0.0


def test_a_constant_maturity_is_struck_anew_where_a_session_begins() -> None:
    point = SwapPoint(20.0, 0.0, 25.0, 0.1, 0.02, OPEN)
    same, following = Moment(CLOSE, OPEN, 1.0), Moment(OPEN + DAY, OPEN + DAY, 1.0)
    assert struck_anew(CONSTANT, point, same) is point
    assert struck_anew(TERM, point, following) is point
    anew = struck_anew(CONSTANT, point, following)
    assert anew == SwapPoint(25.0, 0.1, 25.0, 0.1, 0.02, OPEN + DAY)


def test_variance_is_that_of_closes_and_of_the_move_since() -> None:
    realized = observed(Realized(), 100.0, is_new_session=True)
    assert realized.total == 0.0
    realized = observed(realized, 110.0, is_new_session=False)
    realized = observed(realized, 99.0, is_new_session=False)
    assert realized.total == pytest.approx(log(0.99) ** 2)
    realized = observed(realized, 99.0, is_new_session=True)
    assert realized.total == pytest.approx(log(0.99) ** 2)
    realized = observed(realized, 100.0, is_new_session=False)
    assert realized.total == pytest.approx(log(0.99) ** 2 + log(100 / 99) ** 2)
    assert observed(realized, nan, is_new_session=False) is realized


def test_time_stands_still_outside_the_sessions() -> None:
    assert locate(CALENDAR, 0) == Moment(0, 0, 0.0)
    assert locate(CALENDAR, OPEN + 3 * HOUR) == Moment(OPEN + 3 * HOUR, OPEN, 0.5)
    assert locate(CALENDAR, CLOSE + HOUR).sessions == 1.0
    assert locate(CALENDAR, 9 * DAY).sessions == 2.0
