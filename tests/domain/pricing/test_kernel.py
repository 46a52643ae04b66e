"""Price and Greeks: published values, parity, slopes, limits, refusals.

Published are Haug's (The Complete Guide to Option Pricing Formulas, 2nd ed., chapters 1 and 2) and
Hull's (Options, Futures and Other Derivatives, on Black-Scholes-Merton and on the Greeks).
"""

import numpy as np
import pytest
from fakes.pricing import columns, outputs, scattered_book
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from shared.domain.pricing.kernel import Output, evaluate

CALL, PUT = 1.0, -1.0
Terms = ("sign", "underlying", "strike", "years", "rate", "carry", "volatility")
FEW = scattered_book(60, seed=4, years=(0.02, 3.0), volatility=(0.1, 0.6), deviations=2.5)


def one(*terms: float) -> NDArray[np.float64]:
    return outputs(*terms)[:, 0]


@pytest.mark.parametrize(
    ("output", "terms", "published"),
    [
        # sign, underlying, strike, years, rate, carry, volatility
        (Output.PRICE, (CALL, 42, 40, 0.5, 0.1, 0.1, 0.2), 4.76),
        (Output.PRICE, (PUT, 42, 40, 0.5, 0.1, 0.1, 0.2), 0.81),
        (Output.PRICE, (CALL, 60, 65, 0.25, 0.08, 0.08, 0.3), 2.1334),
        (Output.PRICE, (PUT, 100, 95, 0.5, 0.1, 0.05, 0.2), 2.4648),
        (Output.PRICE, (CALL, 19, 19, 0.75, 0.1, 0.0, 0.28), 1.7011),
        (Output.PRICE, (PUT, 19, 19, 0.75, 0.1, 0.0, 0.28), 1.7011),
        (Output.PRICE, (CALL, 1.56, 1.6, 0.5, 0.06, -0.02, 0.12), 0.0291),
        (Output.DELTA, (CALL, 105, 100, 0.5, 0.1, 0.0, 0.36), 0.5946),
        (Output.DELTA, (PUT, 105, 100, 0.5, 0.1, 0.0, 0.36), -0.3566),
        (Output.GAMMA, (CALL, 55, 60, 0.75, 0.1, 0.1, 0.3), 0.0278),
        (Output.VEGA, (PUT, 55, 60, 0.75, 0.105, 0.0695, 0.3), 18.5027),
        (Output.THETA, (PUT, 430, 405, 1 / 12, 0.07, 0.02, 0.2), -31.1924),
        (Output.RHO, (CALL, 72, 75, 1.0, 0.09, 0.09, 0.19), 38.7325),
        (Output.VOLGA, (CALL, 90, 130, 0.75, 0.05, 0.0, 0.28), 92.3444),
        (Output.CHARM, (PUT, 105, 90, 0.25, 0.14, 0.0, 0.24), 0.3700),
        (Output.DELTA, (CALL, 49, 50, 0.3846, 0.05, 0.05, 0.2), 0.522),
        (Output.GAMMA, (CALL, 49, 50, 0.3846, 0.05, 0.05, 0.2), 0.066),
        (Output.VEGA, (CALL, 49, 50, 0.3846, 0.05, 0.05, 0.2), 12.1),
        (Output.THETA, (CALL, 49, 50, 0.3846, 0.05, 0.05, 0.2), -4.31),
        (Output.RHO, (CALL, 49, 50, 0.3846, 0.05, 0.05, 0.2), 8.91),
        # spec section 11
        (Output.DELTA, (CALL, 100, 100, 0.25, 0.02, 0.02, 0.2), 0.539828),
        (Output.GAMMA, (CALL, 100, 100, 0.25, 0.02, 0.02, 0.2), 0.039695),
        (Output.VEGA, (CALL, 100, 100, 0.25, 0.02, 0.02, 0.2), 19.847627),
        (Output.GAMMA, (CALL, 766, 766, 30 / 365, 0.0, 0.0, 0.16), 0.0113510),
    ],
)
def test_published_values_come_out(
    output: Output, terms: tuple[float, ...], published: float
) -> None:
    digits = len(str(published).partition(".")[2])
    assert one(*terms)[output] == pytest.approx(published, abs=0.51 * 10**-digits)


def test_calls_and_puts_are_at_parity_in_every_greek() -> None:
    calls = outputs(CALL, *FEW.terms[1:])
    puts = outputs(PUT, *FEW.terms[1:])
    _, underlying, strike, years, rate, carry, _ = FEW.terms
    growth, owed = np.exp((carry - rate) * years), strike * np.exp(-rate * years)
    forward = {
        Output.PRICE: underlying * growth - owed,
        Output.DELTA: growth,
        Output.THETA: -(carry - rate) * underlying * growth - rate * owed,
        Output.RHO: years * owed,
        Output.CHARM: -(carry - rate) * growth,
    }
    for output in Output:
        scale = 1e-12 * (np.abs(calls[output]) + underlying + strike)
        assert np.all(np.abs(calls[output] - puts[output] - forward.get(output, 0.0)) < scale), (
            output
        )


@pytest.mark.parametrize(
    ("greek", "of", "by", "sign"),
    [
        (Output.DELTA, Output.PRICE, "underlying", 1),
        (Output.GAMMA, Output.DELTA, "underlying", 1),
        (Output.VEGA, Output.PRICE, "volatility", 1),
        (Output.THETA, Output.PRICE, "years", -1),
        (Output.VANNA, Output.DELTA, "volatility", 1),
        (Output.VANNA, Output.VEGA, "underlying", 1),
        (Output.VOLGA, Output.VEGA, "volatility", 1),
        (Output.CHARM, Output.DELTA, "years", -1),
    ],
)
def test_each_greek_is_the_slope_it_is_called(
    greek: Output, of: Output, by: str, sign: int
) -> None:
    terms = dict(zip(Terms, FEW.terms, strict=True))
    bump = 1e-5 * terms[by]
    up = outputs(*(terms | {by: terms[by] + bump}).values())
    down = outputs(*(terms | {by: terms[by] - bump}).values())
    slope = sign * (up[of] - down[of]) / (2 * bump)
    found = outputs(*FEW.terms)[greek]
    assert found == pytest.approx(slope, rel=1e-5, abs=1e-6 * np.abs(found).max())


def test_rho_is_the_slope_by_rate_at_a_constant_yield() -> None:
    terms = dict(zip(Terms, FEW.terms, strict=True))
    bump = 1e-6
    up, down = (
        outputs(*(terms | {"rate": terms["rate"] + by, "carry": terms["carry"] + by}).values())
        for by in (bump, -bump)
    )
    slope = (up[Output.PRICE] - down[Output.PRICE]) / (2 * bump)
    assert outputs(*FEW.terms)[Output.RHO] == pytest.approx(slope, rel=1e-5, abs=1e-2)


def test_on_a_future_rho_is_minus_time_times_price() -> None:
    terms = dict(zip(Terms, FEW.terms, strict=True)) | {"carry": np.zeros(60)}
    bump = 1e-6
    up = outputs(*(terms | {"rate": terms["rate"] + bump}).values())[Output.PRICE]
    down = outputs(*(terms | {"rate": terms["rate"] - bump}).values())[Output.PRICE]
    price = outputs(*terms.values())[Output.PRICE]
    assert -terms["years"] * price == pytest.approx((up - down) / (2 * bump), rel=1e-5, abs=1e-4)


@settings(max_examples=60, deadline=None)
@given(
    sign=st.sampled_from([CALL, PUT]),
    strike=st.floats(20, 500),
    years=st.floats(0, 10),
    rate=st.floats(-0.05, 0.15),
    carry=st.floats(-0.1, 0.15),
    low=st.floats(0, 3),
    high=st.floats(0, 3),
)
def test_a_price_lies_within_arbitrage_s_bounds_and_rises_with_volatility(  # noqa: PLR0913, PLR0917 - an option
    sign: float, strike: float, years: float, rate: float, carry: float, low: float, high: float
) -> None:
    least, most = outputs(sign, 100, strike, years, rate, carry, sorted([low, high]))[Output.PRICE]
    paid, owed = 100 * np.exp((carry - rate) * years), strike * np.exp(-rate * years)
    rounding = 1e-14 * (paid + owed)
    assert max(sign * (paid - owed), 0) - rounding <= least <= most + rounding
    assert most <= (paid if sign == CALL else owed) + rounding


def test_a_call_rises_and_a_put_falls_with_the_underlying_and_both_are_convex() -> None:
    levels = np.linspace(20, 300, 60)
    for sign in (CALL, PUT):
        found = outputs(sign, levels, 100, 0.5, 0.03, 0.01, 0.3)
        assert np.all(sign * np.diff(found[Output.PRICE]) > 0)
        assert np.all(found[Output.GAMMA] > 0)
        assert np.all(np.diff(found[Output.DELTA]) > 0)


@pytest.mark.parametrize("sign", [CALL, PUT])
@pytest.mark.parametrize("level", [80.0, 120.0])
@pytest.mark.parametrize("volatility", [0.0, 0.2, 4.0])
def test_at_expiry_an_option_is_its_payoff(sign: float, level: float, volatility: float) -> None:
    found = one(sign, level, 100, 0, 0.05, 0.02, volatility)
    exercised = sign * (level - 100) > 0
    assert found[Output.PRICE] == max(sign * (level - 100), 0)
    assert found[Output.DELTA] == (sign if exercised else 0)
    accrual = sign * (0.03 * level - 0.05 * 100) if exercised else 0.0  # what a day's delay costs
    assert found[Output.THETA] == pytest.approx(accrual, abs=1e-12)
    assert found[Output.CHARM] == pytest.approx(sign * 0.03 if exercised else 0, abs=1e-12)
    flat = [Output.GAMMA, Output.VEGA, Output.RHO, Output.VANNA, Output.VOLGA]
    assert not found[flat].any()


@pytest.mark.parametrize("sign", [CALL, PUT])
@pytest.mark.parametrize("level", [80.0, 120.0])
def test_without_volatility_an_option_is_the_payoff_on_its_forward(
    sign: float, level: float
) -> None:
    found = one(sign, level, 100, 2, 0.05, 0.02, 0)
    growth, owed = np.exp(-0.06), 100 * np.exp(-0.1)
    exercised = sign * (level * growth - owed) > 0
    assert found[Output.PRICE] == pytest.approx(max(sign * (level * growth - owed), 0), rel=1e-14)
    assert found[Output.DELTA] == pytest.approx(sign * growth if exercised else 0, rel=1e-14)
    assert found[Output.RHO] == pytest.approx(sign * 2 * owed if exercised else 0, rel=1e-14)
    assert not found[[Output.GAMMA, Output.VEGA, Output.VANNA, Output.VOLGA]].any()


@pytest.mark.parametrize(("years", "volatility"), [(0, 0.2), (1, 0), (0, 0)])
def test_at_the_strike_where_time_or_volatility_ends_all_is_finite(
    years: float, volatility: float
) -> None:
    found = one(CALL, 100, 100, years, 0, 0, volatility)
    assert found[Output.PRICE] == pytest.approx(0, abs=1e-13)
    assert found[Output.DELTA] == pytest.approx(0.5, rel=1e-15)
    assert found[Output.GAMMA] > 1e10
    assert np.isfinite(found).all()


def test_greeks_go_to_their_limits_without_a_jump() -> None:
    last_seconds = np.array([1e-3, 1e-6, 1e-9, 1e-12, 0.0])
    found = outputs(CALL, 101, 100, last_seconds, 0.05, 0.05, 0.2)
    away = np.abs(found[:, 1:] - found[:, -1:])
    assert np.all(np.diff(away[[Output.PRICE, Output.DELTA, Output.THETA]]) <= 0)
    assert away[Output.PRICE, 0] < 1e-5


@pytest.mark.parametrize("level", [1e-3, 1.0, 99.0, 1e6])
def test_an_enormous_volatility_makes_a_call_the_underlying_and_a_put_the_strike(
    level: float,
) -> None:
    call, put = outputs([CALL, PUT], level, 100, 1, 0.02, 0.01, 1e3).T
    assert call[Output.PRICE] == pytest.approx(level * np.exp(-0.01), rel=1e-14)
    assert put[Output.PRICE] == pytest.approx(100 * np.exp(-0.02), rel=1e-14)
    assert np.isfinite([call, put]).all()


@pytest.mark.parametrize("moneyness", [1e-12, 1e-6, 1e6, 1e12])
def test_deep_in_and_out_of_the_money_prices_are_their_bounds(moneyness: float) -> None:
    for sign in (CALL, PUT):
        found = one(sign, 100 * moneyness, 100, 1, 0.05, 0.05, 0.2)
        bound = max(sign * (100 * moneyness - 100 * np.exp(-0.05)), 0)
        assert found[Output.PRICE] == pytest.approx(bound, rel=1e-14)
        assert np.isfinite(found).all()


FINE = (CALL, 100.0, 100.0, 1.0, 0.05, 0.02, 0.2)


@pytest.mark.parametrize("place", range(7))
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_makes_every_output_nan(place: int, bad: float) -> None:
    terms = list(FINE)
    terms[place] = bad
    assert np.isnan(one(*terms)).all()


@pytest.mark.parametrize(
    ("place", "bad"),
    [
        (0, 0),
        (0, 2),
        (1, 0),
        (1, -5),
        (1, 1e101),
        (2, 0),
        (2, -5),
        (2, 1e-101),
        (3, -1e-9),
        (6, -0.1),
    ],
)
def test_what_is_no_option_is_nan_and_leaves_its_neighbours_alone(place: int, bad: float) -> None:
    terms = columns(*([value] * 3 for value in FINE))
    terms[place][1] = bad
    found = outputs(*terms)
    assert np.isnan(found[:, 1]).all()
    assert np.array_equal(found[:, 0], one(*FINE))
    assert np.array_equal(found[:, 2], one(*FINE))


def test_no_options_give_no_outputs() -> None:
    assert outputs(*([] for _ in range(7))).shape == (9, 0)


def test_columns_of_different_lengths_are_refused() -> None:
    book = columns(*([value] * 2 for value in FINE))
    with pytest.raises(ValueError, match="different lengths"):
        evaluate(*[*book[:-1], np.zeros(3), np.empty((9, 2))])
    with pytest.raises(ValueError, match="shape"):
        evaluate(*[*book, np.empty((6, 2))])
