from typing import Any

import msgspec
import pytest
from fakes.hedged_market import CALENDAR, FUTURE, LIMITS, MONDAY, SWAP, policy
from msgspec import structs

from shared.domain.dealing.dealer import Dealer, DealerState, Market, is_standing
from shared.domain.dealing.order_maker import Decision
from shared.domain.dealing.pretrade import Block
from shared.domain.effects import AlertRaised, Effect, LegTarget, OrderDecided, OrderWithheld
from shared.domain.events import ExecutionKind, ExecutionReported
from shared.domain.hedging.session_clock import SessionClock
from shared.domain.hedging.targets import Target
from shared.domain.instants import DAY, MINUTE
from shared.domain.signals_observed import Mark, Quality
from shared.domain.trading import TradingState

BOOK = policy(legs=(SWAP, FUTURE))


def dealer(state: DealerState | None = None, **limits: float) -> Dealer:
    book = structs.replace(BOOK, limits=structs.replace(LIMITS, **limits))
    found = Dealer(book, SessionClock(CALENDAR), state or DealerState())
    found.advance_to(MONDAY)
    return found


def market(
    session: int = 0, trading: TradingState = TradingState.ACTIVE, level: float = 20.0
) -> Market:
    marks = {symbol: Mark(level=level, event_ns=MONDAY) for symbol in ("VIX", "VX6")}
    return Market(session=session, marks=marks, trading=trading)


def decision(number: int) -> Decision:
    return Decision(
        number=number,
        event_ns=MONDAY,
        journal_index=0,
        valid_until_ns=MONDAY + 10 * MINUTE,
        trigger="vix_move",
        reason="vix_move",
        config_digest="",
    )


def target(swap: float, future: float, mark: float | None = 20.0) -> Target:
    legs = tuple(
        LegTarget(leg=name, symbol=name, vega=0.0, quantity=wanted, mark=mark, weight=0.5)
        for name, wanted in (("swap", swap), ("future", future))
    )
    return Target(
        rule=1.0,
        multiplier=1.0,
        steps=(),
        vega=0.0,
        legs=legs,
        quantities=(swap, future),
        quality=Quality.GOOD,
        at_floor=False,
        at_cap=False,
    )


def report(leg: str, kind: ExecutionKind, quantity: float = 0.0, **more: Any) -> ExecutionReported:  # noqa: ANN401 - any field
    fields: dict[str, Any] = {
        "order_id": f"overlay-00000001-{leg}",
        "execution_id": f"{leg}-{kind}-{quantity}",
        "price": 20.5 if quantity else None,
    }
    return ExecutionReported(
        book="overlay", kind=kind, quantity=quantity, event_ns=MONDAY, **(fields | more)
    )


def whats(effects: list[Effect]) -> list[str]:
    return [effect.what for effect in effects if isinstance(effect, AlertRaised)]


def dealt(**limits: float) -> Dealer:
    """A dealer that ordered 400 swap and 2 futures."""
    found = dealer(None, **limits)
    found.deal(decision(1), target(400.0, 2.0), market())
    return found


def test_each_leg_gets_what_it_lacks() -> None:
    effects, missed = dealer().deal(decision(1), target(400.0, 2.0), market())
    orders = [effect.order for effect in effects if isinstance(effect, OrderDecided)]
    assert [(order.leg, order.quantity) for order in orders] == [("swap", 400.0), ("future", 2.0)]
    assert not missed


def test_what_is_sold_makes_room_for_what_is_bought_once_it_has_traded() -> None:
    found = dealer(max_position_vega=4_000.0)
    found.deal(decision(1), target(1000.0, 3.0), market())
    found.take(report("swap", ExecutionKind.FILL, 1000.0), MONDAY)
    found.take(report("future", ExecutionKind.FILL, 3.0), MONDAY)
    effects, missed = found.deal(decision(2), target(3000.0, 1.0), market())  # 2020-03-16
    order, withheld, _ = effects
    assert isinstance(order, OrderDecided)
    assert isinstance(withheld, OrderWithheld)
    assert (order.order.leg, order.order.side, missed) == ("future", "sell", True)
    assert (withheld.leg, withheld.control) == ("swap", "max_position_vega")
    assert withheld.figures == {"value": 6000.0, "limit": 4000.0}
    sold = report("future", ExecutionKind.FILL, -2.0, order_id="overlay-00000002-future")
    found.take(sold, MONDAY)
    effects, missed = found.deal(decision(3), target(3000.0, 1.0), market())
    assert [type(effect) for effect in effects] == [OrderDecided]
    assert not missed


def test_open_orders_of_the_same_side_count_as_position() -> None:
    found = dealer(max_position_vega=4_000.0)
    found.deal(decision(1), target(1000.0, 3.0), market())
    assert found.held_vega() == 0.0
    assert [found.furthest_size("vega", change) for change in (500.0, 0.5, -0.5)] == [
        4500.0,
        4000.5,
        0.5,
    ]
    effects, _ = found.deal(decision(2), target(1500.0, 3.0), market())
    assert [each.control for each in effects if isinstance(each, OrderWithheld)] == [
        "max_position_vega"
    ]


def test_open_orders_are_not_ordered_twice() -> None:
    found = dealt()
    assert found.deal(decision(2), target(400.0, 2.0), market()) == ([], False)
    assert found.vega() == 2400.0


def test_a_change_too_small_is_withheld_and_misses_nothing() -> None:
    effects, missed = dealt().deal(decision(2), target(400.5, 2.0), market())
    (withheld,) = effects
    assert isinstance(withheld, OrderWithheld)
    assert (withheld.control, missed) == ("min_trade", False)


@pytest.mark.parametrize(
    ("limits", "mark", "control", "what"),
    [
        ({}, None, "mark", "mark_unknown"),
        ({"max_order_vega": 100.0}, 20.0, "max_order_vega", "order_blocked"),
    ],
)
def test_a_blocked_order_misses_the_target_and_alerts(
    limits: dict[str, float], mark: float | None, control: str, what: str
) -> None:
    effects, missed = dealer(None, **limits).deal(decision(1), target(400.0, 0.0, mark), market())
    withheld = effects[0]
    assert isinstance(withheld, OrderWithheld)
    assert withheld.control == control
    assert whats(effects) == [what]
    assert missed


def test_orders_are_counted_by_session() -> None:
    found = dealt(max_orders_per_day=2)
    effects, missed = found.deal(decision(2), target(500.0, 2.0), market())
    assert whats(effects) == ["order_blocked"]
    assert missed
    effects, missed = found.deal(decision(3), target(500.0, 2.0), market(1))
    assert [type(effect) for effect in effects] == [OrderDecided]


def test_a_complete_fill_is_silent_and_its_shortfall_is_charged() -> None:
    found = dealt()
    effects, missed = found.take(report("future", ExecutionKind.FILL, 2.0), MONDAY)
    assert (effects, missed) == ([], False)
    assert found.ledger.used == 0.5 * 2 * 1000


def test_carry_is_charged_on_what_is_held_not_on_what_is_ordered() -> None:
    found = dealt()
    assert found.ledger.snapshot().vega == 0
    found.take(report("swap", ExecutionKind.PARTIAL, 150.0), MONDAY)
    assert found.ledger.snapshot().vega == 150.0


def test_a_trade_whose_price_nobody_said_is_held_all_the_same() -> None:
    found = dealt()
    found.take(report("future", ExecutionKind.PARTIAL, 1.0, price=None), MONDAY)
    assert (found.ledger.used, found.ledger.snapshot().vega) == (0.0, 1000.0)


def test_a_contract_missing_is_a_miss() -> None:
    book = policy(legs=(SWAP, FUTURE), sizing={"min_trade_vega": 500.0})
    found = Dealer(book, SessionClock(CALENDAR), DealerState())
    found.advance_to(MONDAY)
    found.deal(decision(1), target(0.0, 2.0), market())
    _, missed = found.take(report("future", ExecutionKind.FILL, 1.0), MONDAY)
    assert missed


def test_acknowledgements_are_silent() -> None:
    assert dealt().take(report("swap", ExecutionKind.NEW), MONDAY) == ([], False)


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        (ExecutionKind.REJECT, "order_rejected"),
        (ExecutionKind.CANCEL, "order_cancelled"),
        (ExecutionKind.EXPIRE, "order_expired"),
    ],
)
def test_a_failed_order_alerts_and_misses_the_target(kind: ExecutionKind, what: str) -> None:
    effects, missed = dealt().take(report("swap", kind), MONDAY)
    assert whats(effects) == [what]
    assert missed


def test_a_fill_short_of_the_target_is_incomplete() -> None:
    effects, missed = dealt().take(report("swap", ExecutionKind.FILL, 300.0), MONDAY)
    assert whats(effects) == ["order_incomplete"]
    assert missed


def test_the_end_of_an_order_that_nothing_misses_only_alerts() -> None:
    found = dealt()
    found.take(report("swap", ExecutionKind.PARTIAL, 399.5), MONDAY)
    effects, missed = found.take(report("swap", ExecutionKind.EXPIRE), MONDAY)
    assert whats(effects) == ["order_expired"]
    assert not missed


def test_a_late_fill_is_booked_and_told_and_its_excess_is_a_miss() -> None:
    found = dealt()
    found.take(report("swap", ExecutionKind.CANCEL), MONDAY)
    effects, missed = found.take(report("swap", ExecutionKind.FILL, 400.0), MONDAY)
    assert whats(effects) == ["late_fill"]
    assert not missed
    assert found.holdings.position("swap") == 400.0
    more = report("swap", ExecutionKind.PARTIAL, 50.0)
    assert found.take(more, MONDAY)[1]


def test_a_late_word_without_a_trade_is_silent() -> None:
    found = dealt()
    found.take(report("swap", ExecutionKind.FILL, 400.0), MONDAY)
    assert found.take(report("swap", ExecutionKind.CANCEL), MONDAY) == ([], False)


def test_a_duplicate_has_no_effect() -> None:
    found = dealt()
    found.take(report("swap", ExecutionKind.FILL, 400.0), MONDAY)
    before = found.snapshot()
    assert found.take(report("swap", ExecutionKind.FILL, 400.0), MONDAY) == ([], False)
    assert found.snapshot() == before


def test_an_unknown_order_alerts_and_is_not_booked() -> None:
    found = dealt()
    stranger = report("swap", ExecutionKind.FILL, 400.0, order_id="overlay-00000099-swap")
    effects, missed = found.take(stranger, MONDAY)
    assert whats(effects) == ["order_unknown"]
    assert not missed
    assert found.holdings.position("swap") == 0


def test_an_order_that_nobody_answers_alerts_once() -> None:
    found = dealt()
    assert found.advance_to(MONDAY + 10 * MINUTE + 1) == []
    assert whats(found.advance_to(MONDAY + 11 * MINUTE + 1)) == ["order_unanswered"] * 2
    assert found.advance_to(MONDAY + DAY) == []


@pytest.mark.parametrize("trading", [TradingState.HALTED, TradingState.REDUCING])
def test_what_the_trading_state_withholds_misses_the_target_without_an_alert(
    trading: TradingState,
) -> None:
    effects, missed = dealer().deal(decision(1), target(400.0, 0.0), market(trading=trading))
    (withheld,) = effects
    assert isinstance(withheld, OrderWithheld)
    assert (withheld.control, missed) == (trading.value, True)


def test_reducing_the_sale_of_one_leg_leaves_and_the_purchase_of_another_does_not() -> None:
    found = dealt()
    reducing = market(trading=TradingState.REDUCING)
    effects, missed = found.deal(decision(2), target(900.0, 1.0), reducing)
    order, withheld = effects
    assert isinstance(order, OrderDecided)
    assert isinstance(withheld, OrderWithheld)
    assert (order.order.leg, withheld.leg, missed) == ("future", "swap", True)


def test_a_book_that_was_stopped_says_so_once_and_orders_nothing_until_resumed() -> None:
    found = dealer(max_orders_per_minute=2)
    answers = [
        found.deal(decision(number), target(100.0 * number**2, 0.0), market())
        for number in range(1, 6)
    ]
    assert [missed for _, missed in answers] == [False, False, True, True, True]
    assert [what for effects, _ in answers for what in whats(effects)] == ["trading_stopped"]
    assert found.stopped == Block("rate", {"value": 3.0, "limit": 2.0})
    found.resume()
    effects, _ = found.deal(decision(6), target(2500.0, 0.0), market())
    assert [type(effect) for effect in effects] == [OrderDecided]


def test_an_order_is_counted_as_open_only_once_every_control_let_it_pass() -> None:
    found = dealer(max_daily_turnover=7_999.0)
    effects, _ = found.deal(decision(1), target(400.0, 0.0), market())
    assert [each.control for each in effects if isinstance(each, OrderWithheld)] == [
        "max_daily_turnover"
    ]
    assert found.vega() == 0


def test_a_trade_whose_price_nobody_said_counts_at_its_reference_towards_the_loss() -> None:
    found = dealer(max_daily_loss=1000.0)
    found.observe(market().marks, SessionClock(CALENDAR).at(MONDAY))
    found.deal(decision(1), target(0.0, 2.0), market())
    found.take(report("future", ExecutionKind.FILL, 2.0, price=None), MONDAY)
    effects, _ = found.deal(decision(2), target(0.0, 3.0), market(level=19.0))
    withheld = effects[0]
    assert isinstance(withheld, OrderWithheld)
    assert withheld.figures == {"value": 2000.0, "limit": 1000.0}


def test_beyond_the_daily_loss_only_reducing_orders_leave() -> None:
    found = dealer(max_daily_loss=1000.0)
    found.observe(market().marks, SessionClock(CALENDAR).at(MONDAY))
    found.deal(decision(1), target(0.0, 2.0), market())
    found.take(report("future", ExecutionKind.FILL, 2.0, price=20.5), MONDAY)
    effects, _ = found.deal(decision(2), target(0.0, 3.0), market(level=20.0))
    assert [type(effect) for effect in effects] == [OrderDecided]  # has lost 1000: at the limit
    found.take(report("future", ExecutionKind.REJECT, order_id="overlay-00000002-future"), MONDAY)
    effects, _ = found.deal(decision(3), target(0.0, 3.0), market(level=19.5))
    (withheld, _) = effects
    assert isinstance(withheld, OrderWithheld)
    assert withheld.control == "max_daily_loss"
    assert withheld.figures == {"value": 2000.0, "limit": 1000.0}
    effects, _ = found.deal(decision(4), target(0.0, 1.0), market(level=19.5))
    assert [type(effect) for effect in effects] == [OrderDecided]


@pytest.mark.parametrize(
    ("kind", "reason", "standing"),
    [
        (ExecutionKind.REJECT, "halted: nothing trades until an operator resumes", True),
        (ExecutionKind.REJECT, "config_digest: decided under a, ours is b", True),
        (ExecutionKind.REJECT, "max_order_vega: 300 is beyond 200", True),
        (ExecutionKind.REJECT, "stale_mark: VIX is 400 s old", False),
        (ExecutionKind.REJECT, "no market in VIX", False),
        (ExecutionKind.REJECT, "try again: busy", False),
        (ExecutionKind.REJECT, "", False),
        (ExecutionKind.CANCEL, "halted: nothing trades until an operator resumes", False),
    ],
)
def test_what_the_gateway_refuses_for_good_is_told_from_what_may_pass(
    kind: ExecutionKind, reason: str, *, standing: bool
) -> None:
    assert is_standing(report("swap", kind, reason=reason)) is standing


def test_a_dealer_goes_on_from_its_snapshot() -> None:
    found = dealt()
    found.take(report("swap", ExecutionKind.PARTIAL, 150.0), MONDAY)
    stored = msgspec.msgpack.encode(found.snapshot())
    again = dealer(msgspec.msgpack.decode(stored, type=DealerState))
    assert again.snapshot() == found.snapshot()
    assert again.vega() == found.vega()
    both = [each.deal(decision(2), target(500.0, 2.0), market()) for each in (again, found)]
    assert both[0] == both[1]
