"""Regret: what the best constant hedge, chosen after the fact, would have done better.

The static hedge holds the base vega throughout; a constant hedge holds k times as much, k in
[0, cap] and the same in every session, at no transaction cost, as the live account has it. The
best k is the one that nobody could have known. Two answers, as the aim differs:

- *by profit*: net profit is k·Σs, linear in k, so the best is 0 (no hedge) or the cap.
- *by Sharpe*: of portfolio and hedge together, (ā + k·b̄)/√(A + 2kC + k²B), with a the
  portfolio's returns, b the static hedge's and A, B, C their variances and covariance. Its
  derivative vanishes at k = (b̄A − āC)/(āB − b̄C) alone: the best is there or at an end.

Regret is the best minus what the hedge as traded made; below 0 the rule beat every constant hedge.
"""

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from shared.domain.study.ratios import session_returns, sharpe


class Regret(Struct, frozen=True, kw_only=True):
    """A hedge beside the best constant ones in hindsight.

    Attributes:
        multiple_by_profit: k of the highest net profit, 0 or the cap; 0 on a tie.
        best_profit: That profit, the book's currency.
        profit_regret: `best_profit` − net profit as traded.
        multiple_by_sharpe: k of the highest Sharpe ratio; `None` when no k has one.
        best_sharpe: That ratio, annualised.
        sharpe_regret: `best_sharpe` − ratio as traded; `None` when either is missing.
    """

    multiple_by_profit: float
    best_profit: float
    profit_regret: float
    multiple_by_sharpe: float | None
    best_sharpe: float | None
    sharpe_regret: float | None


def regret(
    *,
    nav: NDArray[np.float64],
    profit: NDArray[np.float64],
    static_profit: NDArray[np.float64],
    cap: float,
) -> Regret:
    """Return how far a hedge stayed behind the best constant one.

    Args:
        nav: Value of the unhedged portfolio, (n,); NaN where not known.
        profit: Of the hedge as traded, transaction cost paid, (n,).
        static_profit: Of the base vega throughout, (n,).
        cap: Highest multiple of the base.
    """
    best_profit = max(0.0, cap * float(np.sum(static_profit)))
    by_sharpe = best_constant_multiple(nav, static_profit, cap)
    traded = sharpe(session_returns(nav, profit))
    best = None if by_sharpe is None else by_sharpe[1]
    return Regret(
        multiple_by_profit=cap if best_profit else 0.0,
        best_profit=best_profit,
        profit_regret=best_profit - float(np.sum(profit)),
        multiple_by_sharpe=None if by_sharpe is None else by_sharpe[0],
        best_sharpe=best,
        sharpe_regret=None if best is None or traded is None else best - traded,
    )


def best_constant_multiple(
    nav: NDArray[np.float64], static_profit: NDArray[np.float64], cap: float
) -> tuple[float, float] | None:
    """Return the multiple in [0, cap] of the highest Sharpe ratio, and the ratio.

    Of equals the smallest wins; `None` when no multiple has a ratio.
    """
    candidates = [0.0, cap]
    portfolio = session_returns(nav, np.zeros_like(nav))
    if len(portfolio) > 1:
        hedge = session_returns(nav, static_profit) - portfolio
        stationary = _stationary_multiple(portfolio, hedge)
        candidates += [stationary] if 0.0 < stationary < cap else []
    ratios = [(k, sharpe(session_returns(nav, k * static_profit))) for k in sorted(candidates)]
    defined = [(k, ratio) for k, ratio in ratios if ratio is not None]
    return max(defined, key=lambda pair: pair[1], default=None)


def _stationary_multiple(portfolio: NDArray[np.float64], hedge: NDArray[np.float64]) -> float:
    variances = np.cov(portfolio, hedge)
    mean, gain = float(np.mean(portfolio)), float(np.mean(hedge))
    above = gain * float(variances[0, 0]) - mean * float(variances[0, 1])
    below = mean * float(variances[1, 1]) - gain * float(variances[0, 1])
    return above / below if below else 0.0
