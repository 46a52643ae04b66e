"""What happens to every row: compiled passes over the tables of a mark book."""

from typing import Final, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from shared.domain.instants import DAY
from shared.domain.marks.columns import (
    NEVER,
    ExpiryMemory,
    LevelMemory,
    Remark,
    RowFacts,
    RowMemory,
    RowPricing,
    Source,
)
from shared.domain.marks.forward import ForwardSource
from shared.domain.marks.quotes import QuoteQuality

YEAR_NS: Final = 365 * DAY
"""Time to expiry is ACT/365."""


class Quotes(NamedTuple):
    """A run of ticks, in order: row and level that each is of (−1: none), and what it says."""

    row: NDArray[np.int64]
    level: NDArray[np.int64]
    event_ns: NDArray[np.int64]
    price: NDArray[np.float64]
    bid: NDArray[np.float64]
    ask: NDArray[np.float64]


_compiled = njit(cache=True)


@_compiled
def take_quotes(  # noqa: PLR0913, PLR0917 - compiled: plain arguments
    quotes: Quotes,
    facts: RowFacts,
    rows: RowMemory,
    levels: LevelMemory,
    expiry_level: NDArray[np.int64],
    is_due: NDArray[np.bool_],
) -> None:
    """Keep the last quote of each option and the last level of each underlying.

    A trade of an option is no quote and leaves it as it is. A level is the middle of a sound quote,
    else the price. The first level of an underlying makes its expiries due.
    """
    for i in range(len(quotes.row)):
        row, number, event_ns = quotes.row[i], quotes.level[i], quotes.event_ns[i]
        bid, ask = quotes.bid[i], quotes.ask[i]
        is_quoted = not (np.isnan(bid) and np.isnan(ask))
        if row >= 0 and is_quoted and event_ns >= rows.quote_ns[row]:
            rows.bid[row], rows.ask[row], rows.quote_ns[row] = bid, ask, event_ns
            is_due[facts.expiry[row]] = True
        level = (bid + ask) / 2 if 0 < bid <= ask else quotes.price[i]
        if number >= 0 and level > 0 and event_ns >= levels.event_ns[number]:
            if levels.event_ns[number] == NEVER:
                is_due |= expiry_level == number
            levels.level[number], levels.event_ns[number] = level, event_ns


@_compiled
def follow_levels(  # noqa: PLR0913, PLR0917 - compiled: plain arguments
    facts: RowFacts,
    levels: LevelMemory,
    expiry_ns: NDArray[np.int64],
    expiries: ExpiryMemory,
    now_ns: int,
    pricing: RowPricing,
) -> None:
    """Bring underlying, carry and time of every row to `now_ns`."""
    for i in range(len(facts.sign)):
        expiry, level = facts.expiry[i], levels.level[facts.level[i]]
        pricing.level[i] = level
        if expiry < 0:
            pricing.underlying[i] = level
            pricing.rate[i], pricing.carry[i], pricing.years[i] = 0.0, 0.0, 0.0
        else:
            pricing.underlying[i] = level * expiries.basis[expiry]
            pricing.rate[i], pricing.carry[i] = expiries.rate[expiry], expiries.carry[expiry]
            pricing.years[i] = max(0, expiry_ns[expiry] - now_ns) / YEAR_NS


@_compiled
def settle(  # noqa: PLR0913, PLR0917 - compiled: plain arguments
    facts: RowFacts,
    rows: RowMemory,
    levels: LevelMemory,
    expiry_ns: NDArray[np.int64],
    forward_source: NDArray[np.uint8],
    now_ns: int,
    stale_ns: int,
    forget_ns: int,
) -> None:
    """Decide source, age, remark and mark of every row; the mark of a model is NaN: still to do."""
    for i in range(len(facts.sign)):
        expiry = facts.expiry[i]
        number = facts.level[i] if expiry >= 0 else facts.own_level[i]
        level_ns = levels.event_ns[number]
        is_heard = level_ns != NEVER and now_ns - level_ns <= forget_ns
        source, age, mark = Source.QUOTE, now_ns - level_ns, levels.level[number]
        remark = Remark.OK if is_heard else Remark.NO_LEVEL
        if expiry < 0:
            rows.quality[i] = _level_quality(level_ns, now_ns - stale_ns)
            source = Source.QUOTE if rows.quality[i] == QuoteQuality.GOOD else Source.STICKY
        else:
            source, age, mark = _option_source(rows, i, now_ns, stale_ns)
            if now_ns >= expiry_ns[expiry]:
                remark = Remark.EXPIRED
            elif is_heard and forward_source[expiry] == ForwardSource.NONE:
                remark = Remark.NO_FORWARD
            elif is_heard:
                remark = _option_remark(facts, rows, i, age > forget_ns)
        if remark >= Remark.NO_QUOTE:
            source, age, mark = Source.NONE, NEVER, np.nan
        rows.source[i], rows.remark[i] = source, remark
        rows.age_ns[i], rows.mark[i] = age, mark


@_compiled
def _level_quality(level_ns: int, oldest_ns: int) -> QuoteQuality:
    if level_ns == NEVER:
        return QuoteQuality.NONE
    return QuoteQuality.GOOD if level_ns >= oldest_ns else QuoteQuality.STALE


@_compiled
def _option_source(
    rows: RowMemory, i: int, now_ns: int, stale_ns: int
) -> tuple[Source, int, float]:
    if rows.from_quote[i] and rows.quality[i] == QuoteQuality.GOOD:
        return Source.QUOTE, now_ns - rows.quote_ns[i], (rows.bid[i] + rows.ask[i]) / 2
    age = now_ns - rows.volatility_ns[i]
    if age <= stale_ns and not rows.from_quote[i]:
        return Source.FIT, age, np.nan
    return Source.STICKY, age, np.nan


@_compiled
def _option_remark(
    facts: RowFacts,
    rows: RowMemory,
    i: int,
    is_forgotten: bool,  # noqa: FBT001 - compiled
) -> Remark:
    if np.isnan(rows.volatility[i]):
        return Remark.NO_QUOTE
    if is_forgotten:
        return Remark.FORGOTTEN
    if rows.out_of_bounds[i]:
        return Remark.OUT_OF_BOUNDS
    return Remark.APPROXIMATE if facts.american[i] else Remark.OK
