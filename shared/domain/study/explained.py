"""Where a backtest's profit came from, session by session: the live explain's own formulas.

Each leg's profit is split by what the live monitor splits it with: options by `attribute`, from
each of their marks to the next, with what was held between; variance swaps by `swap_profit`, what
was held at a close from there to the next, what was traded since from the market's level at the
trade; futures are their level's move, which of a VIX future is `vega` (its level *is* a
volatility). What a trade paid against the market's level is `cost`. What the parts leave of the
session's profit is `unexplained`, so that they always sum to it.

Steps are those of the history: the live monitor, which values every few seconds, splits finer.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import log
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.domain.accounts.leg_profit import DELTA_INSTRUMENTS
from shared.domain.accounts.variance_swap import SWAP_SESSIONS
from shared.domain.exposure.attribution import (
    CARRY_PART,
    DELTA_PART,
    OF_THE_MARKET,
    PARTS,
    VEGA_PART,
    VOLGA_PART,
    attribute,
)
from shared.domain.exposure.swap_profit import SwapPoint, SwapProfit, swap_profit
from shared.domain.exposure.terms import YEAR_NS
from shared.domain.instruments.instrument import Instrument, Kind, Model
from shared.domain.policies import LegPolicy
from shared.domain.study.contracts import ContractHistory
from shared.domain.study.points import Points
from shared.domain.study.session_record import DealtTrade, SessionRecord

Floats = NDArray[np.float64]

MARKET_PARTS: Final = PARTS[:OF_THE_MARKET]
"""`delta` to `carry`: what markets did. Cost and unexplained come beside them."""

_ROLLED_SWAP: Final = Instrument(
    symbol="VARSWAP",
    kind=Kind.VARIANCE_SWAP,
    root="VARSWAP",
    underlying="VIX",
    model=Model.VARIANCE_SWAP,
)


def explained(  # noqa: PLR0913 - a book, its history, and what marks it
    legs: Sequence[LegPolicy],
    sessions: Sequence[SessionRecord],
    trades: Sequence[DealtTrade],
    *,
    calendar_closes: NDArray[np.int64],
    index_symbol: str,
    points: Points | None = None,
    histories: Mapping[str, ContractHistory] | None = None,
) -> Floats:
    """Return the parts of each session's profit, currency, shape `(OF_THE_MARKET, sessions)`.

    Args:
        legs: Of the book.
        sessions: Counted, in order.
        trades: All of them, in order.
        calendar_closes: Closing instants of all sessions of the calendar, ascending.
        index_symbol: Whose returns a variance swap realizes.
        points: Where the histories are marked.
        histories: Of rolling instruments, by symbol.
    """
    parts = np.zeros((OF_THE_MARKET, len(sessions)))
    if not sessions:
        return parts
    closes = np.array([each.result.close_ns for each in sessions], dtype=np.int64)
    numbers = np.searchsorted(calendar_closes, closes)
    known = histories or {}
    for leg in legs:
        dealt = [trade for trade in trades if trade.leg == leg.name]
        history = known.get(leg.symbol)
        if not dealt:
            continue
        if leg.instrument == "variance_swap":
            _add_swap(parts, leg, sessions, dealt, numbers, index_symbol)
        elif history is None:
            _add_linear(parts, leg, sessions, dealt)
        else:
            assert points is not None  # noqa: S101 - histories have them
            _add_marked(parts, leg, closes, dealt, points, history)
    return parts


# --- what is marked at points ----------------------------------------------------------------


def _add_marked(  # noqa: PLR0913, PLR0917 - where it is added, and what
    parts: Floats,
    leg: LegPolicy,
    closes: NDArray[np.int64],
    dealt: Sequence[DealtTrade],
    points: Points,
    history: ContractHistory,
) -> None:
    marked = np.flatnonzero(np.isfinite(history.level))
    earlier, later = marked[:-1], marked[1:]
    before = np.ascontiguousarray(history.before[:, earlier])
    after = np.ascontiguousarray(history.after[:, later])
    years = (points.clock_ns[later] - points.clock_ns[earlier]) / YEAR_NS
    in_points = np.full(len(later), leg.instrument in {"vix_future", "vix_call"})
    unit = np.zeros((OF_THE_MARKET, len(later)))
    attribute(before, after, years, in_points, np.ones(len(later), dtype=np.bool_), unit)
    held = leg.multiplier * _held_before(dealt, points.clock_ns[later])
    session = np.searchsorted(closes, points.clock_ns[later])
    counted = session < len(closes)
    for part in range(OF_THE_MARKET):
        np.add.at(parts[part], session[counted], (unit[part] * held)[counted])


def _held_before(dealt: Sequence[DealtTrade], instants: NDArray[np.int64]) -> Floats:
    """What was held right before each instant."""
    times = np.array([trade.event_ns for trade in dealt], dtype=np.int64)
    after = np.concatenate(([0.0], np.cumsum([trade.quantity for trade in dealt])))
    return after[np.searchsorted(times, instants, side="left")]


# --- what is accounted from close to close ---------------------------------------------------


class _Close:
    """A counted close, and the trades since the one before."""

    __slots__ = ("held", "number", "record", "trades")

    def __init__(
        self, number: int, record: SessionRecord, held: float, trades: Sequence[DealtTrade]
    ) -> None:
        self.number = number
        self.record = record
        self.held = held
        self.trades = trades


def _by_session(sessions: Sequence[SessionRecord], dealt: Sequence[DealtTrade]) -> Iterator[_Close]:
    """Yield every session with what was held when it began and what was dealt in it."""
    held, done = 0.0, 0
    for number, record in enumerate(sessions):
        first = done
        while done < len(dealt) and dealt[done].event_ns <= record.result.close_ns:
            done += 1
        trades = dealt[first:done]
        if held or trades:
            yield _Close(number, record, held, trades)
            held += sum(trade.quantity for trade in trades)


def _add_linear(
    parts: Floats,
    leg: LegPolicy,
    sessions: Sequence[SessionRecord],
    dealt: Sequence[DealtTrade],
) -> None:
    part = DELTA_PART if leg.instrument in DELTA_INSTRUMENTS else VEGA_PART
    for close in _by_session(sessions, dealt):
        now = close.record.closes[leg.symbol]
        moved = sum(trade.quantity * (now - trade.level) for trade in close.trades)
        if close.number:
            moved += close.held * (now - sessions[close.number - 1].closes[leg.symbol])
        parts[part, close.number] += leg.multiplier * moved


def _add_swap(  # noqa: PLR0913, PLR0917 - where it is added, and what
    parts: Floats,
    leg: LegPolicy,
    sessions: Sequence[SessionRecord],
    dealt: Sequence[DealtTrade],
    numbers: NDArray[np.intp],
    index_symbol: str,
) -> None:
    for close in _by_session(sessions, dealt):
        number, now = close.number, close.record.closes
        earned = [
            (each.quantity, _since_trade(each.level, now[leg.symbol])) for each in close.trades
        ]
        if number and close.held:
            before = sessions[number - 1].closes
            passed = int(numbers[number] - numbers[number - 1])
            moved = log(now[index_symbol] / before[index_symbol])
            rolled = _since_close(before[leg.symbol], now[leg.symbol], moved, passed)
            earned.append((close.held, rolled))
        for quantity, profit in earned:
            parts[VEGA_PART, number] += quantity * profit.vega
            parts[VOLGA_PART, number] += quantity * profit.volga
            parts[CARRY_PART, number] += quantity * profit.carry


def _since_close(strike: float, level: float, moved: float, sessions: int) -> SwapProfit:
    """Struck at the last close: `accounts.variance_swap.rolled_profit`, in parts."""
    done = min(sessions, SWAP_SESSIONS)
    before = SwapPoint(strike, 0.0, strike, 0.0, 0.0, 0)
    variance = moved**2 * done / sessions
    return swap_profit(
        _ROLLED_SWAP, before, SwapPoint(strike, 0.0, level, done / SWAP_SESSIONS, variance, 0)
    )


def _since_trade(strike: float, level: float) -> SwapProfit:
    """Struck at a trade: no variance of that session is its."""
    before = SwapPoint(strike, 0.0, strike, 0.0, 0.0, 0)
    return swap_profit(_ROLLED_SWAP, before, SwapPoint(strike, 0.0, level, 0.0, 0.0, 0))
