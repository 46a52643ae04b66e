"""What is said of the market, on histories made so that it is true, and so that it is not."""

from datetime import date

import numpy as np
import pytest
from arch.data import sp500, vix

from shared.domain.hedging.rules import PRESETS
from shared.domain.study.claims.claim import Judged, Verdict
from shared.domain.study.claims.market import (
    ChainPolicy,
    Closes,
    correlation_of_rows,
    covers,
    market_claims,
    pairs,
    rule_multiples,
    spell_lengths,
)
from shared.domain.study.resampling import BootstrapPolicy

POLICY = BootstrapPolicy(resamples=200, seed=1)
CHAIN = ChainPolicy()


def closes(levels: object, index: object = None, first: str = "2000-01-03") -> Closes:
    found = np.asarray(levels, dtype=np.float64)
    moves = np.random.default_rng(7).normal(0, 0.01, len(found))
    return Closes(
        day=np.datetime64(first, "D") + np.arange(len(found)),
        vix=found,
        index=np.asarray(100 * np.exp(np.cumsum(moves)) if index is None else index),
    )


def judged(history: Closes) -> dict[str, Judged]:
    return {each.claim.key: each for each in market_claims(history, POLICY, CHAIN)}


def drawn(below: int, between: int, above: int) -> Closes:
    """So many levels of 12, 20 and 30, in an order that means nothing."""
    levels = np.repeat([12.0, 20.0, 30.0], [below, between, above])
    return closes(np.random.default_rng(8).permutation(levels))


def test_shares_hold_where_they_are_so() -> None:
    found = judged(drawn(3200, 600, 200))
    for key in ("vix_below_15", "vix_15_to_25", "vix_above_25"):
        assert found[key].verdict is Verdict.HOLDS
        assert found[key].interval is not None
    for key in ("fact_below_15", "fact_15_to_25", "fact_above_25"):
        assert found[key].verdict is Verdict.DOES_NOT_HOLD


def test_shares_do_not_hold_where_they_are_not_so() -> None:
    found = judged(drawn(1300, 2000, 700))
    for key in ("vix_below_15", "vix_15_to_25", "vix_above_25"):
        assert found[key].verdict is Verdict.DOES_NOT_HOLD
    for key in ("fact_below_15", "fact_15_to_25", "fact_above_25"):
        assert found[key].verdict is Verdict.HOLDS


def test_thresholds_belong_to_the_middle() -> None:
    found = judged(closes([14.99, 15.0, 25.0, 25.01] * 20))
    shares = [found[key].value for key in ("vix_below_15", "vix_15_to_25", "vix_above_25")]
    assert shares == [0.25, 0.5, 0.25]


def test_a_share_that_never_changes_is_said_without_an_interval() -> None:
    found = judged(closes(np.full(100, 12.0) + np.arange(100) % 2))
    assert (found["vix_below_15"].value, found["vix_below_15"].interval) == (1.0, None)
    assert found["vix_below_15"].verdict is Verdict.DOES_NOT_HOLD


def autoregressive(strength: float, count: int = 4000) -> Closes:
    level, levels = 0.0, []
    for shock in np.random.default_rng(9).normal(0, 1, count):
        level = strength * level + shock
        levels.append(20 + level)
    return closes(levels)


@pytest.mark.parametrize(
    ("strength", "verdict"), [(0.7, Verdict.HOLDS), (0.97, Verdict.DOES_NOT_HOLD)]
)
def test_autocorrelation_is_of_one_session(strength: float, verdict: Verdict) -> None:
    found = judged(autoregressive(strength))["vix_autocorrelation"]
    assert found.verdict is verdict
    assert found.value == pytest.approx(strength, abs=0.04)


def chained(calm: tuple[int, ...], stressed: tuple[int, ...]) -> Closes:
    """Spells of these lengths in turn, over and over."""
    levels = [
        level
        for lengths in zip(calm, stressed, strict=True)
        for level, length in zip((24.5, 25.5), lengths, strict=True)
        for _ in range(length)
    ]
    return closes(levels * 60)


PAPER = (15, 20, 25), (3, 9, 8)
OTHER = (40, 50, 60), (2, 3, 1)


@pytest.mark.parametrize(
    ("spells", "low_high", "high_low", "verdict"),
    [(PAPER, 0.05, 0.15, Verdict.HOLDS), (OTHER, 0.02, 0.5, Verdict.DOES_NOT_HOLD)],
)
def test_transitions_are_counted(
    spells: tuple[tuple[int, ...], tuple[int, ...]],
    low_high: float,
    high_low: float,
    verdict: Verdict,
) -> None:
    found = judged(chained(*spells))
    assert found["p_low_high"].verdict is verdict
    assert found["p_high_low"].verdict is verdict
    assert found["p_low_high"].value == pytest.approx(low_high, rel=0.01)
    assert found["p_high_low"].value == pytest.approx(high_low, rel=0.01)
    assert "The live counter, which forgets, ends at 0.0" in found["p_low_high"].sentence


def test_counted_without_forgetting_the_live_counter_says_the_same() -> None:
    """Its last print is no close yet: it ends at what counting the sessions before gives."""
    history = chained(*PAPER)
    endless = ChainPolicy(half_life_sessions=1e12)
    found = {each.claim.key: each for each in market_claims(history, POLICY, endless)}
    before = judged(closes(history.vix[:-1]))
    for key in ("p_low_high", "p_high_low"):
        assert f"ends at {before[key].value:.4f}." in found[key].sentence


def test_no_transition_is_counted_across_a_missing_session() -> None:
    history = closes([18.0, np.nan, 30.0, 18.0, 18.0] * 20)
    found = judged(history)
    assert found["p_low_high"].value == 0.0
    assert found["p_high_low"].value == 1.0
    assert "ends at unknown" in judged(closes([18.0, 30.0] * 15))["p_high_low"].sentence


def test_jumps_and_short_spells_are_facts() -> None:
    calm = judged(closes([12.0, 12.0, 12.5, 18.0, 20.0, 18.0] * 20))
    assert (calm["no_jump_low_to_high"].value, calm["no_jump_low_to_high"].verdict) == (
        0,
        Verdict.HOLDS,
    )
    wild = judged(closes([14.9, 25.1, 20.0] * 20))
    assert (wild["no_jump_low_to_high"].value, wild["no_jump_low_to_high"].verdict) == (
        20,
        Verdict.DOES_NOT_HOLD,
    )
    assert wild["one_day_spells"].value == 1.0
    assert spell_lengths(np.array([12.0, np.nan, 13.0, 15.0, 25.0, 26.0])).tolist() == [2, 2, 1]
    assert spell_lengths(np.array([np.nan])).tolist() == []


def test_the_rule_of_the_paper_is_the_live_one() -> None:
    assert rule_multiples(PRESETS["linear"], np.array([9.0, 10.0, 17.5, 25.0, 99.0])).tolist() == [
        0.0,
        0.0,
        0.5,
        1.0,
        2.0,
    ]
    found = judged(closes(([10.0] * 6 + [14.0, 19.0, 20.0, 29.0]) * 30))
    assert found["not_hedged"].verdict is Verdict.HOLDS
    assert found["extra_hedged"].verdict is Verdict.HOLDS
    assert found["not_hedged"].sentence.startswith("Where the live rule `linear` says so: 180")
    assert found["linear_medium"].verdict is Verdict.HOLDS
    assert found["linear_low"].verdict is Verdict.DOES_NOT_HOLD


def test_what_it_was_measured_on_is_said() -> None:
    found = judged(closes([np.nan, *[12.0, 20.0] * 20]))["vix_below_15"]
    assert (found.sessions, found.first, found.last) == (40, date(2000, 1, 4), date(2000, 2, 12))


def test_without_a_close_nothing_is_told() -> None:
    nothing = [np.nan] * 50
    for each in market_claims(closes(nothing, nothing), POLICY, CHAIN):
        assert (each.verdict, each.sessions) == (Verdict.CANNOT_BE_TOLD, 0)


def test_pairs_need_both_sessions() -> None:
    assert pairs(np.array([1.0, 2.0, np.nan, 3.0, 4.0])).tolist() == [[1, 2], [3, 4]]


def test_correlation_is_numpys_and_undefined_where_nothing_moves() -> None:
    rows = np.random.default_rng(11).normal(size=(3, 50, 2))
    expected = [np.corrcoef(each.T)[0, 1] for each in rows]
    assert correlation_of_rows(rows) == pytest.approx(expected)
    assert np.isnan(correlation_of_rows(np.ones((1, 5, 2)))).all()


def test_a_period_is_covered_within_a_week_of_its_ends() -> None:
    day = np.arange("2016-01-04", "2017-12-29", dtype="datetime64[D]")
    assert covers(day, date(2016, 1, 1), date(2017, 12, 31))
    assert not covers(day, date(2015, 12, 20), date(2017, 12, 31))
    assert not covers(day, date(2016, 1, 1), date(2018, 1, 31))
    assert not covers(day[:0], date(2016, 1, 1), date(2018, 1, 31))


def test_on_real_history_of_2014_to_2018_vix_was_below_15_on_64_percent() -> None:
    levels = vix.load()["vix"].dropna()
    index = sp500.load()["Close"].reindex(levels.index)
    history = Closes(
        day=levels.index.to_numpy().astype("datetime64[D]"),
        vix=levels.to_numpy(),
        index=index.to_numpy(),
    )
    found = judged(history)
    below = found["vix_below_15"]
    assert below.value == np.mean(levels.to_numpy() < 15)
    assert below.verdict is Verdict.DOES_NOT_HOLD
    assert below.interval is not None
    assert below.interval.block > 5  # VIX hardly forgets from one session to the next
    assert found["no_jump_low_to_high"].verdict is Verdict.HOLDS
