"""A market for books with strategies: options that are measured, and shares that hedge them."""

from math import erf, exp, log, pi, sqrt
from typing import Any

from fakes.hedged_market import LIMITS, MONDAY, HedgedMarket
from msgspec import structs

from shared.domain.effects import Effect
from shared.domain.events import ExposureMeasured
from shared.domain.instants import MINUTE
from shared.domain.policies import LegPolicy, LimitPolicy
from shared.domain.strategy_policies import (
    BandPolicy,
    DeltaLegPolicy,
    DeltaPolicy,
    StrategyBookPolicy,
    StrategyPolicy,
)

SHARES = DeltaLegPolicy(name="shares", instrument="underlying", symbol="XYZ")
DELTA_LIMITS = structs.replace(
    LIMITS,
    max_order_vega=0.0,
    max_position_vega=0.0,
    max_order_delta=10_000.0,
    max_position_delta=20_000.0,
)
BAND = BandPolicy(
    kind="fixed",
    half_width=0.0,
    interval_trading_ns=195 * MINUTE,
    proportional_cost=0.0,
    order_cost=50.0,
    risk_aversion=1e-4,
)
DELTA = DeltaPolicy(underlying="XYZ", leg="shares", band=BAND, min_trade=1.0)


def strategy_book(
    *strategies: StrategyPolicy,
    legs: tuple[LegPolicy, ...] = (SHARES,),
    limits: LimitPolicy = DELTA_LIMITS,
    **more: Any,  # noqa: ANN401 - any of its fields
) -> StrategyBookPolicy:
    """A book of these strategies, of `DELTA` alone unless told."""
    chosen = strategies or (DELTA,)
    return StrategyBookPolicy(name="overlay", legs=legs, limits=limits, strategies=chosen, **more)


def call_delta(level: float, strike: float, volatility: float, years: float) -> float:
    """Of a European call, without rates."""
    return (1 + erf(_d1(level, strike, volatility, years) / sqrt(2))) / 2


def call_gamma(level: float, strike: float, volatility: float, years: float) -> float:
    """Of a European option, without rates."""
    density = exp(-(_d1(level, strike, volatility, years) ** 2) / 2) / sqrt(2 * pi)
    return density / (level * volatility * sqrt(years))


def _d1(level: float, strike: float, volatility: float, years: float) -> float:
    return log(level / strike) / (volatility * sqrt(years)) + volatility * sqrt(years) / 2


class MeasuredMarket(HedgedMarket):
    """Measures the book as the exposure stage would, its own fills counted.

    Attributes:
        options: Delta of what the book holds beside its own legs, units.
        greeks: Figures that do not follow from that, by name.
        gone: Figures that are not measured.
        counted: Fills that measurements count, by symbol; those of now unless frozen.
    """

    def __init__(self, book: StrategyBookPolicy | None = None, now: int = MONDAY) -> None:
        super().__init__(book or strategy_book(), now)
        self.options = 6000.0
        self.greeks = {
            "gamma.XYZ": 400.0,
            "level.XYZ": 100.0,
            "volatility.XYZ": 0.2,
            "futures_delta.XYZ": 0.0,
            "theta.XYZ": -800.0,
            "coverage": 1.0,
        }
        self.gone: set[str] = set()
        self.counted: dict[str, float] | None = None
        self.marks |= {"XYZ": 100.0}
        self.marked_at |= {"XYZ": now}

    def measure(
        self, options: float | None = None, *, after: int = 0, **greeks: float
    ) -> list[Effect]:
        """Print the underlying with the clock, and let a measurement follow."""
        self.marked_at["XYZ"] = self.now + after
        self.clock(after=after)
        self.options = self.options if options is None else options
        self.greeks |= {name.replace("__", "."): value for name, value in greeks.items()}
        legs = {leg.symbol: self.book.position(leg.name) for leg in self.policy.legs}
        counted = legs if self.counted is None else legs | self.counted
        own = counted.get("XYZ", 0.0)
        figures = {
            "delta.XYZ": self.options + own,
            **{f"futures_{name}": 0.0 for name in self.greeks if name.startswith("delta.")},
            **self.greeks,
            **{f"filled.{symbol}": quantity for symbol, quantity in counted.items()},
        }
        return self.send(
            ExposureMeasured(
                book="overlay",
                event_ns=self.now,
                portfolio_delta=0.0,
                put_delta=0.0,
                greeks={name: at for name, at in figures.items() if name not in self.gone},
            )
        )

    def print(self, level: float) -> None:
        """A new level of the underlying, told with the next measurement."""
        self.marks["XYZ"] = level
        self.greeks["level.XYZ"] = level
