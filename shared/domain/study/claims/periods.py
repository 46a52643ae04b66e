"""What the papers say happened when, held against the same days of a history.

Of a period that the history holds in part, what is there is measured all the same; the claim
cannot be told then.
"""

from collections.abc import Callable
from datetime import date
from math import sqrt
from typing import Final

import numpy as np
from msgspec import Struct, structs

from shared.domain.accounts.effectiveness import drawdowns
from shared.domain.accounts.variance_swap import SESSIONS_PER_YEAR
from shared.domain.hedging.rules import PRESETS
from shared.domain.study.claims.claim import (
    Claim,
    Judged,
    Verdict,
    computed,
    factual,
    measured,
    untold,
)
from shared.domain.study.claims.market import (
    HEDGES,
    Closes,
    Days,
    Floats,
    covers,
    mean_of_rows,
    over,
    rule_multiples,
)
from shared.domain.study.paths import calendar_day
from shared.domain.study.resampling import BootstrapPolicy, Rows

VIX_SCALED: Final = f"{HEDGES}, Example 1"
CONDITIONAL: Final = f"{HEDGES}, Example 2"
SCALPING: Final = f"{HEDGES}, Example 3"
TERM_STRUCTURE: Final = f"{HEDGES}, Example 4"
COVID_BASE_VEGA: Final = 1000.0


class Period(Struct, frozen=True):
    """Days that a paper speaks of, both included."""

    first: date
    last: date

    @staticmethod
    def years(first: int, last: int) -> "Period":
        """Return whole calendar years."""
        return Period(date(first, 1, 1), date(last, 12, 31))


LOW_VOLATILITY: Final = Period.years(2017, 2019)
CONDITIONAL_YEARS: Final = Period.years(2012, 2018)


def period_claims(closes: Closes, policy: BootstrapPolicy) -> list[Judged]:
    """Hold what is said of certain years and days against a history's closes."""

    def on(period: Period, measure: Callable[[Closes], Judged]) -> Judged:
        return judged_in(closes, period, measure)

    def mean(claim: Claim, values: Floats, sentence: str) -> Judged:
        return measured(claim, values[:, None], mean_of_rows, policy, sentence)

    return [
        on(
            LOW_VOLATILITY,
            lambda part: mean(_AVERAGE, _known(part.vix), "Mean close of VIX in 2017-2019."),
        ),
        on(
            LOW_VOLATILITY,
            lambda part: mean(
                _AVERAGE_HEDGE,
                COVID_BASE_VEGA * rule_multiples(PRESETS["covid"], _known(part.vix)),
                "Mean of the live rule `covid` at each close, times 1,000: of a rule that is 0 "
                "below 12 it is not the rule at the mean.",
            ),
        ),
        on(_COVID, lambda part: _highest(_COVID_PEAK, part)),
        on(
            CONDITIONAL_YEARS,
            lambda part: mean(
                _ABOVE_TWENTY,
                (_known(part.vix) > 20).astype(np.float64),  # noqa: PLR2004 - the paper's line
                "Share of the closes of 2012-2018.",
            ),
        ),
        on(_FLASH, lambda part: _highest(_FLASH_PEAK, part)),
        on(_SCALPING_YEAR, lambda part: mean(_IMPLIED, _known(part.vix), "Mean of VIX in 2019.")),
        on(_SCALPING_YEAR, lambda part: _realized(part, policy)),
        on(_TERM_YEARS, _crashes),
    ]


def judged_in(closes: Closes, period: Period, measure: Callable[[Closes], Judged]) -> Judged:
    """Judge a claim as a fact of the days it speaks of; without all of them it cannot be told."""
    part = closes.between(period.first, period.last)
    judged = over(measure(part), part)
    if covers(closes.day, period.first, period.last):
        return factual(judged)
    return structs.replace(
        judged, verdict=Verdict.CANNOT_BE_TOLD, reason=missing_of(closes.day, period)
    )


def missing_of(day: Days, period: Period) -> str:
    """Say what sessions, in order, lack of a period."""
    inside = day[(day >= np.datetime64(period.first)) & (day <= np.datetime64(period.last))]
    if not len(inside):
        return f"the history has nothing of {period.first} to {period.last}"
    begin, end = calendar_day(inside[0]), calendar_day(inside[-1])
    return f"of {period.first} to {period.last} the history has {begin} to {end} alone"


def _known(values: Floats) -> Floats:
    return values[~np.isnan(values)]


def _highest(claim: Claim, part: Closes) -> Judged:
    known = _known(part.vix)
    if not len(known):
        return untold(claim, "no close of VIX")
    return computed(claim, float(np.max(known)), "Highest close of VIX.")


def _realized(part: Closes, policy: BootstrapPolicy) -> Judged:
    returns = np.diff(np.log(_known(part.index)))
    sentence = "Zero-mean realized volatility of the index in 2019, in points."
    return measured(_REALIZED, returns[:, None], annualised_points, policy, sentence)


def annualised_points(rows: Rows) -> Floats:
    """Return the zero-mean annualised volatility of returns in column 0, vol points, (…,)."""
    squares = np.mean(rows[..., 0] ** 2, axis=-1)
    return np.asarray(100.0 * sqrt(SESSIONS_PER_YEAR) * np.sqrt(squares), dtype=np.float64)


def _crashes(part: Closes) -> Judged:
    known = ~np.isnan(part.index)
    days, falls = part.day[known], drawdowns(part.index[known].tolist())
    told = ", ".join(f"{days[peak]} to {days[trough]}" for peak, trough in falls) or "none"
    sentence = f"Falls of the index by more than 5%, peak to trough: {told}."
    return computed(_NO_CRASH, len(falls), sentence)


def _points(key: str, where: str, text: str, claimed: float, most: float | None = None) -> Claim:
    return Claim(
        key=key,
        where=where,
        text=text,
        low=claimed,
        high=claimed if most is None else most,
        unit="points",
        rounding=0.5,
    )


_COVID: Final = Period(date(2020, 2, 24), date(2020, 3, 31))
_FLASH: Final = Period(date(2015, 8, 17), date(2015, 9, 4))
_SCALPING_YEAR: Final = Period.years(2019, 2019)
_TERM_YEARS: Final = Period.years(2016, 2017)
_AVERAGE: Final = _points("average_vix_2017", VIX_SCALED, "2017-2019: average VIX 14", 14)
_AVERAGE_HEDGE: Final = Claim(
    key="average_covid_hedge",
    where=VIX_SCALED,
    text="2017-2019: average hedge 250 vega",
    low=250,
    high=250,
    unit="vega",
    rounding=5,
)
_COVID_PEAK: Final = _points("covid_vix", VIX_SCALED, "March 2020: VIX 60+", 60, 100)
_FLASH_PEAK: Final = _points("flash_vix", CONDITIONAL, "August 2015: VIX spiked to 35", 35)
_ABOVE_TWENTY: Final = Claim(
    key="vix_above_20",
    where=CONDITIONAL,
    text="2012-2018: VIX above 20 on 15% of days",
    low=0.15,
    high=0.15,
    unit="share",
    rounding=0.005,
)
_IMPLIED: Final = _points("implied_2019", SCALPING, "2019: implied volatility 15%", 15)
_REALIZED: Final = _points("realized_2019", SCALPING, "2019: realized volatility 18%", 18)
_NO_CRASH: Final = Claim(
    key="no_crash_2016",
    where=TERM_STRUCTURE,
    text="2016-2017: no crashes occurred",
    low=0,
    high=0,
    unit="count",
)
