from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from shared.domain.orders import Order, book_of, leg_of, order_id, price_of

ORDER = Order(
    order_id=order_id("overlay", 7, "varswap"),
    book="overlay",
    decision=7,
    leg="varswap",
    instrument="variance_swap",
    symbol="VIX",
    side="sell",
    quantity=400.0,
    target_quantity=200.0,
    vega=-400.0,
    reference_price=22.0,
    limit_price=19.8,
    notional=8800.0,
    currency="USD",
    event_ns=1,
    journal_index=0,
    valid_until_ns=2,
    trigger="vix_move",
    reason="vix_move",
)


def test_an_id_is_a_pure_function_of_book_decision_and_leg() -> None:
    assert ORDER.order_id == "overlay-00000007-varswap"


@given(st.integers(1, 10**8 - 1), st.integers(1, 10**8 - 1))
def test_ids_sort_as_decisions_do(first: int, second: int) -> None:
    ids = order_id("b", first, "l"), order_id("b", second, "l")
    assert (ids[0] < ids[1]) == (first < second)


def test_an_id_names_its_book_even_one_with_hyphens() -> None:
    assert book_of(order_id("us-equity", 7, "varswap_3m")) == "us-equity"
    assert leg_of(order_id("us-equity", 7, "varswap_3m")) == "varswap_3m"


def test_a_sale_counts_negative() -> None:
    assert ORDER.signed_quantity == -400.0


def test_a_price_carries_no_float_noise() -> None:
    assert price_of(22.0 * 1.1) == 24.2
    assert price_of(18.107999999999997) == 18.108


def test_its_size_is_told_in_delta_where_that_is_told_and_else_in_vega() -> None:
    assert ORDER.size == ORDER.vega
    assert structs.replace(ORDER, vega=0.0, delta=-400.0).size == -400.0
