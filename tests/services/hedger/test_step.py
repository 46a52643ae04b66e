"""The hedger's step: every book sees every snapshot and its own reports, however it is split."""

import msgspec
import pytest
from fakes.hedged_market import CALENDAR, MONDAY, HedgedMarket, policy
from fakes.measured_market import MeasuredMarket, strategy_book
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, UnsetType, structs

from services.hedger.step import HedgerStep
from shared.adapters.store import Entry
from shared.domain.effects import Effect, OrderDecided, TargetChanged
from shared.domain.events import (
    ExecutionKind,
    ExecutionReported,
    ExposureMeasured,
    RebalanceRequested,
)
from shared.domain.instants import MINUTE
from shared.domain.orders import Order
from shared.domain.signals_observed import HedgerInput
from shared.wire import keys
from shared.wire.decisions import ChainHead, follow, read_decision
from shared.wire.journal import encode_log

BOOKS = (policy(), structs.replace(policy(), name="second"))


def entries(events: list[HedgerInput]) -> list[Entry]:
    return [
        Entry(keys.signal_log(), index, encode_log([event]))
        for index, event in enumerate(events, 1)
    ]


def fresh() -> HedgerStep:
    return HedgerStep(BOOKS, CALENDAR, "digest", None, code_version="1.2.3")


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


def test_decisions_and_orders_go_to_their_streams() -> None:
    step = fresh()
    output = step.receive(entries(observed(18.0)))
    decisions = [read_decision(row) for row in output.entries[keys.decisions()]]
    assert [decision.effect for decision in decisions] == step.effects
    decoded = [msgspec.msgpack.decode(row, type=Order) for row in output.entries[keys.outbox()]]
    assert decoded == orders(step.effects)
    assert output.entries.keys() == {keys.decisions(), keys.outbox()}


def test_decisions_are_chained_and_the_state_holds_the_last() -> None:
    step = fresh()
    rows = entries(observed(18.0, 22.0))
    written = [
        entry
        for part in (rows[:1], rows[1:])
        for entry in step.receive(part).entries.get(keys.decisions(), ())
    ]
    head = ChainHead()
    for entry in written:
        head = follow(head, entry)
    assert head.index == len(written) > 2
    assert step.chain == head
    assert HedgerStep(BOOKS, CALENDAR, "digest", step.snapshot()).chain == head


def test_a_new_target_has_its_grounds_and_nothing_else_has() -> None:
    step = fresh()
    output = step.receive(entries(observed(18.0))[:1])
    for row in output.entries[keys.decisions()]:
        decision = read_decision(row)
        assert (decision.grounds is not None) == isinstance(decision.effect, TargetChanged)
        if decision.grounds is not None:
            assert decision.grounds.code_version == "1.2.3"
            assert decision.grounds.config_digest == "digest"
            assert decision.grounds.limits == BOOKS[0].limits
            book = step.books[decision.effect.book].snapshot()
            assert decision.grounds.observed == book.observed
            assert decision.grounds.observed is not None
            assert decision.grounds.observed.event_ns == decision.effect.event_ns


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
    resumed = HedgerStep(BOOKS, CALENDAR, "digest", first.snapshot(), code_version="1.2.3")
    after = resumed.receive(rows[cut:]).entries
    joined = {
        stream: [*before.get(stream, ()), *after.get(stream, ())] for stream in {**before, **after}
    }
    assert joined == expected
    assert resumed.snapshot() == whole.snapshot()


# --- books whose targets come from strategies ------------------------------------------------


def measured_market(steps: int) -> list[HedgerInput]:
    """What a market maker's book is told: clocks, measurements, and the fills of its orders."""
    market, found = MeasuredMarket(), list[HedgerInput]()
    send = market.send

    def told(event: HedgerInput) -> list[Effect]:
        found.append(event)
        return send(event)

    market.send = told  # type: ignore[method-assign] # to hear what the market is told
    for number in range(steps):
        market.measure(6000.0 + 500.0 * (number % 2), after=MINUTE)
        market.fill()
    return found


def strategist(state: bytes | None = None) -> HedgerStep:
    return HedgerStep((strategy_book(),), CALENDAR, "digest", state)


def test_a_book_with_a_strategy_decides_and_says_what_was_measured() -> None:
    step = strategist()
    output = step.receive(entries(measured_market(2)))
    records = [read_decision(row) for row in output.entries[keys.decisions()]]
    orders_made = orders(step.effects)
    assert [order.signed_quantity for order in orders_made] == [-6000.0, -500.0]
    grounds = [record.grounds for record in records if isinstance(record.effect, TargetChanged)]
    assert [each is not None and each.measured is not UNSET for each in grounds] == [True, True]
    measured = grounds[1].measured if grounds[1] else None
    assert isinstance(measured, ExposureMeasured)
    assert (measured.greeks["delta.XYZ"], measured.greeks["filled.XYZ"]) == (500.0, -6000.0)
    (first, _) = [each.effect for each in records if isinstance(each.effect, TargetChanged)]
    assert not isinstance(first.strategies, UnsetType)
    assert (first.strategies[0].strategy, len(first.strategies[0].bands)) == ("delta", 5)


def test_the_overlays_decisions_are_written_as_they_always_were() -> None:
    output = fresh().receive(entries(observed(18.0)))
    rows = output.entries[keys.decisions()]
    words = (b"strategies", b"measured", b"max_order_delta", b"delta")
    assert not [word for row in rows for word in words if word in row]


@pytest.mark.parametrize("cut", range(0, 9, 2))
def test_a_strategy_book_goes_on_after_a_restart_as_if_never_stopped(cut: int) -> None:
    events = entries(measured_market(3))
    whole = strategist().receive(events).entries[keys.decisions()]
    first = strategist()
    before = first.receive(events[:cut]).entries.get(keys.decisions(), [])
    after = strategist(first.snapshot()).receive(events[cut:]).entries.get(keys.decisions(), [])
    assert [*before, *after] == whole
