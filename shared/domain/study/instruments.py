"""What a study's legs trade, over its whole history: marks as ticks, rolls, and measured Greeks.

Computed once, before the first step, of the points at which the history's steps end; every variant
of a study shares it. Marks reach the book as ticks of the leg's symbol, so that signals, sizing,
prices of orders, the venue and the accounts treat them as any other print. At one instant they
come before the prints that they follow from: a decision made at a close has that close's marks.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite, sqrt
from typing import Final

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from shared.domain.accounts.rolled import Rolled
from shared.domain.events import Tick
from shared.domain.exposure.attribution import DELTA, VEGA
from shared.domain.instruments.expiries import SessionDays
from shared.domain.policies import (
    BookPolicy,
    IntakePolicy,
    LegPolicy,
    SignalPolicy,
    SymbolPolicy,
)
from shared.domain.study.contracts import (
    ContractHistory,
    RollingFuture,
    RollingInstrument,
    RollingOption,
)
from shared.domain.study.costs import InstrumentCosts, quoted
from shared.domain.study.curve import VixCurve
from shared.domain.study.points import Points
from shared.domain.study.rolling_futures import future_history
from shared.domain.study.rolling_options import OptionMarket, option_history
from shared.domain.study.surface import SurfacePolicy

VOL_POINT: Final = 0.01
ANYTHING: Final = SymbolPolicy(max_jump=1e9, confirmations=1, max_spread=2.0)
"""A mark was made of prints that had been screened, or is a settlement; a roll jumps by design."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentHistory:
    """All instruments of a study over all points.

    Attributes:
        points: Where they are marked.
        histories: By symbol.
        quotes: Costs of symbols that print by themselves, such as VIX, which marks a variance
            swap: their prints get quotes. Currency a point of one unit is 1.
        marks: Ticks by the instant of the step's end.
        rolls: The same, of the rolls right after it.
        measured: The same, Greeks of one contract as a book is told them.
    """

    points: Points
    histories: Mapping[str, ContractHistory]
    quotes: Mapping[str, InstrumentCosts] = field(default_factory=dict)
    marks: Mapping[int, tuple[Tick, ...]] = field(default_factory=dict)
    rolls: Mapping[int, tuple[Rolled, ...]] = field(default_factory=dict)
    measured: Mapping[int, Mapping[str, float]] = field(default_factory=dict)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of any figure should know, each once."""
        said = (note for history in self.histories.values() for note in history.notes)
        return tuple(dict.fromkeys(said))

    @property
    def model_priced(self) -> tuple[str, ...]:
        """Symbols whose marks come of a stated surface."""
        return tuple(name for name, each in self.histories.items() if each.is_model_priced)

    def joined(self, ticks: Sequence[Tick], clock_ns: int) -> Sequence[Tick]:
        """Return a step's ticks with quotes and marks, in the order of their instants."""
        marks = self.marks.get(clock_ns, ())
        if self.quotes:
            ticks = [self._quoted(tick) for tick in ticks]
        if not marks:
            return ticks
        earlier = [tick for tick in ticks if tick.event_ns < clock_ns]
        return [*earlier, *marks, *ticks[len(earlier) :]]

    def _quoted(self, tick: Tick) -> Tick:
        costs = self.quotes.get(tick.symbol)
        if costs is None or tick.price is None:
            return tick
        quotes = quoted(tick.symbol, tick.event_ns, tick.price, costs, 1.0)
        return structs.replace(tick, bid=quotes.bid, ask=quotes.ask)


def study_instruments(  # noqa: PLR0913 - all that marks follow from
    instruments: Iterable[RollingInstrument],
    points: Points,
    days: SessionDays,
    *,
    curve: VixCurve | None = None,
    surface: SurfacePolicy | None = None,
    quotes: Mapping[str, InstrumentCosts] | None = None,
) -> InstrumentHistory:
    """Mark instruments over a whole history.

    Args:
        instruments: Which, by symbols that differ.
        points: The history's, see `points_of`.
        days: The exchange's sessions.
        curve: Settlements of VIX futures, needed by a `RollingFuture`.
        surface: What options are priced on.
        quotes: See `InstrumentHistory`.

    Raises:
        ValueError: Two of one symbol, or one that was never marked.
    """
    futures, stated = curve or VixCurve(()), surface or SurfacePolicy()
    histories: dict[str, ContractHistory] = {}
    for instrument in instruments:
        if instrument.symbol in histories:
            raise ValueError(f"two instruments are called {instrument.symbol}")
        if isinstance(instrument, RollingFuture):
            made = future_history(instrument, points, futures, days)
        else:
            made = option_history(OptionMarket(instrument, points, futures, stated, days))
        if not made.contracts:
            raise ValueError(f"{instrument.symbol}: nothing marks it in this history")
        histories[instrument.symbol] = made
    return InstrumentHistory(
        points=points,
        histories=histories,
        quotes=quotes or {},
        marks=_marks(points, histories),
        rolls=_rolls(points, histories),
        measured=_measured(points, histories),
    )


def _marks(points: Points, histories: Mapping[str, ContractHistory]) -> dict[int, tuple[Tick, ...]]:
    clocks = points.clock_ns.tolist()
    marks: dict[int, tuple[Tick, ...]] = {}
    for symbol, history in sorted(histories.items()):
        costs, point_value = history.instrument.costs, history.instrument.multiplier
        for clock_ns, level in zip(clocks, history.level.tolist(), strict=True):
            if isfinite(level):
                tick = quoted(symbol, clock_ns, level, costs, point_value)
                marks[clock_ns] = (*marks.get(clock_ns, ()), tick)
    return marks


def _rolls(
    points: Points, histories: Mapping[str, ContractHistory]
) -> dict[int, tuple[Rolled, ...]]:
    rolls: dict[int, tuple[Rolled, ...]] = {}
    for symbol, history in sorted(histories.items()):
        costs, point_value = history.instrument.costs, history.instrument.multiplier
        for roll in history.rolls:
            clock_ns = int(points.clock_ns[roll.point])
            both = (roll.given_up, roll.taken_on)
            rolled = Rolled(
                symbol=symbol,
                event_ns=clock_ns + 1,
                given_up=roll.given_up,
                taken_on=roll.taken_on,
                cost=sum(costs.points(level, point_value) for level in both),
            )
            rolls[clock_ns] = (*rolls.get(clock_ns, ()), rolled)
    return rolls


def _measured(
    points: Points, histories: Mapping[str, ContractHistory]
) -> dict[int, dict[str, float]]:
    """What the exposure stage says of one contract of each option (`hedging.book`)."""
    measured: dict[int, dict[str, float]] = {}
    clocks = points.clock_ns.tolist()
    for symbol, history in histories.items():
        if not history.is_model_priced:
            continue
        deltas = (history.instrument.multiplier * _sized(history, DELTA)).tolist()
        vegas = (history.instrument.multiplier * VOL_POINT * _sized(history, VEGA)).tolist()
        for clock_ns, delta, vega in zip(clocks, deltas, vegas, strict=True):
            if isfinite(delta) and isfinite(vega):
                greeks = measured.setdefault(clock_ns, {})
                greeks[f"unit_delta.{symbol}"] = delta
                greeks[f"unit_vega.{symbol}"] = vega
    return measured


def _sized(history: ContractHistory, greek: int) -> NDArray[np.float64]:
    """A Greek of one unit that sizes follow from, at each point where there is a mark."""
    instrument = history.instrument
    now: NDArray[np.float64] = history.after[greek]
    if not (isinstance(instrument, RollingOption) and instrument.sized_at == "purchase"):
        return now
    at_purchase = history.before[greek, history.purchases]
    return np.asarray(np.where(np.isfinite(now), at_purchase[history.number], np.nan))


# --- what the live stages must know of them --------------------------------------------------


def study_intake(policy: IntakePolicy, instruments: InstrumentHistory) -> IntakePolicy:
    """Return the edge's policy that lets the instruments' marks in."""
    marks = dict.fromkeys(instruments.histories, ANYTHING)
    quotes = {
        symbol: structs.replace(policy.symbols[symbol], max_spread=ANYTHING.max_spread)
        for symbol in instruments.quotes
        if symbol in policy.symbols
    }
    return structs.replace(policy, symbols={**policy.symbols, **quotes, **marks})


def study_signals(policy: SignalPolicy, instruments: InstrumentHistory) -> SignalPolicy:
    """Return the signals' policy that passes the instruments' marks on."""
    symbols = dict.fromkeys((*policy.mark_symbols, *instruments.histories))
    return structs.replace(policy, mark_symbols=tuple(symbols))


def study_book(book: BookPolicy, instruments: InstrumentHistory) -> BookPolicy:
    """Return a book whose option legs say what one unit's vega is.

    That is the geometric middle of the vegas at which the option was bought: over decades the
    index, and a contract's vega with it, grows tenfold, and the gateway believes no order whose
    vega is more than four times the configured one's, or less than a quarter.
    """
    legs = tuple(_with_vega(leg, instruments.histories.get(leg.symbol)) for leg in book.legs)
    return structs.replace(book, legs=legs)


def _with_vega(leg: LegPolicy, history: ContractHistory | None) -> LegPolicy:
    if history is None or not history.is_model_priced or leg.vega_per_unit is not None:
        return leg
    bought = history.purchases
    if leg.instrument == "vix_call":  # a point of VIX is a vol point
        vegas = history.before[DELTA, bought]
    else:
        vegas = history.before[VEGA, bought] * VOL_POINT
    middle = sqrt(float(np.min(vegas)) * float(np.max(vegas)))
    return structs.replace(leg, vega_per_unit=middle)
