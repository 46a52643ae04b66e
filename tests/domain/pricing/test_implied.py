import numpy as np
import pytest
from fakes.pricing import Book, columns, implied, outputs, scattered_book
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from shared.domain.pricing.implied import Reason, implied_volatility
from shared.domain.pricing.kernel import Output

CALL, PUT = 1.0, -1.0
ROUNDING = 2.3e-16


def determined(book: Book) -> NDArray[np.float64]:
    """How well a price in float64 determines its volatility: its rounding over vega."""
    paid = book.forward * np.exp(-book.rate * book.years)
    owed = book.strike * np.exp(-book.rate * book.years)
    vega: NDArray[np.float64] = outputs(*book.terms)[Output.VEGA]
    return ROUNDING * (paid + owed) / vega


def test_volatilities_come_back_to_ten_digits() -> None:
    book = scattered_book(300, seed=2, side="out")
    prices = outputs(*book.terms)[Output.PRICE]
    found, reasons = implied(prices, *book.terms[:-1])
    assert not reasons.any()
    assert np.abs(found - book.volatility).max() < 1e-12


def test_in_the_money_they_come_back_as_well_as_the_price_tells_them() -> None:
    book = scattered_book(300, seed=3)
    prices = outputs(*book.terms)[Output.PRICE]
    found, reasons = implied(prices, *book.terms[:-1])
    assert not reasons.any()
    assert np.all(np.abs(found - book.volatility) < 1e-12 + 8 * determined(book))


@settings(max_examples=100, deadline=None)
@given(
    log_moneyness=st.floats(-6, 6),
    spread=st.floats(1e-4, 8),
    years=st.floats(1e-5, 30),
    sign=st.sampled_from([CALL, PUT]),
)
def test_what_is_implied_gives_the_price_again(
    log_moneyness: float, spread: float, years: float, sign: float
) -> None:
    terms = (sign, 100 * np.exp(log_moneyness), 100, years, 0.03, 0.0)
    price = outputs(*terms, spread / np.sqrt(years))[Output.PRICE]
    (volatility,), (reason,) = implied(price, *terms)
    rounding = 4e-15 * (100 + terms[1])
    if reason == Reason.NONE:
        assert outputs(*terms, volatility)[Output.PRICE] == pytest.approx(price, abs=rounding)
    else:
        bounds = outputs(*terms, [0, 1e6])[Output.PRICE]
        assert np.abs(price - bounds).min() < rounding
        assert np.isnan(volatility)


@pytest.mark.parametrize("share", [1e-290, 1e-100, 1e-12, 1e-3, 0.1, 0.5, 0.999, 1 - 1e-6])
@pytest.mark.parametrize("strike", [1e-7, 1e-3, 50.0, 99.999999, 100.0, 200.0, 1e5, 1e18])
def test_the_steps_settle_from_the_least_price_to_the_most(strike: float, share: float) -> None:
    sign = CALL if strike >= 100 else PUT
    price = share * min(strike, 100)
    (volatility,), _ = implied(price, sign, 100, strike, 1, 0, 0)
    vega = outputs(sign, 100, strike, 1, 0, 0, volatility)[Output.VEGA, 0]
    error = outputs(sign, 100, strike, 1, 0, 0, volatility)[Output.PRICE, 0] - price
    assert abs(error) / vega < 1e-10 * volatility + 1e-15


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        # price, sign, underlying, strike, years, rate, carry
        ((np.nan, CALL, 100, 100, 1, 0, 0), Reason.BAD_INPUT),
        ((np.inf, CALL, 100, 100, 1, 0, 0), Reason.BAD_INPUT),
        ((5, 0, 100, 100, 1, 0, 0), Reason.BAD_INPUT),
        ((5, CALL, 0, 100, 1, 0, 0), Reason.BAD_INPUT),
        ((5, CALL, -100, 100, 1, 0, 0), Reason.BAD_INPUT),
        ((5, CALL, 100, -100, 1, 0, 0), Reason.BAD_INPUT),
        ((5, CALL, 100, 100, np.nan, 0, 0), Reason.BAD_INPUT),
        ((5, CALL, 100, 100, 1, np.nan, 0), Reason.BAD_INPUT),
        ((5, CALL, 100, 100, 1, 0, np.inf), Reason.BAD_INPUT),
        ((5, CALL, 100, 100, 0, 0, 0), Reason.EXPIRED),
        ((5, CALL, 100, 100, -1, 0, 0), Reason.EXPIRED),
        ((-1, CALL, 100, 100, 1, 0, 0), Reason.BELOW_INTRINSIC),
        ((9.99, CALL, 110, 100, 1, 0, 0), Reason.BELOW_INTRINSIC),
        ((9.99, PUT, 90, 100, 1, 0, 0), Reason.BELOW_INTRINSIC),
        ((0, CALL, 100, 110, 1, 0, 0), Reason.NO_TIME_VALUE),
        ((10, CALL, 110, 100, 1, 0, 0), Reason.NO_TIME_VALUE),
        ((10, PUT, 90, 100, 1, 0, 0), Reason.NO_TIME_VALUE),
        ((np.nextafter(110.1 - 100, 0), CALL, 110.1, 100, 1, 0, 0), Reason.NO_TIME_VALUE),
        ((100, CALL, 100, 100, 1, 0, 0), Reason.ABOVE_MAXIMUM),
        ((101, CALL, 100, 100, 1, 0, 0), Reason.ABOVE_MAXIMUM),
        ((100, PUT, 100, 100, 1, 0, 0), Reason.ABOVE_MAXIMUM),
        ((100 * np.exp(-0.05), PUT, 100, 100, 1, 0.05, 0), Reason.ABOVE_MAXIMUM),
        ((100 * np.exp(-0.02), CALL, 100, 100, 1, 0.05, 0.03), Reason.ABOVE_MAXIMUM),
        ((7.9655674554057963, CALL, 100, 100, 1, 0, 0), Reason.NONE),
    ],
)
def test_what_cannot_be_implied_is_nan_and_says_why(
    terms: tuple[float, ...], reason: Reason
) -> None:
    (volatility,), (found,) = implied(*terms)
    assert Reason(found) == reason
    assert np.isnan(volatility) == (reason != Reason.NONE)


def test_the_bounds_are_of_the_forward_not_of_the_spot() -> None:
    intrinsic = 100 * np.exp(-0.02) - 90 * np.exp(-0.05)
    prices = [intrinsic - 0.01, intrinsic + 0.01]
    _, reasons = implied(prices, CALL, 100, 90, 1, 0.05, 0.03)
    assert reasons.tolist() == [Reason.BELOW_INTRINSIC, Reason.NONE]


def test_a_book_longer_than_a_block_is_the_same_as_its_parts() -> None:
    book = scattered_book(700, seed=5)
    prices = outputs(*book.terms)[Output.PRICE]
    prices[::50] = -1.0
    whole, reasons = implied(prices, *book.terms[:-1])
    some = slice(500, 530)
    part, part_reasons = implied(prices[some], *(term[some] for term in book.terms[:-1]))
    assert np.array_equal(whole[some], part, equal_nan=True)
    assert np.array_equal(reasons[some], part_reasons)
    assert np.flatnonzero(reasons).tolist() == list(range(0, 700, 50))


def test_columns_of_different_lengths_are_refused() -> None:
    price, sign, underlying, strike, years, rate, carry = columns([5, 5], 1, 100, 100, 1, 0, 0)
    with pytest.raises(ValueError, match="different lengths"):
        implied_volatility(
            price, sign, underlying, strike, years, rate, carry, np.empty(2), np.empty(3, np.uint8)
        )
