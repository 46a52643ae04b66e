from math import nan
from typing import Any

import pytest
from fakes.hedged_market import FUTURE, MONDAY, SWAP, policy
from msgspec import structs

from shared.domain.dealing.order_maker import Change, Decision, is_meaningful, make_order
from shared.domain.dealing.pretrade import Block
from shared.domain.effects import OrderWithheld
from shared.domain.orders import Order
from shared.domain.trading import TradingState

DECISION = Decision(
    number=7,
    event_ns=MONDAY,
    journal_index=0,
    valid_until_ns=MONDAY + 1,
    trigger="vix_move",
    reason="vix_move: vix 22",
    config_digest="digest",
)
BUY = Change(
    leg=SWAP,
    target=1000.0,
    expected=600.0,
    middle=22.0,
    book_size=600.0,
    furthest_size=1000.0,
    loss=0.0,
    trading=TradingState.ACTIVE,
    stopped=None,
)
STOPPED = Block("rate", {"value": 5.0, "limit": 4.0})
BOOK = policy(sizing={"min_trade_vega": 10.0})


def test_buying_pays_up_to_the_collar() -> None:
    order = make_order(BOOK, DECISION, BUY)
    assert isinstance(order, Order)
    assert (order.side, order.quantity, order.target_quantity) == ("buy", 400.0, 1000.0)
    assert order.limit_price == pytest.approx(24.2)
    assert order.order_id == "overlay-00000007-swap"
    assert (order.vega, order.notional) == (400.0, 8800.0)


def test_selling_takes_down_to_the_collar() -> None:
    sell = structs.replace(BUY, leg=FUTURE, target=1.0, expected=3.0, middle=20.0)
    order = make_order(BOOK, DECISION, sell)
    assert isinstance(order, Order)
    assert (order.side, order.quantity, order.vega) == ("sell", 2.0, -2000.0)
    assert order.limit_price == pytest.approx(18.0)
    assert order.notional == 2 * 20.0 * 1000
    assert order.signed_quantity == -2.0


def test_no_change_is_no_order_and_nothing_withheld() -> None:
    assert make_order(BOOK, DECISION, structs.replace(BUY, expected=1000.0)) is None


@pytest.mark.parametrize(("expected", "control"), [(990.0, "min_trade"), (1010.0, "min_trade")])
def test_a_change_that_does_not_exceed_the_minimum_is_not_sent(
    expected: float, control: str
) -> None:
    withheld = make_order(BOOK, DECISION, structs.replace(BUY, expected=expected))
    assert isinstance(withheld, OrderWithheld)
    assert (withheld.control, withheld.figures) == (control, {"value": 10.0, "limit": 10.0})
    assert is_meaningful(BOOK, SWAP, 10.01)


def test_without_a_middle_there_is_no_order_and_never_a_default_price() -> None:
    withheld = make_order(BOOK, DECISION, structs.replace(BUY, middle=None))
    assert isinstance(withheld, OrderWithheld)
    assert (withheld.control, withheld.figures) == ("mark", {"vega": 400.0})


def test_a_limit_that_blocks_is_named() -> None:
    withheld = make_order(BOOK, DECISION, structs.replace(BUY, target=10_000.5, expected=0.0))
    assert isinstance(withheld, OrderWithheld)
    assert withheld.control == "max_order_vega"
    assert withheld.figures == {"value": 10_000.5, "limit": 10_000.0}


@pytest.mark.parametrize(
    ("change", "control"),
    [
        ({"trading": TradingState.HALTED, "stopped": STOPPED, "middle": None}, "halted"),
        ({"trading": TradingState.REDUCING, "stopped": STOPPED}, "reducing"),
        ({"stopped": STOPPED, "middle": None}, "rate"),
        ({"middle": None, "target": 20_000.0}, "mark"),
        ({"trading": TradingState.HALTED, "target": 601.0}, "min_trade"),
    ],
)
def test_of_several_controls_the_one_a_person_must_lift_first_is_named(
    change: dict[str, Any], control: str
) -> None:
    withheld = make_order(BOOK, DECISION, structs.replace(BUY, **change))
    assert isinstance(withheld, OrderWithheld)
    assert withheld.control == control


def test_a_target_that_is_no_number_is_not_taken_for_a_small_change() -> None:
    withheld = make_order(BOOK, DECISION, structs.replace(BUY, target=nan))
    assert isinstance(withheld, OrderWithheld)
    assert withheld.control == "figures"
    assert is_meaningful(BOOK, SWAP, nan)
