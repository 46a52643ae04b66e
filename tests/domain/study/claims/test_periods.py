"""What is said of certain years, on histories that have them, have a part, or have nothing."""

from datetime import date
from math import sqrt

import numpy as np
import pytest

from shared.domain.study.claims.claim import Judged, Verdict
from shared.domain.study.claims.market import Closes
from shared.domain.study.claims.periods import Period, annualised_points, missing_of, period_claims
from shared.domain.study.resampling import BootstrapPolicy

POLICY = BootstrapPolicy(resamples=200, seed=1)


def history(first: str, last: str, vix: float = 14.0, realized: float = 0.18) -> Closes:
    """Weekdays; VIX around a level, the index moving up and down by just that volatility."""
    generator = np.random.default_rng(3)
    days = np.arange(first, last, dtype="datetime64[D]")
    days = days[np.is_busday(days)]
    step = realized / sqrt(252)
    moves = np.where(np.arange(len(days)) % 2, step, -step) * generator.choice(
        [0.999, 1.001], len(days)
    )
    return Closes(
        day=days,
        vix=vix + generator.normal(0, 1, len(days)),
        index=100 * np.exp(np.cumsum(moves)),
    )


def judged(closes: Closes) -> dict[str, Judged]:
    return {each.claim.key: each for each in period_claims(closes, POLICY)}


WHOLE = history("2012-01-02", "2021-01-01")


def test_a_year_that_was_so_holds() -> None:
    found = judged(WHOLE)
    assert found["average_vix_2017"].verdict is Verdict.HOLDS
    assert found["average_covid_hedge"].verdict is Verdict.HOLDS
    assert found["realized_2019"].verdict is Verdict.HOLDS
    assert found["realized_2019"].value == pytest.approx(18, abs=0.1)
    assert (found["no_crash_2016"].value, found["no_crash_2016"].verdict) == (0, Verdict.HOLDS)
    assert found["no_crash_2016"].sentence.endswith("peak to trough: none.")


def test_a_year_that_was_otherwise_does_not_hold() -> None:
    found = judged(history("2012-01-02", "2021-01-01", vix=21.0, realized=0.4))
    keys = ("average_vix_2017", "average_covid_hedge", "realized_2019", "implied_2019")
    for key in (*keys, "vix_above_20", "flash_vix", "covid_vix"):
        assert found[key].verdict is Verdict.DOES_NOT_HOLD, key


def test_what_is_said_of_years_is_a_fact_of_them() -> None:
    """Years so unlike one another could as well have come to 14; these came to 14.6."""
    closes = history("2012-01-02", "2021-01-01", vix=11.0)
    closes.vix[closes.day >= np.datetime64("2018-07-02")] += 7.2
    found = judged(closes)["average_vix_2017"]
    assert found.interval is not None
    assert found.interval.low < 14 < found.interval.high
    assert found.value == pytest.approx(14.6, abs=0.1)
    assert found.verdict is Verdict.DOES_NOT_HOLD


def test_only_its_own_days_count() -> None:
    closes = history("2012-01-02", "2021-01-01")
    closes.vix[closes.day < np.datetime64("2015-08-17")] = 90.0
    closes.vix[closes.day == np.datetime64("2015-08-24")] = 35.4
    found = judged(closes)
    assert (found["flash_vix"].value, found["flash_vix"].verdict) == (35.4, Verdict.HOLDS)
    assert found["flash_vix"].first == date(2015, 8, 17)
    assert found["flash_vix"].last == date(2015, 9, 4)


def test_a_fall_of_more_than_five_percent_is_a_crash_and_is_named() -> None:
    closes = history("2012-01-02", "2021-01-01")
    closes.index[:] = np.where(closes.day >= np.datetime64("2016-06-24"), 94.0, 100.0)
    found = judged(closes)["no_crash_2016"]
    assert (found.value, found.verdict) == (1, Verdict.DOES_NOT_HOLD)
    assert found.sentence.endswith("peak to trough: 2016-06-23 to 2016-06-24.")


def test_of_a_part_what_is_there_is_measured_but_cannot_be_told() -> None:
    found = judged(history("2014-01-03", "2019-01-01"))
    average = found["average_vix_2017"]
    assert average.value == pytest.approx(14, abs=0.3)
    assert average.interval is not None
    assert average.verdict is Verdict.CANNOT_BE_TOLD
    assert average.reason == (
        "of 2017-01-01 to 2019-12-31 the history has 2017-01-02 to 2018-12-31 alone"
    )
    for key in ("covid_vix", "implied_2019", "realized_2019"):
        assert (found[key].value, found[key].verdict) == (None, Verdict.CANNOT_BE_TOLD)
        assert found[key].reason.startswith("the history has nothing of 20")


def test_missing_days_are_said() -> None:
    assert missing_of(WHOLE.day, Period.years(1990, 1991)) == (
        "the history has nothing of 1990-01-01 to 1991-12-31"
    )


def test_volatility_is_the_live_signals_zero_mean_one() -> None:
    rows = np.array([[0.01], [-0.02], [0.03]])
    expected = 100 * sqrt(252 / 3 * (0.0001 + 0.0004 + 0.0009))
    assert annualised_points(rows) == pytest.approx(expected)
