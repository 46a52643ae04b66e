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
from shared.domain.marks.policy import MarkPolicy
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
        is_option = row >= 0 and facts.expiry[row] >= 0
        is_quoted = not (np.isnan(bid) and np.isnan(ask))
        if is_option and is_quoted and event_ns >= rows.quote_ns[row]:
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
    forget_ns: int,
    pricing: RowPricing,
) -> None:
    """Bring underlying, carry and time of every row to `now_ns`; a forgotten level is NaN."""
    for i in range(len(facts.sign)):
        expiry, number = facts.expiry[i], facts.level[i]
        is_forgotten = now_ns - levels.event_ns[number] > forget_ns
        level = np.nan if is_forgotten else levels.level[number]
        pricing.level[i] = level
        if expiry < 0:
            pricing.underlying[i] = level
            pricing.rate[i], pricing.carry[i], pricing.years[i] = 0.0, 0.0, 0.0
        else:
            pricing.underlying[i] = level * expiries.basis[expiry]
            pricing.rate[i], pricing.carry[i] = expiries.rate[expiry], expiries.carry[expiry]
            pricing.years[i] = max(0, expiry_ns[expiry] - now_ns) / YEAR_NS


@_compiled
def settle_options(  # noqa: PLR0913, PLR0917 - compiled: plain arguments
    facts: RowFacts,
    rows: RowMemory,
    expiry_remark: NDArray[np.uint8],
    now_ns: int,
    stale_ns: int,
    forget_ns: int,
) -> None:
    """Decide source, age, remark and mark of every option; a mark of a model is NaN: still to do.

    Args:
        facts: Of all rows.
        rows: To be written.
        expiry_remark: What applies to all of an expiry, or `OK`, shape `(expiries,)`.
        now_ns: The instant.
        stale_ns: A fit with older quotes is no fit of now: its volatilities stick.
        forget_ns: Nothing older marks.
    """
    for i in range(len(facts.sign)):
        if facts.expiry[i] < 0:
            continue
        source, age, mark = Source.STICKY, now_ns - rows.volatility_ns[i], np.nan
        if rows.from_quote[i] and rows.quality[i] == QuoteQuality.GOOD:
            source, age = Source.QUOTE, now_ns - rows.quote_ns[i]
            mark = (rows.bid[i] + rows.ask[i]) / 2
        elif not rows.from_quote[i] and age <= stale_ns:
            source = Source.FIT
        rows.remark[i] = expiry_remark[facts.expiry[i]]
        if rows.remark[i] == Remark.OK:
            rows.remark[i] = _remark(
                np.isnan(rows.volatility[i]),
                age > forget_ns,
                rows.out_of_bounds[i],
                facts.american[i],
            )
        if rows.remark[i] >= Remark.NO_QUOTE:
            source, age, mark = Source.NONE, NEVER, np.nan
        rows.source[i] = source
        rows.age_ns[i], rows.mark[i] = age, mark


@_compiled
def _remark(
    is_unknown: bool,  # noqa: FBT001 - compiled
    is_forgotten: bool,  # noqa: FBT001 - alike
    is_out_of_bounds: bool,  # noqa: FBT001 - alike
    is_american: bool,  # noqa: FBT001 - alike
) -> Remark:
    if is_unknown:
        return Remark.NO_QUOTE
    if is_forgotten:
        return Remark.FORGOTTEN
    if is_out_of_bounds:
        return Remark.OUT_OF_BOUNDS
    return Remark.APPROXIMATE if is_american else Remark.OK


def settle_levels(
    facts: RowFacts, rows: RowMemory, levels: LevelMemory, now_ns: int, policy: MarkPolicy
) -> None:
    """Mark what is no option at its own level, and say how old that is."""
    i = np.flatnonzero(facts.expiry < 0)
    level, level_ns = levels.level[facts.own_level[i]], levels.event_ns[facts.own_level[i]]
    age = now_ns - level_ns
    heard = is_heard(level_ns, now_ns, policy)
    fresh = heard & (age <= policy.stale_ns)
    rows.quality[i] = np.select(
        [fresh, level_ns != NEVER], [QuoteQuality.GOOD, QuoteQuality.STALE], QuoteQuality.NONE
    )
    rows.source[i] = np.select([fresh, heard], [Source.QUOTE, Source.STICKY], Source.NONE)
    rows.remark[i] = np.where(heard, Remark.OK, Remark.NO_LEVEL)
    rows.age_ns[i] = np.where(heard, age, NEVER)
    rows.mark[i] = np.where(heard, level, np.nan)


def is_heard(level_ns: NDArray[np.int64], now_ns: int, policy: MarkPolicy) -> NDArray[np.bool_]:
    """Whether levels were heard of, and not too long ago."""
    return np.asarray((level_ns != NEVER) & (now_ns - level_ns <= policy.forget_ns))
