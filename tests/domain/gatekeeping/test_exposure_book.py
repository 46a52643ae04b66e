"""What a book may come to hold, by what the gateway has accepted."""

from fakes.hedged_market import policy

from shared.domain.events import ExecutionKind, ExecutionReported
from shared.domain.gatekeeping.exposure_book import ExposureBook, ExposureState

POLICY = policy()
LEG = POLICY.legs[0].name


def holding(vega: float) -> ExposureBook:
    return ExposureBook(POLICY, 0.0, ExposureState(positions={LEG: vega}))


def ended(order_id: str) -> ExecutionReported:
    return ExecutionReported(
        book=POLICY.name,
        order_id=order_id,
        execution_id=f"{order_id}-2",
        kind=ExecutionKind.EXPIRE,
        quantity=0.0,
        price=None,
        event_ns=1,
    )


def test_an_open_order_on_the_other_side_is_no_room_for_this_one() -> None:
    book = holding(500.0)
    book.place("sale", LEG, -300.0)
    assert book.vega() == 200.0
    assert book.furthest_vega(250.0) == 750.0
    assert book.furthest_vega(-250.0) == 50.0


def test_open_orders_on_the_same_side_add_up_until_they_end() -> None:
    book = holding(-100.0)
    for number in range(3):
        book.place(f"sale{number}", LEG, -50.0)
    assert book.furthest_vega(-10.0) == 260.0
    book.take(ended("sale1"))
    assert book.furthest_vega(-10.0) == 210.0


def test_what_brings_the_vega_nearer_to_0_is_below_any_limit() -> None:
    assert holding(700.0).furthest_vega(-50.0) == -650.0
    assert holding(-700.0).furthest_vega(50.0) == -650.0
