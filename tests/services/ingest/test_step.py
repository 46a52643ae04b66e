"""What becomes of each message at the edge (spec section 9)."""

import io
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa
import pytest
from fakes.keys import make_keyring
from fakes.messages import message
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from services.ingest.book_reports import REMEMBERED_EXECUTIONS
from services.ingest.step import (
    LARGEST_REJECT_BYTES,
    IngestPolicy,
    IngestState,
    IngestStep,
    Taken,
)
from shared.adapters.bus import Message
from shared.domain.events import (
    ClockAdvanced,
    Event,
    ExecutionKind,
    ExecutionReported,
    ExposureMeasured,
    PositionsReported,
    RebalanceRequested,
    Tick,
)
from shared.domain.instants import SECOND
from shared.domain.intake import MAX_SOURCES, Verdict
from shared.domain.policies import IntakePolicy, OptionIntakePolicy, SymbolPolicy
from shared.domain.tick_block import TickBlock
from shared.wire import topics
from shared.wire.codec import ARROW, MSGPACK
from shared.wire.journal import JournalEntry
from shared.wire.messages import MeasurementMessage, RebalanceMessage, RejectMessage

NOON = 1_383_134_400 * SECOND  # 2013-10-30
INTAKE = IntakePolicy(
    symbols={"VIX": SymbolPolicy(), "SPX": SymbolPolicy(max_jump=0.1)}, max_message_bytes=2000
)
LIVE = IngestPolicy(intake=INTAKE, books=frozenset(("overlay",)), clock_from_feed=False)
REPLAY = structs.replace(LIVE, clock_from_feed=True)
KEYS = make_keyring()
VIX = topics.ticks("VIX")
EXECUTIONS = topics.executions("overlay")


def vix(at_s: float = 0.0, price: float | None = 14.0, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - any of its fields
    return {"symbol": "VIX", "event_time": NOON + round(at_s * SECOND), "price": price} | fields


def fill(execution_id: str = "x-2", **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - likewise
    return {
        "order_id": "overlay-00000001-swap",
        "execution_id": execution_id,
        "kind": "fill",
        "quantity": 400.0,
        "price": 20.0,
        "event_time": NOON,
    } | fields


def rebalance() -> bytes:
    request = RebalanceMessage(scope="all", reason="test", operator="ann", issued_at=NOON)
    return KEYS.seal("operator", topics.REBALANCE, request)


def clock(at_s: float, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - likewise
    return {"event_time": NOON + round(at_s * SECOND)} | fields


def fresh(policy: IngestPolicy = REPLAY) -> IngestStep:
    return IngestStep(policy, IngestState(), KEYS)


def warm(policy: IngestPolicy = REPLAY) -> IngestStep:
    """A step that has taken one VIX at noon, and knows what time it is."""
    step = fresh(policy)
    assert len(events(step.receive([message(VIX, vix())], NOON))) == 1 + (policy is LIVE)
    return step


def events(taken: Taken) -> list[Event]:
    """What is to be journalled, ticks one by one."""
    found: list[Event] = []
    for item in taken.items:
        if isinstance(item, TickBlock):
            found += [item.tick(row) for row in range(len(item))]
        else:
            found.append(item)
    return found


def receive(step: IngestStep, *messages: Message, now_ns: int = NOON) -> Taken:
    return step.receive(messages, now_ns)


# --- what is refused -----------------------------------------------------------------------------


def only_reject(step: IngestStep, refused: Message, now_ns: int = NOON) -> RejectMessage:
    """Refuse one message: told with its bytes, and all but the sender's letter as before."""
    before = step.snapshot()
    taken = step.receive([refused], now_ns)
    assert events(taken) == []
    assert step.snapshot() == before
    (letter,) = taken.rejects
    assert (letter.topic, letter.payload, letter.truncated) == (
        refused.topic,
        refused.payload,
        False,
    )
    return letter


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"not json", "malformed"),
        (b"", "malformed"),
        (b"[[[[", "malformed"),
        (b"\xff\xfe\x00", "malformed"),
        (b'{"symbol": "VIX", "event_time": 1, "price": NaN}', "malformed"),
        (b'{"symbol": "VIX", "event_time": 1, "price": 1e999}', "malformed"),
        ({"symbol": "VIX", "event_time": NOON, "price": "14"}, "malformed"),
        (vix(event_time="yesterday"), "malformed"),
        (vix(event_time=-1), "malformed"),
        (vix(symbol="SPX"), "malformed"),  # not the topic's
        (vix(price=None), "no_price"),
        (vix(price=None, bid=14.0), "no_price"),
        (vix(price=0.0), "not_positive"),
        (vix(price=-14.0), "not_positive"),
        (vix(price=None, bid=14.0, ask=13.9), "crossed"),
        (vix(price=None, bid=1.0, ask=27.0), "wide_quote"),
        (vix(at_s=-5.1), "late"),
        (vix(price=1e300), "not_a_number"),
    ],
)
def test_a_bad_tick_is_refused_with_its_reason_and_bytes(content: object, reason: str) -> None:
    assert only_reject(warm(), message(VIX, content)).reason == reason


def test_a_number_that_is_none_is_refused_where_the_encoding_can_say_it() -> None:
    payload = msgspec.msgpack.encode(vix(price=float("nan")))
    refused = message(VIX, payload, content_type=MSGPACK)
    assert only_reject(warm(), refused).reason == "not_a_number"


def arrow(symbol: str, at_s: float, price: float) -> bytes:
    sink = io.BytesIO()
    columns = {"symbol": [symbol], "event_time": [NOON + round(at_s * SECOND)], "price": [price]}
    table = pa.table(columns)
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def test_an_arrow_stream_on_another_symbols_topic_is_refused() -> None:
    other = message(VIX, arrow("SPX", 1.0, 1763.0), content_type=ARROW)
    assert only_reject(warm(), other).reason == "malformed"
    assert len(events(receive(warm(), structs.replace(other, topic=topics.TICKS)))) == 1


def test_an_unknown_symbol_is_refused() -> None:
    letter = only_reject(warm(), message(topics.ticks("DAX"), vix(symbol="DAX")))
    assert letter.reason == "unknown_symbol"
    assert "DAX" in letter.detail


def test_a_tick_from_the_future_is_refused_by_our_clock() -> None:
    step = warm(LIVE)
    ahead = message(VIX, vix(at_s=2.1))
    assert only_reject(step, ahead).reason == "future"
    assert len(events(receive(step, ahead, now_ns=NOON + SECOND // 2))) == 1


def test_in_a_replay_there_is_no_future() -> None:
    assert len(events(receive(warm(), message(VIX, vix(at_s=1e8))))) == 1


def test_an_older_tick_of_its_symbol_is_refused_within_the_late_limit_too() -> None:
    assert only_reject(warm(), message(VIX, vix(at_s=-0.1))).reason == "late"


def test_a_jump_is_refused_until_it_is_confirmed() -> None:
    step = warm()
    verdicts = []
    for number in range(1, 4):  # 2013-10-30: 14.10 printed as 21.26
        taken = receive(step, message(VIX, vix(at_s=number, price=21.26)))
        verdicts.append([letter.reason for letter in taken.rejects])
    assert verdicts == [["jump"], ["jump"], []]


def test_too_large_a_message_is_refused_unread_and_its_bytes_are_cut() -> None:
    policy = structs.replace(REPLAY, intake=structs.replace(INTAKE, max_message_bytes=5000))
    payload = b"[" * 5001
    (letter,) = receive(fresh(policy), message(VIX, payload)).rejects
    assert (letter.reason, letter.truncated) == ("too_large", True)
    assert letter.payload == payload[:LARGEST_REJECT_BYTES]
    (letter,) = receive(fresh(policy), message(VIX, payload[:-1])).rejects
    assert letter.reason == "malformed"


@pytest.mark.parametrize(
    ("topic", "content"),
    [
        (VIX, vix(at_s=1.0)),
        (topics.TICKS, [vix(at_s=1.0)]),
        (topics.CLOCK, clock(1.0)),
        (topics.REBALANCE, rebalance()),
        (EXECUTIONS, fill()),
    ],
)
def test_a_topics_retained_value_is_old_news(topic: str, content: object) -> None:
    retained = message(topic, content, retain=True)
    assert only_reject(warm(), retained).reason == "retained"
    assert len(events(receive(warm(), structs.replace(retained, retain=False)))) == 1


def test_more_sources_than_can_be_remembered_are_refused() -> None:
    step = fresh()
    crowd = [vix(source=f"s{number}", sequence=1) for number in range(MAX_SOURCES)]
    for first in range(0, MAX_SOURCES, 16):
        assert receive(step, message(topics.TICKS, crowd[first : first + 16])).rejects == []
    one_more = message(VIX, vix(source="one more", sequence=1) | {"source": "one-more"})
    assert only_reject(step, one_more).reason == "too_many_sources"


def test_the_clock_of_a_feed_is_refused_where_the_wall_clock_rules() -> None:
    letter = only_reject(warm(LIVE), message(topics.CLOCK, clock(1.0)))
    assert letter.reason == "unexpected_clock"


def test_a_clock_that_runs_back_is_refused() -> None:
    assert only_reject(warm(), message(topics.CLOCK, clock(-0.1))).reason == "late"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{}", "malformed"),
        (fill(quantity=0.0), "malformed"),
        (fill(price=None), "malformed"),
        (fill(price=-20.0), "malformed"),
        (fill(price=0.0), "malformed"),
        (fill(kind="new"), "malformed"),  # that trades
        (fill(kind="sold"), "malformed"),
        (fill(event_time="soon"), "malformed"),
        (fill(execution_id=""), "malformed"),
    ],
)
def test_a_bad_execution_report_is_refused(content: object, reason: str) -> None:
    assert only_reject(warm(), message(EXECUTIONS, content)).reason == reason


def test_a_report_for_a_book_we_do_not_have_is_refused() -> None:
    letter = only_reject(warm(), message(topics.executions("other"), fill()))
    assert (letter.reason, letter.detail) == ("unknown_book", "other")


def test_a_refused_tick_is_counted_by_symbol_and_reason() -> None:
    ticks = [vix(1.0), vix(2.0, price=-1.0), vix(3.0, price=-1.0), vix(symbol="DAX")]
    taken = receive(warm(), message(topics.TICKS, ticks))
    assert taken.ticks == {
        ("VIX", Verdict.ACCEPTED): 1,
        ("VIX", Verdict.NOT_POSITIVE): 2,
        ("DAX", Verdict.UNKNOWN_SYMBOL): 1,
    }


def test_of_one_message_a_reason_is_told_once_with_the_first_such_tick() -> None:
    ticks = [vix(1.0), vix(2.0, price=-1.0), vix(3.0, price=-3.0), vix(symbol="DAX")]
    taken = receive(warm(), message(topics.TICKS, ticks), message(VIX, vix(4.0, price=-4.0)))
    assert [letter.reason for letter in taken.rejects] == [
        "not_positive",
        "unknown_symbol",
        "not_positive",
    ]
    assert "price=-1.0" in taken.rejects[0].detail
    assert "price=-4.0" in taken.rejects[2].detail


def test_the_good_ticks_of_a_message_do_not_suffer_from_its_bad_ones() -> None:
    taken = receive(warm(), message(topics.TICKS, [vix(1.0), vix(price=-1.0), vix(2.0)]))
    assert [tick.event_ns - NOON for tick in events(taken) if isinstance(tick, Tick)] == [
        SECOND,
        2 * SECOND,
    ]


def test_a_message_that_is_malformed_anywhere_is_refused_whole() -> None:
    taken = receive(warm(), message(topics.TICKS, [vix(1.0), {"symbol": "VIX"}]))
    assert events(taken) == []
    assert [letter.reason for letter in taken.rejects] == ["malformed"]


# --- what is taken -------------------------------------------------------------------------------


def test_ticks_come_as_json_messagepack_and_arrow() -> None:
    taken = receive(
        fresh(),
        message(VIX, vix(1.0, price=14.1)),
        message(VIX, msgspec.msgpack.encode(vix(2.0, price=14.2)), content_type=MSGPACK),
        message(VIX, arrow("VIX", 3.0, 14.3), content_type=ARROW),
    )
    assert taken.rejects == []
    assert [tick.price for tick in events(taken) if isinstance(tick, Tick)] == [14.1, 14.2, 14.3]


def test_events_are_journalled_in_the_order_of_their_messages() -> None:
    taken = receive(
        fresh(),
        message(VIX, vix(1.0)),
        message(EXECUTIONS, fill()),
        message(VIX, vix(2.0)),
        message(topics.REBALANCE, rebalance()),
        message(topics.CLOCK, clock(3.0)),
    )
    assert [type(event) for event in events(taken)] == [
        Tick,
        ExecutionReported,
        Tick,
        RebalanceRequested,
        ClockAdvanced,
    ]


def test_an_execution_report_is_taken_as_it_is() -> None:
    report = fill(quantity=-400.0, reason="", event_time="2013-10-30T12:00:00Z")
    (event,) = events(receive(fresh(), message(EXECUTIONS, report)))
    assert event == ExecutionReported(
        book="overlay",
        order_id="overlay-00000001-swap",
        execution_id="x-2",
        kind=ExecutionKind.FILL,
        quantity=-400.0,
        price=20.0,
        event_ns=NOON,
    )


def test_what_is_said_of_a_book_is_journalled_and_remembered() -> None:
    said = MeasurementMessage(
        book="overlay",
        event_time="2013-10-30T12:00:00Z",
        sequence=1,
        portfolio_delta=0.0,
        put_delta=-0.25,
        greeks={"vega": 1.0},
    )
    topic = topics.measurements("overlay")
    measured = message(topic, KEYS.seal("monitor", topic, said))
    held = message(topics.positions("overlay"), {"event_time": NOON, "quantities": {"SPX": 1.0}})
    step = fresh()
    taken = events(receive(step, measured, held, measured))
    assert [type(event) for event in taken] == [ExposureMeasured, PositionsReported]
    state = msgspec.msgpack.decode(msgspec.msgpack.encode(step.snapshot()), type=IngestState)
    again = IngestStep(REPLAY, state, KEYS)
    (letter,) = receive(again, measured, held).rejects
    assert letter.reason == "late"


def test_quotes_of_options_add_nothing_to_the_state() -> None:
    intake = structs.replace(INTAKE, options=OptionIntakePolicy(roots=frozenset({"SPXW"})))
    step = fresh(structs.replace(REPLAY, intake=intake))
    quotes = [
        {
            "symbol": f"SPXW131220P{strike * 1000:08d}",
            "event_time": NOON,
            "bid": 0.0,
            "ask": 0.05,
        }
        for strike in range(500, 520)
    ]
    taken = receive(step, message(topics.TICKS, quotes[:10]), message(topics.TICKS, quotes[10:]))
    assert len(events(taken)) == len(quotes)
    assert taken.rejects == []
    assert set(step.snapshot().intake.symbols) == set(INTAKE.symbols)


def test_a_report_that_is_sent_again_is_journalled_once() -> None:
    step = fresh()
    again = message(EXECUTIONS, fill())
    assert len(events(receive(step, again, again))) == 1
    assert events(receive(step, again)) == []
    other = message(EXECUTIONS, fill("x-3"))
    assert len(events(receive(step, other))) == 1


def test_the_reports_it_remembers_are_bounded() -> None:
    known = (f"x-{n}" for n in range(REMEMBERED_EXECUTIONS))
    step = IngestStep(REPLAY, IngestState(), KEYS, known)
    assert len(events(receive(step, message(EXECUTIONS, fill("x-more"))))) == 1
    kept = [message(EXECUTIONS, fill(f"x-{n}")) for n in (1, REMEMBERED_EXECUTIONS - 1)]
    assert events(receive(step, *kept)) == []
    assert len(events(receive(step, message(EXECUTIONS, fill("x-0"))))) == 1  # it was forgotten


def test_a_duplicate_tick_is_dropped_and_counted_not_refused() -> None:
    step, numbered = fresh(), message(VIX, vix(source="feed", sequence=1))
    receive(step, numbered)
    before = step.snapshot()
    taken = receive(step, numbered)
    assert (taken.items, taken.rejects) == ([], [])
    assert taken.ticks == {("VIX", Verdict.DUPLICATE): 1}
    assert step.snapshot() == before


def test_a_gap_in_a_live_series_is_reported() -> None:
    step = warm(LIVE)
    numbers = [vix(0.1, source="feed", sequence=1), vix(0.2, source="feed", sequence=5)]
    taken = receive(step, message(topics.TICKS, numbers))
    assert taken.missing == {"feed": 3}
    assert taken.reports == {"feed": 5}


def test_a_replay_takes_nothing_out_of_turn() -> None:
    step = fresh()
    one, three = (message(VIX, vix(n, source="feed", sequence=n)) for n in (1, 3))
    end = message(topics.CLOCK, clock(9.0, source="feed", sequence=4))
    taken = receive(step, one, three, end)
    assert len(events(taken)) == 1
    assert taken.rejects == []  # the feed sends them again
    assert taken.reports == {"feed": 1}
    two = message(VIX, vix(2.0, source="feed", sequence=2))
    assert len(events(receive(step, two, three, end))) == 3
    assert step.sequences == {"feed": 4}


def test_the_feeds_clock_counts_once() -> None:
    step = fresh()
    end = message(topics.CLOCK, clock(9.0, source="feed", sequence=1))
    assert len(events(receive(step, end, end))) == 1


# --- the wall clock ------------------------------------------------------------------------------


def test_the_wall_clock_is_journalled_after_the_ticks_once_an_interval() -> None:
    step = fresh(LIVE)
    assert events(receive(step, now_ns=NOON)) == [ClockAdvanced(event_ns=NOON)]
    assert events(receive(step, now_ns=NOON + SECOND - 1)) == []
    tick, now = events(receive(step, message(VIX, vix()), now_ns=NOON + SECOND))
    assert isinstance(tick, Tick)
    assert now == ClockAdvanced(event_ns=NOON + SECOND)


def test_the_wall_clock_makes_late_what_was_long_on_its_way() -> None:
    step = fresh(LIVE)
    receive(step, now_ns=NOON + 6 * SECOND)
    assert only_reject(step, message(VIX, vix()), now_ns=NOON + 6 * SECOND).reason == "late"


def test_a_wall_clock_that_is_set_back_never_shows_in_the_journal() -> None:
    step = fresh(LIVE)
    receive(step, now_ns=NOON)
    assert events(receive(step, now_ns=NOON - 10 * SECOND)) == []
    assert events(receive(step, now_ns=NOON + SECOND)) == [ClockAdvanced(event_ns=NOON + SECOND)]


def test_in_a_replay_the_wall_clock_plays_no_part() -> None:
    assert events(receive(fresh(), now_ns=NOON)) == []


# --- the journal entry ---------------------------------------------------------------------------


def test_events_are_numbered_from_0_without_a_gap() -> None:
    step = fresh()
    first = step.entry(receive(step, message(topics.TICKS, [vix(1.0), vix(2.0)])), NOON)
    nothing = step.entry(receive(step, message(VIX, b"?")), NOON)
    second = step.entry(receive(step, message(EXECUTIONS, fill())), NOON + 1)
    assert isinstance(first, JournalEntry)
    assert isinstance(second, JournalEntry)
    assert nothing is None
    assert [(entry.first_index, len(entry)) for entry in (first, second)] == [(0, 2), (2, 1)]
    assert second.received_ns == NOON + 1


# --- laws ----------------------------------------------------------------------------------------

_SOURCES = st.sampled_from([{}, {"source": "a"}, {"source": "b"}])


@st.composite
def arrivals(draw: st.DrawFn) -> list[Message]:
    """Messages good and bad, roughly in the order of their instants."""
    found, at_s = [], 0.0
    for _ in range(draw(st.integers(0, 12))):
        at_s += draw(st.sampled_from([0.0, 0.1, 1.0, -0.2]))
        found.append(draw(_arrival(at_s)))
    return found


def _arrival(at_s: float) -> st.SearchStrategy[Message]:
    prices = st.sampled_from([14.0, 14.1, 21.0, 21.1, -1.0, None])
    tick = st.builds(
        lambda price, numbered, source: vix(
            at_s, price, **({"sequence": numbered} | source if numbered else {})
        ),
        prices,
        st.sampled_from([None, 1, 2, 3, 4, 5]),
        _SOURCES,
    )
    return st.one_of(
        tick.map(lambda each: message(VIX, each)),
        st.lists(tick, max_size=4).map(lambda each: message(topics.TICKS, each)),
        st.sampled_from(["x-1", "x-2", "x-3"]).map(lambda name: message(EXECUTIONS, fill(name))),
        st.just(message(topics.REBALANCE, rebalance())),
        st.just(message(topics.CLOCK, clock(at_s))),
        st.binary(max_size=20).map(lambda payload: message(VIX, payload)),
        st.just(message(VIX, vix(at_s), retain=True)),
    )


class Outcome(NamedTuple):
    """What came of some batches together."""

    events: list[Event]
    ticks: Counter[tuple[str, Verdict]]
    missing: Counter[str]
    letters: Counter[tuple[str, bytes]]


def play(step: IngestStep, batches: Sequence[Sequence[Message]], now_ns: int = NOON) -> Outcome:
    outcome = Outcome([], Counter(), Counter(), Counter())
    for batch in batches:
        taken = step.receive(batch, now_ns)
        outcome.events.extend(events(taken))
        outcome.ticks.update(taken.ticks)
        outcome.missing.update(taken.missing)
        outcome.letters.update((letter.reason, letter.payload) for letter in taken.rejects)
    return outcome


@given(arrived=arrivals(), data=st.data())
def test_however_messages_are_split_into_batches_the_journal_is_the_same(
    arrived: list[Message], data: st.DataObject
) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(arrived)), max_size=4)))
    edges = [0, *cuts, len(arrived)]
    batches = [arrived[a:b] for a, b in pairwise(edges)]
    whole, parts = fresh(), fresh()
    assert play(parts, batches) == play(whole, [arrived])
    assert parts.snapshot() == whole.snapshot()


@given(arrived=arrivals(), data=st.data(), policy=st.sampled_from([LIVE, REPLAY]))
def test_restart_law(arrived: list[Message], data: st.DataObject, policy: IngestPolicy) -> None:
    cut = data.draw(st.integers(0, len(arrived)))
    through = fresh(policy)
    taken = events(receive(through, *arrived[:cut]))
    known = [each.execution_id for each in taken if isinstance(each, ExecutionReported)]
    packed = msgspec.msgpack.encode(through.snapshot())
    resumed = IngestStep(policy, msgspec.msgpack.decode(packed, type=IngestState), KEYS, known)
    assert resumed.snapshot() == through.snapshot()
    later = NOON + 10 * SECOND
    assert play(resumed, [arrived[cut:]], later) == play(through, [arrived[cut:]], later)
    assert resumed.snapshot() == through.snapshot()


@given(arrived=arrivals(), policy=st.sampled_from([LIVE, REPLAY]))
def test_every_tick_is_counted_once_and_only_accepted_ones_are_journalled(
    arrived: list[Message], policy: IngestPolicy
) -> None:
    taken = receive(fresh(policy), *arrived)
    accepted = sum(n for (_, verdict), n in taken.ticks.items() if verdict is Verdict.ACCEPTED)
    assert accepted == sum(isinstance(event, Tick) for event in events(taken))
    refused = {verdict.name.lower() for _, verdict in taken.ticks if verdict.is_refusal}
    assert refused <= {letter.reason for letter in taken.rejects}


@given(payload=st.binary(max_size=200), topic=st.sampled_from([VIX, topics.CLOCK, EXECUTIONS]))
def test_no_bytes_whatever_make_it_fail(payload: bytes, topic: str) -> None:
    receive(fresh(), message(topic, payload))
