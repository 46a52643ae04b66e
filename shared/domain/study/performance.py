"""What a variant did, all figures in one record (spec 7 and 8).

Returns, cost, crash windows and the hedge effectiveness ratio are the live account's own
(`shared.domain.accounts.effectiveness`): a hedge *costs* what it loses outside crash windows.
Ratios follow `empyrical` (`shared.domain.study.ratios`).
"""

from collections.abc import Sequence
from datetime import date

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from shared.domain.accounts.effectiveness import ComparisonReport, StrategyResult, summarize
from shared.domain.accounts.variance_swap import SESSIONS_PER_YEAR
from shared.domain.study.crises import NAMED_CRISES, Crisis, CrisisResult, crisis_results
from shared.domain.study.daily import DailyRows
from shared.domain.study.hindsight import Regret, regret
from shared.domain.study.paths import (
    ClosedForm,
    PathFigures,
    calendar_day,
    closed_form,
    path_figures,
)
from shared.domain.study.regimes import RegimeResult, regime_results


class HedgeFigures(Struct, frozen=True, kw_only=True):
    """What one hedge earned and cost; money in the book's currency.

    Attributes:
        path: Portfolio and hedge together.
        carry_profit: Before transaction cost.
        transaction_cost: Spread, slippage, commission, rolls.
        net_profit: The difference.
        cost_per_year: What it lost outside crash windows, per 252 of those sessions; `None` when
            there is none.
        effectiveness: Gain / portfolio loss over all crash windows together; `None` without one.
        closed_form: `None` when portfolio or hedge never moved.
    """

    path: PathFigures
    carry_profit: float
    transaction_cost: float
    net_profit: float
    cost_per_year: float | None
    effectiveness: float | None
    closed_form: ClosedForm | None


class Performance(Struct, frozen=True, kw_only=True):
    """A variant's figures beside the static hedge's and none.

    Attributes:
        first: First session.
        last: Last session.
        sessions: That counted.
        sessions_skipped: Without a close of the index or of a leg.
        unhedged: The portfolio alone.
        hedge: The hedge as traded.
        static: The base vega throughout, at no transaction cost.
        average_multiplier: Over the sessions that had a target; `None` without one.
        maximum_multiplier: The same.
        time_at_floor: Share of the sessions that had a target.
        time_at_cap: The same.
        turnover_vega: Vega traded, unsigned, currency per vol point.
        turnover_vega_per_year: Per 252 sessions.
        trades: Number of trades.
        win_rate: Share of the sessions with a hedge profit or loss that had a profit.
        monthly_win_rate: The same for calendar months.
        crashes: Each fall of this portfolio by more than 5%, peak to trough.
        crises: The named ones that the data cover.
        regimes: By regime at the close before, in the order of first appearance.
        regret: Against the best constant hedge in hindsight.
    """

    first: date
    last: date
    sessions: int
    sessions_skipped: int
    unhedged: PathFigures
    hedge: HedgeFigures
    static: HedgeFigures
    average_multiplier: float | None
    maximum_multiplier: float | None
    time_at_floor: float | None
    time_at_cap: float | None
    turnover_vega: float
    turnover_vega_per_year: float
    trades: int
    win_rate: float | None
    monthly_win_rate: float | None
    crashes: tuple[CrisisResult, ...]
    crises: tuple[CrisisResult, ...]
    regimes: tuple[RegimeResult, ...]
    regret: Regret


def measure_performance(
    rows: DailyRows,
    *,
    cap: float,
    skipped: int = 0,
    crises: Sequence[Crisis] = NAMED_CRISES,
) -> Performance:
    """Return all figures of a variant.

    Args:
        rows: Its sessions, at least one.
        cap: Highest multiple of the base vega that the regret may choose.
        skipped: Sessions of the period that are not in `rows`.
        crises: The named falls to look for.

    Raises:
        ValueError: No sessions.
    """
    if not len(rows):
        raise ValueError("no sessions to measure")
    results = rows.results()
    report = summarize(results, skipped=skipped)
    crashes = _crashes(rows, report)
    targeted = int(np.sum(~np.isnan(rows.multiplier)))
    months = rows.day.astype("datetime64[M]")
    starts = np.flatnonzero(np.concatenate([[True], months[1:] != months[:-1]]))
    return Performance(
        first=calendar_day(rows.day[0]),
        last=calendar_day(rows.day[-1]),
        sessions=report.sessions,
        sessions_skipped=skipped,
        unhedged=path_figures(rows.nav, np.zeros(len(rows))),
        hedge=_hedge(rows, rows.profit, report.dynamic, crashes, static=False),
        static=_hedge(rows, rows.static_profit, report.static, crashes, static=True),
        average_multiplier=report.average_multiplier,
        maximum_multiplier=report.maximum_multiplier,
        time_at_floor=report.sessions_at_floor / targeted if targeted else None,
        time_at_cap=report.sessions_at_cap / targeted if targeted else None,
        turnover_vega=report.turnover_vega,
        turnover_vega_per_year=report.turnover_vega * SESSIONS_PER_YEAR / report.sessions,
        trades=report.trades,
        win_rate=_win_rate(rows.profit),
        monthly_win_rate=_win_rate(np.add.reduceat(rows.profit, starts)),
        crashes=crashes,
        crises=crisis_results(rows.day, results, crises),
        regimes=regime_results(rows),
        regret=regret(nav=rows.nav, profit=rows.profit, static_profit=rows.static_profit, cap=cap),
    )


def crash_sessions(rows: DailyRows, crashes: Sequence[CrisisResult]) -> NDArray[np.bool_]:
    """Return which sessions lie in a crash window, the peak's own excluded, (n,)."""
    inside = np.zeros(len(rows), dtype=np.bool_)
    for crash in crashes:
        window = crash.result
        inside |= (rows.close_ns > window.after_ns) & (rows.close_ns <= window.end_ns)
    return inside


def _crashes(rows: DailyRows, report: ComparisonReport) -> tuple[CrisisResult, ...]:
    found = []
    for window in report.crashes:
        peak, trough = np.searchsorted(rows.close_ns, [window.after_ns, window.end_ns])
        first, last = calendar_day(rows.day[peak]), calendar_day(rows.day[trough])
        found.append(CrisisResult(name=f"{first} to {last}", first=first, last=last, result=window))
    return tuple(found)


def _hedge(
    rows: DailyRows,
    profit: NDArray[np.float64],
    strategy: StrategyResult,
    crashes: Sequence[CrisisResult],
    *,
    static: bool,
) -> HedgeFigures:
    windows = [crash.result for crash in crashes]
    gain = sum(window.static_gain if static else window.dynamic_gain for window in windows)
    loss = sum(window.portfolio_loss or 0.0 for window in windows)
    return HedgeFigures(
        path=path_figures(rows.nav, profit),
        carry_profit=strategy.carry_profit,
        transaction_cost=strategy.transaction_cost,
        net_profit=strategy.net_profit,
        cost_per_year=strategy.cost_per_year,
        effectiveness=gain / loss if loss > 0 else None,
        closed_form=closed_form(rows.nav, profit, crash_sessions(rows, crashes)),
    )


def _win_rate(profits: NDArray[np.float64]) -> float | None:
    decided = int(np.count_nonzero(profits))
    return float(np.sum(profits > 0)) / decided if decided else None
