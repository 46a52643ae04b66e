import numpy as np
import pytest
from fakes.pricing import outputs
from numpy.typing import NDArray

from shared.domain.pricing.american import CashDividend, evaluate_american
from shared.domain.pricing.kernel import Output

CALL, PUT = 1.0, -1.0


def european(*terms: float) -> NDArray[np.float64]:
    return outputs(*terms)[:, 0]


def call_with_one_dividend(  # noqa: PLR0913, PLR0917 - an option
    level: float, strike: float, years: float, rate: float, volatility: float, paid: CashDividend
) -> float:
    """Value by quadrature: such a call is exercised right before the ex-date or at expiry."""
    z = np.linspace(-9, 9, 1_001)
    t = paid.years
    before = level * np.exp((rate - volatility**2 / 2) * t + volatility * np.sqrt(t) * z)
    after = np.maximum(before - paid.amount, 1e-9)
    kept = outputs(CALL, after, strike, years - t, rate, rate, volatility)[Output.PRICE]
    best = np.maximum(before - strike, kept) * np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
    return float(np.exp(-rate * t) * np.trapezoid(best, z))


def test_a_call_without_dividends_is_european_to_the_last_bit() -> None:
    terms = (CALL, 100.0, 95.0, 0.7, 0.04, 0.04, 0.3)
    assert np.array_equal(evaluate_american(*terms), european(*terms))


def test_a_put_at_no_interest_is_european_to_the_last_bit() -> None:
    terms = (PUT, 100.0, 95.0, 0.7, 0.0, -0.02, 0.3)
    assert np.array_equal(evaluate_american(*terms), european(*terms))


def test_hull_s_put_comes_out() -> None:
    found = evaluate_american(PUT, 50, 50, 5 / 12, 0.1, 0.1, 0.4)
    assert found[Output.PRICE] == pytest.approx(4.283, abs=0.002)  # his tree of 500 steps


def test_early_exercise_is_worth_something() -> None:
    for terms in (
        (PUT, 90, 100, 1, 0.05, 0.05, 0.2),
        (CALL, 110, 100, 1, 0.03, -0.05, 0.2),
        (CALL, 110, 100, 1, -0.03, -0.03, 0.2),  # to pay the strike later costs more
    ):
        premium = evaluate_american(*terms)[Output.PRICE] - european(*terms)[Output.PRICE]
        assert premium > 0.3


def test_where_exercise_is_due_the_option_is_what_it_pays() -> None:
    found = evaluate_american(PUT, 60, 100, 1, 0.05, 0.05, 0.2)
    assert found[Output.PRICE] == pytest.approx(40, abs=1e-5)
    assert found[Output.DELTA] == pytest.approx(-1, abs=1e-6)
    rest = [Output.GAMMA, Output.VEGA, Output.THETA, Output.RHO, Output.VANNA, Output.CHARM]
    assert found[rest] == pytest.approx(np.zeros(6), abs=1e-3)


@pytest.mark.parametrize("dividends", [(), (CashDividend(0.2, 1.5),)])
def test_greeks_are_the_slopes_they_are_called(dividends: tuple[CashDividend, ...]) -> None:
    def price(  # noqa: PLR0913, PLR0917 - an option
        level: float = 98,
        years: float = 0.5,
        rate: float = 0.05,
        carry: float = 0.03,
        volatility: float = 0.25,
        later: float = 0.0,
    ) -> NDArray[np.float64]:
        moved = [CashDividend(one.years + later, one.amount) for one in dividends]
        terms = (PUT, level, 100, years + later, rate, carry, volatility)
        return evaluate_american(*terms, moved)

    found = price()
    by_level = (price(level=98.5) - price(level=97.5)) / 1.0
    by_volatility = (price(volatility=0.26) - price(volatility=0.24)) / 0.02
    by_time = (price(later=-0.01) - price(later=0.01)) / 0.02
    by_rate = (price(rate=0.052, carry=0.032) - price(rate=0.048, carry=0.028)) / 0.004
    for greek, slope, tolerance in [
        (Output.DELTA, by_level[Output.PRICE], 1e-3),
        (Output.GAMMA, by_level[Output.DELTA], 1e-4),
        (Output.VEGA, by_volatility[Output.PRICE], 0.1),
        (Output.VANNA, by_volatility[Output.DELTA], 0.02),
        (Output.VOLGA, by_volatility[Output.VEGA], 3.0),
        (Output.THETA, by_time[Output.PRICE], 0.02),
        (Output.CHARM, by_time[Output.DELTA], 0.01),
        (Output.RHO, by_rate[Output.PRICE], 0.1),
    ]:
        assert found[greek] == pytest.approx(slope, abs=tolerance), greek


@pytest.mark.parametrize("amount", [0.5, 3.0, 8.0])
@pytest.mark.parametrize("ex_date", [0.01, 0.25, 0.48])
@pytest.mark.parametrize("strike", [90.0, 100.0])
def test_a_call_with_a_dividend_is_its_quadrature(
    strike: float, ex_date: float, amount: float
) -> None:
    paid = CashDividend(ex_date, amount)
    exact = call_with_one_dividend(100, strike, 0.5, 0.06, 0.3, paid)
    found = evaluate_american(CALL, 100, strike, 0.5, 0.06, 0.06, 0.3, [paid])
    assert found[Output.PRICE] == pytest.approx(exact, abs=0.002)


def test_a_dividend_lowers_a_call_and_raises_a_put() -> None:
    paid = [CashDividend(0.3, 2.0), CashDividend(0.1, 1.0)]
    for sign in (CALL, PUT):
        terms = (sign, 100, 100, 0.5, 0.05, 0.05, 0.25)
        plain, with_dividends = evaluate_american(*terms), evaluate_american(*terms, paid)
        assert sign * (plain[Output.PRICE] - with_dividends[Output.PRICE]) > 0.4


def test_dividends_of_the_past_and_after_expiry_do_not_count() -> None:
    terms = (PUT, 100, 100, 0.5, 0.05, 0.05, 0.25)
    beside = [CashDividend(-0.1, 5.0), CashDividend(0.0, 5.0), CashDividend(0.5, 5.0)]
    assert np.array_equal(evaluate_american(*terms, beside), evaluate_american(*terms))


def test_a_dividend_that_is_due_within_seconds_is_priced() -> None:
    soon = evaluate_american(PUT, 100, 100, 0.5, 0.05, 0.05, 0.25, [CashDividend(1e-7, 2.0)])
    after = evaluate_american(PUT, 98, 100, 0.5, 0.05, 0.05, 0.25)
    assert soon[Output.PRICE] == pytest.approx(after[Output.PRICE], abs=0.01)
    assert np.isfinite(soon).all()


def test_under_negative_rates_that_make_two_boundaries_a_grid_prices() -> None:
    terms = (PUT, 100, 100, 1, -0.01, 0.02, 0.2)
    found = evaluate_american(*terms)
    assert found[Output.PRICE] == pytest.approx(7.2571, abs=0.002)  # a tree of 8,000 steps
    assert found[Output.PRICE] > european(*terms)[Output.PRICE]


@pytest.mark.parametrize("years", [0.0, 1e-9])
def test_at_expiry_it_is_its_payoff(years: float) -> None:
    found = evaluate_american(PUT, 90, 100, years, 0.05, 0.05, 0.2)
    assert found[Output.PRICE] == pytest.approx(10, abs=1e-6)
    assert found[Output.DELTA] == -1


def test_minutes_before_expiry_it_is_near_its_european_twin() -> None:
    terms = (PUT, 100.0, 100.0, 1 / (365 * 24), 0.05, 0.05, 0.2)
    found, twin = evaluate_american(*terms), european(*terms)
    assert found[Output.PRICE] == pytest.approx(twin[Output.PRICE], rel=1e-3)
    assert found[Output.GAMMA] == pytest.approx(twin[Output.GAMMA], rel=1e-2)


def test_without_volatility_it_is_worth_the_best_exercise() -> None:
    found = evaluate_american(PUT, 95, 100, 1, 0.05, 0.05, 0.0)
    assert found[Output.PRICE] == pytest.approx(5, abs=1e-6)


@pytest.mark.parametrize("place", range(7))
def test_what_is_no_option_is_nan(place: int) -> None:
    terms = [PUT, 100, 100, 1, 0.05, 0.05, 0.2]
    terms[place] = np.nan
    sign, level, strike, years, rate, carry, volatility = terms
    found = evaluate_american(sign, level, strike, years, rate, carry, volatility)
    assert np.isnan(found).all()
