"""Options that nobody lists, quoted around a smile without arbitrage: for a demo and for benches.

The smile is the surface SSVI of J. Gatheral and A. Jacquier ("Arbitrage-free SVI volatility
surfaces", 2014): total variance w(k) = θ/2·(1 + ρφk + √((φk + ρ)² + 1 − ρ²)), k = log(K/F),
θ = σ²T at the money, φ = η/√θ; without butterfly arbitrage for η(1 + |ρ|) ≤ 2.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from shared.domain.events import Tick
from shared.domain.exposure.terms import YEAR_NS, Terms
from shared.domain.instruments.catalogue import Catalogue
from shared.domain.instruments.instrument import Instrument, Right
from shared.domain.instruments.osi import OsiName, format_osi
from shared.domain.pricing.kernel import Output, evaluate

Floats = NDArray[np.float64]

_SKEW: Final = -0.7
_CURVATURE: Final = 1.1
_HALF_SPREAD: Final = 0.005
_TICK: Final = 0.05
_SIDES: Final[tuple[Right, ...]] = ("call", "put")


class Climate(Struct, frozen=True, kw_only=True):
    """What a chain is quoted under.

    Attributes:
        rate: Continuously compounded, per year, like the next.
        dividend_yield: Of the underlying.
    """

    rate: float = 0.02
    dividend_yield: float = 0.018


class GeneratedChain:
    """Calls and puts on one underlying at the same strikes for several expiries.

    Args:
        catalogue: Knows them by name.
        root: Product code.
        expiries: Days.
        strikes: Of every expiry.
        climate: Rates and dividends.

    Attributes:
        instruments: In order of expiry, calls before puts, strikes ascending.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        root: str,
        expiries: Sequence[date],
        strikes: Sequence[float],
        climate: Climate,
    ) -> None:
        names = [
            OsiName(root=root, expiry=expiry, right=right, strike=strike)
            for expiry in expiries
            for right in _SIDES
            for strike in strikes
        ]
        self.instruments: tuple[Instrument, ...] = tuple(
            catalogue.resolve(format_osi(name)) for name in names
        )
        self._climate = climate
        self._terms = Terms()
        self._terms.extend(self.instruments)

    @property
    def symbols(self) -> tuple[str, ...]:
        """Of the instruments."""
        return tuple(each.symbol for each in self.instruments)

    def volatilities(self, now_ns: int, level: float, at_the_money: float) -> Floats:
        """Return the implied volatility of every option; shape `(n,)`.

        Args:
            now_ns: The instant.
            level: Of the underlying.
            at_the_money: Of every expiry, decimal.
        """
        years = self._years(now_ns)
        carry = self._climate.rate - self._climate.dividend_yield
        moneyness = np.log(self._terms.strike / level) - carry * years
        variance = at_the_money**2 * years
        scaled = _CURVATURE / np.sqrt(variance) * moneyness
        root = np.sqrt((scaled + _SKEW) ** 2 + 1 - _SKEW**2)
        total: Floats = variance / 2 * (1 + _SKEW * scaled + root)
        return np.sqrt(total / years)

    def prices(self, now_ns: int, level: float, at_the_money: float) -> Floats:
        """Return what every option is worth; shape `(n,)`."""
        count = len(self.instruments)
        same, out = np.ones(count), np.empty((len(Output), count))
        evaluate(
            self._terms.sign,
            same * level,
            self._terms.strike,
            self._years(now_ns),
            same * self._climate.rate,
            same * (self._climate.rate - self._climate.dividend_yield),
            self.volatilities(now_ns, level, at_the_money),
            out,
        )
        worth: Floats = out[Output.PRICE]
        return worth

    def quotes(
        self, now_ns: int, level: float, at_the_money: float, rows: slice = slice(None)
    ) -> list[Tick]:
        """Quote some of the options, on ticks of the exchange, half a percent to either side."""
        worth = self.prices(now_ns, level, at_the_money)
        half = np.maximum(_TICK, _HALF_SPREAD * worth)
        bids = np.maximum(0.0, np.floor((worth - half) / _TICK) * _TICK)
        asks = np.ceil((worth + half) / _TICK) * _TICK
        quoted = zip(self.symbols[rows], bids[rows].tolist(), asks[rows].tolist(), strict=True)
        return [
            Tick(symbol=symbol, event_ns=now_ns, bid=round(bid, 2), ask=round(ask, 2))
            for symbol, bid, ask in quoted
        ]

    def _years(self, now_ns: int) -> Floats:
        return (self._terms.expiry_ns - now_ns) / YEAR_NS
