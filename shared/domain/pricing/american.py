"""American options, with discrete dividends too, by QuantLib: one at a time (spec section 5).

- Where exercise before expiry cannot pay, a European option: `kernel.evaluate`.
- Without dividends, the integral equation for the exercise boundary in the fixed-point form of
  Andersen, Lake and Offengenden (2016): within 1e-5 of the price of a far finer solution.
- With dividends, which the price of the underlying drops by on their ex-dates, implicit finite
  differences on two grids, extrapolated: within 2e-5 of the underlying.

What an engine does not give comes from central differences of its prices: some 21 of them, so an
option costs 5 to 70 ms. Keep the result, and renew it on a budget.

QuantLib counts time in days. A model without a clock of its own may be rescaled: every option is
laid over 36,500 days, its rates and variance shrunk accordingly, so that seconds and ex-dates fit.
"""

from collections.abc import Callable, Iterable
from typing import Final

import numpy as np
import QuantLib as ql  # noqa: N813 - its users' name
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from shared.domain.pricing.kernel import Output, evaluate

LEAST_VOLATILITY: Final = 1e-3
"""The engines do not resolve less; what it adds to a price is 0.04% of the underlying at most."""

EXPIRING_YEARS: Final = 1e-7
"""Within three seconds of expiry nothing is left to choose."""

GRID: Final = (100, 200)
"""Steps in time and price of the coarser grid; the finer has twice as many of both."""

SPOT_BUMP: Final = 0.02  # of a standard deviation to expiry
TIME_BUMP: Final = 0.01  # of the years left
RATE_BUMP: Final = 1e-3
BOUNDARY_VOLATILITY_BUMP: Final = 0.01  # of volatility
GRID_VOLATILITY_BUMP: Final = 0.04  # likewise: another grid is another error

_DAYS: Final = 36_500
_TODAY: Final = ql.Date(1, ql.January, 2000)
_EXPIRY: Final = _TODAY + _DAYS
_DAY_COUNT: Final = ql.Actual365Fixed()

Slopes = NDArray[np.float64]


class CashDividend(Struct, frozen=True, array_like=True):
    """What the underlying pays before expiry.

    Attributes:
        years: To its ex-date.
        amount: In the unit of the underlying.
    """

    years: float
    amount: float


class _Terms(Struct, frozen=True):
    """One option and its market; `dividend_yield` is r − b."""

    sign: float
    underlying: float
    strike: float
    years: float
    rate: float
    dividend_yield: float
    volatility: float
    dividends: tuple[CashDividend, ...]

    def later(self, years: float) -> "_Terms":
        """The same with expiry and ex-dates farther off."""
        dividends = tuple(CashDividend(one.years + years, one.amount) for one in self.dividends)
        return replace(self, years=self.years + years, dividends=dividends)


def evaluate_american(  # noqa: PLR0913, PLR0917 - the terms of an option
    sign: float,
    underlying: float,
    strike: float,
    years: float,
    rate: float,
    carry: float,
    volatility: float,
    dividends: Iterable[CashDividend] = (),
) -> NDArray[np.float64]:
    """Price one American option: every `kernel.Output`, in its units; shape `(9,)`.

    Time passes for ex-dates as for expiry: theta and charm move both. What `kernel.evaluate` would
    not price is NaN here too.

    Args:
        sign: +1 call, −1 put.
        underlying: Level of the spot, or of the future where `carry` is 0.
        strike: In the unit of the underlying.
        years: To expiry, ACT/365.
        rate: Continuously compounded.
        carry: Cost of carry a year; dividends come on top.
        volatility: A year, 0.20 for 20%.
        dividends: Those between now and expiry count.

    Returns:
        The outputs, in the order of `kernel.Output`.
    """
    european = _european(sign, underlying, strike, years, rate, carry, volatility)
    counted = tuple(sorted((one for one in dividends if 0 < one.years < years), key=_ex_date))
    never_early = rate >= 0 >= rate - carry if sign > 0 else rate <= 0 <= rate - carry
    if (never_early and not counted) or years < EXPIRING_YEARS or np.isnan(european).any():
        return european
    terms = _Terms(
        sign=sign,
        underlying=underlying,
        strike=strike,
        years=years,
        rate=rate,
        dividend_yield=rate - carry,
        volatility=max(volatility, LEAST_VOLATILITY),
        dividends=counted,
    )
    if counted:
        return _differences(terms, _slopes_on_grids, GRID_VOLATILITY_BUMP)
    try:
        return _differences(terms, _slopes_of_boundary, BOUNDARY_VOLATILITY_BUMP)
    except RuntimeError:  # two boundaries, as under some negative rates
        return _differences(terms, _slopes_on_grids, GRID_VOLATILITY_BUMP)


def _ex_date(dividend: CashDividend) -> float:
    return dividend.years


def _european(*terms: float) -> NDArray[np.float64]:
    """Outputs of the European option; shape `(9,)`."""
    out = np.empty((len(Output), 1))
    columns = [np.array([term], dtype=np.float64) for term in terms]
    evaluate(*[*columns, out])
    return out[:, 0]


def _differences(
    terms: _Terms, slopes: Callable[[_Terms], Slopes], volatility_bump: float
) -> NDArray[np.float64]:
    """All outputs from price, delta and gamma (`slopes`) around the terms."""
    middle = slopes(terms)
    soonest = min((terms.years, *(one.years for one in terms.dividends)))
    bump = volatility_bump * terms.volatility
    up = slopes(replace(terms, volatility=terms.volatility + bump))
    down = slopes(replace(terms, volatility=terms.volatility - bump))
    wait = min(TIME_BUMP * terms.years, soonest / 2)
    passing = (slopes(terms.later(-wait)) - slopes(terms.later(wait))) / (2 * wait)
    by_rate = slopes(_at_rate(terms, RATE_BUMP)) - slopes(_at_rate(terms, -RATE_BUMP))
    price, delta, gamma = middle
    return np.array(
        [
            price,
            delta,
            gamma,
            (up[0] - down[0]) / (2 * bump),
            passing[0],
            by_rate[0] / (2 * RATE_BUMP),
            (up[1] - down[1]) / (2 * bump),
            (up[0] - 2 * price + down[0]) / bump**2,
            passing[1],
        ]
    )


def _at_rate(terms: _Terms, change: float) -> _Terms:
    """At a constant yield, as `Output.RHO` has it."""
    return replace(terms, rate=terms.rate + change)


def _slopes_of_boundary(terms: _Terms) -> Slopes:
    """Price, delta and gamma from the exercise boundary."""
    bump = SPOT_BUMP * terms.volatility * np.sqrt(terms.years) * terms.underlying
    scheme = ql.QdFpAmericanEngine.accurateScheme()
    down, middle, up = (
        _option(terms, ql.QdFpAmericanEngine(_process(terms, level), scheme)).NPV()
        for level in (terms.underlying - bump, terms.underlying, terms.underlying + bump)
    )
    return np.array([middle, (up - down) / (2 * bump), (up - 2 * middle + down) / bump**2])


def _slopes_on_grids(terms: _Terms) -> Slopes:
    """Price, delta and gamma, extrapolated: twice the steps are half the error."""
    coarse, fine = (_slopes_on_grid(terms, GRID[0] * k, GRID[1] * k) for k in (1, 2))
    return 2 * fine - coarse


def _slopes_on_grid(terms: _Terms, steps: int, prices: int) -> Slopes:
    scale = _DAYS / terms.years
    dividends = [
        ql.FixedDividend(one.amount, _TODAY + round(one.years * scale)) for one in terms.dividends
    ]
    process = _process(terms, terms.underlying)
    scheme = ql.FdmSchemeDesc.ImplicitEuler()  # its error is smooth, even right after an ex-date
    engine = ql.FdBlackScholesVanillaEngine(process, dividends, steps, prices, 0, scheme)
    option = _option(terms, engine)
    return np.array([option.NPV(), option.delta(), option.gamma()])


def _option(terms: _Terms, engine: ql.PricingEngine) -> ql.VanillaOption:
    ql.Settings.instance().evaluationDate = _TODAY  # its one global variable
    right = ql.Option.Call if terms.sign > 0 else ql.Option.Put
    payoff = ql.PlainVanillaPayoff(right, terms.strike)
    option = ql.VanillaOption(payoff, ql.AmericanExercise(_TODAY, _EXPIRY))
    option.setPricingEngine(engine)
    return option


def _process(terms: _Terms, level: float) -> ql.BlackScholesMertonProcess:
    scale = terms.years / (_DAYS / 365)
    volatility = ql.BlackConstantVol(
        _TODAY, ql.NullCalendar(), terms.volatility * np.sqrt(scale), _DAY_COUNT
    )
    return ql.BlackScholesMertonProcess(
        ql.QuoteHandle(ql.SimpleQuote(level)),
        _flat(terms.dividend_yield * scale),
        _flat(terms.rate * scale),
        ql.BlackVolTermStructureHandle(volatility),
    )


def _flat(rate: float) -> ql.YieldTermStructureHandle:
    return ql.YieldTermStructureHandle(ql.FlatForward(_TODAY, rate, _DAY_COUNT))
