"""The hedger's step: every book sees every snapshot and its own reports, however it is split."""

import msgspec
import pytest
from fakes.hedged_market import CALENDAR, MONDAY, HedgedMarket, policy
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from services.hedger.step import HedgerStep
from shared.adapters.store import Entry
from shared.domain.effects import Effect, OrderDecided
from shared.domain.events import ExecutionKind, ExecutionReported, RebalanceRequested
from shared.domain.instants import MINUTE
from shared.domain.orders import Order
from shared.domain.signals_observed import HedgerInput
from shared.wire import keys
from shared.wire.journal import encode_log
from shared.wire.notices import decode_notice

BOOKS = (policy(), structs.replace(policy(), name="second"))


def entries(events: list[HedgerInput]) -> list[Entry]:
    return [
        Entry(keys.signal_log(), index, encode_log([event]))
        for index, event in enumerate(events, 1)
    ]


def fresh() -> HedgerStep:
    return HedgerStep(BOOKS, CALENDAR, "digest", None)


def orders(effects: list[Effect]) -> list[Order]:
    return [effect.order for effect in effects if isinstance(effect, OrderDecided)]


def observed(*levels: float) -> list[HedgerInput]:
    """Snapshots of VIX at these levels, 20 minutes apart, each followed by a clock."""
    market = HedgedMarket()
    found: list[HedgerInput] = []
    for level in levels:
        market.vix(level, after=20 * MINUTE)
        found += [market.observed("VIX"), market.observed("clock")]
    return found


def execution(book: str) -> ExecutionReported:
    return ExecutionReported(
        book=book,
        order_id=f"{book}-00000001-swap",
        execution_id="e-1",
        kind=ExecutionKind.FILL,
        quantity=600.0,
        price=18.0,
        event_ns=MONDAY + 25 * MINUTE,
    )


def request(scope: str) -> RebalanceRequested:
    return RebalanceRequested(scope=scope, operator="ann", reason="x", event_ns=MONDAY + MINUTE)


def test_every_book_sees_every_snapshot() -> None:
    step = fresh()
    step.receive(entries(observed(18.0)))
    assert [order.book for order in orders(step.effects)] == ["overlay", "second"]


def test_a_report_concerns_its_own_book_alone() -> None:
    step, told = fresh(), fresh()
    for each in (step, told):
        each.receive(entries(observed(18.0)))
    told.receive(entries([execution("second")]))
    assert told.books["overlay"].snapshot() == step.books["overlay"].snapshot()
    assert told.books["second"].snapshot() != step.books["second"].snapshot()
    assert told.reports == 1


@pytest.mark.parametrize(
    ("scope", "concerned"),
    [("all", {"overlay", "second"}), ("overlay", {"overlay"}), ("nobody", set[str]())],
)
def test_a_request_concerns_whom_it_names(scope: str, concerned: set[str]) -> None:
    step, asked = fresh(), fresh()
    for each in (step, asked):
        each.receive(entries(observed(18.0)))
    asked.receive(entries([request(scope)]))
    changed = {
        name for name in asked.books if asked.books[name].snapshot() != step.books[name].snapshot()
    }
    assert changed == concerned


def test_decisions_orders_and_notices_go_to_their_streams() -> None:
    step = fresh()
    output = step.receive(entries(observed(18.0)))
    assert len(output.entries[keys.decisions()]) == len(step.effects)
    decoded = [msgspec.msgpack.decode(row, type=Order) for row in output.entries[keys.outbox()]]
    assert decoded == orders(step.effects)
    notices = [decode_notice(row) for row in output.entries[keys.announcements()]]
    assert len(notices) == len(step.effects) - len(decoded)
    assert {notice.retain for notice in notices if notice.topic.endswith("/target")} == {True}


def test_a_batch_that_changes_nothing_says_nothing() -> None:
    step = fresh()
    assert not step.receive([])
    assert not step.receive(entries([request("nobody")]))


def test_the_last_clock_is_what_can_be_settled() -> None:
    step, found = fresh(), observed(18.0, 19.0)
    step.receive(entries(found[:3]))
    assert step.clock_ns == found[1].event_ns
    step.receive(entries(found[3:]))
    assert step.clock_ns == found[3].event_ns


LEVELS = st.lists(st.sampled_from([14.0, 18.0, 22.0, 30.0]), min_size=1, max_size=8)


@given(levels=LEVELS, data=st.data())
def test_restart_law_and_batch_law(levels: list[float], data: st.DataObject) -> None:
    log: list[HedgerInput] = [*observed(*levels), execution("overlay"), request("all")]
    rows = entries(log)
    cut = data.draw(st.integers(0, len(rows)))
    whole, first = fresh(), fresh()
    expected = dict(whole.receive(rows).entries)
    before = first.receive(rows[:cut]).entries
    resumed = HedgerStep(BOOKS, CALENDAR, "digest", first.snapshot())
    after = resumed.receive(rows[cut:]).entries
    joined = {
        stream: [*before.get(stream, ()), *after.get(stream, ())] for stream in {**before, **after}
    }
    assert joined == expected
    assert resumed.snapshot() == whole.snapshot()
