"""Pricing against QuantLib over 150,000 random options, and against 40 digits where that ends.

Not in the coverage gate: compiled, half a minute in all.
"""

import math
from collections.abc import Callable

import mpmath as mp
import numpy as np
import pytest
import QuantLib as ql  # noqa: N813 - its users' name
from fakes.pricing import Book, implied, outputs, scattered_book
from numpy.typing import NDArray

from shared.domain.pricing.american import CashDividend, evaluate_american
from shared.domain.pricing.approximations import exponential, logarithm_of_ratio, scaled_tail
from shared.domain.pricing.implied import Reason
from shared.domain.pricing.kernel import Output

Matrix = NDArray[np.float64]

CASES = 100_000
EXTREME_CASES = 50_000
DIGITS = 40


def market_book() -> Book:
    """What is listed: a day to ten years, deltas of 0.001 to 0.999."""
    return scattered_book(CASES, seed=11)


def extreme_book() -> Book:
    """What is not: seconds to fifty years, volatilities of 0.1% to 1,000%, far from the money."""
    book = scattered_book(
        EXTREME_CASES, seed=12, years=(1e-7, 50.0), volatility=(1e-3, 10.0), deviations=12.0
    )
    sane = (book.underlying > 1e-80) & (book.underlying < 1e80)
    return Book(*(term[sane] for term in book.terms))


def rows(book: Book) -> list[tuple[float, ...]]:
    """Terms, an option each."""
    return list(zip(*(term.tolist() for term in book.terms), strict=True))


def quantlib(book: Book) -> Matrix:
    """QuantLib's calculator for all but charm, which its delta's formula gives; shape `(9, n)`."""
    rows = np.empty((9, len(book.sign)))
    growth = np.exp((book.carry - book.rate) * book.years)
    columns = (*book.terms, book.forward, np.exp(-book.rate * book.years), growth)
    for i, row in enumerate(zip(*(column.tolist() for column in columns), strict=True)):
        sign, level, strike, years, rate, carry, sigma, forward, discount, grown = row
        spread = sigma * math.sqrt(years)
        right = ql.Option.Call if sign > 0 else ql.Option.Put
        one = ql.BlackCalculator(ql.PlainVanillaPayoff(right, strike), forward, spread, discount)
        d1 = math.log(forward / strike) / spread + spread / 2
        density = math.exp(-d1 * d1 / 2) / math.sqrt(2 * math.pi)
        turn = density * (carry / spread - (d1 - spread) / (2 * years))
        reached = math.erfc(-sign * d1 / math.sqrt(2)) / 2
        rows[:, i] = (
            one.value(),
            one.delta(level),
            one.gamma(level),
            one.vega(years),
            one.theta(level, years),
            one.rho(years),
            one.vanna(level, years),
            one.volga(years) * math.sqrt(years),  # its second slope is by σ√T, not by σ
            -grown * (turn + sign * (carry - rate) * reached),
        )
    return rows


def scales(book: Book) -> Matrix:
    """What an error is measured by: for each output the size of the terms it is summed from."""
    _, underlying, strike, years, rate, carry, sigma = book.terms
    growth = np.exp((carry - rate) * years)
    grown, owed, root = underlying * growth, strike * np.exp(-rate * years), np.sqrt(years)
    spread = sigma * root
    d1 = np.log(book.forward / strike) / spread + spread / 2
    density = growth * np.exp(-d1 * d1 / 2) / np.sqrt(2 * np.pi)
    # d1 is known to the rounding of its own terms, and densities to that of d1²/2
    blur = 1 + (np.abs(d1) + 1) * (1 / spread + spread + np.abs(carry) * root / sigma)
    steep = np.abs(d1) + spread + 1
    drift = np.abs(carry - rate)
    return np.stack(
        [
            grown + owed,
            growth + density * blur,
            density * blur / (underlying * spread),
            density * blur * underlying * root,
            density * blur * underlying * sigma / root + drift * grown + np.abs(rate) * owed,
            years * (owed + density * blur * underlying),
            density * blur * steep / sigma,
            density * blur * underlying * root * steep**2 / sigma,
            density * blur * (np.abs(carry) / spread + steep / years) + drift * growth,
        ]
    )


def cancellation(book: Book) -> Matrix:
    """What QuantLib loses where it takes theta and rho from differences of larger numbers."""
    _, underlying, strike, years, rate, carry, _ = book.terms
    larger = underlying * np.exp((carry - rate) * years) + strike * np.exp(-rate * years)
    lost = np.zeros((9, len(years)))
    lost[Output.THETA], lost[Output.RHO] = larger / years, larger * years
    return lost


@pytest.mark.parametrize("book", [market_book(), extreme_book()], ids=["market", "extreme"])
def test_price_and_every_greek_are_quantlib_s(book: Book) -> None:
    found = outputs(*book.terms)
    errors = np.abs(found - quantlib(book)) / (scales(book) + cancellation(book))
    assert np.isfinite(found).all()
    assert errors.max(axis=1) == pytest.approx(np.zeros(9), abs=5e-14)


def exact(*terms: float) -> list[mp.mpf]:
    """Every output in 40 digits."""
    sign, underlying, strike, years, rate, carry, sigma = (mp.mpf(term) for term in terms)
    root = mp.sqrt(years)
    d1 = (mp.log(underlying / strike) + (carry + sigma**2 / 2) * years) / (sigma * root)
    d2 = d1 - sigma * root
    growth, owed = mp.exp((carry - rate) * years), strike * mp.exp(-rate * years)
    reached, repaid = growth * mp.ncdf(sign * d1), owed * mp.ncdf(sign * d2)
    density = growth * mp.npdf(d1)
    vega = underlying * density * root
    turn = carry / (sigma * root) - d2 / (2 * years)
    return [
        sign * (underlying * reached - repaid),
        sign * reached,
        density / (underlying * sigma * root),
        vega,
        -vega * sigma / (2 * years)
        - sign * ((carry - rate) * underlying * reached + rate * repaid),
        sign * years * repaid,
        -density * d2 / sigma,
        vega * d1 * d2 / sigma,
        -density * turn - sign * (carry - rate) * reached,
    ]


def test_in_the_extremes_every_output_is_what_forty_digits_give() -> None:
    book = extreme_book()
    some = Book(*(term[:3_000] for term in book.terms))
    found = outputs(*some.terms)
    with mp.workdps(DIGITS):
        true = [exact(*terms) for terms in rows(some)]
        errors = np.array(
            [
                [float(abs(mp.mpf(float(a)) - b)) for a, b in zip(column, row, strict=True)]
                for column, row in zip(found.T, true, strict=True)
            ]
        ).T
    assert (errors / scales(some)).max(axis=1) == pytest.approx(np.zeros(9), abs=1e-14)


def relative_error(
    function: Callable[..., float], true: Callable[..., mp.mpf], *arguments: NDArray[np.float64]
) -> float:
    """Largest relative error, in 40 digits."""
    with mp.workdps(DIGITS):
        return max(
            float(abs(mp.mpf(float(function(*map(np.float64, row)))) / true(*map(mp.mpf, row)) - 1))
            for row in zip(*(argument.tolist() for argument in arguments), strict=True)
        )


def test_the_stated_errors_of_the_approximations_hold() -> None:
    random = np.random.default_rng(13)

    def tail(x: mp.mpf) -> mp.mpf:
        return mp.exp(x * x / 2) * mp.ncdf(-x)

    exponents = random.uniform(-700, 700, 4_000)
    ratios = np.exp(random.uniform(0.4, 50, 4_000))
    near = 1 + random.uniform(-0.3, 0.3, 4_000)
    assert relative_error(exponential, mp.exp, exponents) < 4e-16
    assert relative_error(scaled_tail, tail, random.uniform(0, 38, 4_000)) < 8e-16
    ones = np.ones(4_000)
    assert relative_error(logarithm_of_ratio, lambda x, _: mp.log(x), ratios, ones) < 6e-16
    assert relative_error(logarithm_of_ratio, lambda x, _: mp.log(x), near, ones) < 6e-16


def determined(book: Book) -> NDArray[np.float64]:
    """How well a price in float64 determines its volatility: its rounding over vega."""
    sums = (book.forward + book.strike) * np.exp(-book.rate * book.years)
    vega: NDArray[np.float64] = outputs(*book.terms)[Output.VEGA]
    return 2.3e-16 * sums / vega


def test_volatilities_out_of_the_money_come_back_to_1e_10_and_better() -> None:
    book = scattered_book(CASES, seed=14, side="out", volatility=(0.01, 2.0))
    found, reasons = implied(outputs(*book.terms)[Output.PRICE], *book.terms[:-1])
    assert not reasons.any()
    assert np.abs(found - book.volatility).max() < 1e-12


def test_volatilities_in_the_money_come_back_as_well_as_their_price_determines_them() -> None:
    book = scattered_book(CASES, seed=15, volatility=(0.01, 2.0))
    found, reasons = implied(outputs(*book.terms)[Output.PRICE], *book.terms[:-1])
    errors = np.abs(found - book.volatility)
    sound = reasons == Reason.NONE
    vague = 8 * determined(book)
    assert np.all(errors[sound] < 1e-12 + vague[sound])
    assert np.all(vague[~sound] > 0.01 * book.volatility[~sound])  # rounding ate the time value
    assert np.mean(vague > 1e-10) < 0.01


def test_extreme_volatilities_come_back_as_well_as_their_price_determines_them() -> None:
    book = extreme_book()
    prices = outputs(*book.terms)[Output.PRICE]
    found, reasons = implied(prices, *book.terms[:-1])
    sound = reasons == Reason.NONE
    errors = np.abs(found - book.volatility) / book.volatility
    vague = 16 * determined(book) / book.volatility
    spread = book.volatility * np.sqrt(book.years)
    assert np.all(errors[sound] < (1e-11 + vague + 1e-14 / spread)[sound])
    assert np.all(vague[~sound] > 0.01)
    assert set(reasons[~sound].tolist()) <= {Reason.NO_TIME_VALUE, Reason.ABOVE_MAXIMUM}


def test_volatilities_are_what_forty_digits_imply() -> None:
    book = scattered_book(300, seed=16, side="out")
    prices = np.round(outputs(*book.terms)[Output.PRICE], 2) + 0.01
    found, reasons = implied(prices, *book.terms[:-1])
    for i in np.flatnonzero(reasons == Reason.NONE):
        terms = [float(term[i]) for term in book.terms[:-1]]
        with mp.workdps(DIGITS):
            true = mp.findroot(
                lambda sigma, t=terms, i=i: exact(*t, sigma)[0] - prices[i], found[i]
            )
            assert abs(true - found[i]) < 1e-12


def tree(  # noqa: PLR0913, PLR0917 - an option
    sign: float, level: float, strike: float, years: float, rate: float, carry: float, sigma: float
) -> float:
    """An American option on binomial trees of 1,000 and 2,000 steps, extrapolated."""

    def value(steps: int) -> float:
        step = years / steps
        up = math.exp(sigma * math.sqrt(step))
        chance = (math.exp(carry * step) - 1 / up) / (up - 1 / up)
        powers = up ** np.arange(-steps, steps + 1, dtype=float)
        values = np.maximum(sign * (level * powers[::2] - strike), 0)
        for left in range(steps - 1, -1, -1):
            values = math.exp(-rate * step) * (chance * values[1:] + (1 - chance) * values[:-1])
            levels = level * powers[steps - left : steps + left + 1 : 2]
            values = np.maximum(values, sign * (levels - strike))
        return float(values[0])

    return 2 * value(2_000) - value(1_000)


def american(terms: tuple[float, ...], *dividends: CashDividend) -> NDArray[np.float64]:
    """Its outputs."""
    sign, underlying, strike, years, rate, carry, sigma = terms
    return evaluate_american(sign, underlying, strike, years, rate, carry, sigma, dividends)


def test_american_options_are_those_of_a_tree() -> None:
    book = scattered_book(40, seed=17, years=(0.05, 2.0), volatility=(0.1, 0.6), deviations=2.0)
    european = outputs(*book.terms)[Output.PRICE]
    for plain, terms in zip(european, rows(book), strict=True):
        found, strike = american(terms)[Output.PRICE], terms[2]
        assert found == pytest.approx(tree(*terms), abs=1e-4 * strike), terms
        assert found > plain - 2e-5 * strike, terms


def test_a_vanishing_dividend_changes_nothing() -> None:
    book = scattered_book(20, seed=18, years=(0.05, 2.0), volatility=(0.1, 0.6), side="out")
    for size, terms in zip(scales(book).T, rows(book), strict=True):
        plain, paid = american(terms), american(terms, CashDividend(0.01, 1e-9))
        assert paid[Output.PRICE] == pytest.approx(plain[Output.PRICE], abs=2e-5 * terms[2])
        assert np.all(np.abs(paid - plain) < 5e-3 * size), terms
