"""Variance swaps as a hedge is accounted: a 30-day swap, rolled and re-struck every session.

Source: K. Demeterfi, E. Derman, M. Kamal, J. Zou, "More Than You Ever Wanted to Know About
Volatility Swaps", Goldman Sachs Quantitative Strategies Research Notes, March 1999. A swap of
vega notional N struck at K pays N/(2K) · (σ² − K²), with σ the zero-mean annualised realized
volatility, in vol points like K; part-way, its variance is the time-weighted mean of what has
been realized and of the fair variance of the rest.

Convention. The hedge is a swap over 21 sessions (30 days, VIX's own horizon), struck at the
close's VIX, marked at the next close with the 20 remaining sessions still at VIX, and re-struck:
the term structure is taken as flat around 30 days, since that is all that VIX says. Ignored: the
bid-ask of the daily roll, discounting over 30 days, and the gap between VIX and a dealt strike.
"""

from math import sqrt
from typing import Final

SESSIONS_PER_YEAR: Final = 252
SWAP_SESSIONS: Final = 21
"""Sessions in the 30 calendar days that VIX looks ahead."""


def variance_notional(vega: float, strike: float) -> float:
    """Return currency per variance point (vol point squared): N/(2K).

    Args:
        vega: Vega notional N, currency per vol point; negative when short.
        strike: K, in vol points, above 0.

    Example:
        >>> variance_notional(1000.0, 20.0)
        25.0
    """
    return vega / (2 * strike)


def realized_points(log_return: float, sessions: int = 1) -> float:
    """Return the annualised volatility, in vol points, of one log return over `sessions`.

    Example:
        >>> round(realized_points(-0.01), 4)  # 1% a day is almost 16 points a year
        15.8745
    """
    return 100 * abs(log_return) * sqrt(SESSIONS_PER_YEAR / sessions)


def fair_strike(realized: float, implied: float, elapsed: int) -> float:
    """Return the strike, in vol points, at which a swap with `elapsed` sessions done is worth 0.

    Args:
        realized: Volatility over the sessions done, in vol points.
        implied: Fair strike of the sessions left, in vol points.
        elapsed: Sessions done, 0..21.

    Example:
        >>> fair_strike(30.0, 20.0, elapsed=0), fair_strike(30.0, 20.0, elapsed=21)
        (20.0, 30.0)
    """
    done = elapsed / SWAP_SESSIONS
    return sqrt(done * realized**2 + (1 - done) * implied**2)


def swap_value(vega: float, strike: float, fair: float) -> float:
    """Return what the swap is worth, in currency: N/(2K) · (fair² − K²), undiscounted."""
    return variance_notional(vega, strike) * (fair**2 - strike**2)


def rolled_profit(
    vega: float, strike: float, log_return: float, implied: float, sessions: int = 1
) -> float:
    """Return the profit of one roll: N/(2K)·[(1/21)(252·r²·100² − K²) + (20/21)(VIX² − K²)].

    Args:
        vega: Vega notional N held over the roll, currency per vol point.
        strike: K, VIX at the last close that counts, in vol points.
        log_return: r of the index from that close to this one.
        implied: VIX at this close, in vol points.
        sessions: Sessions between the two; 1 unless closes are missing in between. A swap runs
            out after 21.

    Example:
        >>> round(rolled_profit(1000.0, 20.0, 0.0, 20.0), 2)  # nothing moved: 1/21 of K/2 · N
        -476.19
    """
    elapsed = min(sessions, SWAP_SESSIONS)
    fair = fair_strike(realized_points(log_return, sessions), implied, elapsed)
    return swap_value(vega, strike, fair)
