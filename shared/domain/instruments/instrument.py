"""One tradable instrument, and every fact about it that pricing, sizing or settlement needs."""

from enum import StrEnum
from typing import Literal

from msgspec import UNSET, Struct, UnsetType

Right = Literal["call", "put"]


class Kind(StrEnum):
    """What an instrument is; an option's `style` and `underlying` say the rest."""

    INDEX = "index"
    STOCK = "stock"
    FUND = "fund"
    FUTURE = "future"
    OPTION = "option"
    VARIANCE_SWAP = "variance_swap"


class Model(StrEnum):
    """How its price follows from its underlying's (spec 5).

    `black_scholes` is on a spot with carry; `black` on a future or forward; `american` is a
    library's tree or grid; `linear` is the level itself.
    """

    LINEAR = "linear"
    BLACK_SCHOLES = "black_scholes"
    BLACK = "black"
    AMERICAN = "american"
    VARIANCE_SWAP = "variance_swap"


class Option(Struct, frozen=True, kw_only=True):
    """The terms of an option.

    Attributes:
        right: Call or put.
        strike: In the underlying's unit, above 0.
        style: European options are exercised at expiry alone.
        settlement: `am`: on the opening of the expiry day, `pm`: on its close.
        delivery: `cash`, or `physical` of the underlying.
    """

    right: Right
    strike: float
    style: Literal["european", "american"]
    settlement: Literal["am", "pm"]
    delivery: Literal["cash", "physical"]


class VarianceTerms(Struct, frozen=True, kw_only=True):
    """The terms of a variance swap; its position is vega notional (`accounts.variance_swap`).

    Attributes:
        strike: K, in vol points, above 0.
        start_ns: From when the underlying's variance counts.
    """

    strike: float
    start_ns: int


class Instrument(Struct, frozen=True, kw_only=True):
    """One instrument.

    Attributes:
        symbol: As in ticks and positions, `[A-Z0-9._-]{1,32}`. A listed option's is its OSI name
            without the blanks: `SPXW261218P05000000`.
        kind: What it is.
        root: `SPXW` of that option, `VX` of a VIX future, else the symbol.
        underlying: Symbol whose level prices it: SPX for an SPX option, the *future* of the same
            expiry for a VIX option or an option on a future; the symbol itself for what is linear.
        model: How its price follows.
        multiplier: Units of the underlying a contract, or currency a point: SPX 100, VX 1000.
        currency: Of its price times its multiplier.
        lot: Quantities are multiples of it.
        tick_size: Prices are multiples of it.
        expiry_ns: Instant at which its value is determined, or `None`: never.
        last_trade_ns: It does not trade after, or `None`.
        option: Its terms, of an option alone.
        variance_swap: Its terms, of a variance swap alone; without them it is of constant
            maturity, re-struck every session.
        index: Symbol of the level that a future settles on; unset: nobody has said.
    """

    symbol: str
    kind: Kind
    root: str
    underlying: str
    model: Model
    multiplier: float = 1.0
    currency: str = "USD"
    lot: float = 1.0
    tick_size: float = 0.01
    expiry_ns: int | None = None
    last_trade_ns: int | None = None
    option: Option | None = None
    variance_swap: VarianceTerms | None = None
    index: str | UnsetType = UNSET

    def is_expired(self, now_ns: int) -> bool:
        """Whether its value is determined at `now_ns`: from its expiry on."""
        return self.expiry_ns is not None and now_ns >= self.expiry_ns
