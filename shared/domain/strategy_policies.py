"""Configuration of the strategies beside the overlay, as frozen values (spec 4 and 11).

Units: *delta* is in units of the underlying (shares), volatilities and costs are decimals.
"""

from typing import Final, Literal

from msgspec import Struct

from shared.domain.instants import HOUR, MINUTE
from shared.domain.policies import (
    BookPolicy,
    Hold,
    LegPolicy,
    RulePolicy,
    SizingPolicy,
    TriggerPolicy,
)

BandKind = Literal["fixed", "time", "leland", "whalley_wilmott", "zakamouline"]

SESSIONS_A_YEAR: Final = 252

OPTION_INSTRUMENTS: Final = frozenset({"vix_call", "put", "option"})
"""Legs whose size follows from a measured vega."""


class BandPolicy(Struct, frozen=True, kw_only=True):
    """When a delta hedge is adjusted, and what an adjustment is taken to cost (spec 11).

    Every number counts whatever `kind` is: the other kinds are kept beside the one taken.

    Attributes:
        kind: The one that is taken.
        half_width: Of `fixed`, units of the underlying; `None` keeps no `fixed` beside another.
        interval_trading_ns: Between two adjustments of `time` and `leland`.
        trading_year_ns: Trading time in a year, to express the interval in years.
        proportional_cost: λ, one way, of the traded value.
        order_cost: Beside it for each order, currency; it moves no band, for none has a place
            for it, and counts in the running cost alone.
        risk_aversion: γ, absolute, per currency.
        rate: r, continuously compounded.
    """

    kind: BandKind = "whalley_wilmott"
    half_width: float | None = None
    interval_trading_ns: int = HOUR
    trading_year_ns: int = SESSIONS_A_YEAR * 390 * MINUTE
    proportional_cost: float
    order_cost: float = 0.0
    risk_aversion: float
    rate: float = 0.0

    @property
    def interval_years(self) -> float:
        """The interval as a part of a year's trading time."""
        return self.interval_trading_ns / self.trading_year_ns


class DeltaPolicy(Struct, frozen=True, kw_only=True, tag="delta"):
    """Hold the net delta to one underlying at a target (spec 4.2), and scalp gamma (spec 4.3).

    Attributes:
        name: Of the strategy; part of its trigger's name.
        underlying: Symbol whose delta is held.
        leg: The leg that it is held with: the underlying itself or a future of it.
        target: Wanted net delta, units of the underlying.
        band: When it is adjusted.
        min_trade: A smaller change is not worth an order, units of the underlying.
        horizon_years: Years left where a measurement does not tell them.
        stale_trading_ns: No older measurement is acted on.
        min_coverage: Share of the book's positions that must be marked.
        scalps: Whether gamma profit is held against theta: `gamma_scalping`.
    """

    name: str = "delta"
    underlying: str
    leg: str
    target: float = 0.0
    band: BandPolicy
    min_trade: float = 0.0
    horizon_years: float = 30 / 365
    stale_trading_ns: int = MINUTE
    min_coverage: float = 1.0
    scalps: bool = False


class VegaBounds(Struct, frozen=True, kw_only=True):
    """The net vega of one expiry bucket stays within [low, high], currency per vol point."""

    bucket: str
    low: float
    high: float


class VegaPolicy(Struct, frozen=True, kw_only=True, tag="vega"):
    """Keep the net vega of each bucket inside its bounds (spec 4.4).

    Attributes:
        name: Of the strategy; part of its trigger's name.
        underlying: Symbol that the options are on.
        leg: The leg that neutralises the delta of what is traded.
        bounds: By bucket; another bucket is let alone.
        stale_trading_ns: No older measurement is acted on.
        min_coverage: Share of the book's positions that must be marked.
    """

    name: str = "vega"
    underlying: str
    leg: str
    bounds: tuple[VegaBounds, ...]
    stale_trading_ns: int = MINUTE
    min_coverage: float = 1.0


StrategyPolicy = DeltaPolicy | VegaPolicy


class DeltaLegPolicy(LegPolicy, frozen=True, kw_only=True):
    """A leg in an underlying or a future of it: no vega, and here no expiry that counts."""

    maturity_days: int = 0
    max_vega: float = 0.0


class ListedLegPolicy(LegPolicy, frozen=True, kw_only=True):
    """A leg in one listed option.

    Attributes:
        underlying: Symbol that the option is on.
        expiry_ns: Instant of its expiry.
        ladder: Name of the ladder it is a rung of: the book holds one rung at a time, and rolls
            to the next before this one expires; empty when it stands alone.
        roll_days: It is given up with fewer days left.
    """

    underlying: str
    expiry_ns: int
    ladder: str = ""
    roll_days: float = 0.0


STRATEGY_TRIGGERS: Final = TriggerPolicy(
    regime_change=False,
    hold=Hold(trading_ns=0, sessions=1, observations=1),
    hysteresis=0.0,
    cooldown_trading_ns=0,
    fast=None,
)
"""A band is persistence enough: what lies beyond it is traded at once."""


class StrategyBookPolicy(BookPolicy, frozen=True, kw_only=True):
    """A book whose targets come from strategies that act on measured exposure (spec 4).

    Attributes:
        strategies: At least one; all share legs, triggers, limits and orders.
    """

    rules: tuple[RulePolicy, ...] = ()
    sizing: SizingPolicy = SizingPolicy(base_vega=1.0, floor=0.0)
    triggers: TriggerPolicy = STRATEGY_TRIGGERS
    strategies: tuple[StrategyPolicy, ...]


def acts_on_greeks(policy: BookPolicy) -> bool:
    """Whether measurements bear on a book's decisions, so that it must be sent them."""
    return (
        isinstance(policy, StrategyBookPolicy)
        or bool(policy.triggers.greek_bands)
        or any(rule.kind == "delta" for rule in policy.rules)
        or any(leg.instrument in OPTION_INSTRUMENTS for leg in policy.legs)
    )
