"""Confidence intervals of what a study claims: Sharpe ratio, effectiveness, cost per year.

Crash windows are found once, on the sessions as they were, and go with their sessions into every
resample: a resampled path has other falls, but the question is how the same sessions, in other
numbers, would have come out.
"""

from math import sqrt

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from shared.domain.accounts.variance_swap import SESSIONS_PER_YEAR
from shared.domain.study.daily import DailyRows
from shared.domain.study.ratios import session_returns
from shared.domain.study.resampling import (
    BootstrapPolicy,
    Interval,
    Rows,
    Statistic,
    confidence_interval,
)


class PerformanceIntervals(Struct, frozen=True, kw_only=True):
    """Intervals of a variant's figures; `None` where a figure is not defined.

    Attributes:
        sharpe: Of portfolio and hedge together.
        sharpe_gain: That less the unhedged portfolio's, over the same sessions.
        effectiveness: Hedge gain / portfolio loss over all crash windows together.
        static_effectiveness: The static hedge's.
        cost_per_year: What the hedge lost outside crash windows, per 252 of those sessions.
    """

    sharpe: Interval | None
    sharpe_gain: Interval | None
    effectiveness: Interval | None
    static_effectiveness: Interval | None
    cost_per_year: Interval | None


def performance_intervals(
    rows: DailyRows, crash: NDArray[np.bool_], policy: BootstrapPolicy
) -> PerformanceIntervals:
    """Return the intervals of a variant's figures.

    Args:
        rows: Its sessions.
        crash: Which of them lie in a crash window (`performance.crash_sessions`), (n,).
        policy: How to resample.
    """
    hedged = session_returns(rows.nav, rows.profit)
    unhedged = session_returns(rows.nav, np.zeros(len(rows)))
    return PerformanceIntervals(
        sharpe=_interval(sharpe_of_rows, policy, hedged),
        sharpe_gain=_interval(sharpe_difference, policy, hedged, unhedged),
        effectiveness=_interval(
            ratio_of_sums, policy, *effectiveness_columns(rows.nav, rows.profit, crash)
        ),
        static_effectiveness=_interval(
            ratio_of_sums, policy, *effectiveness_columns(rows.nav, rows.static_profit, crash)
        ),
        cost_per_year=_interval(yearly_ratio, policy, np.where(crash, 0.0, -rows.profit), ~crash),
    )


def effectiveness_columns(
    nav: NDArray[np.float64], profit: NDArray[np.float64], crash: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return hedge gain and portfolio loss of crash sessions, 0 in others, (n,) each.

    The loss of a session without a value goes with the next one that has one.
    """
    valued = np.flatnonzero(~np.isnan(nav))
    loss = np.zeros(len(nav))
    loss[valued[1:]] = -np.diff(nav[valued])
    return np.where(crash, profit, 0.0), np.where(crash, loss, 0.0)


def sharpe_of_rows(rows: Rows) -> NDArray[np.float64]:
    """Return the annualised Sharpe ratio of column 0 (returns) for (…, n, k) rows, (…,)."""
    return _sharpe(rows[..., 0])


def sharpe_difference(rows: Rows) -> NDArray[np.float64]:
    """Return the annualised Sharpe ratio of column 0 less that of column 1, (…,)."""
    return _sharpe(rows[..., 0]) - _sharpe(rows[..., 1])


def ratio_of_sums(rows: Rows) -> NDArray[np.float64]:
    """Return Σ column 0 / Σ column 1; NaN where the lower sum is not above 0, (…,)."""
    above, below = np.sum(rows[..., 0], axis=-1), np.sum(rows[..., 1], axis=-1)
    return _ratio(above, below)


def yearly_ratio(rows: Rows) -> NDArray[np.float64]:
    """Return 252 · Σ column 0 / Σ column 1: a mean per counted session, as a year's, (…,)."""
    return SESSIONS_PER_YEAR * ratio_of_sums(rows)


def _sharpe(returns: NDArray[np.float64]) -> NDArray[np.float64]:
    means = np.mean(returns, axis=-1)
    centred = returns - means[..., None]
    deviations = np.sqrt(np.einsum("...n,...n->...", centred, centred) / (returns.shape[-1] - 1))
    return _ratio(means, deviations) * sqrt(SESSIONS_PER_YEAR)


def _ratio(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    ratios = np.full(below.shape, np.nan)
    np.divide(above, below, out=ratios, where=below > 0)
    return ratios


def _interval(
    statistic: Statistic, policy: BootstrapPolicy, *columns: NDArray[np.float64 | np.bool_]
) -> Interval | None:
    rows = np.column_stack(columns).astype(np.float64)
    if len(rows) < 3 or np.isnan(statistic(rows[None])[0]):  # noqa: PLR2004 - to leave one out
        return None
    return confidence_interval(rows, statistic, policy)
