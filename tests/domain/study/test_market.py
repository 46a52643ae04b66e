"""The market side of a study against the stages that it stands for."""

import numpy as np
import pytest
from fakes import rolled_market
from fakes.rolled_books import INTAKE, SIGNALS, book, instruments
from msgspec import structs

from shared.domain.events import ClockAdvanced, Tick
from shared.domain.intake import Intake
from shared.domain.market.signals import SignalMonitor
from shared.domain.signals_observed import HedgerInput, SignalsObserved
from shared.domain.study import market
from shared.domain.study.market import FEW, ObservedStep, StudyMarket, signals_read
from shared.domain.tick_block import TickBlock

STEPS = rolled_market.steps()[:120]
SPIKE = Tick(symbol="SPX", event_ns=STEPS[40][1].event_ns, price=1.0)
DIRTY = [(((*ticks, SPIKE) if n == 40 else ticks), clock) for n, (ticks, clock) in enumerate(STEPS)]


def as_stages(steps: rolled_market.Steps) -> list[HedgerInput]:
    """What the live stages say, step by step."""
    intake, monitor = Intake(INTAKE, lossless=True), SignalMonitor(SIGNALS, rolled_market.CALENDAR)
    said: list[HedgerInput] = []
    index = 0
    for ticks, clock in steps:
        block = intake.receive_block(TickBlock.of(ticks), None).accepted
        said += monitor.receive_block(block, index)
        intake.receive_clock(clock)
        said += monitor.receive(clock, index + len(block))
        index += len(block) + 1
    return said


def made() -> StudyMarket:
    return StudyMarket(INTAKE, SIGNALS, rolled_market.CALENDAR)


def observed(steps: list[ObservedStep]) -> list[HedgerInput]:
    return [each for step in steps for each in step.observed]


@pytest.mark.parametrize("at_once", [1, 7, 1000])
def test_it_says_what_the_live_stages_say_however_many_steps_are_judged_at_once(
    at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(market, "AT_ONCE", at_once)
    study = made()
    assert observed(list(study.take_all(DIRTY))) == as_stages(DIRTY)
    assert (study.accepted, study.refused) == (240, 1)


def test_step_by_step_it_says_the_same() -> None:
    study = made()
    assert observed([study.take(ticks, clock) for ticks, clock in DIRTY]) == as_stages(DIRTY)


def test_a_history_that_runs_back_is_judged_step_by_step() -> None:
    ticks, clock = STEPS[10]
    late = Tick(symbol="SPX", event_ns=STEPS[2][1].event_ns, price=6000.0)
    back = [*STEPS[:10], ((late, *ticks), clock), *STEPS[11:20], STEPS[15], *STEPS[20:30]]
    study = made()
    assert observed(list(study.take_all(back))) == as_stages(back)
    assert study.refused > 0


def test_a_tick_that_a_clock_has_left_behind_is_late_however_many_are_judged_at_once() -> None:
    opens, closes = rolled_market.CALENDAR.hours(30)
    early = Tick(symbol="SPX", event_ns=opens, price=6000.0)
    late = Tick(symbol="SPX", event_ns=opens + 1, price=6001.0)
    steps: rolled_market.Steps = [
        ((early,), ClockAdvanced(event_ns=closes)),
        ((late,), ClockAdvanced(event_ns=closes)),
    ]
    study = made()
    assert observed(list(study.take_all(steps))) == as_stages(steps)
    assert (study.accepted, study.refused) == (1, 1)


def test_many_ticks_of_a_step_are_taken_as_a_block() -> None:
    opens, closes = rolled_market.CALENDAR.hours(30)
    instants = np.linspace(opens, closes, FEW + 1).astype(np.int64).tolist()
    ticks = tuple(
        Tick(symbol="SPX", event_ns=at, price=6000.0 + number) for number, at in enumerate(instants)
    )
    steps: rolled_market.Steps = [(ticks, ClockAdvanced(event_ns=closes))]
    assert observed(list(made().take_all(steps))) == as_stages(steps)


def test_with_instruments_marks_join_the_ticks_and_rolls_and_greeks_the_step() -> None:
    known = instruments()
    study = StudyMarket(INTAKE, SIGNALS, rolled_market.CALENDAR, known)
    steps = list(study.take_all(STEPS))
    last = steps[-1].observed[-1]
    assert isinstance(last, SignalsObserved)
    assert last.marks["PUT90"].level == known.histories["PUT90"].level[119]
    for step in steps:
        clock_ns = step.clock.event_ns
        assert step.rolls == known.rolls.get(clock_ns, ())
        assert step.measured == known.measured.get(clock_ns, {})
        assert [each.symbol for each in step.ticks if each.symbol in known.histories] == [
            each.symbol for each in known.marks.get(clock_ns, ())
        ]
    assert sum(len(step.rolls) for step in steps) >= 4


@pytest.mark.parametrize("is_read", [True, False])
def test_the_correlation_with_the_hedge_is_made_only_for_a_book_that_reads_it(
    is_read: bool,  # noqa: FBT001 - a parameter
) -> None:
    one = book("swap")
    sizing = structs.replace(one.sizing, scale_by_hedge_correlation=is_read)
    signals = signals_read(SIGNALS, [one, structs.replace(one, sizing=sizing)])
    said = observed(list(StudyMarket(INTAKE, signals, rolled_market.CALENDAR).take_all(STEPS)))
    last = said[-1]
    assert isinstance(last, SignalsObserved)
    assert ("hedge_correlation.overlay" in last.signals) is is_read
    assert {"vix", "drawdown.overlay"} <= last.signals.keys()
