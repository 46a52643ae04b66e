"""Rolling instruments: which contract a leg's symbol stands for at each point, and its values.

A roll is done at a session's close, at the marks of both contracts there: up to the close the old
one earns, from it on the new one. Rolls are by rule alone:

- a VIX future `sessions_before` sessions before the *front* contract expires, to the next position;
- an option at the first close with `roll_days` or fewer days left, or at the last one before it
  expires (0 days: it is held to its expiry; an index option's is a close, a VIX option's the
  opening after its last one), to the monthly expiry nearest to `maturity_days`.

Where the next contract has no mark at that close, the roll waits for one.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from shared.domain.study.costs import USUAL_COSTS, InstrumentCosts

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class RollingFuture(Struct, frozen=True, kw_only=True, tag="vix_future"):
    """A VIX future, rolled.

    Attributes:
        symbol: What its leg trades.
        position: 1 for the front contract.
        sessions_before: Sessions before the front contract's expiry at which it is rolled; from 1.
        multiplier: Currency a point.
        costs: Of a deal.
    """

    symbol: str
    position: int = 1
    sessions_before: int = 5
    multiplier: float = 1000.0
    costs: InstrumentCosts = USUAL_COSTS["vix_future"]


class RollingOption(Struct, frozen=True, kw_only=True, tag="option"):
    """An index put or a VIX call, rolled; model-priced.

    Attributes:
        symbol: What its leg trades.
        kind: `put` on the index, or `vix_call`.
        maturity_days: Wanted at a roll.
        roll_days: Rolled with so many days left; 0: held to its expiry.
        moneyness: Strike over the index, or the VIX future, at the roll (0.95: 5% below) …
        delta: … or the absolute forward delta that it has then; exactly one of the two.
        sized_at: The vega of a contract that sizes follow from: of its `mark` now, or of its
            `purchase`: for what is held to its expiry, whose own vega ends at nothing.
        strike_step: Strikes are multiples of it.
        multiplier: Units of the underlying a contract.
        costs: Of a deal.
    """

    symbol: str
    kind: Literal["put", "vix_call"] = "put"
    maturity_days: float = 90
    roll_days: float = 0.0
    moneyness: float | None = None
    delta: float | None = None
    sized_at: Literal["mark", "purchase"] = "mark"
    strike_step: float = 5.0
    multiplier: float = 100.0
    costs: InstrumentCosts = USUAL_COSTS["put"]

    def __post_init__(self) -> None:
        """Refuse what cannot be rolled.

        Raises:
            ValueError: Neither or both of moneyness and delta, or one out of range.
        """
        if (self.moneyness is None) == (self.delta is None):
            raise ValueError(f"{self.symbol}: moneyness or delta, exactly one of the two")
        if self.delta is not None and not 0 < self.delta < 1:
            raise ValueError(f"{self.symbol}: a delta lies between 0 and 1")
        if self.moneyness is not None and not self.moneyness > 0:
            raise ValueError(f"{self.symbol}: moneyness is above 0")
        if not 0 <= self.roll_days < self.maturity_days:
            raise ValueError(f"{self.symbol}: it is rolled before it is bought")


RollingInstrument = RollingFuture | RollingOption


class Contract(Struct, frozen=True, kw_only=True):
    """One contract that a symbol stood for.

    Attributes:
        name: For a person: `VX 2018-03-21`, `SPX 2018-06-15 2550 put`.
        expiry_ns: Instant of its expiry.
        strike: Of an option; NaN of a future.
    """

    name: str
    expiry_ns: int
    strike: float = float("nan")


class Roll(Struct, frozen=True, kw_only=True):
    """The symbol goes from one contract to the next.

    Attributes:
        point: At which point.
        given_up: Level of the old contract there.
        taken_on: Level of the new one.
    """

    point: int
    given_up: float
    taken_on: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractHistory:
    """One instrument over all points.

    Attributes:
        instrument: Which.
        contracts: In the order in which they were held.
        number: Of the contract held up to each point, −1 before the first; int64, shape `(n,)`.
        level: Its mark at the point, before any roll there; NaN where it has none.
        before: Valuation that the time from a point on starts from, of the contract held from it
            on, in the order of `exposure.attribution`; shape `(COLUMNS, n)`.
        after: Valuation that the time up to a point ends with, of the contract held up to it.
        rolls: In order.
        notes: What a reader should know.
    """

    instrument: RollingInstrument
    contracts: tuple[Contract, ...]
    number: Integers
    level: Floats
    before: Floats
    after: Floats
    rolls: tuple[Roll, ...]
    notes: tuple[str, ...] = ()

    @property
    def purchases(self) -> list[int]:
        """Points at which each contract was bought."""
        first = int(np.flatnonzero(self.number >= 0)[0])
        return [first, *(roll.point for roll in self.rolls)]

    @property
    def is_model_priced(self) -> bool:
        """Whether its marks come of a stated surface."""
        return isinstance(self.instrument, RollingOption)
