"""Rolled options on a stated surface, over a made-up market."""

from datetime import date
from math import exp

import numpy as np
import pytest
from fakes import rolled_market
from fakes.new_york import instant
from fakes.rolled_market import DAYS

from shared.domain.exposure.attribution import (
    CARRY,
    DELTA,
    PRICE,
    RATE,
    UNDERLYING,
    VOLATILITY,
    YEARS,
)
from shared.domain.exposure.terms import YEAR_NS
from shared.domain.instants import DAY
from shared.domain.study.contracts import ContractHistory, RollingOption
from shared.domain.study.curve import Settlement, VixCurve
from shared.domain.study.points import Points
from shared.domain.study.rolling_options import LEAST_PRICE, OptionMarket, option_history
from shared.domain.study.surface import SurfacePolicy, vix_forward

POINTS = rolled_market.points()
CURVE = rolled_market.curve()
SURFACE = SurfacePolicy()
NO_CURVE = VixCurve([])
PUT_90 = RollingOption(symbol="PUT90", maturity_days=90, roll_days=60.0, moneyness=0.95)
PPUT = RollingOption(symbol="PPUT", maturity_days=30, moneyness=0.95)
VXTH = RollingOption(symbol="VXTH", kind="vix_call", maturity_days=30, delta=0.3, strike_step=0.5)


def rolled(
    option: RollingOption, curve: VixCurve = NO_CURVE, points: Points = POINTS
) -> ContractHistory:
    return option_history(OptionMarket(option, points, curve, SURFACE, DAYS))


def test_a_put_is_bought_below_the_index_at_the_expiry_nearest_to_its_maturity() -> None:
    history = rolled(PUT_90)
    for number, point in enumerate(history.purchases):
        contract = history.contracts[number]
        left = (contract.expiry_ns - POINTS.clock_ns[point]) / DAY
        assert 90 - 17 < left < 90 + 17
        assert contract.strike == round(0.95 * POINTS.index[point] / 5) * 5
    assert any(each.name.startswith("SPX 2025-04-17 ") for each in history.contracts)  # holiday


def test_it_is_rolled_at_the_first_close_with_no_more_than_its_days_left() -> None:
    history = rolled(PUT_90)
    assert len(history.rolls) >= 15
    for number, roll in enumerate(history.rolls):
        left = (history.contracts[number].expiry_ns - POINTS.clock_ns[roll.point]) / DAY
        assert POINTS.is_close[roll.point]
        assert 56 < left <= 60


def test_a_put_that_is_held_to_its_expiry_is_worth_its_payoff_there() -> None:
    history = rolled(PPUT)
    payoffs = []
    for number, roll in enumerate(history.rolls):
        contract = history.contracts[number]
        assert POINTS.clock_ns[roll.point] == contract.expiry_ns
        payoff = max(LEAST_PRICE, contract.strike - POINTS.index[roll.point])
        assert roll.given_up == pytest.approx(payoff)
        payoffs.append(payoff)
        assert history.before[PRICE, roll.point] == roll.taken_on > 1.0
    assert max(payoffs) > 100.0  # the fall
    assert min(payoffs) == LEAST_PRICE


def test_a_call_on_vix_ends_before_the_opening_that_settles_it() -> None:
    history = rolled(VXTH, CURVE)
    for number, roll in enumerate(history.rolls):
        expiry_ns = history.contracts[number].expiry_ns
        assert POINTS.clock_ns[roll.point] < expiry_ns < POINTS.clock_ns[roll.point + 2]
        assert expiry_ns == instant(DAYS_OF[expiry_ns], 9, 30)


DAYS_OF = {
    contract.expiry_ns: date.fromisoformat(contract.name.split()[1])
    for contract in rolled(VXTH, CURVE).contracts
}


def test_a_call_on_vix_is_priced_on_the_future_that_expires_with_it_at_closes_alone() -> None:
    history = rolled(VXTH, CURVE)
    assert np.isnan(history.level[~POINTS.is_close]).all()
    for point in np.flatnonzero(POINTS.is_close).tolist():
        expiry = DAYS_OF[history.contracts[history.number[point]].expiry_ns]
        assert history.after[UNDERLYING, point] == CURVE.level(POINTS.days[point], expiry)
    bought = history.before[:, history.purchases]
    growth = np.exp(-SURFACE.rate * bought[YEARS])
    assert np.abs(bought[DELTA] / growth - 0.3).max() < 0.06  # strikes are half points apart
    assert (bought[CARRY] == 0.0).all()


def test_without_futures_it_is_priced_on_the_surfaces_own_and_so_before_they_begin() -> None:
    alone = rolled(VXTH)
    years = (alone.contracts[0].expiry_ns - POINTS.clock_ns[1]) / YEAR_NS
    forward = vix_forward(SURFACE, POINTS.vix[1:2], np.array([years]))[0]
    assert alone.after[UNDERLYING, 1] == forward
    first = date(2025, 6, 2)
    later = rolled(VXTH, rolled_market.curve(1, first))
    before = [day < first for day in POINTS.days]
    np.testing.assert_array_equal(later.level[before], alone.level[before])
    assert not np.isnan(later.level[1])


def test_what_expires_without_a_mark_is_given_up_at_its_last_one_and_that_is_said() -> None:
    """The curve begins with the second month: the first one's option has no future any more."""
    begins, gone = date(2025, 2, 3), date(2025, 2, 19)
    full = rolled_market.curve(1, begins)
    settlements = [
        Settlement(day, expiry, level)
        for day in sorted(set(POINTS.days))
        for expiry in full.expiries
        if expiry > gone and (level := full.level(day, expiry)) is not None
    ]
    history = rolled(VXTH, VixCurve(settlements))
    number = next(n for n, each in enumerate(history.contracts) if f"VIX {gone}" in each.name)
    roll = history.rolls[number]
    assert POINTS.days[roll.point] == gone
    last = max(p for p in range(len(POINTS)) if POINTS.days[p] < begins)
    assert roll.given_up == history.level[last] == history.level[roll.point]
    assert np.isnan(history.level[last + 1 : roll.point]).all()
    (note,) = history.notes[1:]
    assert note.startswith(f"{history.contracts[number].name} had no mark when it expired")
    assert len(history.rolls) == len(rolled(VXTH).rolls)


@pytest.mark.parametrize("delta", [0.1, 0.25, 0.5])
def test_a_put_may_be_chosen_by_its_delta(delta: float) -> None:
    history = rolled(RollingOption(symbol="P", maturity_days=60, delta=delta, strike_step=1.0))
    bought = history.before[:, history.purchases]
    growth = np.exp(-SURFACE.dividend_yield * bought[YEARS])
    np.testing.assert_allclose(bought[DELTA], -delta * growth, atol=2e-3)


def test_a_valuation_keeps_what_it_came_of() -> None:
    history = rolled(PUT_90)
    assert history.after[RATE, 5] == SURFACE.rate
    assert history.after[CARRY, 5] == SURFACE.carry
    assert history.after[UNDERLYING, 5] == POINTS.index[5]
    left = (history.contracts[0].expiry_ns - POINTS.clock_ns[5]) / YEAR_NS
    assert history.after[YEARS, 5] == left
    forward = POINTS.index[5] * exp(SURFACE.carry * left)
    assert history.after[VOLATILITY, 5] > 0.1
    assert history.after[PRICE, 5] < forward
    assert history.notes == (SURFACE.statement,)


def test_where_index_or_vix_did_not_print_there_is_no_mark_and_a_roll_waits() -> None:
    roll = rolled(PPUT).rolls[2].point
    history = rolled(PPUT, points=rolled_market.without(POINTS, vix=[roll], index=[roll + 1]))
    assert np.isnan(history.level[[roll, roll + 1]]).all()
    waited = history.rolls[2]
    assert waited.point == roll + 2
    assert history.after[YEARS, waited.point] == 0.0


def test_the_first_purchase_waits_for_prints_and_nothing_is_bought_at_the_last_close() -> None:
    history = rolled(PPUT, points=rolled_market.without(POINTS, vix=[0, 1, 2]))
    assert (history.purchases[0], history.number[:4].tolist()) == (3, [-1, -1, -1, 0])
    last = rolled(PPUT).rolls[-1].point
    short = Points(
        clock_ns=POINTS.clock_ns[: last + 1],
        session=POINTS.session[: last + 1],
        is_close=POINTS.is_close[: last + 1],
        index=POINTS.index[: last + 1],
        vix=POINTS.vix[: last + 1],
        days=POINTS.days[: last + 1],
    )
    assert len(rolled(PPUT, points=short).rolls) == len(rolled(PPUT).rolls) - 1


def test_where_nothing_ever_printed_nothing_is_bought() -> None:
    everywhere = list(range(len(POINTS)))
    history = rolled(PPUT, points=rolled_market.without(POINTS, vix=everywhere))
    assert history.contracts == ()


def test_beyond_the_calendar_expiries_are_reckoned_without_holidays() -> None:
    long = RollingOption(symbol="P", maturity_days=700, roll_days=600.0, moneyness=0.9)
    assert rolled(long).contracts[-1].name.startswith("SPX 2028-")
    call = RollingOption(
        symbol="C",
        kind="vix_call",
        maturity_days=700,
        roll_days=600.0,
        moneyness=1.2,
        strike_step=1.0,
    )
    assert rolled(call).contracts[-1].name.startswith("VIX 2028-")
