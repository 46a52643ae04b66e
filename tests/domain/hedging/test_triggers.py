import pytest
from fakes.hedged_market import CALENDAR, MONDAY
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.hedging.session_clock import Moment, SessionClock
from shared.domain.hedging.triggers import (
    Evidence,
    TriggerRun,
    deadline,
    decided,
    is_whipsaw,
    rearmed,
    step,
    with_peak,
)
from shared.domain.instants import DAY, HOUR, MINUTE
from shared.domain.policies import Hold

CLOCK = SessionClock(CALENDAR)
HOLD = Hold()
CLOSE = MONDAY + 6 * HOUR + 30 * MINUTE


def at(minutes: float) -> Moment:
    """Minutes after the first opening."""
    return CLOCK.at(MONDAY + round(minutes * MINUTE))


def true(observation: int, reference: float = 18.0, level: float = 22.0) -> Evidence:
    return Evidence(True, False, observation, reference, 4.0, level)  # noqa: FBT003 - holds


FALSE = Evidence(False, False, 9, 18.0)  # noqa: FBT003 - holds, but not by the margin
CLEAR = Evidence(False, True, 9, 18.0)  # noqa: FBT003 - holds, and by the margin


def pending(hold: Hold = HOLD, minutes: tuple[float, ...] = (0, 7, 14)) -> TriggerRun:
    """A run after prints at these minutes."""
    run = TriggerRun()
    for number, minute in enumerate(minutes, start=1):
        run = step(run, true(number), at(minute), hold, 0)
    return run


def test_a_condition_that_does_not_hold_leaves_the_machine_as_it_is() -> None:
    run = TriggerRun()
    assert step(run, FALSE, at(0), HOLD, 0) is run
    assert step(run, Evidence(None), at(0), HOLD, 0) is run


def test_it_fires_when_time_and_observations_are_complete() -> None:
    run = pending()
    assert (run.state, run.observations, run.sessions) == ("pending", 3, 1)
    assert step(run, true(4), at(15), HOLD, 0).state == "firing"


def test_it_does_not_fire_the_nanosecond_before_its_time() -> None:
    early = CLOCK.at(MONDAY + 15 * MINUTE - 1)
    assert step(pending(), true(4), early, HOLD, 0).state == "pending"


def test_it_does_not_fire_with_too_few_observations() -> None:
    run = pending(minutes=(0, 7))
    assert step(run, true(2), at(60), HOLD, 0).state == "pending"
    assert step(run, true(3), at(60), HOLD, 0).state == "firing"


def test_a_clock_event_is_no_observation_but_may_complete_the_time() -> None:
    run = pending()
    assert step(run, true(3), at(14.5), HOLD, 0) is run
    assert step(run, true(3), at(15), HOLD, 0).state == "firing"


def test_two_sessions_are_needed_when_asked_for() -> None:
    hold = Hold(trading_ns=0, sessions=2, observations=1)
    run = step(TriggerRun(), true(1), at(0), hold, 0)
    run = step(run, true(2), at(300), hold, 0)
    assert (run.state, run.sessions) == ("pending", 1)
    run = step(run, true(3), CLOCK.at(MONDAY + DAY), hold, 0)
    assert (run.state, run.sessions) == ("firing", 2)


def test_trading_time_does_not_run_overnight() -> None:
    run = step(TriggerRun(), true(1), CLOCK.at(CLOSE - 5 * MINUTE), HOLD, 0)
    run = step(run, true(2), CLOCK.at(CLOSE), HOLD, 0)
    morning = MONDAY + DAY
    assert step(run, true(3), CLOCK.at(morning), HOLD, 0).state == "pending"
    assert step(run, true(3), CLOCK.at(morning + 10 * MINUTE), HOLD, 0).state == "firing"


def test_a_run_that_breaks_is_a_whipsaw() -> None:
    run = pending()
    assert step(run, FALSE, at(14.9), HOLD, 0).state == "inactive"
    assert is_whipsaw(run, FALSE)


@pytest.mark.parametrize("evidence", [Evidence(None, reference=18.0), true(4, reference=20.0)])
def test_a_run_that_became_unknown_or_got_a_new_reference_is_no_whipsaw(
    evidence: Evidence,
) -> None:
    run = pending()
    assert step(run, evidence, at(14.9), HOLD, 0).state == "inactive"
    assert not is_whipsaw(run, evidence)


def test_only_a_pending_run_can_be_a_whipsaw() -> None:
    assert not is_whipsaw(TriggerRun(reference=18.0), FALSE)


def test_nothing_begins_to_fire_while_the_book_cools_down() -> None:
    blocked = MONDAY + 20 * MINUTE
    run = step(pending(), true(4), at(19), HOLD, blocked)
    assert run.state == "pending"
    assert step(run, true(4), at(20), HOLD, blocked).state == "firing"


def test_the_least_level_of_a_run_is_what_all_its_observations_confirm() -> None:
    run = step(TriggerRun(), true(1, level=27.0), at(0), HOLD, 0)
    run = step(run, true(2, level=26.0), at(1), HOLD, 0)
    run = step(run, true(3, level=31.0), at(2), HOLD, 0)
    assert run.lowest == 26.0


def test_the_peak_is_kept_with_its_inputs() -> None:
    run = with_peak(pending(), true(1), {"vix": 22.0})
    assert (run.peak, run.peak_size) == ({"vix": 22.0}, 4.0)


@pytest.mark.parametrize("evidence", [FALSE, Evidence(None)])
def test_what_fires_and_no_longer_holds_is_over(evidence: Evidence) -> None:
    run = TriggerRun(state="firing")
    assert step(run, evidence, at(1), HOLD, 0).state == "inactive"
    assert step(run, true(1), at(1), HOLD, 0) is run


def resting(minutes: float = 30) -> TriggerRun:
    firing = step(pending(), true(4), at(15), HOLD, 0)
    return decided(firing, at(15), at(minutes).now_ns)


def test_a_condition_that_stays_true_fires_once() -> None:
    run = resting()
    assert step(run, true(5), at(300), HOLD, 0) is run
    assert step(run, FALSE, at(300), HOLD, 0) is run  # false, but not by the margin


def test_it_is_ready_again_after_the_cooldown_and_the_margin() -> None:
    run = step(resting(), CLEAR, at(20), HOLD, 0)
    assert (run.state, run.armed) == ("cooldown", True)
    assert step(run, true(6), at(29), HOLD, 0) is run
    assert step(run, true(6), at(30), HOLD, 0).state == "inactive"


def test_a_new_reference_arms_it_again() -> None:
    assert step(resting(), true(5, reference=22.0), at(30), HOLD, 0).state == "inactive"


def test_a_failed_order_arms_it_again_after_another_cooldown() -> None:
    run = rearmed(resting(), at(20), at(40).now_ns)
    assert (run.state, run.armed, run.reference) == ("cooldown", True, 18.0)
    assert step(run, true(5), at(39), HOLD, 0) is run
    assert step(run, true(5), at(40), HOLD, 0).state == "inactive"


def test_the_deadline_of_a_hold_is_the_end_of_its_time() -> None:
    assert deadline(pending(), HOLD, CLOCK, 0) == MONDAY + 15 * MINUTE
    assert deadline(pending(), HOLD, CLOCK, MONDAY + HOUR) == MONDAY + HOUR
    assert deadline(pending(minutes=(0, 1)), HOLD, CLOCK, 0) is None


def test_a_hold_that_outlasts_the_calendar_has_no_deadline() -> None:
    last = CLOCK.at(CLOCK.last_close_ns)
    hold = Hold(trading_ns=MINUTE, observations=1)
    run = step(TriggerRun(), true(1), last, hold, 0)
    assert deadline(run, hold, CLOCK, 0) is None


def test_the_deadline_of_a_cooldown_is_its_end_once_it_is_armed() -> None:
    assert deadline(resting(), HOLD, CLOCK, 0) is None
    assert deadline(step(resting(), CLEAR, at(20), HOLD, 0), HOLD, CLOCK, 0) == at(30).now_ns
    assert deadline(TriggerRun(), HOLD, CLOCK, 0) is None


@given(
    st.lists(st.tuples(st.integers(0, 20), st.booleans(), st.booleans()), max_size=30),
    st.integers(0, 3),
)
def test_nothing_fires_that_did_not_hold_for_the_whole_time(
    steps: list[tuple[int, bool, bool]], observations: int
) -> None:
    hold = Hold(trading_ns=15 * MINUTE, observations=observations)
    run, minute, printed = TriggerRun(), 0, 0
    unbroken: list[tuple[int, int]] = []
    for minutes, holds, prints in steps:
        minute += minutes
        printed += prints
        evidence = Evidence(holds, not holds, printed, 18.0)
        unbroken = [*unbroken, (minute, printed)] if holds else []
        run = step(run, evidence, at(minute), hold, 0)
        if run.state == "firing":
            assert minute - unbroken[0][0] >= 15
            assert len({number for _, number in unbroken}) >= observations
            return
        assert (run.state == "pending") == holds
