"""A step is sent until it is journalled, and the next never before all have dealt with it."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.feed.pacing import (
    FIRST_RESEND_S,
    LONGEST_RESEND_S,
    JournalWentBack,
    NumberedStep,
    Pacer,
    number,
)
from shared.adapters.history.replay import ReplayStep
from shared.domain.events import Tick

WAITS_FOR = frozenset(("hedger", "gateway"))


def replay(*ticks_of_a_step: int) -> list[ReplayStep]:
    """Steps of so many ticks; the n-th ends at 10 n."""
    return [
        ReplayStep(
            ticks=tuple(Tick(symbol="VIX", event_ns=10 * n - 1, price=14.0) for _ in range(count)),
            clock_ns=10 * n,
        )
        for n, count in enumerate(ticks_of_a_step, 1)
    ]


def steps(*ticks_of_a_step: int) -> list[NumberedStep]:
    return list(number(replay(*ticks_of_a_step), "replay"))


def sequences(step: NumberedStep | None) -> list[int | None]:
    return [] if step is None else [*(tick.sequence for tick in step.ticks), step.clock.sequence]


def begun(step: NumberedStep, now_s: float = 0.0) -> Pacer:
    pacer = Pacer(WAITS_FOR)
    pacer.begin(step, now_s)
    return pacer


def settle(
    pacer: Pacer, clock_ns: int, reports: int = 0, services: Iterable[str] = WAITS_FOR
) -> None:
    for service in services:
        pacer.settled(service, clock_ns, reports)


def test_ticks_and_clocks_are_numbered_in_one_series_from_1() -> None:
    assert [sequences(step) for step in steps(2, 0, 1)] == [[1, 2, 3], [4], [5, 6]]
    assert {tick.source for step in steps(2, 1) for tick in step.ticks} == {"replay"}
    assert [step.clock.event_ns for step in steps(2, 0, 1)] == [10, 20, 30]


def test_a_step_is_due_at_once_and_whole() -> None:
    (step,) = steps(2)
    assert begun(step, now_s=5.0).due(5.0) == step


def test_what_is_not_journalled_is_due_again_after_growing_pauses() -> None:
    pacer, now_s, pauses = begun(steps(1)[0]), 0.0, []
    for _ in range(7):
        assert pacer.due(now_s) is not None
        deadline_s = pacer.next_deadline()
        assert deadline_s is not None
        assert pacer.due(deadline_s - 1e-6) is None
        pauses.append(deadline_s - now_s)
        now_s = deadline_s
    assert pauses == [0.5, 1.0, 2.0, 4.0, 5.0, 5.0, 5.0]
    assert (pauses[0], pauses[-1]) == (FIRST_RESEND_S, LONGEST_RESEND_S)


def test_only_the_rest_is_sent_again() -> None:
    pacer = begun(steps(3)[0])
    pacer.due(0.0)
    pacer.journalled(2)
    assert sequences(pacer.due(1.0)) == [3, 4]


def test_a_journalled_step_is_sent_no_more_while_others_settle_it() -> None:
    pacer = begun(steps(1)[0])
    pacer.journalled(2)
    assert (pacer.due(100.0), pacer.next_deadline()) == (None, None)
    assert not pacer.is_done


def test_a_step_is_done_when_it_is_journalled_and_settled_by_all() -> None:
    pacer = begun(steps(1)[0])
    pacer.journalled(2)
    pacer.settled("hedger", 10, 0)
    assert pacer.unsettled() == ("gateway",)
    pacer.settled("gateway", 9, 0)
    assert not pacer.is_done
    pacer.settled("gateway", 10, 0)
    assert pacer.is_done


def test_settled_is_not_enough_where_the_journal_is_behind() -> None:
    pacer = begun(steps(1)[0])
    settle(pacer, 10)
    pacer.journalled(1)
    assert not pacer.is_done


def test_every_report_that_was_made_must_have_been_taken() -> None:
    pacer = begun(steps(1)[0])
    pacer.journalled(2)
    pacer.settled("gateway", 10, 3)
    pacer.settled("hedger", 10, 2)
    assert pacer.unsettled() == ("hedger",)
    pacer.settled("hedger", 10, 3)
    assert pacer.is_done


def test_the_hedger_must_have_taken_reports_and_measurements() -> None:
    pacer = Pacer(WAITS_FOR | {"exposure"})
    pacer.begin(steps(1)[0], 0.0)
    pacer.journalled(2)
    pacer.settled("gateway", 10, 3)
    pacer.settled("exposure", 10, 2)
    pacer.settled("hedger", 10, 4)
    assert pacer.unsettled() == ("hedger",)
    pacer.settled("hedger", 10, 5)
    assert pacer.is_done


def test_a_service_that_is_not_waited_for_settles_nothing() -> None:
    pacer = Pacer(frozenset())
    pacer.begin(steps(1)[0], 0.0)
    pacer.settled("signals", 10, 0)
    pacer.journalled(2)
    assert pacer.is_done


def test_a_late_word_about_an_earlier_clock_unsettles_nothing() -> None:
    pacer = begun(steps(1)[0])
    pacer.journalled(2)
    settle(pacer, 10)
    pacer.settled("hedger", 5, 0)
    assert pacer.is_done


def test_without_a_step_there_is_nothing_to_wait_for() -> None:
    pacer = Pacer(WAITS_FOR)
    assert (pacer.is_done, pacer.due(0.0), pacer.next_deadline(), pacer.unsettled()) == (
        True,
        None,
        None,
        (),
    )


def test_a_journal_that_forgets_within_a_step_gets_it_again() -> None:
    first, second = steps(1, 3)
    pacer = begun(first)
    pacer.journalled(2)
    pacer.begin(second, 1.0)
    pacer.journalled(5)
    pacer.journalled(2)
    assert sequences(pacer.due(100.0)) == [3, 4, 5, 6]


def test_a_journal_that_forgets_a_step_that_was_done_is_told() -> None:
    first, second = steps(1, 3)
    pacer = begun(first)
    pacer.journalled(2)
    pacer.begin(second, 1.0)
    with pytest.raises(JournalWentBack, match="was at 2 and is at 1"):
        pacer.journalled(1)


def test_a_replay_begun_again_under_its_name_sends_what_the_journal_lacks() -> None:
    first, second = steps(2, 2)
    pacer = Pacer(WAITS_FOR)
    pacer.journalled(4)
    pacer.begin(first, 0.0)
    assert pacer.due(0.0) is None
    settle(pacer, 10)
    assert pacer.is_done
    pacer.begin(second, 0.0)
    assert sequences(pacer.due(0.0)) == [5, 6]


FATES = st.sampled_from(["arrives", "arrives", "is lost", "arrives twice"])


@given(sizes=st.lists(st.integers(0, 3), min_size=1, max_size=5), data=st.data())
def test_whatever_is_lost_doubled_or_late_each_step_arrives_once_and_in_order(
    sizes: list[int], data: st.DataObject
) -> None:
    pacer, now_s = Pacer(WAITS_FOR), 0.0
    journal: list[int] = []
    told = 0  # of the reports about the journal, which come late but in order
    for step in steps(*sizes):
        assert pacer.is_done
        pacer.begin(step, now_s)
        for _ in range(200):
            sent = pacer.due(now_s)
            for sequence in sequences(sent):
                fate = data.draw(FATES) if len(journal) < 8 else "arrives"
                for _ in range(("is lost", "arrives", "arrives twice").index(fate)):
                    if sequence == len(journal) + 1:  # as a lossless intake takes them
                        journal.append(sequence)
            if data.draw(st.booleans()):
                told = data.draw(st.integers(told, len(journal)))
                pacer.journalled(told)
            if len(journal) >= step.last_sequence:
                settle(pacer, step.clock.event_ns)
            if pacer.is_done:
                break
            assert told < step.last_sequence  # or it would be done: it is still waited for
            deadline_s = pacer.next_deadline()
            assert deadline_s is not None
            assert deadline_s <= now_s + LONGEST_RESEND_S
            now_s = max(now_s, deadline_s)
        assert len(journal) == step.last_sequence, "the next is never sent before"
        pacer.journalled(len(journal))
        told = len(journal)
    assert journal == list(range(1, len(journal) + 1))
