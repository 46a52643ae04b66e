"""Journal entries to the exposure log, the hash for people, alerts; and restarts in between."""

from collections.abc import Callable

import pytest
from fakes.exposures import CHAIN, NOW, monitor, quotes

from services.exposure.step import ExposureStep
from shared.adapters.store import Entry
from shared.domain.events import (
    ClockAdvanced,
    ExposureMeasured,
    PositionsReported,
    RebalanceRequested,
)
from shared.domain.exposure.engine import ExposureMonitor, ExposureState
from shared.domain.exposure.layout import ExposureBook
from shared.domain.exposure.policy import ExposurePolicy
from shared.domain.instants import MILLISECOND, SECOND
from shared.domain.tick_block import TickBlock
from shared.wire import keys
from shared.wire.journal import JournalEntry, SingleEvent, encode_entry

BOOK = ExposureBook(name="a", opening={CHAIN[5].symbol: 10.0}, is_measured=True)


def make(state: ExposureState | None) -> ExposureMonitor:
    return monitor(BOOK, state=state)


def entries(*of_items: tuple[TickBlock | SingleEvent, ...]) -> list[Entry]:
    """Journal entries of these items, numbered."""
    return [
        Entry(keys.journal(), index, encode_entry(JournalEntry(100 * index, 0, items)))
        for index, items in enumerate(of_items, 1)
    ]


def clock(seconds: int) -> ClockAdvanced:
    return ClockAdvanced(event_ns=NOW + seconds * SECOND)


JOURNAL = entries(
    (quotes(NOW, 100.0), clock(0)),
    (quotes(NOW + SECOND, 101.0),),
    (clock(2), RebalanceRequested(scope="all", operator="o", reason="r", event_ns=NOW)),
    (quotes(NOW + 3 * SECOND, 99.0), clock(3)),
)


def test_every_exposure_is_logged_and_the_last_is_written_for_people() -> None:
    step = ExposureStep(make, None)
    output = step.receive(JOURNAL)
    assert len(output.entries[keys.exposure_log()]) == 4
    fields = output.readable[keys.exposure("a")]
    assert fields["coverage"].startswith("1 ratio")
    assert step.clock_ns == NOW + 3 * SECOND
    assert step.latest["a"].groups[0].level == 99.0


def resting(state: ExposureState | None) -> ExposureMonitor:
    return monitor(BOOK, policy=ExposurePolicy(book_ns=100 * MILLISECOND), state=state)


def fast() -> list[Entry]:
    """Twelve prints, 30 ms apart."""
    instants = [NOW + number * 30 * MILLISECOND for number in range(12)]
    return entries(*((quotes(at_ns, 100.0 + at_ns % 7),) for at_ns in instants))


@pytest.mark.parametrize(
    ("made", "journal", "said"), [(make, JOURNAL, 4), (make, fast(), 12), (resting, fast(), 3)]
)
def test_however_the_journal_is_cut_the_log_is_the_same(
    made: Callable[[ExposureState | None], ExposureMonitor], journal: list[Entry], said: int
) -> None:
    whole = ExposureStep(made, None).receive(journal).entries[keys.exposure_log()]
    assert len(whole) == said
    for size in (1, 3):
        step, rows = ExposureStep(made, None), list[bytes]()
        for first in range(0, len(journal), size):
            output = step.receive(journal[first : first + size])
            rows += output.entries.get(keys.exposure_log(), ())
        assert rows == list(whole)


def test_resumed_anywhere_the_log_is_the_same() -> None:
    whole = list(ExposureStep(make, None).receive(JOURNAL).entries[keys.exposure_log()])
    for at in range(len(JOURNAL)):
        first = ExposureStep(make, None)
        rows = list(first.receive(JOURNAL[:at]).entries.get(keys.exposure_log(), ())) if at else []
        second = ExposureStep(make, first.snapshot())
        rows += second.receive(JOURNAL[at:]).entries[keys.exposure_log()]
        assert rows == whole
        assert second.clock_ns == NOW + 3 * SECOND


def test_what_was_answered_before_a_crash_is_not_written_for_people_again() -> None:
    output = ExposureStep(make, None, reached=4).receive(JOURNAL)
    assert not output.readable


def test_figures_that_a_book_has_no_more_are_gone_from_the_hash() -> None:
    step = ExposureStep(make, None)
    step.receive(JOURNAL[:1])
    expired = entries((ClockAdvanced(event_ns=NOW + 31 * 86_400 * SECOND),))
    fields = step.receive(expired).readable[keys.exposure("a")]
    assert fields["SPX.8-30d.delta"] == "- - - gone"


def test_a_measurement_is_awaited_until_it_is_journalled_and_counted() -> None:
    step = ExposureStep(make, None)
    step.receive(JOURNAL[:1])
    (awaited,) = step.awaited.values()
    step.receive(entries((awaited,)))
    assert not step.awaited
    assert step.measured == 1
    stale = ExposureMeasured(book="a", event_ns=1, portfolio_delta=0, put_delta=0, sequence=1)
    step.receive(entries((stale,)))
    assert step.measured == 2


def test_a_difference_of_positions_is_an_alert() -> None:
    step = ExposureStep(make, None)
    said = PositionsReported(book="a", event_ns=NOW, quantities={}, source="custodian")
    output = step.receive(entries((said,)))
    assert output.entries[keys.announcements("exposure")]
