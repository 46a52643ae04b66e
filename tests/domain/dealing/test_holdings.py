import msgspec
from fakes.hedged_market import MONDAY
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from shared.domain.dealing.holdings import (
    ANSWER_NS,
    REMEMBERED_ORDERS,
    Holdings,
    HoldingsState,
    Outcome,
)
from shared.domain.events import ExecutionKind, ExecutionReported
from shared.domain.instants import MINUTE
from shared.domain.orders import Order, order_id


def order(decision: int = 1, quantity: float = 400.0, leg: str = "swap") -> Order:
    return Order(
        order_id=order_id("overlay", decision, leg),
        book="overlay",
        decision=decision,
        leg=leg,
        instrument="variance_swap",
        symbol="VIX",
        side="buy" if quantity > 0 else "sell",
        quantity=abs(quantity),
        target_quantity=1000.0,
        vega=quantity,
        reference_price=22.0,
        limit_price=24.2,
        notional=8800.0,
        currency="USD",
        event_ns=MONDAY,
        journal_index=0,
        valid_until_ns=MONDAY + 10 * MINUTE,
        trigger="vix_move",
        reason="vix_move",
    )


def report(
    kind: ExecutionKind, quantity: float = 0.0, number: int = 1, decision: int = 1
) -> ExecutionReported:
    return ExecutionReported(
        book="overlay",
        order_id=order_id("overlay", decision, "swap"),
        execution_id=f"e{number}",
        kind=kind,
        quantity=quantity,
        price=22.0,
        event_ns=MONDAY,
    )


def placed(quantity: float = 400.0) -> Holdings:
    holdings = Holdings(["swap", "future"])
    holdings.place(order(quantity=quantity))
    return holdings


def test_open_orders_count_as_position() -> None:
    holdings = placed()
    assert (holdings.position("swap"), holdings.expected("swap")) == (0.0, 400.0)
    assert holdings.expected("future") == 0.0


def test_partial_fills_move_the_rest_into_the_position() -> None:
    holdings = placed(quantity=-400.0)
    assert holdings.take(report(ExecutionKind.NEW, number=1)) is Outcome.BOOKED
    assert holdings.take(report(ExecutionKind.PARTIAL, -150.0, number=2)) is Outcome.BOOKED
    assert (holdings.position("swap"), holdings.expected("swap")) == (-150.0, -400.0)
    assert holdings.take(report(ExecutionKind.FILL, -250.0, number=3)) is Outcome.ENDED
    assert (holdings.position("swap"), holdings.expected("swap")) == (-400.0, -400.0)


def test_an_execution_counts_once() -> None:
    holdings = placed()
    holdings.take(report(ExecutionKind.PARTIAL, 100.0))
    assert holdings.take(report(ExecutionKind.PARTIAL, 100.0)) is Outcome.DUPLICATE
    assert holdings.position("swap") == 100.0


def test_what_ends_an_order_frees_its_rest() -> None:
    for kind in (ExecutionKind.CANCEL, ExecutionKind.REJECT, ExecutionKind.EXPIRE):
        holdings = placed()
        assert holdings.take(report(kind)) is Outcome.ENDED
        assert holdings.expected("swap") == 0.0


def test_a_late_fill_after_cancel_is_booked() -> None:
    holdings = placed()
    holdings.take(report(ExecutionKind.CANCEL, number=1))
    assert holdings.take(report(ExecutionKind.FILL, 400.0, number=2)) is Outcome.LATE
    assert (holdings.position("swap"), holdings.expected("swap")) == (400.0, 400.0)


def test_a_late_partial_does_not_open_the_order_again() -> None:
    holdings = placed()
    holdings.take(report(ExecutionKind.CANCEL, number=1))
    assert holdings.take(report(ExecutionKind.PARTIAL, 100.0, number=2)) is Outcome.LATE
    assert holdings.expected("swap") == 100.0


def test_an_unknown_order_is_not_booked() -> None:
    holdings = placed()
    assert holdings.take(report(ExecutionKind.FILL, 1.0, decision=9)) is Outcome.UNKNOWN
    assert holdings.order("overlay-00000009-swap") is None


def test_an_order_nobody_answered_is_told_once_and_still_counts() -> None:
    holdings = placed()
    run_out = MONDAY + 10 * MINUTE + 1
    assert holdings.next_deadline() == run_out
    assert holdings.unanswered(run_out - 1) == ()
    assert holdings.unanswered(run_out) == ()
    assert holdings.next_deadline() == run_out + ANSWER_NS
    assert holdings.unanswered(run_out + ANSWER_NS - 1) == ()
    (late,) = holdings.unanswered(run_out + ANSWER_NS)
    assert late.order_id == "overlay-00000001-swap"
    assert holdings.unanswered(MONDAY + 20 * MINUTE) == ()
    assert holdings.next_deadline() is None
    assert holdings.expected("swap") == 400.0


def test_the_venue_has_its_time_from_when_the_end_was_seen_however_late_that_is() -> None:
    holdings = placed()
    opening = MONDAY + 24 * 60 * MINUTE  # a daily replay: the first clock after the end
    assert holdings.unanswered(opening) == ()
    holdings.take(report(ExecutionKind.EXPIRE))
    assert holdings.next_deadline() is None
    assert holdings.unanswered(opening + ANSWER_NS) == ()


def test_the_deadline_is_that_of_the_next_open_order() -> None:
    holdings = placed()
    holdings.take(report(ExecutionKind.FILL, 400.0))
    assert holdings.next_deadline() is None


def test_of_several_orders_only_those_past_their_time_are_told() -> None:
    holdings = placed()
    later = structs.replace(order(2), valid_until_ns=MONDAY + 10 * MINUTE + 1)
    holdings.place(later)
    assert holdings.next_deadline() == MONDAY + 10 * MINUTE + 1
    holdings.unanswered(MONDAY + 10 * MINUTE + 1)
    assert holdings.next_deadline() == MONDAY + 10 * MINUTE + 2
    (told,) = holdings.unanswered(MONDAY + 10 * MINUTE + 1 + ANSWER_NS)
    assert told.decision == 1


def test_memory_is_bounded_by_the_closed_orders() -> None:
    holdings = Holdings(["swap"])
    for decision in range(1, REMEMBERED_ORDERS + 10):
        holdings.place(order(decision, quantity=1.0))
        holdings.take(report(ExecutionKind.FILL, 1.0, decision=decision))
    assert len(holdings.snapshot().orders) == REMEMBERED_ORDERS + 1
    assert holdings.order(order_id("overlay", 8, "swap")) is None
    assert holdings.order(order_id("overlay", 9, "swap")) is not None
    assert holdings.position("swap") == REMEMBERED_ORDERS + 9


def test_many_orders_of_one_leg_do_not_push_out_those_of_another() -> None:
    holdings = placed()
    holdings.take(report(ExecutionKind.CANCEL, number=1))
    for decision in range(1, REMEMBERED_ORDERS + 10):
        holdings.place(order(decision, quantity=1.0, leg="future"))
        done = structs.replace(
            report(ExecutionKind.CANCEL), order_id=order_id("overlay", decision, "future")
        )
        holdings.take(done)
    assert holdings.take(report(ExecutionKind.FILL, 400.0, number=2)) is Outcome.LATE


def test_open_orders_are_never_forgotten() -> None:
    holdings = Holdings(["swap"])
    for decision in range(1, REMEMBERED_ORDERS + 10):
        holdings.place(order(decision, quantity=1.0))
    assert holdings.expected("swap") == REMEMBERED_ORDERS + 9


kinds = st.sampled_from(list(ExecutionKind))


@given(st.lists(st.tuples(kinds, st.integers(1, 3), st.integers(0, 8)), max_size=20))
def test_a_restart_after_every_report_changes_nothing(
    reports: list[tuple[ExecutionKind, int, int]],
) -> None:
    steady, restarted = (Holdings(["swap"]) for _ in range(2))
    for each in (steady, restarted):
        for decision in (1, 2, 3):
            each.place(order(decision))
    for kind, decision, number in reports:
        event = report(kind, 10.0 * number, number, decision)
        stored = msgspec.msgpack.encode(restarted.snapshot())
        restarted = Holdings(["swap"], msgspec.msgpack.decode(stored, type=HoldingsState))
        assert steady.take(event) is restarted.take(event)
        assert steady.next_deadline() == restarted.next_deadline()
    assert steady.snapshot() == restarted.snapshot()
