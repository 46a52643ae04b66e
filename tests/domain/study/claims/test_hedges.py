"""The three-way comparison, on sessions made so that the papers are right, and so that not."""

import numpy as np
import pytest
from fakes.study_rows import study_rows
from msgspec import structs

from shared.domain.accounts.effectiveness import summarize
from shared.domain.study.claims.claim import Judged, Verdict
from shared.domain.study.claims.hedges import HedgeRun, crash_windows, hedge_claims
from shared.domain.study.daily import DailyRows
from shared.domain.study.resampling import BootstrapPolicy

POLICY = BootstrapPolicy(resamples=200, seed=1)
COUNT, CYCLE, CRASH = 2520, 126, 16
"""Ten years; a fall of 8% in the last sixteen sessions of each half-year, regained before them."""


def market(
    dynamic: float = 0.6, static: float = 0.5, cost: float = 0.6, noise: float = 0.02
) -> DailyRows:
    """A portfolio that falls and recovers; hedges that offset falls and cost something between.

    Args:
        dynamic: HER of the hedge as traded …
        static: … and of the static one, whose cost is 1,000 a calm session.
        cost: Of the hedge as traded, share of the static one's.
        noise: In everything.
    """
    generator = np.random.default_rng(5)
    place = np.arange(COUNT) % CYCLE
    falling = place >= CYCLE - CRASH
    down, up = np.log(0.92) / CRASH, (0.02 - np.log(0.92)) / (CYCLE - CRASH)
    nav = 10e6 * np.exp(np.cumsum(np.where(falling, down, up)))
    loss = -np.diff(nav, prepend=nav[0])
    shaken = 1 + generator.normal(0, noise, (2, COUNT))
    static_profit = np.where(falling, static * loss, -1000.0) * shaken[0]
    profit = np.where(falling, dynamic * loss, -1000.0 * cost) * shaken[1]
    multiplier = np.full(COUNT, 0.5)
    return study_rows(
        nav.tolist(), carry=profit, static_profit=static_profit, multiplier=multiplier
    )


def run(rows: DailyRows, base_vega: float = 1000.0) -> HedgeRun:
    return HedgeRun(name="linear", rows=rows, base_vega=base_vega, labels=("model-priced",))


def judged(rows: DailyRows, **more: float) -> dict[str, Judged]:
    return {each.claim.key: each for each in hedge_claims([run(rows, **more)], POLICY)}


def test_where_the_papers_are_right_they_hold() -> None:
    found = judged(market())
    assert found["cheaper.linear"].value == pytest.approx(0.4, abs=0.01)
    assert found["her.linear"].value == pytest.approx(0.6, abs=0.01)
    assert found["static_her"].value == pytest.approx(0.5, abs=0.01)
    for key in ("cheaper.linear", "her.linear", "static_her"):
        assert found[key].verdict is Verdict.HOLDS, key
        interval = found[key].interval
        assert interval is not None
        assert interval.low <= interval.value <= interval.high


def test_where_they_are_not_they_do_not() -> None:
    found = judged(market(dynamic=0.2, static=0.1, cost=0.9))
    for key in ("cheaper.linear", "her.linear", "static_her"):
        assert found[key].verdict is Verdict.DOES_NOT_HOLD, key


def test_what_it_costs_is_the_live_accounts_figure_for_a_vega_of_1000() -> None:
    rows = market()
    report = summarize(rows.results())
    assert report.static.cost_per_year is not None
    assert judged(rows)["static_cost"].value == pytest.approx(report.static.cost_per_year)
    double = judged(rows, base_vega=2000.0)["static_cost"]
    assert double.value == pytest.approx(report.static.cost_per_year / 2)
    assert report.dynamic.cost_per_year is not None
    saving = 1 - report.dynamic.cost_per_year / report.static.cost_per_year
    assert judged(rows)["cheaper.linear"].value == pytest.approx(saving)


def test_effectiveness_is_the_live_accounts_over_all_falls() -> None:
    rows = market()
    crashes = summarize(rows.results()).crashes
    assert len(crashes) == 20
    gain = sum(crash.dynamic_gain for crash in crashes)
    loss = sum(crash.portfolio_loss or 0.0 for crash in crashes)
    found = judged(rows)["her.linear"]
    assert found.value == pytest.approx(gain / loss)
    assert found.sentence.startswith(
        "Gain / loss over 20 falls by more than 5%, 1,000 vega to 10,0"
    )
    assert np.sum(crash_windows(rows)) == sum(crash.sessions for crash in crashes)


def test_the_papers_own_size_is_said_beside_the_plans() -> None:
    """A hedge that is too small for its portfolio would offset as much more at size."""
    rows = market(noise=0.0)
    sentence = judged(rows, base_vega=200.0)["her.linear"].sentence
    assert ", 200 vega to 10,0" in sentence
    crashes = summarize(rows.results()).crashes
    value = {int(at): nav for at, nav in zip(rows.close_ns, rows.nav, strict=True)}
    gain = sum(5 * crash.dynamic_gain for crash in crashes)
    loss = sum(1e7 * (crash.portfolio_loss or 0.0) / value[crash.after_ns] for crash in crashes)
    assert sentence.endswith(f"; {gain / loss:.3f} with 1,000 to 10,000,000 at each.")


def test_sharpe_ratios_are_the_live_accounts() -> None:
    rows = market(noise=0.3)
    report = summarize(rows.results())
    found = judged(rows)
    assert found["sharpe_unhedged"].value == pytest.approx(report.none.sharpe)
    assert found["sharpe_static"].value == pytest.approx(report.static.sharpe)
    assert found["sharpe.linear"].value == pytest.approx(report.dynamic.sharpe)
    assert report.dynamic.sharpe is not None
    assert report.static.sharpe is not None
    gain = report.dynamic.sharpe - report.static.sharpe
    assert found["sharpe_gain.linear"].value == pytest.approx(gain)


def noisy(drift: float, gain: float = 0.0) -> dict[str, Judged]:
    """Sixty years of a portfolio whose Sharpe ratio is `drift`, and a hedge that adds to it."""
    count = 252 * 60
    generator = np.random.default_rng(2)
    moves = generator.normal(0, 0.01, count)
    moves += drift * 0.01 / np.sqrt(252) - np.mean(moves)
    nav = 10e6 * np.cumprod(1 + moves)
    added = gain * 0.01 / np.sqrt(252) * np.concatenate([nav[:1], nav[:-1]])
    return judged(study_rows(nav.tolist(), carry=added))


def test_a_sharpe_ratio_holds_when_there_is_history_enough_to_tell() -> None:
    found = noisy(0.55, gain=0.1)
    assert found["sharpe_static"].verdict is Verdict.HOLDS
    assert found["sharpe.linear"].verdict is Verdict.HOLDS
    assert found["sharpe_gain.linear"].verdict is Verdict.HOLDS
    other = noisy(1.5)
    for key in ("sharpe_unhedged", "sharpe_static", "sharpe.linear", "sharpe_gain.linear"):
        assert other[key].verdict is Verdict.DOES_NOT_HOLD, key


def test_three_years_cannot_tell_a_sharpe_ratio() -> None:
    generator = np.random.default_rng(2)
    nav = 10e6 * np.cumprod(1 + 0.0003 + generator.normal(0, 0.01, 756))
    found = judged(study_rows(nav.tolist()))
    assert found["sharpe_unhedged"].verdict is Verdict.CANNOT_BE_TOLD
    assert found["sharpe_unhedged"].reason == "the interval is too wide"


def test_without_a_fall_there_is_no_effectiveness() -> None:
    nav = (10e6 * 1.0002 ** np.arange(300)).tolist()
    rising = study_rows(nav, static_profit=np.full(300, -1.0))
    found = judged(rising)
    assert found["her.linear"].verdict is Verdict.CANNOT_BE_TOLD
    said = "over 0 falls by more than 5%, 1,000 vega to 10,000,000 at first."
    assert found["her.linear"].sentence.endswith(said)


def test_a_static_hedge_that_earned_cannot_be_undercut() -> None:
    rows = market()
    earning = study_rows(rows.nav.tolist(), carry=rows.carry, static_profit=np.full(COUNT, 100.0))
    found = judged(earning)
    assert found["cheaper.linear"].verdict is Verdict.CANNOT_BE_TOLD
    assert found["cheaper.linear"].reason == "it is not defined on this history"


def test_a_portfolio_without_a_value_says_nothing() -> None:
    nothing = study_rows([np.nan] * 100)
    for each in hedge_claims([run(nothing)], POLICY):
        assert each.verdict is Verdict.CANNOT_BE_TOLD


def test_each_rule_is_asked_and_named_and_labelled() -> None:
    rows = market().take(slice(0, 252))
    runs = [run(rows), structs.replace(run(rows), name="sigmoid", labels=())]
    found = hedge_claims(runs, POLICY)
    assert [each.claim.key for each in found if each.variant == "sigmoid"] == [
        "cheaper.sigmoid",
        "her.sigmoid",
        "sharpe.sigmoid",
        "sharpe_gain.sigmoid",
    ]
    assert {each.labels for each in found if each.variant == "linear"} == {("model-priced",)}
    assert {each.sessions for each in found} == {252}


def test_without_a_rule_of_the_papers_that_is_said() -> None:
    found = hedge_claims([], POLICY)
    assert {each.reason for each in found} == {"the plan has no variant by a rule of the papers"}
