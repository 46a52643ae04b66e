from math import inf
from typing import Any

import pytest
from fakes.hedged_market import CALENDAR, MONDAY, HedgedMarket

from shared.domain.events import ExposureMeasured
from shared.domain.hedging.conditions import (
    IMMEDIATE,
    BudgetLine,
    Condition,
    DrawdownBreach,
    Facts,
    FastIndex,
    FastVix,
    GreekOutside,
    NeverHedged,
    OperatorAsked,
    References,
    RegimeChange,
    ReviewDue,
    VixMove,
    conditions_of,
)
from shared.domain.hedging.session_clock import SessionClock
from shared.domain.hedging.triggers import Evidence
from shared.domain.instants import DAY, HOUR
from shared.domain.policies import GreekBand, Hold, TriggerPolicy
from shared.domain.signals_observed import Quality

MOVE = VixMove(name="vix_move", limit=3.0, relative=False, margin=0.1, hold=IMMEDIATE)
RELATIVE = VixMove(name="vix_relative", limit=0.15, relative=True, margin=0.1, hold=IMMEDIATE)
FAST_VIX = FastVix(points=8.0, margin=0.1, hold=IMMEDIATE)
FAST_INDEX = FastIndex(fall=-0.05, margin=0.1, hold=IMMEDIATE)
DRAWDOWN = DrawdownBreach(signal="drawdown.overlay", limit=0.05, margin=0.1, hold=IMMEDIATE)
GREEK = GreekOutside(
    band=GreekBand(greek="delta", low=-100.0, high=100.0), margin=0.1, hold=IMMEDIATE
)
LINE = BudgetLine(line=0.8, margin=0.1)


def facts(**levels: float) -> Facts:
    """The facts in a session, last rebalanced at 18 in the medium regime."""
    market = HedgedMarket()
    market.tick(after=0, **levels)
    seen = Facts()
    seen.moment = SessionClock(CALENDAR).at(MONDAY)
    seen.signals = market.observed("VIX").signals
    seen.vix = market.levels["vix_smooth"]
    seen.references = References(vix=18.0, regime="medium", rebalanced_ns=MONDAY)
    return seen


def verdict(condition: Condition, seen: Facts) -> tuple[bool | None, bool]:
    """Whether it holds, and whether it is clear."""
    evidence = condition.judge(seen)
    return evidence.holds, evidence.clear


def without(name: str) -> Facts:
    """The facts with one signal gone stale."""
    market = HedgedMarket()
    market.qualities[name] = Quality.STALE
    seen = facts()
    seen.signals = market.observed("VIX").signals
    return seen


@pytest.mark.parametrize(
    ("condition", "levels", "holds", "clear"),
    [
        (MOVE, {"vix_smooth": 21.0}, False, False),
        (MOVE, {"vix_smooth": 21.001}, True, False),
        (MOVE, {"vix_smooth": 15.0}, False, False),
        (MOVE, {"vix_smooth": 14.999}, True, False),
        (MOVE, {"vix_smooth": 20.69}, False, True),
        (RELATIVE, {"vix_smooth": 20.7}, False, False),
        (RELATIVE, {"vix_smooth": 20.71}, True, False),
        (RELATIVE, {"vix_smooth": 15.29}, True, False),
        (RELATIVE, {"vix_smooth": 18.1}, False, True),
        (FAST_VIX, {"vix": 25.99}, False, False),
        (FAST_VIX, {"vix": 26.0}, True, False),
        (FAST_VIX, {"vix": 25.1}, False, True),
        (FAST_VIX, {"vix": 9.0}, False, True),
        (FAST_INDEX, {"index_return": -0.0499}, False, False),
        (FAST_INDEX, {"index_return": -0.05}, True, False),
        (FAST_INDEX, {"index_return": -0.044}, False, True),
        (DRAWDOWN, {"drawdown": -0.05}, False, False),
        (DRAWDOWN, {"drawdown": -0.0501}, True, False),
        (DRAWDOWN, {"drawdown": -0.04}, False, True),
        (RegimeChange(), {"regime": 1.0}, False, True),
        (RegimeChange(), {"regime": 2.0}, True, False),
    ],
)
def test_conditions_hold_beyond_their_limit_and_clear_by_the_margin(
    condition: Condition, levels: dict[str, float], *, holds: bool, clear: bool
) -> None:
    evidence = condition.judge(facts(**levels))
    assert (evidence.holds, evidence.clear) == (holds, clear)


@pytest.mark.parametrize(
    ("condition", "signal"),
    [
        (FAST_VIX, "vix"),
        (FAST_INDEX, "index_return"),
        (DRAWDOWN, "drawdown.overlay"),
        (RegimeChange(), "regime"),
    ],
)
def test_a_condition_on_a_signal_that_is_not_good_is_unknown(
    condition: Condition, signal: str
) -> None:
    seen = without(signal)
    assert condition.judge(seen).holds is None
    assert signal.partition(".")[0] not in condition.inputs(seen)


def test_a_move_is_unknown_without_vix_or_reference() -> None:
    seen = facts()
    seen.vix = None
    assert MOVE.judge(seen) == Evidence(None, reference=18.0)
    seen = facts()
    seen.references = References()
    for condition in (MOVE, FAST_VIX, RegimeChange()):
        assert condition.judge(seen).holds is None


@pytest.mark.parametrize("condition", [FAST_VIX, FAST_INDEX])
def test_what_printed_before_the_opening_moves_no_fast_path(condition: Condition) -> None:
    seen = facts(vix=66.0, index_return=-0.08)
    assert condition.judge(seen).holds
    seen.moment = SessionClock(CALENDAR).at(MONDAY + DAY)
    assert condition.judge(seen).holds is None


def test_the_fast_path_on_the_index_confirms_raw_vix_when_it_is_known() -> None:
    assert FAST_INDEX.judge(facts(vix=30.0)).level == 30.0
    assert FAST_INDEX.judge(without("vix")).level == inf


def test_each_session_has_its_own_previous_close() -> None:
    seen = facts(index_return=-0.06)
    before = FAST_INDEX.judge(seen).reference
    seen.moment = SessionClock(CALENDAR).at(MONDAY + DAY)
    assert FAST_INDEX.judge(seen).reference != before


@pytest.mark.parametrize(
    ("delta", "holds", "clear"),
    [
        (100.0, False, False),
        (100.1, True, False),
        (-101.0, True, False),
        (90.0, False, False),
        (79.0, False, True),
    ],
)
def test_a_greek_must_stay_inside_its_band(delta: float, *, holds: bool, clear: bool) -> None:
    seen = facts()
    seen.exposure = exposure(delta=delta)
    seen.exposures = 4
    evidence = GREEK.judge(seen)
    assert (evidence.holds, evidence.clear, evidence.observation) == (holds, clear, 4)
    assert GREEK.inputs(seen) == {"value": delta, "low": -100.0, "high": 100.0}


def exposure(**greeks: float) -> ExposureMeasured:
    return ExposureMeasured(
        book="overlay", event_ns=MONDAY, portfolio_delta=1.0, put_delta=-0.2, greeks=greeks
    )


def test_a_greek_that_nobody_measured_is_unknown() -> None:
    seen = facts()
    assert GREEK.judge(seen).holds is None
    seen.exposure = exposure(gamma=1.0)
    assert GREEK.judge(seen).holds is None
    assert GREEK.inputs(seen) == {"low": -100.0, "high": 100.0}
    assert GREEK.name == "greek.delta"


@pytest.mark.parametrize(
    ("used", "holds", "clear"), [(0.8, False, False), (0.81, True, False), (0.7, False, True)]
)
def test_the_budget_has_a_line(used: float, *, holds: bool, clear: bool) -> None:
    seen = facts()
    seen.budget_used = used
    evidence = LINE.judge(seen)
    assert (evidence.holds, evidence.clear) == (holds, clear)
    assert LINE.inputs(seen) == {"used": used, "limit": 0.8}


def test_a_review_is_due_at_its_instant_and_not_before() -> None:
    seen, review = facts(), ReviewDue(days=7.0)
    assert (review.judge(seen).holds, review.judge(seen).clear) == (False, True)
    seen.due_ns = MONDAY
    assert (review.judge(seen).holds, review.judge(seen).clear) == (True, False)
    seen.moment = SessionClock(CALENDAR).at(MONDAY - 1)
    assert review.judge(seen).holds is False
    seen.moment = SessionClock(CALENDAR).at(MONDAY + 6 * HOUR)
    assert review.inputs(seen) == {"elapsed_days": 0.25, "limit_days": 7.0}


def test_an_operators_request_holds_while_it_waits() -> None:
    seen = facts()
    assert OperatorAsked().judge(seen).clear
    seen.requested = True
    assert OperatorAsked().judge(seen).holds
    assert OperatorAsked().inputs(seen) == {"requested": 1.0}


def test_the_first_hedge_waits_until_it_can_be_sized() -> None:
    seen = facts()
    assert verdict(NeverHedged(), seen) == (None, True)
    seen.sizable = seen.complete = True
    assert verdict(NeverHedged(), seen) == (True, False)
    assert NeverHedged().inputs(seen) == {"vix": 18.0}


def test_what_is_only_wished_for_is_waited_for_no_longer_than_a_hold() -> None:
    hold = Hold(trading_ns=5, sessions=2, observations=9)
    named = {each.name: each for each in conditions_of(TriggerPolicy(hold=hold), "overlay", None)}
    late = named["initial_incomplete"]
    assert late.hold == Hold(trading_ns=5, sessions=2, observations=1)
    seen = facts()
    assert verdict(late, seen) == (None, True)
    seen.sizable = True
    assert late.judge(seen) == Evidence(holds=True, observation=seen.moment.session)
    assert not named["initial"].judge(seen).holds
    seen.complete = True
    assert verdict(late, seen) == (None, True)


@pytest.mark.parametrize(
    ("condition", "inputs"),
    [
        (MOVE, {"vix": 22.0, "reference_vix": 18.0, "limit": 3.0}),
        (FAST_VIX, {"vix": 27.0, "reference_vix": 18.0, "limit": 8.0}),
        (FAST_INDEX, {"index_return": -0.06, "limit": -0.05}),
        (DRAWDOWN, {"drawdown": -0.07, "limit": -0.05}),
        (RegimeChange(), {"regime": 2.0, "reference_regime": 1.0}),
    ],
)
def test_the_figures_are_stated(condition: Condition, inputs: dict[str, float]) -> None:
    seen = facts(vix=27.0, vix_smooth=22.0, index_return=-0.06, drawdown=-0.07, regime=2.0)
    assert condition.inputs(seen) == inputs


def names(policy: TriggerPolicy, line: float | None = None) -> list[str]:
    return [condition.name for condition in conditions_of(policy, "overlay", line)]


def test_the_most_telling_condition_comes_first() -> None:
    band: dict[str, Any] = {"greek_bands": (GREEK.band,)}
    assert names(TriggerPolicy(**band), 0.8) == [
        "operator",
        "initial",
        "initial_incomplete",
        "fast_vix",
        "fast_index",
        "vix_move",
        "vix_relative",
        "drawdown",
        "regime",
        "greek.delta",
        "budget",
        "schedule",
    ]


def test_only_the_fast_path_and_the_operator_do_not_wait_for_the_cooldown() -> None:
    found = conditions_of(TriggerPolicy(greek_bands=(GREEK.band,)), "overlay", 0.8)
    assert {each.name for each in found if each.urgent} == {"operator", "fast_vix", "fast_index"}


def test_only_the_relative_move_is_relative() -> None:
    found = conditions_of(TriggerPolicy(), "overlay", None)
    moves = {each.name: each for each in found if isinstance(each, VixMove)}
    assert (moves["vix_move"].relative, moves["vix_move"].limit) == (False, 3.0)
    assert (moves["vix_relative"].relative, moves["vix_relative"].limit) == (True, 0.15)


def test_what_was_not_asked_for_is_not_there() -> None:
    found = names(TriggerPolicy(fast=None, regime_change=False))
    first = ["operator", "initial", "initial_incomplete"]
    assert found == [*first, "vix_move", "vix_relative", "drawdown", "schedule"]
