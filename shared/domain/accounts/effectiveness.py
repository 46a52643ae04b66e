"""Was the hedge worth it: profit, cost and effectiveness of three hedges over the same sessions.

Definitions (spec 7). A *crash window* runs from a peak of the portfolio's value to the lowest
value before that peak is regained, when that is more than 5% below it. The hedge effectiveness
ratio is hedge gain / portfolio loss over a window. What a hedge *cost* is what it lost in the
sessions outside crash windows, transaction cost included: inside them it is meant to earn, and
adding those profits in would call an insurance free that has just paid.
"""

from collections.abc import Sequence
from itertools import compress
from math import fsum
from typing import Final

import numpy as np
from msgspec import Struct

from shared.domain.accounts.variance_swap import SESSIONS_PER_YEAR

CRASH_DRAWDOWN: Final = 0.05


class SessionResult(Struct, frozen=True, kw_only=True):
    """One counted session; money in the book's currency.

    Attributes:
        close_ns: Its close.
        nav: The portfolio's value at it, without any hedge; `None` when not known in the session.
        dynamic_carry: What the hedge as traded earned, before transaction cost.
        transaction_cost: Spread, slippage and commission of its trades.
        static_carry: What the static hedge earned, its rolls paid.
        turnover_vega: Vega traded, unsigned, currency per vol point.
        trades: Number of trades.
        multiplier: Of the last target; `None` before the first.
        at_floor: Whether that target was at the floor.
        at_cap: Whether it was at the cap.
    """

    close_ns: int
    nav: float | None
    dynamic_carry: float
    transaction_cost: float
    static_carry: float
    turnover_vega: float
    trades: int
    multiplier: float | None
    at_floor: bool
    at_cap: bool

    @property
    def dynamic_net(self) -> float:
        """What the hedge as traded earned, transaction cost paid."""
        return self.dynamic_carry - self.transaction_cost


class WindowResult(Struct, frozen=True, kw_only=True):
    """What happened in the sessions that close after `after_ns` and no later than `end_ns`.

    Attributes:
        after_ns: For a crash window the close of the peak.
        end_ns: For a crash window the close of the trough.
        sessions: How many.
        portfolio_loss: Value before the window minus value at its end; `None` without both.
        dynamic_gain: Of the hedge as traded, transaction cost paid.
        static_gain: Of the static hedge.
    """

    after_ns: int
    end_ns: int
    sessions: int
    portfolio_loss: float | None
    dynamic_gain: float
    static_gain: float

    @property
    def dynamic_effectiveness(self) -> float | None:
        """Gain / loss of the hedge as traded; `None` when the portfolio lost nothing."""
        return _ratio(self.dynamic_gain, self.portfolio_loss)

    @property
    def static_effectiveness(self) -> float | None:
        """Gain / loss of the static hedge; `None` when the portfolio lost nothing."""
        return _ratio(self.static_gain, self.portfolio_loss)


class StrategyResult(Struct, frozen=True, kw_only=True):
    """One hedge since inception.

    Attributes:
        carry_profit: Before transaction cost.
        transaction_cost: As above.
        net_profit: The difference.
        cost: −(net profit of the sessions outside crash windows).
        cost_per_year: The same for 252 of those sessions; `None` when there is none.
        sharpe: Of portfolio and hedge together: mean / sample deviation of the session returns on
            the portfolio's value, times √252, over a riskless rate of 0; `None` under 2 returns or
            without deviation.
    """

    carry_profit: float
    transaction_cost: float
    net_profit: float
    cost: float
    cost_per_year: float | None
    sharpe: float | None


class ComparisonReport(Struct, frozen=True, kw_only=True):
    """Dynamic, static and none, side by side.

    Attributes:
        sessions: That counted.
        sessions_skipped: Without a close of the index or of a leg.
        average_multiplier: Over the sessions that had a target; `None` without one.
        maximum_multiplier: The same.
        sessions_at_floor: Closed with a target at the floor.
        sessions_at_cap: Closed with a target at the cap.
        turnover_vega: Vega traded, unsigned, currency per vol point.
        trades: Number of trades.
        dynamic: The hedge as traded.
        static: The base vega throughout.
        none: The portfolio alone.
        crashes: One a crash window, in order.
    """

    sessions: int
    sessions_skipped: int
    average_multiplier: float | None
    maximum_multiplier: float | None
    sessions_at_floor: int
    sessions_at_cap: int
    turnover_vega: float
    trades: int
    dynamic: StrategyResult
    static: StrategyResult
    none: StrategyResult
    crashes: tuple[WindowResult, ...]


def drawdowns(values: Sequence[float], threshold: float = CRASH_DRAWDOWN) -> list[tuple[int, int]]:
    """Return (peak, trough) positions of every fall by more than `threshold` from a peak.

    Args:
        values: Portfolio values, oldest first.
        threshold: As a fraction of the peak.

    Example:
        >>> drawdowns([100, 110, 104, 111, 100, 90, 95, 112, 111])
        [(1, 2), (3, 5)]
    """
    found: list[tuple[int, int]] = []
    peak = trough = 0
    for position, value in enumerate(values):
        if value >= values[peak]:
            _keep_if_deep(found, values, peak, trough, threshold)
            peak = trough = position
        elif value < values[trough]:
            trough = position
    _keep_if_deep(found, values, peak, trough, threshold)
    return found


def measure_window(results: Sequence[SessionResult], *, after_ns: int, end_ns: int) -> WindowResult:
    """Add up the sessions that close after `after_ns` and no later than `end_ns`."""
    inside = [result for result in results if after_ns < result.close_ns <= end_ns]
    before = [r.nav for r in results if r.close_ns <= after_ns and r.nav is not None]
    during = [result.nav for result in inside if result.nav is not None]
    known = bool(before and during)
    return WindowResult(
        after_ns=after_ns,
        end_ns=end_ns,
        sessions=len(inside),
        portfolio_loss=before[-1] - during[-1] if known else None,
        dynamic_gain=fsum(result.dynamic_net for result in inside),
        static_gain=fsum(result.static_carry for result in inside),
    )


def summarize(results: Sequence[SessionResult], *, skipped: int = 0) -> ComparisonReport:
    """Return the whole comparison of `results`, oldest first."""
    multipliers = [result.multiplier for result in results if result.multiplier is not None]
    crashes = crash_windows(results)
    calm = [
        not any(crash.after_ns < result.close_ns <= crash.end_ns for crash in crashes)
        for result in results
    ]
    nothing = [0.0] * len(results)
    return ComparisonReport(
        sessions=len(results),
        sessions_skipped=skipped,
        average_multiplier=fsum(multipliers) / len(multipliers) if multipliers else None,
        maximum_multiplier=max(multipliers, default=None),
        sessions_at_floor=sum(result.at_floor for result in results),
        sessions_at_cap=sum(result.at_cap for result in results),
        turnover_vega=fsum(result.turnover_vega for result in results),
        trades=sum(result.trades for result in results),
        dynamic=_strategy(
            results,
            calm,
            carry=[result.dynamic_carry for result in results],
            cost=[result.transaction_cost for result in results],
        ),
        static=_strategy(
            results, calm, carry=[result.static_carry for result in results], cost=nothing
        ),
        none=_strategy(results, calm, carry=nothing, cost=nothing),
        crashes=crashes,
    )


def crash_windows(results: Sequence[SessionResult]) -> tuple[WindowResult, ...]:
    """Return the crash windows of `results`, in order, and what each hedge earned in them."""
    closes = [(result.close_ns, result.nav) for result in results if result.nav is not None]
    return tuple(
        measure_window(results, after_ns=closes[peak][0], end_ns=closes[trough][0])
        for peak, trough in drawdowns([nav for _, nav in closes])
    )


def _strategy(
    results: Sequence[SessionResult],
    calm: Sequence[bool],
    *,
    carry: Sequence[float],
    cost: Sequence[float],
) -> StrategyResult:
    profits = [earned - paid for earned, paid in zip(carry, cost, strict=True)]
    outside = list(compress(profits, calm))
    return StrategyResult(
        carry_profit=fsum(carry),
        transaction_cost=fsum(cost),
        net_profit=fsum(profits),
        cost=0.0 - fsum(outside),  # not −0.0
        cost_per_year=(0.0 - fsum(outside)) * SESSIONS_PER_YEAR / len(outside) if outside else None,
        sharpe=_sharpe([result.nav for result in results], profits),
    )


def _sharpe(navs: Sequence[float | None], profits: Sequence[float]) -> float | None:
    returns: list[float] = []
    before: float | None = None
    hedged = 0.0  # the profit of a session without a value goes with the next return
    for nav, profit in zip(navs, profits, strict=True):
        hedged += profit
        if nav is None:
            continue
        if before is not None:
            returns.append((nav - before + hedged) / before)
        before, hedged = nav, 0.0
    if len(returns) < 2 or len(set(returns)) == 1:  # noqa: PLR2004 - what a deviation needs
        return None
    return float(np.mean(returns) / np.std(returns, ddof=1) * np.sqrt(SESSIONS_PER_YEAR))


def _keep_if_deep(
    found: list[tuple[int, int]],
    values: Sequence[float],
    peak: int,
    trough: int,
    threshold: float,
) -> None:
    if values and values[trough] < values[peak] * (1 - threshold):
        found.append((peak, trough))


def _ratio(gain: float, loss: float | None) -> float | None:
    return gain / loss if loss is not None and loss > 0 else None
