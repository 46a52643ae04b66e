"""The two worked examples that a history of VIX can run, in their own years and sizes."""

from collections.abc import Callable
from datetime import date
from typing import Final

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from shared.domain.study.claims.claim import (
    Claim,
    Judged,
    Unit,
    Verdict,
    computed,
    factual,
    measured,
    untold,
)
from shared.domain.study.claims.hedges import HedgeRun, crash_windows, on_sessions
from shared.domain.study.claims.market import covers
from shared.domain.study.claims.periods import (
    CONDITIONAL,
    CONDITIONAL_YEARS,
    LOW_VOLATILITY,
    VIX_SCALED,
    Period,
    missing_of,
)
from shared.domain.study.daily import DailyRows
from shared.domain.study.intervals import yearly_ratio
from shared.domain.study.resampling import BootstrapPolicy

COVID: Final = Period(date(2020, 2, 19), date(2020, 3, 23))
AUGUST: Final = Period(date(2015, 8, 17), date(2015, 8, 25))
"""The S&P 500's highest and lowest close around each, as `study.crises` has them."""


def vix_scaled_claims(run: HedgeRun, policy: BootstrapPolicy) -> list[Judged]:
    """Hold example 1, the rule `covid` on 50 million, against how it ran."""
    cost = _claim("covid.cost", VIX_SCALED, "2017-2019: cost a year 50,000", 50e3)
    loss = _claim("covid.loss", VIX_SCALED, "2020: the portfolio lost 20%", 0.2, "share")
    gain = _claim("covid.gain", VIX_SCALED, "2020: the hedge gained 3,000,000", 3e6)
    ratio = _claim("covid.offset", VIX_SCALED, "2020: offset 30%", 0.3, "share")
    return [
        _cost(run, LOW_VOLATILITY, cost, policy),
        *_in_fall(run, COVID, (loss, gain, ratio)),
    ]


def conditional_claims(run: HedgeRun, policy: BootstrapPolicy) -> list[Judged]:
    """Hold example 2, 2,000 vega above VIX 20 on 20 million, against how it ran."""
    cost = _claim("conditional.cost", CONDITIONAL, "2012-2018: cost a year 100,000", 100e3)
    loss = _claim("conditional.loss", CONDITIONAL, "2015: the portfolio lost 4%", 0.04, "share")
    gain = _claim("conditional.gain", CONDITIONAL, "2015: the hedge gained 400,000", 400e3)
    ratio = _claim("conditional.offset", CONDITIONAL, "2015: offset 50%", 0.5, "share")
    gains = _claim("conditional.gains", CONDITIONAL, "2012-2018: gains 900,000", 900e3)
    net = _claim("conditional.net", CONDITIONAL, "2012-2018: net +200,000", 200e3)
    everywhere, told = "In all falls by more than 5% together.", "Of the hedge, trades paid."
    return [
        _cost(run, CONDITIONAL_YEARS, cost, policy),
        *_in_fall(run, AUGUST, (loss, gain, ratio)),
        _total(run, gains, lambda rows: rows.profit[crash_windows(rows)], everywhere),
        _total(run, net, lambda rows: rows.profit, told),
    ]


def _claim(key: str, where: str, text: str, claimed: float, unit: Unit = "money") -> Claim:
    rounding = 0.005 if unit == "share" else 0.005 * claimed
    return Claim(
        key=f"run.{key}",
        where=where,
        text=text,
        low=claimed,
        high=claimed,
        unit=unit,
        rounding=rounding,
    )


def _within(run: HedgeRun, period: Period) -> HedgeRun:
    """Return the sessions of a period."""
    day = run.rows.day
    inside = (day >= np.datetime64(period.first)) & (day <= np.datetime64(period.last))
    return structs.replace(run, rows=run.rows.take(inside))


def _told(judged: Judged, run: HedgeRun, period: Period, part: HedgeRun) -> Judged:
    judged = on_sessions(judged, part)
    if covers(run.rows.day, period.first, period.last):
        return factual(judged)
    reason = missing_of(run.rows.day, period)
    return structs.replace(judged, verdict=Verdict.CANNOT_BE_TOLD, reason=reason)


def _cost(run: HedgeRun, period: Period, claim: Claim, policy: BootstrapPolicy) -> Judged:
    part = _within(run, period)
    if not len(part.rows):
        return untold(claim, missing_of(run.rows.day, period))
    calm = ~crash_windows(run.rows)[np.isin(run.rows.day, part.rows.day)]
    cost = np.where(calm, -part.rows.profit, 0.0)
    sentence = (
        "Lost outside crash windows, per 252 of those sessions, as the live hedger traded it."
    )
    columns = np.column_stack([cost, calm]).astype(np.float64)
    return _told(measured(claim, columns, yearly_ratio, policy, sentence), run, period, part)


def _in_fall(run: HedgeRun, period: Period, claims: tuple[Claim, Claim, Claim]) -> list[Judged]:
    """Judge loss, gain and offset of one fall."""
    part = _within(run, period)
    if not covers(run.rows.day, period.first, period.last) or not len(part.rows):
        return [untold(claim, missing_of(run.rows.day, period)) for claim in claims]
    nav, profit = part.rows.nav, part.rows.profit
    loss, gain = float(nav[0] - nav[-1]), float(np.sum(profit[1:]))
    figures = (
        (loss / float(nav[0]), "Of a portfolio that is the index, highest close to lowest."),
        (gain, "As the live hedger traded it, from the highest close to the lowest."),
        (gain / loss, "Hedge gain / portfolio loss over the same days."),
    )
    return [
        on_sessions(computed(claim, value, sentence), part)
        for claim, (value, sentence) in zip(claims, figures, strict=True)
    ]


def _total(
    run: HedgeRun,
    claim: Claim,
    profits: Callable[[DailyRows], NDArray[np.float64]],
    sentence: str,
) -> Judged:
    part = _within(run, CONDITIONAL_YEARS)
    if not len(part.rows):
        return untold(claim, missing_of(run.rows.day, CONDITIONAL_YEARS))
    judged = computed(claim, float(np.sum(profits(part.rows))), sentence)
    return _told(judged, run, CONDITIONAL_YEARS, part)
