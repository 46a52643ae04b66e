"""The papers' worked examples, played to the live hedger: what it orders when the market does that.

The market is made up: sessions on weekdays, VIX printing where the example says, signals as the
signals stage would tell them. Hedger, triggers, sizing, strategies and their costs are the live
ones, with the papers' numbers.
"""

from collections.abc import Sequence
from math import exp, sqrt
from typing import Final

import numpy as np
from msgspec import Struct

from shared.domain.effects import OrderDecided, TargetChanged
from shared.domain.events import ExecutionKind, ExecutionReported, ExposureMeasured
from shared.domain.hedging.book import HedgeBook
from shared.domain.hedging.rules import PRESETS
from shared.domain.hedging.strategies.scalping import ScalpingAccount, measured
from shared.domain.instants import DAY, HOUR, MINUTE
from shared.domain.orders import Order
from shared.domain.policies import BookPolicy, LegPolicy, LimitPolicy, SizingPolicy, TriggerPolicy
from shared.domain.pricing.kernel import Output, evaluate
from shared.domain.sessions import SessionCalendar
from shared.domain.signals_observed import HedgerInput, Mark, Quality, Signal, SignalsObserved
from shared.domain.strategy_policies import (
    BandPolicy,
    DeltaLegPolicy,
    DeltaPolicy,
    StrategyBookPolicy,
)

BOOK: Final = "example"
STOCK: Final = "XYZ"
HALF_SESSION: Final = 195 * MINUTE
OPENINGS: Final = tuple((100 + 7 * week + day) * DAY for week in range(4) for day in range(5))
"""Twenty sessions of two halves."""
CALLS: Final = 10_000.0
_MINUTES_HELD: Final = 30
_LARGE: Final = 1e9
_LIMITS: Final = LimitPolicy(
    max_order_vega=_LARGE,
    max_order_notional=_LARGE,
    max_position_vega=_LARGE,
    max_order_delta=_LARGE,
    max_position_delta=_LARGE,
    max_orders_per_day=1000,
    max_orders_per_minute=1000,
    max_daily_turnover=_LARGE,
    max_daily_loss=_LARGE,
    max_price_deviation=1.0,
    max_repeats=1000,
    repeat_ns=MINUTE,
    duplicate_ns=1,
)
_SWAP: Final = LegPolicy(
    name="swap", instrument="variance_swap", symbol="VIX", maturity_days=30, max_vega=_LARGE
)
_POINTS_ALONE: Final = TriggerPolicy(vix_relative=_LARGE)


class MarketMaker(Struct, frozen=True, kw_only=True):
    """What the market maker of the second paper does in twenty days.

    Attributes:
        first: Shares sold at a delta of 0.60.
        after: Shares short after the delta rose to 0.65 …
        more: … and sold for it.
        adjustments: Trades in twenty days of two each.
        cost: Of them.
    """

    first: float
    after: float
    more: float
    adjustments: int
    cost: float


def orders_on(
    path: Sequence[float],
    *,
    base_vega: float = 1000.0,
    triggers: TriggerPolicy = _POINTS_ALONE,
    minutes: int = _MINUTES_HELD,
) -> list[float]:
    """Return the vega that a book on `option_a` orders along a path of VIX, signed.

    The first order is the initial hedge; every order fills.

    Args:
        path: Levels of VIX, each held for `minutes`.
        base_vega: Currency per vol point.
        triggers: 3 points of VIX, and no relative move, unless told.
        minutes: Below the 15 of the hold nothing persists.
    """
    policy = BookPolicy(
        name=BOOK,
        rules=(PRESETS["option_a"],),
        sizing=SizingPolicy(base_vega=base_vega),
        legs=(_SWAP,),
        triggers=triggers,
        limits=_LIMITS,
    )
    played = _Play(policy)
    played.now_ns = OPENINGS[0]
    for level in path:
        for _ in range(minutes):
            played.now_ns += MINUTE
            played.send(played.vix(level))
            played.fill()
    return [order.signed_quantity for order in played.orders]


def market_maker() -> MarketMaker:
    """Hedge 10,000 calls twice a day for twenty days, their delta 0.60 and 0.65 in turn."""
    band = BandPolicy(
        kind="time",
        half_width=0.0,
        interval_trading_ns=HALF_SESSION,
        proportional_cost=0.0,
        order_cost=50.0,
        risk_aversion=1e-4,
    )
    leg = DeltaLegPolicy(name="shares", instrument="underlying", symbol=STOCK)
    policy = StrategyBookPolicy(
        name=BOOK,
        legs=(leg,),
        limits=_LIMITS,
        strategies=(DeltaPolicy(underlying=STOCK, leg="shares", band=band, min_trade=1.0),),
    )
    played = _Play(policy)
    short = []
    for number, opening in enumerate(sorted((*OPENINGS, *(o + HALF_SESSION for o in OPENINGS)))):
        played.now_ns = opening
        played.send(played.clock())
        played.send(played.measurement(CALLS * (0.65 if number % 2 else 0.60)))
        played.fill()
        short.append(-played.book.position("shares"))
    told = played.targets[-1].strategies
    assert isinstance(told, tuple)  # noqa: S101 - a book of strategies tells them
    taken = next(band for band in told[0].bands if band.kind == "time")
    return MarketMaker(
        first=-played.orders[0].signed_quantity,
        after=short[1],
        more=-played.orders[1].signed_quantity,
        adjustments=taken.trades,
        cost=taken.cost,
    )


def gamma_over_theta(implied: float, realized: float, days: int = 365) -> float:
    """Return gamma profit / theta paid of an at-the-money straddle, re-struck and hedged daily.

    Args:
        implied: Volatility it is priced at, decimal.
        realized: Of the moves, up and down in turn, decimal.
        days: How many.
    """
    account, level = ScalpingAccount(), 100.0
    for day in range(1, days + 2):
        gamma, theta = _straddle(level, implied)
        account = measured(
            account, event_ns=day * DAY, level=level, gamma=gamma, theta=theta, volatility=implied
        )
        level *= exp(realized * sqrt(1 / 365) * (1 if day % 2 else -1))
    return account.gamma_profit / account.theta_paid


def _straddle(level: float, volatility: float) -> tuple[float, float]:
    """Return gamma, and theta a calendar day, of a 30-day straddle at the money."""
    out = np.empty((len(Output), 2))
    at = np.full(2, level)
    nothing, years = np.zeros(2), np.full(2, 30 / 365)
    evaluate(np.array([1.0, -1.0]), at, at, years, nothing, nothing, np.full(2, volatility), out)
    return float(out[Output.GAMMA].sum()), float(out[Output.THETA].sum()) / 365


class _Play:
    """A book, and a market that does what it is told."""

    def __init__(self, policy: BookPolicy) -> None:
        closes = [opening + 6 * HOUR + 30 * MINUTE for opening in OPENINGS]
        self.book = HedgeBook(policy, SessionCalendar(OPENINGS, closes), "example")
        self.orders: list[Order] = []
        self.targets: list[TargetChanged] = []
        self.now_ns = 0
        self._index = 0
        self._filled = 0

    def send(self, event: HedgerInput) -> None:
        for effect in self.book.receive(event):
            if isinstance(effect, OrderDecided):
                self.orders.append(effect.order)
            elif isinstance(effect, TargetChanged):
                self.targets.append(effect)

    def fill(self) -> None:
        for order in self.orders[self._filled :]:
            self._filled += 1
            self.send(
                ExecutionReported(
                    book=BOOK,
                    order_id=order.order_id,
                    execution_id=f"e{self._filled}",
                    kind=ExecutionKind.FILL,
                    quantity=order.signed_quantity,
                    price=order.reference_price,
                    event_ns=self.now_ns,
                    reason="",
                )
            )

    def vix(self, level: float) -> SignalsObserved:
        return self._observed("VIX", {"vix": level, "vix_smooth": level}, {"VIX": level})

    def clock(self) -> SignalsObserved:
        return self._observed("clock", {}, {STOCK: 100.0})

    def measurement(self, calls_delta: float) -> ExposureMeasured:
        held = self.book.position("shares")
        return ExposureMeasured(
            book=BOOK,
            event_ns=self.now_ns,
            portfolio_delta=0.0,
            put_delta=0.0,
            greeks={
                f"delta.{STOCK}": calls_delta + held,
                f"futures_delta.{STOCK}": 0.0,
                f"gamma.{STOCK}": 250.0,
                f"level.{STOCK}": 100.0,
                f"volatility.{STOCK}": 0.2,
                f"filled.{STOCK}": held,
                "coverage": 1.0,
            },
        )

    def _observed(
        self, cause: str, signals: dict[str, float], marks: dict[str, float]
    ) -> SignalsObserved:
        self._index += 1
        return SignalsObserved(
            event_ns=self.now_ns,
            index=self._index,
            cause=cause,
            signals={
                name: Signal(
                    value=value,
                    unit="points",
                    quality=Quality.GOOD,
                    event_ns=self.now_ns,
                    observations=self._index,
                )
                for name, value in signals.items()
            },
            marks={name: Mark(level=level, event_ns=self.now_ns) for name, level in marks.items()},
        )
