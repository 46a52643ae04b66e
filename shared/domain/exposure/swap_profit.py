"""What a variance swap earns between two valuations: implied against realized.

A swap of one unit of vega notional struck at K is worth, in vol points,

    1/(2K) · [ left · (σ² − K²) + realized − (1 − left) · K² ]

with σ its fair strike now, `left` the share of its life to come and `realized` the annualised
variance of its underlying so far, times the share of its life that it took (Demeterfi, Derman,
Kamal, Zou 1999). From one valuation to the next that is

    vega  left₀ σ₀/K dσ,  volga  ½ left₀/K dσ²,  carry  1/(2K) · (realized − implied),

with implied = σ₁² times the share of life that passed: the carry of who is long is what the
underlying did less what the market asked for it. Nothing stays unexplained.

Realized variance is that of closes, as contracts have it: inside a session the squared log return
since the last close counts, and moves with the index. A swap of constant maturity is that of
`accounts.variance_swap`: 21 sessions, re-struck at every close; at a close the sum of a session's
steps is its `rolled_profit`.
"""

from math import isfinite, log, nan
from typing import Final

from msgspec import Struct

from shared.domain.accounts.variance_swap import SESSIONS_PER_YEAR, SWAP_SESSIONS
from shared.domain.exposure.terms import YEAR_NS
from shared.domain.instruments.instrument import Instrument
from shared.domain.sessions import SessionCalendar

_POINTS: Final = 10_000.0
"""Squared vol points in a variance of 1."""


class Moment(Struct, frozen=True, array_like=True):
    """An instant among the sessions.

    Attributes:
        now_ns: The instant.
        opened_ns: When the latest session opened; 0 before the first.
        sessions: Sessions passed since the calendar's first opening, the running one in part.
    """

    now_ns: int
    opened_ns: int
    sessions: float


def locate(calendar: SessionCalendar, now_ns: int) -> Moment:
    """Find an instant among the sessions; beyond the calendar's ends time stands still."""
    number = int(calendar.open_ns.searchsorted(now_ns, side="right")) - 1
    if number < 0:
        return Moment(now_ns, 0, 0.0)
    opened_ns, closed_ns = int(calendar.open_ns[number]), int(calendar.close_ns[number])
    within = (min(now_ns, closed_ns) - opened_ns) / (closed_ns - opened_ns)
    return Moment(now_ns, opened_ns, number + within)


class Realized(Struct, frozen=True, array_like=True):
    """Variance of the index: squared log returns from close to close, and since the last one.

    Attributes:
        closed: Level at the last close, NaN before any.
        level: The latest.
        variance: Of all sessions before, not annualised.
    """

    closed: float = nan
    level: float = nan
    variance: float = 0.0

    @property
    def total(self) -> float:
        """Up to now; NaN while the index was never heard of."""
        return self.variance + log(self.level / self.closed) ** 2


def observed(realized: Realized, level: float, *, is_new_session: bool) -> Realized:
    """Take the index's level; one that is unknown changes nothing.

    Args:
        realized: So far.
        level: Now.
        is_new_session: Whether this is the first level of a session: the last was the close.
    """
    if not isfinite(level):
        return realized
    if not isfinite(realized.level):
        return Realized(level, level)
    if is_new_session:
        return Realized(realized.level, level, realized.total)
    return Realized(realized.closed, level, realized.variance)


class SwapPoint(Struct, frozen=True, array_like=True):
    """A swap at a valuation.

    Attributes:
        strike: K, in vol points.
        struck: Share of life that had passed when it was struck.
        level: σ, in vol points.
        passed: Share of life passed.
        variance: `Realized.total` then.
        opened_ns: Of the session.
    """

    strike: float
    struck: float
    level: float
    passed: float
    variance: float
    opened_ns: int


class SwapProfit(Struct, frozen=True):
    """Of one unit of vega notional, over one step.

    Attributes:
        vega: Of the fair strike.
        volga: The same, squared.
        carry: Realized less implied.
        total: Change of the swap's value, computed apart.
    """

    vega: float
    volga: float
    carry: float
    total: float


def swap_point(
    instrument: Instrument, level: float, variance: float, moment: Moment, before: SwapPoint | None
) -> SwapPoint:
    """Value a swap anew; one of constant maturity is re-struck where a session begins.

    Args:
        instrument: With terms, or of constant maturity.
        level: Fair strike now, vol points.
        variance: `Realized.total` now.
        moment: Now.
        before: At the valuation before.
    """
    passed = _passed(instrument, moment)
    if instrument.variance_swap is not None:
        strike, struck = instrument.variance_swap.strike, 0.0
    elif before is None:
        strike, struck = level, passed
    else:
        strike, struck = before.strike, before.struck
    return SwapPoint(strike, struck, level, passed, variance, moment.opened_ns)


def struck_anew(instrument: Instrument, before: SwapPoint, moment: Moment) -> SwapPoint:
    """Re-strike what is of constant maturity at the last close's level, if a session began."""
    if instrument.variance_swap is not None or before.opened_ns == moment.opened_ns:
        return before
    return SwapPoint(
        before.level, before.passed, before.level, before.passed, before.variance, moment.opened_ns
    )


def swap_profit(instrument: Instrument, before: SwapPoint, now: SwapPoint) -> SwapProfit:
    """Explain what one unit of vega notional earned between two points of the same strike."""
    notional = 1 / (2 * before.strike)
    left, passed = 1 - (before.passed - before.struck), now.passed - before.passed
    moved = now.level - before.level
    is_alive = passed > 0 or instrument.variance_swap is None
    accrued = _accrued(instrument, now.variance - before.variance) if is_alive else 0.0
    return SwapProfit(
        vega=notional * left * 2 * before.level * moved,
        volga=notional * left * moved**2,
        carry=notional * (accrued - passed * now.level**2),
        total=_value(now, notional) - _value(before, notional) + notional * accrued,
    )


def _value(point: SwapPoint, notional: float) -> float:
    """What it is worth apart from what has been realized."""
    passed = point.passed - point.struck
    square = point.strike**2
    return notional * ((1 - passed) * (point.level**2 - square) - passed * square)


def _passed(instrument: Instrument, moment: Moment) -> float:
    terms, expiry_ns = instrument.variance_swap, instrument.expiry_ns
    if terms is None or expiry_ns is None:
        return moment.sessions / SWAP_SESSIONS
    life_ns = max(1, expiry_ns - terms.start_ns)
    return min(1.0, max(0.0, (moment.now_ns - terms.start_ns) / life_ns))


def _accrued(instrument: Instrument, variance: float) -> float:
    """Annualised variance in squared vol points, times the share of life that it took."""
    terms, expiry_ns = instrument.variance_swap, instrument.expiry_ns
    if terms is None or expiry_ns is None:
        return _POINTS * variance * SESSIONS_PER_YEAR / SWAP_SESSIONS
    return _POINTS * variance * YEAR_NS / max(1, expiry_ns - terms.start_ns)
