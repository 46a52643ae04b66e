from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from math import nan
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.events import (
    ClockAdvanced,
    ExecutionKind,
    ExecutionReported,
    RebalanceRequested,
    Tick,
)
from shared.domain.orders import Order, order_id
from shared.domain.paper import REMEMBERED_DECISIONS, PaperState, PaperVenue
from shared.domain.policies import PaperPolicy
from shared.domain.sessions import SessionCalendar
from shared.domain.tick_block import TickBlock

CALENDAR = SessionCalendar([1000, 3000], [2000, 4000])
POLICY = PaperPolicy(half_spread=0.01, slippage=0.002, latency_ns=10, max_fill_vega=1000.0)
SYMBOLS = ("VIX", "VX1")
NEW, PARTIAL, FILL = ExecutionKind.NEW, ExecutionKind.PARTIAL, ExecutionKind.FILL
REJECT, EXPIRE = ExecutionKind.REJECT, ExecutionKind.EXPIRE

Step = Tick | ClockAdvanced | Order


def make_order(decision: int = 1, event_ns: int = 1100, **fields: Any) -> Order:  # noqa: ANN401 - any of its fields
    order = Order(
        order_id=order_id("overlay", decision, fields.get("leg", "swap")),
        book="overlay",
        decision=decision,
        leg="swap",
        instrument="variance_swap",
        symbol="VIX",
        side="buy",
        quantity=400.0,
        target_quantity=1000.0,
        vega=400.0,
        reference_price=20.0,
        limit_price=22.0,
        notional=8000.0,
        currency="USD",
        event_ns=event_ns,
        journal_index=0,
        valid_until_ns=1900,
        trigger="vix_move",
        reason="VIX 22 from 18",
    )
    return msgspec.structs.replace(order, **fields)


def tick(event_ns: int, level: float = 20.0, symbol: str = "VIX", **quote: float) -> Tick:
    print_ = Tick(symbol=symbol, event_ns=event_ns, price=level)
    return msgspec.structs.replace(print_, **quote)


def clock(event_ns: int) -> ClockAdvanced:
    return ClockAdvanced(event_ns=event_ns)


def step(venue: PaperVenue, event: Step) -> tuple[ExecutionReported, ...]:
    if isinstance(event, Order):
        venue.accept(event)
        return ()
    return venue.receive(event)


def play(
    events: Iterable[Step], policy: PaperPolicy = POLICY, venue: PaperVenue | None = None
) -> list[ExecutionReported]:
    venue = venue or PaperVenue(policy, CALENDAR, SYMBOLS)
    return [report for event in events for report in step(venue, event)]


def kinds(reports: Iterable[ExecutionReported]) -> list[ExecutionKind]:
    return [report.kind for report in reports]


# --- an order's life -----------------------------------------------------------------------------


def test_a_due_order_is_reported_new_and_fills_against_a_fresh_print() -> None:
    new, fill = play([make_order(), clock(1100), tick(1150), clock(1200)])
    assert new == ExecutionReported(
        book="overlay",
        order_id="overlay-00000001-swap",
        execution_id="overlay-00000001-swap-1",
        kind=NEW,
        quantity=0.0,
        price=None,
        event_ns=1200,
    )
    assert fill.execution_id == "overlay-00000001-swap-2"
    assert (fill.kind, fill.quantity, fill.event_ns) == (FILL, 400.0, 1200)
    assert fill.price == pytest.approx(20 * 1.01 + 20 * 0.002)  # half a spread and the slippage


def test_an_order_decided_after_the_previous_clock_waits_for_the_next_one() -> None:
    venue = PaperVenue(POLICY, CALENDAR, SYMBOLS)
    assert play([clock(1099), make_order(), tick(1150), clock(1200)], venue=venue) == []
    assert kinds(play([clock(1300)], venue=venue)) == [NEW, FILL]


def test_nothing_happens_at_the_very_first_clock() -> None:
    assert play([make_order(), tick(1150), clock(1200)]) == []


def test_a_sale_gets_the_mirror_image_of_a_buy_and_a_negative_quantity() -> None:
    sale = make_order(side="sell", limit_price=18.0)
    new, fill = play([sale, clock(1100), tick(1150), clock(1200)])
    assert str(new.quantity) == "0.0"  # not −0.0: it goes into JSON
    assert fill.quantity == -400.0
    assert fill.price == pytest.approx(20 * 0.99 - 20 * 0.002)


def test_a_prints_own_quote_is_used_where_it_has_one() -> None:
    quoted = tick(1150, 20.0, bid=19.9, ask=20.3)
    sale = make_order(2, leg="other", side="sell", limit_price=18.0)
    reports = play([make_order(), sale, clock(1100), quoted, clock(1200)])
    prices = [report.price for report in reports if report.kind is FILL]
    assert prices == [pytest.approx(20.3 + 0.04), pytest.approx(19.9 - 0.04)]


@pytest.mark.parametrize(
    ("side", "limit_price", "expected"),
    [
        ("buy", 20.24, [NEW, FILL]),
        ("buy", 20.23, [NEW]),
        ("sell", 19.76, [NEW, FILL]),
        ("sell", 19.77, [NEW]),
    ],
)
def test_it_never_trades_beyond_its_limit(
    side: str, limit_price: float, expected: list[ExecutionKind]
) -> None:
    order = make_order(side=side, limit_price=limit_price)
    assert kinds(play([order, clock(1100), tick(1150), clock(1200)])) == expected


@pytest.mark.parametrize(("printed_ns", "expected"), [(1110, [NEW]), (1111, [NEW, FILL])])
def test_a_print_within_the_latency_of_the_decision_is_stale(
    printed_ns: int, expected: list[ExecutionKind]
) -> None:
    assert kinds(play([make_order(), clock(1100), tick(printed_ns), clock(1200)])) == expected


def test_without_any_print_it_stays_open_until_it_expires() -> None:
    reports = play([make_order(), clock(1100), clock(1200), clock(1900), clock(1901)])
    assert kinds(reports) == [NEW, EXPIRE]
    assert (reports[1].event_ns, reports[1].reason) == (1901, "past its valid_until")


def test_it_trades_at_the_last_instant_of_its_validity_and_never_after() -> None:
    assert kinds(play([make_order(), clock(1100), tick(1899), clock(1900)])) == [NEW, FILL]
    assert kinds(play([make_order(), clock(1100), tick(1899), clock(1901)])) == [NEW, EXPIRE]


def test_a_large_order_fills_in_parts_and_expires_with_the_rest() -> None:
    order = make_order(quantity=2500.0, vega=2500.0)
    reports = play([order, clock(1100), tick(1150), clock(1200), clock(1300), clock(1901)])
    assert kinds(reports) == [NEW, PARTIAL, PARTIAL, EXPIRE]
    assert [report.quantity for report in reports] == [0.0, 1000.0, 1000.0, 0.0]


def test_the_last_part_completes_the_order() -> None:
    order = make_order(quantity=1500.0, vega=1500.0)
    reports = play([order, clock(1100), tick(1150), clock(1200), clock(1300), clock(1400)])
    assert [(report.kind, report.quantity) for report in reports] == [
        (NEW, 0.0),
        (PARTIAL, 1000.0),
        (FILL, 500.0),
    ]


@pytest.mark.parametrize(
    ("vega", "quantity", "first_part"),
    [
        (-4000.0, 8.0, 2.0),  # 500 a contract: 2 at once
        (2400.0, 4.0, 1.0),  # 600 a contract: 1.67 at once, and contracts are whole
        (8000.0, 4.0, 1.0),  # 2000 a contract: more than the limit, but one must trade
        (0.0, 5000.0, 5000.0),  # no vega, no limit on it
    ],
)
def test_a_part_is_as_many_whole_units_as_the_vega_limit_allows(
    vega: float, quantity: float, first_part: float
) -> None:
    order = make_order(vega=vega, quantity=quantity)
    assert play([order, clock(1100), tick(1150), clock(1200)])[1].quantity == first_part


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"symbol": "VX9"}, "no market in VX9"),
        ({"quantity": 0.0}, "a quantity of 0 cannot trade"),
        ({"quantity": nan}, "a quantity of nan cannot trade"),
        ({"order_id": "forged"}, "the id of this order should be overlay-00000001-swap"),
    ],
)
def test_an_order_that_cannot_be_is_rejected_with_the_reason(
    fields: dict[str, Any], reason: str
) -> None:
    (report,) = play([make_order(**fields), clock(1100), tick(1150), clock(1200)])
    assert (report.kind, report.reason, report.quantity) == (REJECT, reason, 0.0)


# --- the market ----------------------------------------------------------------------------------


def test_an_order_held_for_its_delta_fills_at_once() -> None:
    order = make_order(vega=0.0, delta=-1e6, side="sell", quantity=1e6, limit_price=19.0)
    (_, fill) = play([order, clock(1100), tick(1150), clock(1200)])
    assert (fill.kind, fill.quantity) == (FILL, -1e6)


def test_an_option_that_nobody_bids_for_has_no_market_until_somebody_does() -> None:
    venue = PaperVenue(POLICY, CALENDAR, SYMBOLS)
    unbid = Tick(symbol="VIX", event_ns=1160, ask=0.05)
    assert kinds(
        play([make_order(), clock(1100), tick(1150), unbid, clock(1200)], venue=venue)
    ) == [NEW]
    assert kinds(play([tick(1250), clock(1300)], venue=venue)) == [FILL]


def test_nothing_trades_while_the_market_is_closed() -> None:
    order = make_order(event_ns=1995, valid_until_ns=3500)
    events: list[Step] = [order, clock(1995), tick(2050), clock(2100), clock(2999), clock(3000)]
    reports = play(events)
    assert [(report.kind, report.event_ns) for report in reports] == [(NEW, 2100), (FILL, 3000)]


@pytest.mark.parametrize("unknown_ns", [500, 4500])
def test_on_an_unknown_day_the_market_is_closed(unknown_ns: int) -> None:
    order = make_order(event_ns=unknown_ns, valid_until_ns=9000)
    reports = play([order, clock(unknown_ns), tick(unknown_ns + 50), clock(unknown_ns + 100)])
    assert kinds(reports) == [NEW]


def test_a_symbol_it_was_not_told_of_leaves_no_trace() -> None:
    venue = PaperVenue(POLICY, CALENDAR, SYMBOLS)
    venue.receive(tick(1150, symbol="SPX"))
    venue.receive(tick(1160, symbol="VX1"))
    assert set(venue.snapshot().marks) == {"VX1"}


def test_other_events_do_not_concern_a_venue() -> None:
    venue = PaperVenue(POLICY, CALENDAR, SYMBOLS)
    request = RebalanceRequested(scope="all", operator="me", reason="test", event_ns=1150)
    assert venue.receive(request) == ()
    assert venue.snapshot() == PaperState()


@pytest.mark.parametrize("again_ns", [1200, 1199])
def test_a_clock_that_does_not_advance_does_nothing(again_ns: int) -> None:
    venue = PaperVenue(POLICY, CALENDAR, SYMBOLS)
    play([make_order(event_ns=1150), clock(1200), tick(1250)], venue=venue)
    before = venue.snapshot()
    assert venue.receive(clock(again_ns)) == ()
    assert venue.snapshot() == before


# --- duplicates and newer decisions --------------------------------------------------------------


def test_a_duplicate_order_has_no_second_effect_at_any_time() -> None:
    order = make_order()
    once: list[Step] = [order, clock(1100), tick(1150), clock(1200), tick(1250), clock(1300)]
    assert play([each for event in once for each in (order, event)]) == play(once)


def test_a_duplicate_is_told_from_a_new_order() -> None:
    venue = PaperVenue(POLICY, CALENDAR, SYMBOLS)
    assert [venue.accept(make_order(n)) for n in (2, 1, 2, 1, 3)] == [
        True,
        True,
        False,
        False,
        True,
    ]


def test_duplicates_far_older_than_the_memory_have_no_effect_either() -> None:
    venue = PaperVenue(POLICY, CALENDAR, SYMBOLS)
    decisions = range(1, REMEMBERED_DECISIONS + 20)
    assert all(venue.accept(make_order(decision)) for decision in decisions)
    assert not any(venue.accept(make_order(decision)) for decision in decisions)
    assert len(venue.snapshot().accepted["overlay/swap"]) == REMEMBERED_DECISIONS


def test_a_newer_decision_of_a_leg_comes_on_top_of_the_open_rest_of_an_older_one() -> None:
    old = make_order(1, quantity=2500.0, vega=2500.0)
    newer = make_order(2, event_ns=1210, side="sell", limit_price=18.0)
    events: list[Step] = [old, clock(1100), tick(1150), clock(1200), newer, clock(1220)]
    reports = play([*events, tick(1230), clock(1300)])
    assert [(report.order_id[-6:], report.kind, report.quantity) for report in reports] == [
        ("1-swap", NEW, 0.0),
        ("1-swap", PARTIAL, 1000.0),
        ("1-swap", PARTIAL, 1000.0),
        ("2-swap", NEW, 0.0),
        ("1-swap", FILL, 500.0),
        ("2-swap", FILL, -400.0),
    ]


def test_an_order_that_arrives_after_a_newer_decisions_trades_all_the_same() -> None:
    late, newer = make_order(1), make_order(2)
    events: list[Step] = [newer, clock(1100), tick(1150), clock(1200), late, clock(1300)]
    assert [(report.order_id[-6:], report.kind) for report in play(events)] == [
        ("2-swap", NEW),
        ("2-swap", FILL),
        ("1-swap", NEW),
        ("1-swap", FILL),
    ]


def test_orders_are_handled_by_instant_then_id_whatever_their_arrival() -> None:
    orders = [
        make_order(1, leg="b"),
        make_order(1, leg="a"),
        make_order(2, leg="c", event_ns=1090),
    ]
    tail: list[Step] = [clock(1100), tick(1150), clock(1200)]
    reports = play([*orders, *tail])
    assert [report.order_id[-1] for report in reports] == ["c", "a", "b", "c", "a", "b"]
    assert play([*reversed(orders), *tail]) == reports


# --- laws ----------------------------------------------------------------------------------------


@st.composite
def scripts(draw: st.DrawFn) -> list[Step]:
    """A few sessions' worth of ticks, clocks and orders, in the order of their instants."""
    steps: list[Step] = []
    now, decision = draw(st.sampled_from([900, 1000, 1900])), 0
    kinds = st.sampled_from(["clock", "clock", "tick", "order"])
    for kind in draw(st.lists(kinds, min_size=8, max_size=30)):
        now += draw(st.sampled_from([0, 1, 10, 11, 40, 300]))
        if kind == "tick":
            quotes = st.sampled_from([{}, {"bid": 19.0, "ask": 21.0}, {"ask": 20.1}])
            level = draw(st.sampled_from([18.0, 20.0, 21.9, 30.0]))
            steps.append(tick(now, level, draw(st.sampled_from(SYMBOLS)), **draw(quotes)))
        elif kind == "clock":
            steps.append(clock(now))
        else:
            decision += 1
            steps.append(draw(orders(decision, now)))
    return steps


def orders(decision: int, now: int) -> st.SearchStrategy[Order]:
    return st.builds(
        lambda leg, symbol, side, size, valid_ns: make_order(
            decision,
            now,
            leg=leg,
            symbol=symbol,
            side=side,
            quantity=size,
            vega=size,
            limit_price=22.0 if side == "buy" else 18.5,
            valid_until_ns=now + valid_ns,
        ),
        st.sampled_from(["a", "b"]),
        st.sampled_from([*SYMBOLS, "XXX"]),
        st.sampled_from(["buy", "sell"]),
        st.sampled_from([0.0, 300.0, 2500.5]),
        st.sampled_from([0, 50, 2000]),
    )


@given(script=scripts(), data=st.data())
def test_restart_law(script: list[Step], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(script)))
    through = PaperVenue(POLICY, CALENDAR, SYMBOLS)
    play(script[:cut], venue=through)
    packed = msgspec.msgpack.encode(through.snapshot())
    state = msgspec.msgpack.decode(packed, type=PaperState)
    resumed = PaperVenue.resume(POLICY, CALENDAR, SYMBOLS, state)
    assert play(script[cut:], venue=resumed) == play(script[cut:], venue=through)
    assert resumed.snapshot() == through.snapshot()
    assert resumed.next_deadline() == through.next_deadline()


@given(script=scripts())
def test_deadline_law(script: list[Step]) -> None:
    venue = PaperVenue(POLICY, CALENDAR, SYMBOLS)
    play(script, venue=venue)
    deadline = venue.next_deadline()
    state = venue.snapshot()
    before = PaperVenue.resume(POLICY, CALENDAR, SYMBOLS, state)
    at = PaperVenue.resume(POLICY, CALENDAR, SYMBOLS, state)
    assert before.advance_to(10**9 if deadline is None else deadline - 1) == ()
    assert before.snapshot().working == state.working
    assert before.next_deadline() == deadline
    if deadline is not None:
        assert at.advance_to(deadline) or at.next_deadline() != deadline


@pytest.mark.parametrize(
    ("events", "deadline"),
    [
        ([], None),
        ([make_order(event_ns=1500)], 1500),  # the first clock that makes it due
        ([clock(1500), make_order(event_ns=1500)], 1501),
        ([make_order(), clock(1100), clock(1200)], 1901),  # nothing printed: its expiry
        ([make_order(quantity=2500.0, vega=2500.0), clock(1100), tick(1150), clock(1200)], 1201),
        ([make_order(valid_until_ns=3500), clock(1100), tick(2100), clock(2200)], 3000),
        ([make_order(valid_until_ns=2500), clock(1100), tick(2100), clock(2200)], 2501),
        ([make_order(valid_until_ns=9000), clock(1100), tick(4100), clock(4200)], 9001),
        ([make_order(event_ns=800), clock(800), clock(900), tick(950), clock(960)], 1000),
    ],
)
def test_the_deadline_is_the_next_clock_that_matters(
    events: list[Step], deadline: int | None
) -> None:
    venue = PaperVenue(POLICY, CALENDAR, SYMBOLS)
    play(events, venue=venue)
    assert venue.next_deadline() == deadline


def test_a_snapshot_does_not_move_with_its_venue() -> None:
    venue = PaperVenue(POLICY, CALENDAR, SYMBOLS)
    play([make_order(), clock(1100), tick(1150)], venue=venue)
    state = venue.snapshot()
    packed = msgspec.msgpack.encode(state)
    play([tick(1160), make_order(2), clock(1200)], venue=venue)
    assert msgspec.msgpack.encode(state) == packed


def test_a_block_without_rows_changes_nothing() -> None:
    venue = PaperVenue(POLICY, CALENDAR, SYMBOLS)
    venue.receive_block(replace(TickBlock.of([]), symbols=("VIX",)))
    assert venue.snapshot() == PaperState()


@given(script=scripts(), data=st.data())
def test_the_instant_of_arrival_between_two_clocks_never_shows(
    script: list[Step], data: st.DataObject
) -> None:
    """Each order arrives anywhere from its decision to the clock that may first see it."""
    moved = list(script)
    for order in [each for each in script if isinstance(each, Order)]:
        here = moved.index(order)
        clocks = [p for p, each in enumerate(moved) if isinstance(each, ClockAdvanced)]
        due = next((p for p in clocks if moved[p].event_ns >= order.event_ns), None)
        later = [p for p in clocks if due is not None and moved[p].event_ns > moved[due].event_ns]
        acting = next(iter(later), len(moved))
        place = data.draw(st.integers(here, acting - 1))
        moved.insert(place, moved.pop(here))
    assert play(moved) == play(script)


@given(script=scripts())
def test_a_block_of_ticks_is_the_same_as_its_ticks(script: list[Step]) -> None:
    one_by_one = PaperVenue(POLICY, CALENDAR, ["VIX"])
    in_blocks = PaperVenue(POLICY, CALENDAR, ["VIX"])
    play(script, venue=one_by_one)
    run: list[Tick] = []
    for event in [*script, clock(10**6)]:
        if isinstance(event, Tick):
            run.append(event)
            continue
        in_blocks.receive_block(TickBlock.of(run))
        run.clear()
        if event.event_ns < 10**6:
            step(in_blocks, event)
    assert in_blocks.snapshot() == one_by_one.snapshot()


@given(script=scripts())
def test_every_order_ends_at_most_once_and_is_never_overfilled(script: list[Step]) -> None:
    orders = {each.order_id: each for each in script if isinstance(each, Order)}
    reports = play([*script, clock(10**6), clock(10**6 + 1)])
    assert len({report.execution_id for report in reports}) == len(reports)
    for name, order in orders.items():
        own = [report for report in reports if report.order_id == name]
        assert own, "every order is heard of"
        assert own[-1].kind not in {NEW, PARTIAL}
        assert all(report.kind in {NEW, PARTIAL} for report in own[:-1])
        traded = sum(abs(report.quantity) for report in own)
        assert traded <= order.quantity
        assert (own[-1].kind is FILL) == (traded == order.quantity > 0)
        assert all(a.event_ns <= b.event_ns <= order.valid_until_ns for a, b in _trades(own))


def _trades(
    reports: Sequence[ExecutionReported],
) -> Iterable[tuple[ExecutionReported, ExecutionReported]]:
    trades = [report for report in reports if report.kind in {PARTIAL, FILL}]
    return pairwise([*trades[:1], *trades])


# --- cancels -------------------------------------------------------------------------------------

CANCEL = ExecutionKind.CANCEL


def test_what_is_cancelled_ends_at_the_next_clock_whatever_else_would_happen() -> None:
    market = PaperVenue(POLICY, CALENDAR, SYMBOLS)
    market.accept(make_order(1))
    market.accept(make_order(2, event_ns=1105))
    market.receive(ClockAdvanced(event_ns=1101))
    market.receive(ClockAdvanced(event_ns=1102))
    market.cancel("overlay", "halted: drill")
    market.receive(tick(1150))
    reports = market.receive(ClockAdvanced(event_ns=1200))
    assert [(each.kind, each.quantity, each.reason) for each in reports] == [
        (CANCEL, 0.0, "halted: drill"),
        (CANCEL, 0.0, "halted: drill"),
    ]
    assert market.receive(ClockAdvanced(event_ns=1300)) == ()
    assert market.snapshot().working == ()


def test_another_books_orders_are_left_alone_and_the_first_reason_stays() -> None:
    market = PaperVenue(POLICY, CALENDAR, SYMBOLS)
    market.accept(make_order(1))
    market.cancel("other", "not this")
    assert market.next_deadline() == make_order(1).event_ns
    market.cancel("overlay", "first")
    market.cancel("overlay", "second")
    assert market.next_deadline() == 1, "the next clock, whenever that is"
    [report] = market.receive(ClockAdvanced(event_ns=5))
    assert (report.reason, report.execution_id) == ("first", "overlay-00000001-swap-1")


def test_a_cancel_survives_a_restart() -> None:
    market = PaperVenue(POLICY, CALENDAR, SYMBOLS)
    market.accept(make_order(1))
    market.cancel("overlay", "halted")
    stored = msgspec.msgpack.encode(market.snapshot())
    state = msgspec.msgpack.decode(stored, type=PaperState)
    resumed = PaperVenue.resume(POLICY, CALENDAR, SYMBOLS, state)
    [report] = resumed.receive(ClockAdvanced(event_ns=1200))
    assert report.kind is CANCEL


def test_its_marks_are_the_last_prints() -> None:
    market = PaperVenue(POLICY, CALENDAR, SYMBOLS)
    market.receive(tick(1100, 20.0))
    market.receive(tick(1101, 21.0))
    assert {symbol: mark.level for symbol, mark in market.marks.items()} == {"VIX": 21.0}
