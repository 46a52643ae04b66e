"""Option chains generated from a smile: instruments, their prices, and quotes around them."""

from collections.abc import Iterator, Sequence
from math import erfc, exp, log, sqrt
from typing import Literal

from msgspec import Struct

from shared.domain.events import Tick
from shared.domain.instants import DAY, SECOND
from shared.domain.instruments.instrument import Instrument, Kind, Model, Option, Right

NOW = 1_700_000_000 * SECOND
"""2023-11-14 22:13:20 UTC."""
YEAR = 365 * DAY


def spot(symbol: str, kind: Kind = Kind.INDEX) -> Instrument:
    """Something linear."""
    return Instrument(symbol=symbol, kind=kind, root=symbol, underlying=symbol, model=Model.LINEAR)


def black(sign: float, forward: float, strike: float, deviation: float, discount: float) -> float:
    """Black's formula of 1976, written a second time and from the book."""
    if deviation == 0:
        return discount * max(sign * (forward - strike), 0.0)
    d1 = log(forward / strike) / deviation + deviation / 2

    def normal(x: float) -> float:
        return erfc(-x / sqrt(2)) / 2

    d2 = d1 - deviation
    return discount * sign * (forward * normal(sign * d1) - strike * normal(sign * d2))


class ListedChain(Struct, frozen=True, kw_only=True):
    """All options of one root and expiry, worth what a smile says.

    Attributes:
        root: Product code.
        underlying: Whose level they are on.
        days: To expiry from `NOW`.
        level: Of the underlying.
        rate: Continuously compounded, like the next.
        dividend_yield: The forward is level·e^((rate − dividend_yield)·years).
        strikes: Ascending.
        smile: a, b, ρ, m, σ of the total variance.
        half_spread: Of every quote, as a fraction of its middle, never below one tick.
        tick_size: Quotes are not rounded to it.
        style: Of exercise.
        model: Of pricing.
    """

    root: str = "SPXW"
    underlying: str = "SPX"
    days: float = 30.0
    level: float = 5000.0
    rate: float = 0.04
    dividend_yield: float = 0.015
    strikes: Sequence[float] = tuple(range(4400, 5601, 100))
    smile: tuple[float, float, float, float, float] = (0.0005, 0.02, -0.5, 0.01, 0.08)
    half_spread: float = 0.01
    tick_size: float = 0.05
    style: Literal["european", "american"] = "european"
    model: Model = Model.BLACK_SCHOLES

    @property
    def expiry_ns(self) -> int:
        return NOW + round(self.days * DAY)

    @property
    def years(self) -> float:
        return (self.expiry_ns - NOW) / YEAR

    @property
    def forward(self) -> float:
        if self.model is Model.BLACK:
            return self.level
        return self.level * exp((self.rate - self.dividend_yield) * self.years)

    def variance(self, strike: float) -> float:
        """Total implied variance."""
        a, b, rho, m, sigma = self.smile
        apart = log(strike / self.forward) - m
        return a + b * (rho * apart + sqrt(apart * apart + sigma * sigma))

    def volatility(self, strike: float) -> float:
        """Implied, decimal."""
        return sqrt(self.variance(strike) / self.years)

    def price(self, right: Right, strike: float) -> float:
        """At `NOW`."""
        sign = 1.0 if right == "call" else -1.0
        deviation = sqrt(self.variance(strike))
        return black(sign, self.forward, strike, deviation, exp(-self.rate * self.years))

    def option(self, right: Right, strike: float) -> Instrument:
        """One of them."""
        return Instrument(
            symbol=self.symbol(right, strike),
            kind=Kind.OPTION,
            root=self.root,
            underlying=self.underlying,
            model=self.model,
            multiplier=100.0,
            tick_size=self.tick_size,
            expiry_ns=self.expiry_ns,
            option=Option(
                right=right, strike=strike, style=self.style, settlement="pm", delivery="cash"
            ),
        )

    def symbol(self, right: Right, strike: float) -> str:
        """Of one of them."""
        return f"{self.root}.{self.days:g}.{right[0].upper()}{strike:g}"

    def options(self) -> Iterator[Instrument]:
        """All of them."""
        for strike in self.strikes:
            yield self.option("call", strike)
            yield self.option("put", strike)

    def quote(self, right: Right, strike: float, event_ns: int = NOW) -> Tick:
        """A quote around the price of one of them."""
        price = self.price(right, strike)
        half = max(self.half_spread * price, self.tick_size)
        return Tick(
            symbol=self.symbol(right, strike),
            event_ns=event_ns,
            bid=max(price - half, 0.0),
            ask=price + half,
        )

    def quotes(self, event_ns: int = NOW) -> Iterator[Tick]:
        """The underlying's level, and a quote of each of them."""
        yield Tick(symbol=self.underlying, event_ns=event_ns, price=self.level)
        for strike in self.strikes:
            yield self.quote("call", strike, event_ns)
            yield self.quote("put", strike, event_ns)
