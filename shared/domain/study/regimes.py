"""Results by market regime.

A session belongs to the regime of the close *before* it, under which the position was taken into
it: its own close would put every crash into "high" by its outcome.
"""

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from shared.domain.study.daily import DailyRows
from shared.domain.study.ratios import session_returns, sharpe


class RegimeResult(Struct, frozen=True, kw_only=True):
    """The sessions that were entered in one regime.

    Attributes:
        regime: At the close before; empty when not known.
        sessions: How many.
        share: Of all sessions.
        portfolio_profit: Change of the unhedged portfolio's value in them.
        profit: Of the hedge, transaction cost paid.
        transaction_cost: Of the hedge.
        static_profit: Of the static hedge.
        average_multiplier: `None` without a target.
        sharpe_unhedged: Of these sessions' returns alone, annualised.
        sharpe: The same, hedged.
    """

    regime: str
    sessions: int
    share: float
    portfolio_profit: float
    profit: float
    transaction_cost: float
    static_profit: float
    average_multiplier: float | None
    sharpe_unhedged: float | None
    sharpe: float | None


def entered_regimes(rows: DailyRows) -> NDArray[np.str_]:
    """Return the regime in which each session was entered, (n,); the first has its own."""
    return np.concatenate([rows.regime[:1], rows.regime[:-1]])


def regime_results(rows: DailyRows) -> tuple[RegimeResult, ...]:
    """Return the results by regime, in the order of first appearance."""
    entered = entered_regimes(rows)
    names, firsts = np.unique(entered, return_index=True)
    return tuple(_regime(rows, str(name), entered == name) for name in names[np.argsort(firsts)])


def _regime(rows: DailyRows, name: str, inside: NDArray[np.bool_]) -> RegimeResult:
    unhedged, valued = _returns_inside(rows, np.zeros(len(rows)), inside)
    hedged, _ = _returns_inside(rows, rows.profit, inside)
    multipliers = rows.multiplier[inside & ~np.isnan(rows.multiplier)]
    return RegimeResult(
        regime=name,
        sessions=int(np.sum(inside)),
        share=float(np.mean(inside)),
        portfolio_profit=float(np.sum(valued)),
        profit=float(np.sum(rows.profit[inside])),
        transaction_cost=float(np.sum(rows.cost[inside])),
        static_profit=float(np.sum(rows.static_profit[inside])),
        average_multiplier=float(np.mean(multipliers)) if len(multipliers) else None,
        sharpe_unhedged=sharpe(unhedged),
        sharpe=sharpe(hedged),
    )


def _returns_inside(
    rows: DailyRows, profit: NDArray[np.float64], inside: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return returns, and changes of value, of the valued sessions that are `inside`."""
    valued = ~np.isnan(rows.nav)
    ends = inside[valued][1:]
    return session_returns(rows.nav, profit)[ends], np.diff(rows.nav[valued])[ends]
