"""Worked examples 1 and 2 as a history ran them: whole, in part, and not at all."""

import numpy as np
import pytest
from fakes.study_rows import DAY_NS, study_rows

from shared.domain.study.claims.claim import Judged, Verdict
from shared.domain.study.claims.examples import conditional_claims, vix_scaled_claims
from shared.domain.study.claims.hedges import HedgeRun
from shared.domain.study.daily import DailyRows
from shared.domain.study.resampling import BootstrapPolicy

POLICY = BootstrapPolicy(resamples=200, seed=1)


def rows(  # noqa: PLR0913 - what the sessions are
    first: str, last: str, *, calm: float, fall: tuple[str, str], lost: float, gained: float
) -> DailyRows:
    """Sessions in which a hedge earns `calm` each, and `gained` evenly over one fall."""
    day = np.arange(first, last, dtype="datetime64[D]")
    falling = (day > np.datetime64(fall[0])) & (day <= np.datetime64(fall[1]))
    moves = np.where(falling, np.log(1 - lost) / max(1, falling.sum()), 1e-5)
    noise = np.random.default_rng(4).normal(1, 0.05, len(day))
    profit = np.where(falling, gained / max(1, falling.sum()), calm * noise)
    return study_rows(
        (20e6 * np.exp(np.cumsum(moves))).tolist(),
        first=first,
        day=day,
        close_ns=day.astype(np.int64) * DAY_NS,
        carry=profit,
    )


def run(sessions: DailyRows) -> HedgeRun:
    return HedgeRun(name="example", rows=sessions, base_vega=2000.0)


def judged(found: list[Judged]) -> dict[str, Judged]:
    return {each.claim.key.removeprefix("run."): each for each in found}


AUGUST = ("2015-08-17", "2015-08-25")
COVID = ("2020-02-19", "2020-03-23")


def test_an_example_that_ran_as_printed_holds() -> None:
    made = rows(
        "2012-01-01",
        "2019-01-01",
        calm=-100e3 / 252,
        fall=AUGUST,
        lost=0.0401,
        gained=0.5 * 0.0401 * 20e6,
    )
    found = judged(conditional_claims(run(made), POLICY))
    assert found["conditional.loss"].verdict is Verdict.HOLDS
    assert found["conditional.offset"].verdict is Verdict.DOES_NOT_HOLD  # of what it grew to
    assert found["conditional.offset"].value == pytest.approx(0.5, abs=0.01)
    assert found["conditional.gain"].value == pytest.approx(401e3)
    assert found["conditional.gain"].verdict is Verdict.HOLDS


def test_the_cost_of_its_years_is_a_fact_with_an_interval() -> None:
    made = rows("2012-01-01", "2019-01-01", calm=-99.9e3 / 252, fall=AUGUST, lost=0.06, gained=0.0)
    cost = judged(conditional_claims(run(made), POLICY))["conditional.cost"]
    assert cost.value == pytest.approx(99.9e3, rel=0.01)
    assert cost.verdict is Verdict.HOLDS
    assert cost.interval is not None


def test_one_that_ran_otherwise_does_not() -> None:
    made = rows("2012-01-01", "2019-01-01", calm=-10.0, fall=AUGUST, lost=0.11, gained=10.0)
    found = judged(conditional_claims(run(made), POLICY))
    assert {each.verdict for each in found.values()} == {Verdict.DOES_NOT_HOLD}
    assert found["conditional.gains"].value == pytest.approx(10.0)
    assert found["conditional.net"].value == pytest.approx(np.sum(made.profit))


def test_what_lies_outside_the_years_does_not_count() -> None:
    made = rows("2010-01-01", "2021-01-01", calm=-1.0, fall=AUGUST, lost=0.11, gained=10.0)
    net = judged(conditional_claims(run(made), POLICY))["conditional.net"]
    assert net.sessions == 2557
    assert (str(net.first), str(net.last)) == ("2012-01-01", "2018-12-31")


def test_2020_is_told_where_there_is_a_2020() -> None:
    made = rows("2017-01-01", "2020-12-31", calm=-137.0, fall=COVID, lost=0.2, gained=1.2e6)
    found = judged(vix_scaled_claims(run(made), POLICY))
    assert found["covid.loss"].verdict is Verdict.HOLDS
    assert found["covid.offset"].verdict is Verdict.HOLDS
    assert found["covid.gain"].verdict is Verdict.DOES_NOT_HOLD


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        ("2017-01-02", "2019-01-01", "has 2017-01-02 to 2018-12-31 alone"),
        ("1995-01-02", "1996-01-01", "the history has nothing of 20"),
    ],
)
def test_what_a_history_lacks_cannot_be_told(first: str, last: str, said: str) -> None:
    made = run(rows(first, last, calm=-1.0, fall=AUGUST, lost=0.1, gained=1.0))
    found = [*vix_scaled_claims(made, POLICY), *conditional_claims(made, POLICY)]
    assert {each.verdict for each in found} == {Verdict.CANNOT_BE_TOLD}
    assert said in found[0].reason
