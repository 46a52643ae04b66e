from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.accounts.variance_swap import (
    fair_strike,
    realized_points,
    rolled_profit,
    swap_value,
    variance_notional,
)

volatilities = st.floats(5.0, 90.0)
returns = st.floats(-0.12, 0.12)


def test_the_variance_notional_is_the_vega_over_twice_the_strike() -> None:
    assert variance_notional(1000.0, 20.0) == 25.0
    assert variance_notional(-1000.0, 20.0) == -25.0


def test_one_percent_a_session_is_almost_sixteen_points_a_year() -> None:
    assert realized_points(0.01) == pytest.approx(15.8745, abs=1e-4)
    assert realized_points(-0.01) == realized_points(0.01)


def test_the_same_return_over_four_sessions_is_half_the_volatility() -> None:
    assert realized_points(0.02, 4) == pytest.approx(realized_points(0.01))


def test_the_fair_strike_moves_from_what_is_implied_to_what_was_realized() -> None:
    assert fair_strike(30.0, 20.0, elapsed=0) == pytest.approx(20.0)
    assert fair_strike(30.0, 20.0, elapsed=21) == pytest.approx(30.0)
    assert fair_strike(30.0, 20.0, elapsed=7) ** 2 == pytest.approx(900 / 3 + 400 * 2 / 3)


def test_near_its_strike_a_swap_gains_its_vega_a_point_and_more_further_out() -> None:
    assert swap_value(1000.0, 20.0, 20.1) == pytest.approx(100.25)
    assert swap_value(1000.0, 20.0, 40.0) == pytest.approx(30_000.0)
    assert swap_value(1000.0, 20.0, 10.0) == pytest.approx(-7_500.0)


def test_a_session_without_any_move_costs_a_twenty_first_of_the_strikes_variance() -> None:
    assert rolled_profit(1000.0, 20.0, 0.0, 20.0) == pytest.approx(-25 * 400 / 21)


def test_the_fifth_of_february_2018() -> None:
    profit = rolled_profit(1000.0, 17.31, log(2648.94 / 2762.13), 37.32)
    assert profit == pytest.approx(35_728.5, abs=0.1)


def test_a_return_that_meets_the_strike_leaves_the_volatility_move_alone() -> None:
    at_strike = 0.2 / 252**0.5
    assert rolled_profit(1000.0, 20.0, at_strike, 20.0) == pytest.approx(0.0)
    assert rolled_profit(1000.0, 20.0, at_strike, 21.0) == pytest.approx(25 * 20 / 21 * 41)


def test_a_gap_longer_than_the_swap_realizes_all_of_it() -> None:
    assert rolled_profit(1000.0, 20.0, 0.1, 55.0, sessions=21) == pytest.approx(
        25 * (252 / 21 * 0.01 * 1e4 - 400)
    )
    assert rolled_profit(1000.0, 20.0, 0.1, 55.0, sessions=42) == pytest.approx(
        25 * (252 / 42 * 0.01 * 1e4 - 400)
    )


@given(
    vega=st.floats(-1e6, 1e6),
    strike=volatilities,
    log_return=returns,
    implied=volatilities,
    sessions=st.integers(1, 21),
)
def test_a_roll_is_the_formula_written_out(
    vega: float, strike: float, log_return: float, implied: float, sessions: int
) -> None:
    realized = 252 * log_return**2 * 100**2 - sessions * strike**2
    left = (21 - sessions) * (implied**2 - strike**2)
    expected = vega / (2 * strike) * (realized + left) / 21
    assert rolled_profit(vega, strike, log_return, implied, sessions) == pytest.approx(
        expected, rel=1e-9, abs=1e-9 * (1 + abs(vega) * 1000)
    )
