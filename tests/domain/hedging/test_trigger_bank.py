from fakes.hedged_market import CALENDAR, MONDAY, HedgedMarket

from shared.domain.effects import TriggerChanged, WhipsawSuppressed
from shared.domain.hedging.conditions import Facts, OperatorAsked, References, VixMove
from shared.domain.hedging.session_clock import SessionClock
from shared.domain.hedging.trigger_bank import TriggerBank
from shared.domain.hedging.triggers import TriggerRun
from shared.domain.instants import MINUTE
from shared.domain.policies import Hold

CLOCK = SessionClock(CALENDAR)
MOVE = VixMove(name="vix_move", limit=3.0, relative=False, margin=0.1, hold=Hold())


def bank(runs: dict[str, TriggerRun] | None = None) -> TriggerBank:
    return TriggerBank("overlay", (OperatorAsked(), MOVE), CLOCK, runs or {})


def facts(vix: float | None, minutes: int = 0, observation: int = 1) -> Facts:
    market = HedgedMarket()
    market.printed["vix_smooth"] = (observation, MONDAY)
    seen = Facts()
    seen.moment = CLOCK.at(MONDAY + minutes * MINUTE)
    seen.signals = market.observed("VIX").signals
    seen.vix = vix
    seen.references = References(vix=18.0, regime="medium", rebalanced_ns=MONDAY)
    return seen


def persisted() -> TriggerBank:
    """A bank whose move has been pending for ten minutes."""
    triggers = bank()
    for minute in (0, 5, 10):
        triggers.judge(facts(22.0 + minute / 10, minute, minute), 0)
    return triggers


def test_nothing_happens_while_nothing_holds() -> None:
    assert bank().judge(facts(18.0), 0) == []


def test_a_transition_carries_its_figures() -> None:
    (changed,) = bank().judge(facts(22.0), 0)
    assert isinstance(changed, TriggerChanged)
    assert (changed.state, changed.previous, changed.reference) == ("pending", "inactive", 18.0)
    assert changed.inputs == {"vix": 22.0, "reference_vix": 18.0, "limit": 3.0}
    assert changed.reason == "the condition holds"


def test_what_is_immediate_passes_through_pending() -> None:
    seen = facts(18.0)
    seen.requested = True
    states = [each.state for each in bank().judge(seen, MONDAY + MINUTE) if hasattr(each, "state")]
    assert states == ["pending", "firing"]


def test_a_whipsaw_is_told_with_its_peak() -> None:
    triggers = persisted()
    triggers.judge(facts(22.5, 11, 11), 0)
    whipsaw, changed = triggers.judge(facts(18.0, 12, 12), 0)
    assert isinstance(whipsaw, WhipsawSuppressed)
    assert (whipsaw.observations, whipsaw.since_ns) == (4, MONDAY)
    assert whipsaw.peak["vix"] == 23.0
    assert isinstance(changed, TriggerChanged)
    assert changed.reason == "whipsaw: broke after 4 observations"


def test_a_signal_that_goes_away_breaks_a_run_without_a_whipsaw() -> None:
    (changed,) = persisted().judge(facts(None, 12), 0)
    assert isinstance(changed, TriggerChanged)
    assert (changed.state, changed.reason) == (
        "inactive",
        "unknown, or measured from a new reference",
    )


def test_what_fires_rests_after_the_decision() -> None:
    triggers, seen = persisted(), facts(22.0, 15, 15)
    triggers.judge(seen, 0)
    assert [each.name for each in triggers.firing()] == ["vix_move"]
    (changed,) = triggers.settle(seen, MONDAY + 30 * MINUTE)
    assert isinstance(changed, TriggerChanged)
    assert changed.state == "cooldown"
    assert triggers.firing() == []
    assert triggers.runs["vix_move"].until_ns == MONDAY + 30 * MINUTE


def test_an_urgent_trigger_rests_only_until_it_is_armed_again() -> None:
    triggers, seen = bank(), facts(18.0)
    seen.requested = True
    triggers.judge(seen, 0)
    triggers.settle(seen, MONDAY + 30 * MINUTE)
    seen.requested = False
    triggers.judge(seen, MONDAY + 30 * MINUTE)
    assert triggers.runs["operator"].state == "inactive"


def test_a_failed_order_arms_the_triggers_of_its_decision() -> None:
    triggers, seen = persisted(), facts(22.0, 15, 15)
    triggers.judge(seen, 0)
    triggers.settle(seen, MONDAY + 30 * MINUTE)
    (changed,) = triggers.rearm(("vix_move",), seen, MONDAY + 31 * MINUTE, MONDAY + 16 * MINUTE)
    assert isinstance(changed, TriggerChanged)
    assert (changed.state, changed.reason) == ("cooldown", "re-armed: the target was missed")
    assert triggers.next_deadline(seen.moment, 0) == MONDAY + 31 * MINUTE


def test_an_urgent_trigger_is_armed_again_at_an_instant_of_its_own() -> None:
    triggers, seen = bank(), facts(18.0)
    triggers.rearm(("operator", "vix_move"), seen, MONDAY + 31 * MINUTE, MONDAY + 16 * MINUTE)
    assert triggers.runs["operator"].until_ns == MONDAY + 16 * MINUTE
    assert triggers.runs["vix_move"].until_ns == MONDAY + 31 * MINUTE


def test_the_deadline_is_the_end_of_the_next_hold() -> None:
    triggers = persisted()
    seen = facts(22.0, 10, 10)
    assert triggers.next_deadline(seen.moment, 0) == MONDAY + 15 * MINUTE
    assert triggers.next_deadline(facts(22.0, 20).moment, 0) is None


def test_of_several_deadlines_the_first_counts() -> None:
    other = VixMove(name="vix_relative", limit=0.1, relative=True, margin=0.1, hold=Hold())
    triggers = TriggerBank("overlay", (MOVE, other), CLOCK, {})
    for minute, vix in enumerate((20.0, 22.0, 22.0, 22.0)):
        triggers.judge(facts(vix, minute, minute), 0)
    assert triggers.next_deadline(facts(22.0, 4).moment, 0) == MONDAY + 15 * MINUTE


def test_a_bank_goes_on_from_its_runs() -> None:
    assert bank(persisted().runs).runs == persisted().runs


def test_an_armed_trigger_that_is_hastened_need_not_wait_for_its_cooldown() -> None:
    triggers = persisted()
    triggers.judge(facts(22.5, 15, 15), 0)
    triggers.settle(facts(22.5, 15, 15), MONDAY + 30 * MINUTE)
    triggers.rearm(["vix_move"], facts(22.5, 15, 15), MONDAY + 60 * MINUTE, MONDAY)
    triggers.hasten(["vix_move"], MONDAY + 16 * MINUTE)
    assert triggers.runs["vix_move"].until_ns == MONDAY + 16 * MINUTE
    triggers.hasten(["vix_move"], MONDAY + 20 * MINUTE)
    assert triggers.runs["vix_move"].until_ns == MONDAY + 16 * MINUTE


def test_what_is_not_armed_pends_or_is_not_there_cannot_be_hastened() -> None:
    resting = TriggerRun(state="cooldown", until_ns=MONDAY + MINUTE, armed=False)
    pending = TriggerRun(state="pending", since_ns=MONDAY)
    triggers = bank({"operator": resting, "vix_move": pending})
    triggers.hasten(["operator", "vix_move", "gone"], MONDAY)
    assert triggers.runs == {"operator": resting, "vix_move": pending}
