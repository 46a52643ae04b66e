"""Figures of one path of session returns, as `empyrical` defines them.

Returns are simple, one a session, oldest first. Conventions: 252 sessions a year, a riskless rate
and a required return of 0, sample deviation (ddof = 1); wealth is the returns compounded from 1.
A figure that is not defined on a path (too short, no deviation, no loss) is `None`, never NaN.
"""

from math import sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.domain.accounts.variance_swap import SESSIONS_PER_YEAR

Returns = NDArray[np.float64]

FEWEST_RETURNS: Final = 2
"""What a sample deviation needs."""


def session_returns(nav: Returns, profit: Returns) -> Returns:
    """Return (value now − value before + hedge profit) / value before, the portfolio unhedged.

    The live account's convention (`shared.domain.accounts.effectiveness`): the hedge is an overlay
    on the portfolio's value, and the profit of a session without a value goes with the next return.

    Args:
        nav: Portfolio values, (n,); NaN where not known.
        profit: Of the hedge, (n,); zeros for none.

    Returns:
        One less than there are known values.
    """
    known = np.flatnonzero(~np.isnan(nav))
    if len(known) < FEWEST_RETURNS:
        return np.empty(0)
    values = nav[known]
    earned = np.add.reduceat(profit[: known[-1] + 1], known[:-1] + 1)
    return np.asarray((np.diff(values) + earned) / values[:-1], dtype=np.float64)


def wealth(returns: Returns) -> Returns:
    """Return the value of 1 along the path, (n + 1,), the start included."""
    return np.concatenate([[1.0], np.cumprod(1.0 + returns)])


def annual_return(returns: Returns) -> float | None:
    """Return the compound growth rate, decimal per year; −1 for a path that lost everything."""
    if not len(returns):
        return None
    final = float(np.prod(1.0 + returns))
    return final ** (SESSIONS_PER_YEAR / len(returns)) - 1.0 if final > 0 else -1.0


def annual_volatility(returns: Returns) -> float | None:
    """Return the sample deviation times √252, decimal per year."""
    if len(returns) < FEWEST_RETURNS:
        return None
    return float(np.std(returns, ddof=1)) * sqrt(SESSIONS_PER_YEAR)


def sharpe(returns: Returns) -> float | None:
    """Return mean / sample deviation times √252, of simple returns over a riskless rate of 0."""
    if len(returns) < FEWEST_RETURNS or not np.ptp(returns):
        return None
    return float(np.mean(returns) / np.std(returns, ddof=1)) * sqrt(SESSIONS_PER_YEAR)


def sortino(returns: Returns) -> float | None:
    """Return mean / √(mean of squared losses) times √252; gains count as 0 in the square mean."""
    if len(returns) < FEWEST_RETURNS or not np.any(returns < 0):
        return None
    losses = np.minimum(returns, 0.0)
    return float(np.mean(returns) / np.sqrt(np.mean(losses**2))) * sqrt(SESSIONS_PER_YEAR)


def maximum_drawdown(returns: Returns) -> float | None:
    """Return the deepest fall of wealth below its running peak, ≤ 0, the start counted."""
    if not len(returns):
        return None
    values = wealth(returns)
    return float(np.min(values / np.maximum.accumulate(values))) - 1.0


def calmar(returns: Returns) -> float | None:
    """Return the annual return / depth of the deepest fall."""
    growth, deepest = annual_return(returns), maximum_drawdown(returns)
    return growth / -deepest if growth is not None and deepest else None


def correlation(first: Returns, second: Returns) -> float | None:
    """Return Pearson's correlation; `None` when one of them does not move."""
    if len(first) < FEWEST_RETURNS or not np.ptp(first) or not np.ptp(second):
        return None
    return float(np.corrcoef(first, second)[0, 1])


def closed_form_sharpe(
    *, mean_return: float, cost_rate: float, volatility: float, correlation: float
) -> float | None:
    """Return the paper's (μ − C) / (σ·√(1 − ρ²)) (its section 7; spec 7).

    Args:
        mean_return: μ of the unhedged portfolio, decimal per year.
        cost_rate: C of the hedge, share of the portfolio per year.
        volatility: σ of the unhedged portfolio, decimal per year.
        correlation: ρ of the portfolio's returns with the hedge's.

    Returns:
        `None` without volatility, or when ρ is ±1.
    """
    risk = volatility * sqrt(max(0.0, 1.0 - correlation**2))
    return (mean_return - cost_rate) / risk if risk else None
