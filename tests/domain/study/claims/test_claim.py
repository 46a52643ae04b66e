"""The rule by which a claim is held against what was measured."""

import numpy as np
import pytest
from msgspec import structs

from shared.domain.study.claims.claim import (
    Claim,
    Verdict,
    computed,
    estimated,
    factual,
    measured,
    untold,
)
from shared.domain.study.intervals import ratio_of_sums
from shared.domain.study.resampling import BootstrapPolicy, Interval, Rows

POINT = Claim(key="point", where="paper", text="a half", low=0.5, high=0.5, unit="ratio")
RANGE = structs.replace(POINT, key="range", low=0.4, high=0.6)
POLICY = BootstrapPolicy(resamples=200, seed=1)


def interval(low: float, value: float, high: float, undefined: int = 0) -> Interval:
    return Interval(
        value=value,
        low=low,
        high=high,
        confidence=0.95,
        deviation=0.1,
        block=5,
        resamples=1000 - undefined,
        undefined=undefined,
    )


def mean(rows: Rows) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.asarray(np.mean(rows[..., 0], axis=-1))


@pytest.mark.parametrize(
    ("claim", "low", "value", "high", "verdict"),
    [
        (POINT, 0.4, 0.45, 0.6, Verdict.HOLDS),
        (POINT, 0.5, 0.55, 0.6, Verdict.HOLDS),
        (POINT, 0.51, 0.55, 0.6, Verdict.DOES_NOT_HOLD),
        (POINT, 0.3, 0.4, 0.49, Verdict.DOES_NOT_HOLD),
        (POINT, 0.25, 0.5, 0.75, Verdict.HOLDS),
        (POINT, 0.24, 0.5, 0.6, Verdict.CANNOT_BE_TOLD),
        (POINT, 0.4, 0.5, 0.76, Verdict.CANNOT_BE_TOLD),
        (RANGE, 0.35, 0.5, 0.65, Verdict.HOLDS),
        (RANGE, 0.35, 0.39, 0.5, Verdict.CANNOT_BE_TOLD),
        (RANGE, 0.5, 0.61, 0.7, Verdict.CANNOT_BE_TOLD),
        (RANGE, 0.1, 0.2, 0.39, Verdict.DOES_NOT_HOLD),
        (RANGE, 0.19, 0.5, 0.6, Verdict.CANNOT_BE_TOLD),
        (RANGE, 0.5, 0.5, 0.91, Verdict.CANNOT_BE_TOLD),
    ],
)
def test_an_estimate_is_judged_by_its_interval(
    claim: Claim, low: float, value: float, high: float, verdict: Verdict
) -> None:
    judged = estimated(claim, interval(low, value, high), "what it is")
    assert (judged.verdict, judged.value) == (verdict, value)
    assert bool(judged.reason) == (verdict is Verdict.CANNOT_BE_TOLD)


def test_what_many_resamples_do_not_define_cannot_be_told() -> None:
    assert estimated(POINT, interval(0.4, 0.5, 0.6, 50), "").verdict is Verdict.HOLDS
    judged = estimated(POINT, interval(0.4, 0.5, 0.6, 51), "")
    assert judged.verdict is Verdict.CANNOT_BE_TOLD
    assert "resamples" in judged.reason


@pytest.mark.parametrize(
    ("rounding", "value", "holds"),
    [
        (0.0, 0.5, True),
        (0.0, 0.1 + 0.4 + 1e-15, True),
        (0.0, 0.501, False),
        (0.005, 0.5049, True),
        (0.005, 0.4949, False),
    ],
)
def test_a_computed_figure_holds_to_the_digit_that_is_printed(
    rounding: float, value: float, *, holds: bool
) -> None:
    judged = computed(structs.replace(POINT, rounding=rounding), value, "")
    assert (judged.verdict is Verdict.HOLDS) == holds
    assert judged.interval is None


def test_what_cannot_be_told_says_why_and_keeps_what_was_measured() -> None:
    judged = untold(POINT, "no data", "what it is", 0.7)
    assert (judged.verdict, judged.reason, judged.value) == (
        Verdict.CANNOT_BE_TOLD,
        "no data",
        0.7,
    )


def test_a_sample_is_resampled_and_judged() -> None:
    rows = np.random.default_rng(1).normal(0.0, 0.5, (400, 1))
    rows += 0.52 - np.mean(rows)
    judged = measured(POINT, rows, mean, POLICY, "the mean")
    assert judged.verdict is Verdict.HOLDS
    assert judged.interval is not None
    assert judged.interval.low < judged.interval.value < judged.interval.high
    away = measured(POINT, rows + 1, mean, POLICY, "the mean")
    assert away.verdict is Verdict.DOES_NOT_HOLD


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (np.ones((29, 1)), "29 rows are too few: at least 30"),
        (np.zeros((30, 2)), "it is not defined on this history"),
        (np.ones((30, 2)), "nothing ever changed on this history"),
    ],
)
def test_a_sample_that_says_nothing_is_not_judged(rows: Rows, reason: str) -> None:
    judged = measured(POINT, rows, ratio_of_sums, POLICY, "a ratio")
    assert (judged.verdict, judged.reason) == (Verdict.CANNOT_BE_TOLD, reason)


def test_a_fact_of_certain_days_is_no_sample_of_others() -> None:
    wide = estimated(POINT, interval(0.1, 0.5, 0.9), "what it is")
    assert wide.verdict is Verdict.CANNOT_BE_TOLD
    fact = factual(wide)
    assert (fact.verdict, fact.reason, fact.interval) == (Verdict.HOLDS, "", wide.interval)
    assert factual(estimated(POINT, interval(0.4, 0.6, 0.9), "")).verdict is Verdict.DOES_NOT_HOLD
    unknown = untold(POINT, "no data")
    assert factual(unknown) is unknown
