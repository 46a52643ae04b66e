"""What a paper claims, what was measured, and by which rule one is held against the other.

The rule, the same for every claim:

* A figure that the papers work out themselves is computed once more by the live objects. It holds
  when it comes out as printed, to the last digit that is printed.
* A figure that is measured on a history has an interval. The claim does *not hold* when the
  interval does not touch what is claimed. It *cannot be told* when the interval is too wide to
  mean anything: it reaches below half of the claimed figure or above one and a half times it. Of
  a range, what was measured must lie in it as well: otherwise it cannot be told either.
* What is said of certain days is a fact of those days: it holds when it comes out as printed. Its
  interval says how far other days like them would have come out.
* What the history does not cover, or what cannot be measured on it, cannot be told.
"""

from datetime import date
from enum import StrEnum
from typing import Final, Literal

import numpy as np
from msgspec import Struct, structs
from numpy.typing import NDArray

from shared.domain.study.resampling import BootstrapPolicy, Interval, Statistic, confidence_interval

Unit = Literal["share", "ratio", "money", "vega", "points", "count", "shares"]
"""`share`: a decimal that is shown in percent; `vega`: currency per vol point; `points`: of VIX;
`shares`: of a stock."""

TOO_LOW: Final = 0.5
"""An interval that reaches below this part of what is claimed tells nothing …"""
TOO_HIGH: Final = 1.5
"""… as one that reaches above this multiple of it."""
MOST_UNDEFINED: Final = 0.05
"""Share of the resamples that may have no figure."""
FEWEST_ROWS: Final = 30
"""Sessions below which nothing is resampled."""


class Verdict(StrEnum):
    """Of a claim, on one history."""

    HOLDS = "holds"
    DOES_NOT_HOLD = "does not hold"
    CANNOT_BE_TOLD = "cannot be told"


class Claim(Struct, frozen=True, kw_only=True):
    """A figure that a paper states.

    Attributes:
        key: Unique, stable: `[a-z0-9_.]+`.
        where: Paper and section.
        text: What is said.
        low: Least figure claimed …
        high: … and greatest; the same for one figure.
        unit: Of both.
        rounding: Half of the last digit printed: as exact as the figure is meant to be.
    """

    key: str
    where: str
    text: str
    low: float
    high: float
    unit: Unit
    rounding: float = 0.0


class Judged(Struct, frozen=True, kw_only=True):
    """A claim beside what was measured.

    Attributes:
        claim: As it is printed.
        value: Measured, in the claim's unit; `None` when it could not be.
        interval: Of it; `None` for what is computed, not estimated.
        verdict: By the rule above.
        reason: Why it cannot be told; empty otherwise.
        sentence: What was measured, and how it is defined.
        sessions: How many it was measured on; 0 for what is computed.
        first: Of them …
        last: … and the last; `None` for what is computed.
        labels: What must be said wherever the figure stands.
        variant: Of the plan, whose figure it is; empty when it is nobody's.
    """

    claim: Claim
    value: float | None
    interval: Interval | None
    verdict: Verdict
    reason: str = ""
    sentence: str = ""
    sessions: int = 0
    first: date | None = None
    last: date | None = None
    labels: tuple[str, ...] = ()
    variant: str = ""


def computed(claim: Claim, value: float, sentence: str) -> Judged:
    """Judge a figure that has no chance in it."""
    near = claim.low - claim.rounding - _dust(claim) <= value
    near = near and value <= claim.high + claim.rounding + _dust(claim)
    verdict = Verdict.HOLDS if near else Verdict.DOES_NOT_HOLD
    return Judged(claim=claim, value=value, interval=None, verdict=verdict, sentence=sentence)


def factual(judged: Judged) -> Judged:
    """Judge what was measured as a fact of its own days, not as a sample of others."""
    if judged.value is None:
        return judged
    fact = computed(judged.claim, judged.value, judged.sentence)
    return structs.replace(judged, verdict=fact.verdict, reason="")


def estimated(claim: Claim, interval: Interval, sentence: str) -> Judged:
    """Judge a figure that was measured on a sample."""
    verdict, reason = _weighed(claim, interval)
    return Judged(
        claim=claim,
        value=interval.value,
        interval=interval,
        verdict=verdict,
        reason=reason,
        sentence=sentence,
    )


def untold(claim: Claim, reason: str, sentence: str = "", value: float | None = None) -> Judged:
    """Say why a claim cannot be told; what could be measured all the same is kept."""
    return Judged(
        claim=claim,
        value=value,
        interval=None,
        verdict=Verdict.CANNOT_BE_TOLD,
        reason=reason,
        sentence=sentence,
    )


def measured(
    claim: Claim,
    rows: NDArray[np.float64],
    statistic: Statistic,
    policy: BootstrapPolicy,
    sentence: str,
) -> Judged:
    """Measure a claim on rows, resample them, and judge it.

    Args:
        claim: Which.
        rows: Sessions by columns, (n, k), oldest first, all known.
        statistic: Of resampled rows, NaN where it is not defined.
        policy: How to resample.
        sentence: What the statistic is.
    """
    if len(rows) < FEWEST_ROWS:
        return untold(claim, f"{len(rows)} rows are too few: at least {FEWEST_ROWS}", sentence)
    value = float(statistic(rows[None])[0])
    if not np.isfinite(value):
        return untold(claim, "it is not defined on this history", sentence)
    if not np.any(np.ptp(rows, axis=0)):
        return untold(claim, "nothing ever changed on this history", sentence, value)
    interval = confidence_interval(rows, statistic, policy)
    return estimated(claim, interval, sentence)


def _weighed(claim: Claim, interval: Interval) -> tuple[Verdict, str]:
    if interval.high < claim.low or interval.low > claim.high:
        return Verdict.DOES_NOT_HOLD, ""
    if interval.undefined > MOST_UNDEFINED * (interval.resamples + interval.undefined):
        return Verdict.CANNOT_BE_TOLD, "it is not defined on many of the resamples"
    if interval.low < TOO_LOW * claim.low or interval.high > TOO_HIGH * claim.high:
        return Verdict.CANNOT_BE_TOLD, "the interval is too wide"
    if claim.low < claim.high and not claim.low <= interval.value <= claim.high:
        return Verdict.CANNOT_BE_TOLD, "outside of what is claimed, but the interval reaches it"
    return Verdict.HOLDS, ""


def _dust(claim: Claim) -> float:
    """Return what floating point may add to a figure that is right."""
    return 1e-9 * max(1.0, abs(claim.low), abs(claim.high))
