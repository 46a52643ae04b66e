"""What the papers say a dynamic hedge does better than a static one, held against both.

Definitions are the live account's (`shared.domain.accounts.effectiveness`). A hedge *costs* what
it loses outside crash windows, a year of 252 of those sessions; *cheaper* is 1 − cost / cost of
the static hedge, which holds the base vega throughout and pays for no trade. *HER* is hedge gain /
portfolio loss over all crash windows together. A Sharpe ratio is of portfolio and hedge together,
over a riskless rate of 0.

HER and Sharpe ratio hang on how much hedge stands beside how much portfolio, and a portfolio grows
while the base vega stays. They are measured as the plan sizes them; what HER would be at the
papers' own size, 1,000 to a portfolio of 10,000,000 (Practical Steps 4) at the beginning of every
fall, is said beside it.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from msgspec import Struct, structs
from numpy.typing import NDArray

from shared.domain.accounts.effectiveness import summarize
from shared.domain.study.claims.claim import Claim, Judged, measured, untold
from shared.domain.study.claims.market import HEDGES
from shared.domain.study.daily import DailyRows
from shared.domain.study.intervals import (
    effectiveness_columns,
    ratio_of_sums,
    sharpe_difference,
    sharpe_of_rows,
    yearly_ratio,
)
from shared.domain.study.paths import calendar_day
from shared.domain.study.ratios import session_returns
from shared.domain.study.resampling import BootstrapPolicy

PORTFOLIO_PER_VEGA: Final = 10_000.0
"""The papers' 10,000,000 to a base vega of 1,000."""
COST_PER_VEGA: Final = 200.0
"""The papers' static hedge: 200,000 a year for a vega of 1,000."""

Floats = NDArray[np.float64]


class HedgeRun(Struct, frozen=True, kw_only=True):
    """A variant as it was run.

    Attributes:
        name: The variant's.
        rows: Its sessions.
        base_vega: Currency per vol point.
        labels: What must be said wherever a figure of it stands.
    """

    name: str
    rows: DailyRows
    base_vega: float
    labels: tuple[str, ...] = ()


def hedge_claims(runs: Sequence[HedgeRun], policy: BootstrapPolicy) -> list[Judged]:
    """Hold the three-way comparison against variants by the papers' rules.

    Args:
        runs: Over the same sessions, with the same base vega and portfolio; their static hedge is
            therefore the same, and the first one's is taken.
        policy: How to resample.
    """
    if not runs:
        reason = "the plan has no variant by a rule of the papers"
        return [untold(claim, reason) for claim in (_CHEAPER, _HER, _SHARPE, _BETTER)]
    asked = (_cheaper, _effectiveness, _sharpe, _better)
    return [
        *_of_static(runs[0], policy),
        *(structs.replace(ask(run, policy), variant=run.name) for run in runs for ask in asked),
    ]


def crash_windows(rows: DailyRows) -> NDArray[np.bool_]:
    """Return which sessions lie in a crash window of the live account, (n,)."""
    inside = np.zeros(len(rows), dtype=np.bool_)
    for crash in summarize(rows.results()).crashes:
        inside |= (rows.close_ns > crash.after_ns) & (rows.close_ns <= crash.end_ns)
    return inside


def on_sessions(judged: Judged, run: HedgeRun) -> Judged:
    """Say which sessions a claim was measured on, and what must be said with it."""
    return structs.replace(
        judged,
        sessions=len(run.rows),
        first=calendar_day(run.rows.day[0]),
        last=calendar_day(run.rows.day[-1]),
        labels=run.labels,
    )


def _size_told(run: HedgeRun) -> str:
    return f"{run.base_vega:,.0f} vega to {_portfolio(run):,.0f}"


def _portfolio(run: HedgeRun) -> float:
    """Return the portfolio's first known value; NaN without one."""
    values = run.rows.nav[~np.isnan(run.rows.nav)]
    return float(values[0]) if len(values) else float("nan")


# --- the static hedge, and none -------------------------------------------------------------------


def _of_static(run: HedgeRun, policy: BootstrapPolicy) -> list[Judged]:
    rows = run.rows
    crash = crash_windows(rows)
    nothing = np.zeros(len(rows))
    unhedged = session_returns(rows.nav, nothing)
    hedged = session_returns(rows.nav, rows.static_profit)
    cost = np.where(crash, 0.0, -rows.static_profit) * 1000.0 / run.base_vega
    gain, loss = effectiveness_columns(rows.nav, rows.static_profit, crash)
    found = [
        measured(
            _STATIC_COST,
            np.column_stack([cost, ~crash]).astype(np.float64),
            yearly_ratio,
            policy,
            "Lost outside crash windows per 252 of those sessions, for a vega of 1,000.",
        ),
        measured(
            _STATIC_HER,
            np.column_stack([gain, loss]),
            ratio_of_sums,
            policy,
            _crash_sentence(run, static=True),
        ),
        measured(_NO_SHARPE, unhedged[:, None], sharpe_of_rows, policy, "The portfolio alone."),
        measured(
            _STATIC_SHARPE,
            hedged[:, None],
            sharpe_of_rows,
            policy,
            f"Portfolio and static hedge together, {_size_told(run)}.",
        ),
    ]
    return [on_sessions(judged, run) for judged in found]


def _crash_sentence(run: HedgeRun, *, static: bool) -> str:
    """Say over how many falls, at which size, and what it would be at the papers' size at each."""
    crashes = summarize(run.rows.results()).crashes
    falls = "1 fall" if len(crashes) == 1 else f"{len(crashes)} falls"
    told = f"Gain / loss over {falls} by more than 5%, {_size_told(run)} at first"
    if not crashes:
        return f"{told}."
    gain = sum(crash.static_gain if static else crash.dynamic_gain for crash in crashes)
    lost = sum((crash.portfolio_loss or 0.0) / _value_at(run, crash.after_ns) for crash in crashes)
    paper = gain / (lost * run.base_vega * PORTFOLIO_PER_VEGA)
    return f"{told}; {paper:.3f} with 1,000 to 10,000,000 at each."


def _value_at(run: HedgeRun, close_ns: int) -> float:
    return float(run.rows.nav[np.searchsorted(run.rows.close_ns, close_ns)])


# --- each dynamic hedge ---------------------------------------------------------------------------


def _cheaper(run: HedgeRun, policy: BootstrapPolicy) -> Judged:
    rows = run.rows
    crash = crash_windows(rows)
    saved = np.where(crash, 0.0, rows.profit - rows.static_profit)
    cost = np.where(crash, 0.0, -rows.static_profit)
    multiple = float(np.nanmean(rows.multiplier)) if np.any(~np.isnan(rows.multiplier)) else 0.0
    sentence = f"1 - cost / static cost; it held {multiple:.2f} of the base on average."
    columns = np.column_stack([saved, cost])
    return on_sessions(measured(_of(_CHEAPER, run), columns, ratio_of_sums, policy, sentence), run)


def _effectiveness(run: HedgeRun, policy: BootstrapPolicy) -> Judged:
    rows = run.rows
    gain, loss = effectiveness_columns(rows.nav, rows.profit, crash_windows(rows))
    sentence = _crash_sentence(run, static=False)
    columns = np.column_stack([gain, loss])
    return on_sessions(measured(_of(_HER, run), columns, ratio_of_sums, policy, sentence), run)


def _sharpe(run: HedgeRun, policy: BootstrapPolicy) -> Judged:
    returns = session_returns(run.rows.nav, run.rows.profit)
    sentence = f"Portfolio and hedge together, {_size_told(run)}."
    judged = measured(_of(_SHARPE, run), returns[:, None], sharpe_of_rows, policy, sentence)
    return on_sessions(judged, run)


def _better(run: HedgeRun, policy: BootstrapPolicy) -> Judged:
    rows = run.rows
    dynamic = session_returns(rows.nav, rows.profit)
    static = session_returns(rows.nav, rows.static_profit)
    columns = np.column_stack([dynamic, static])
    sentence = "Sharpe ratio with this hedge less the one with the static, on the same sessions."
    judged = measured(_of(_BETTER, run), columns, sharpe_difference, policy, sentence)
    return on_sessions(judged, run)


def _of(claim: Claim, run: HedgeRun) -> Claim:
    return structs.replace(claim, key=f"{claim.key}.{run.name}")


def _ratio(key: str, where: str, text: str, low: float, high: float) -> Claim:
    return Claim(key=key, where=f"{HEDGES}, {where}", text=text, low=low, high=high, unit="ratio")


_STATIC_COST: Final = Claim(
    key="static_cost",
    where=f"{HEDGES}, Why 3",
    text="static 1,000 vega costs 200,000 a year",
    low=1000 * COST_PER_VEGA,
    high=1000 * COST_PER_VEGA,
    unit="money",
)
_CHEAPER: Final = Claim(
    key="cheaper",
    where=f"{HEDGES}, Why 3, Framework 3",
    text="30-50% cheaper than static",
    low=0.3,
    high=0.5,
    unit="share",
)
_STATIC_HER: Final = _ratio("static_her", "Framework 4", "static HER 0.4-0.6", 0.4, 0.6)
_HER: Final = _ratio("her", "Framework 4", "HER 0.5-0.7", 0.5, 0.7)
_NO_SHARPE: Final = _ratio("sharpe_unhedged", "Framework 7", "unhedged Sharpe 0.5", 0.5, 0.5)
_STATIC_SHARPE: Final = _ratio("sharpe_static", "Framework 7", "static Sharpe 0.55", 0.55, 0.55)
_SHARPE: Final = _ratio("sharpe", "Framework 7", "Sharpe 0.65", 0.65, 0.65)
_BETTER: Final = _ratio("sharpe_gain", "Framework 7", "Sharpe 0.10 above static", 0.1, 0.1)
