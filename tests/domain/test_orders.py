from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from shared.domain.orders import Order, book_of, order_id

BUY = Order(
    order_id=order_id("overlay", 7, "varswap_3m"),
    book="overlay",
    decision=7,
    leg="varswap_3m",
    instrument="variance_swap",
    symbol="VIX",
    side="buy",
    quantity=400.0,
    target_quantity=1000.0,
    vega=400.0,
    reference_price=22.0,
    limit_price=24.2,
    notional=8800.0,
    currency="USD",
    event_ns=1,
    valid_until_ns=2,
    trigger="vix_move",
    reason="VIX 22 from 18",
)


def test_an_orders_name_is_its_book_decision_and_leg() -> None:
    assert BUY.order_id == "overlay-00000007-varswap_3m"


@given(
    book=st.from_regex(r"[A-Za-z0-9._-]{1,64}", fullmatch=True),
    decision=st.integers(1, 10**12),
    leg=st.from_regex(r"[a-z0-9_]{1,32}", fullmatch=True),
)
def test_the_name_tells_the_book_whatever_the_book_is_called(
    book: str, decision: int, leg: str
) -> None:
    assert book_of(order_id(book, decision, leg)) == book


def test_a_sale_counts_negative() -> None:
    assert BUY.signed_quantity == 400.0
    assert structs.replace(BUY, side="sell").signed_quantity == -400.0
