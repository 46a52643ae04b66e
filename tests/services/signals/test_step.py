"""The signals stage: journal entries to log entries, the same however they are split."""

from fakes.calendars import at, daily
from hypothesis import given
from hypothesis import strategies as st

from services.signals.step import SignalsStep, readable
from shared.adapters.store import Entry
from shared.domain.events import ClockAdvanced, ExecutionKind, ExecutionReported, Tick
from shared.domain.instants import MINUTE
from shared.domain.policies import SignalPolicy, SmoothingPolicy
from shared.domain.signals_observed import HedgerInput, Quality, Signal, SignalsObserved
from shared.domain.tick_block import TickBlock
from shared.wire import keys
from shared.wire.journal import JournalEntry, JournalItem, decode_log, encode_entry

CALENDAR = daily(30)
POLICY = SignalPolicy(smoothing=SmoothingPolicy(method="sma", sessions=2))
EXECUTION = ExecutionReported(
    book="overlay",
    order_id="overlay-00000001-swap",
    execution_id="e-1",
    kind=ExecutionKind.FILL,
    quantity=1.0,
    price=20.0,
    event_ns=at(1, MINUTE),
)


def fresh() -> SignalsStep:
    return SignalsStep(POLICY, CALENDAR, None)


def ticks(event_ns: int, *levels: float) -> TickBlock:
    return TickBlock.of(
        [Tick(symbol="VIX", event_ns=event_ns + n, price=level) for n, level in enumerate(levels)]
    )


def entries(*items: tuple[JournalItem, ...]) -> list[Entry]:
    found, index = [], 0
    for number, each in enumerate(items, 1):
        entry = JournalEntry(index, 0, each)
        index += len(entry)
        found.append(Entry(keys.journal(), number, encode_entry(entry)))
    return found


def log_of(step: SignalsStep, rows: list[Entry]) -> list[HedgerInput]:
    output = step.receive(rows).entries
    return [item for row in output.get(keys.signal_log(), ()) for item in decode_log(row)]


def test_a_clock_and_a_report_are_passed_on_in_journal_order() -> None:
    clock = ClockAdvanced(event_ns=at(1, 2 * MINUTE))
    found = log_of(fresh(), entries((ticks(at(1), 18.0),), (EXECUTION, clock)))
    assert EXECUTION in found
    last = found[-1]
    assert isinstance(last, SignalsObserved)
    assert (last.cause, last.event_ns) == ("clock", clock.event_ns)
    assert found.index(EXECUTION) == len(found) - 2


def test_people_read_the_latest_signals_in_a_plain_hash() -> None:
    output = fresh().receive(entries((ticks(at(1), 18.0), ClockAdvanced(event_ns=at(1, MINUTE)))))
    fields = output.readable[keys.signals()]
    assert fields["vix"].startswith("18 points 1970-01-02T10:00:00")
    assert fields["vix"].endswith("good")


def fields_of(step: SignalsStep, rows: list[Entry]) -> set[str]:
    return set(step.receive(rows).readable.get(keys.signals(), {}))


def test_only_what_changed_is_written_for_people_and_by_a_new_process_everything() -> None:
    vix, clock, again, later = entries(
        (ticks(at(1), 18.0),),
        (ClockAdvanced(event_ns=at(1, 1)),),
        (ticks(at(1, 2), 19.0),),
        (ticks(at(1, MINUTE), 19.0),),
    )
    step = fresh()
    everything = fields_of(step, [vix])
    assert "vix" in everything
    assert fields_of(step, [clock]) == set()
    changed = fields_of(step, [again])
    assert "vix" in changed
    assert changed < everything
    resumed = SignalsStep(POLICY, CALENDAR, step.snapshot())
    assert fields_of(resumed, [later]) == everything


def test_what_was_written_before_a_crash_is_not_written_again_and_then_everything_is() -> None:
    rows = entries(*[(ticks(at(1, number * MINUTE), 18.0),) for number in range(4)])
    step = fresh()
    everything = fields_of(step, rows[:1])
    resumed = SignalsStep(POLICY, CALENDAR, step.snapshot(), reached=3)
    assert fields_of(resumed, rows[1:2]) == set()
    assert fields_of(resumed, rows[2:3]) == set()
    assert fields_of(resumed, rows[3:]) == everything


def test_a_signal_is_written_with_its_quality_and_how_full_its_window_is() -> None:
    warming = Signal(
        value=None, unit="decimal", quality=Quality.WARMING, event_ns=0, have=3, need=20
    )
    assert readable(warming) == "- decimal - warming 3/20"
    state = Signal(value=1.0, unit="", quality=Quality.GOOD, event_ns=0, state="medium")
    assert readable(state).endswith(" medium")


def test_a_batch_that_says_nothing_gives_nothing() -> None:
    assert not fresh().receive([])


@given(
    levels=st.lists(st.sampled_from([15.0, 18.0, 30.0]), min_size=1, max_size=12),
    data=st.data(),
)
def test_restart_law_and_batch_law(levels: list[float], data: st.DataObject) -> None:
    items: list[tuple[JournalItem, ...]] = []
    for number, level in enumerate(levels):
        now = at(1 + number // 4, (number % 4) * 20 * MINUTE)
        items.append((ticks(now, level, level + 0.5), ClockAdvanced(event_ns=now + MINUTE)))
    items.insert(1, (EXECUTION,))
    rows = entries(*items)
    cut = data.draw(st.integers(0, len(rows)))
    whole, first = fresh(), fresh()
    expected = log_of(whole, rows)
    before = log_of(first, rows[:cut])
    resumed = SignalsStep(POLICY, CALENDAR, first.snapshot())
    assert before + log_of(resumed, rows[cut:]) == expected
    assert resumed.snapshot() == whole.snapshot()
