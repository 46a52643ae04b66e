from math import log, sqrt
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.study.surface import (
    MONTH_YEARS,
    SurfacePolicy,
    index_volatility,
    strike_of_delta,
    vix_forward,
    vix_volatility,
)

STATED = SurfacePolicy()


def of_index(vix: float, strike: float, years: float, policy: SurfacePolicy = STATED) -> float:
    columns = (np.array([each]) for each in (vix, 100.0, strike, years))
    return float(index_volatility(policy, *columns)[0])


def of_vix(strike: float, years: float) -> float:
    columns = (np.array([each]) for each in (20.0, strike, years))
    return float(vix_volatility(STATED, *columns)[0])


def test_at_thirty_days_the_money_is_the_stated_share_of_vix() -> None:
    assert of_index(20.0, 100.0, MONTH_YEARS) == pytest.approx(0.88 * 0.20)
    assert of_index(80.0, 100.0, MONTH_YEARS) == pytest.approx(0.88 * 0.80)


def test_volatility_reverts_with_time_from_above_and_from_below() -> None:
    high = [of_index(40.0, 100.0, years) for years in (0.1, 0.25, 0.5, 1.0)]
    low = [of_index(10.0, 100.0, years) for years in (0.1, 0.25, 0.5, 1.0)]
    assert high == sorted(high, reverse=True)
    assert low == sorted(low)
    assert of_index(40.0, 100.0, 50.0) == pytest.approx(STATED.long_run, rel=0.05)


def test_the_skew_falls_with_the_strike_and_with_the_root_of_time() -> None:
    slopes = [
        (of_index(20.0, 95.0, years) - of_index(20.0, 100.0, years)) / log(0.95)
        for years in (MONTH_YEARS, 4 * MONTH_YEARS)
    ]
    assert slopes[0] == pytest.approx(-STATED.skew / sqrt(MONTH_YEARS))
    assert slopes[1] == pytest.approx(slopes[0] / 2)


def test_beyond_the_widest_moneyness_the_skew_is_flat_and_no_volatility_is_below_the_least() -> (
    None
):
    assert of_index(20.0, 50.0, 0.08) == of_index(20.0, 40.0, 0.08)
    assert of_index(10.0, 150.0, 0.08) == STATED.least
    assert of_index(20.0, 90.0, 0.0) == of_index(20.0, 80.0, 0.0)


def test_volatility_of_vix_falls_with_time_and_rises_with_the_strike() -> None:
    assert of_vix(20.0, MONTH_YEARS) == pytest.approx(STATED.vix_volatility)
    assert of_vix(20.0, 0.5) < of_vix(20.0, 0.25) < of_vix(20.0, MONTH_YEARS)
    assert of_vix(30.0, 0.1) - of_vix(20.0, 0.1) == pytest.approx(STATED.vix_skew * log(1.5))


def test_the_models_future_lies_between_vix_and_the_long_run() -> None:
    levels = vix_forward(STATED, np.array([40.0, 40.0, 40.0]), np.array([0.0, 0.25, 50.0]))
    assert levels[0] == 40.0
    assert 19.5 < levels[1] < 40.0
    assert levels[2] == pytest.approx(19.5)


@settings(max_examples=40)
@given(
    delta=st.floats(0.05, 0.95),
    sign=st.sampled_from([-1, 1]),
    forward=st.floats(10.0, 5000.0),
    years=st.floats(0.02, 1.0),
)
def test_a_strike_is_found_by_its_delta(
    delta: float,
    sign: int,
    forward: float,
    years: float,
) -> None:
    def volatility(strike: float) -> float:
        return max(0.05, 0.2 - 0.05 * log(strike / forward) / sqrt(years))

    wanted = sign * delta
    strike = strike_of_delta(wanted, forward, years, volatility)
    spread = volatility(strike) * sqrt(years)
    call = NormalDist().cdf(log(forward / strike) / spread + spread / 2)
    assert (call - 1 if sign < 0 else call) == pytest.approx(wanted, abs=2e-4)


def test_the_statement_names_every_number() -> None:
    said = SurfacePolicy(rate=0.031, dividend_yield=0.017).statement
    assert said.startswith("model-priced")
    for figure in ("88%", "18%", "0.15", "19.5", "85%", "0.35", "3.1%", "1.7%"):
        assert figure in said
