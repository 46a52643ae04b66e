"""What the gateway takes and what it refuses, limit by limit, and through restarts."""

from math import inf, nan
from typing import Any

import msgspec
import pytest
from fakes.orders import make_order
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, structs

from shared.domain.accounts.rolled import Rolled
from shared.domain.events import ExecutionKind, ExecutionReported
from shared.domain.gatekeeping.admission import (
    Circumstances,
    Gatekeeper,
    GatekeeperState,
)
from shared.domain.gatekeeping.refusal import Refusal, beyond
from shared.domain.instants import SECOND
from shared.domain.orders import Order
from shared.domain.policies import (
    BookPolicy,
    LegPolicy,
    LimitPolicy,
    OrderPolicy,
    RulePolicy,
    SizingPolicy,
)
from shared.domain.sessions import SessionCalendar
from shared.domain.signals_observed import Mark
from shared.domain.trading import TradingState

CALENDAR = SessionCalendar([0, 2000 * SECOND], [1000 * SECOND, 3000 * SECOND])
LIMITS = LimitPolicy(
    max_order_vega=2000.0,
    max_order_notional=40_000.0,
    max_position_vega=3000.0,
    max_orders_per_day=3,
    max_orders_per_minute=100,
    max_daily_turnover=1e9,
    max_daily_loss=500.0,
    max_price_deviation=0.15,
    max_repeats=100,
    repeat_ns=SECOND,
    duplicate_ns=1,
)
LEG = LegPolicy(
    name="swap", instrument="variance_swap", symbol="VIX", maturity_days=30, max_vega=1e6
)
BOOK = BookPolicy(
    name="overlay",
    rules=(RulePolicy(kind="linear"),),
    sizing=SizingPolicy(base_vega=1000.0),
    legs=(LEG,),
    order=OrderPolicy(stale_mark_trading_ns=60 * SECOND),
    limits=LIMITS,
)
NOW = 100 * SECOND
MARKS = {"VIX": Mark(level=22.0, event_ns=NOW)}


def gatekeeper(state: GatekeeperState | None = None, **limits: float) -> Gatekeeper:
    book = structs.replace(BOOK, limits=structs.replace(LIMITS, **limits))
    return Gatekeeper([book], CALENDAR, "digest", 0.0, state or GatekeeperState())


def order(decision: int = 1, **fields: Any) -> Order:  # noqa: ANN401 - any of its fields
    quantity = float(fields.get("quantity", 400.0))
    sign = 1 if fields.get("side", "buy") == "buy" else -1
    reference = float(fields.get("reference_price", 22.0))
    own = {
        "vega": sign * quantity,
        "notional": quantity * reference,
        "config_digest": "digest",
        "event_ns": NOW,
    }
    return structs.replace(make_order(decision), **{**own, **fields})


def now(**fields: Any) -> Circumstances:  # noqa: ANN401 - any of its fields
    usual = Circumstances(now_ns=NOW, at_ns=NOW, trading=TradingState.ACTIVE, marks=MARKS)
    return structs.replace(usual, **fields)


def reason(keeper: Gatekeeper, judged: Order, circumstances: Circumstances | None = None) -> str:
    refusal = keeper.judge(judged, circumstances or now())
    return "" if refusal is None else refusal.reason


def filled(keeper: Gatekeeper, quantity: float, price: float = 22.0, decision: int = 1) -> None:
    """Have an order accepted and traded."""
    side = "buy" if quantity > 0 else "sell"
    taken = order(decision, quantity=abs(quantity), side=side)
    keeper.accept(taken, NOW)
    report = ExecutionReported(
        book="overlay",
        order_id=taken.order_id,
        execution_id=f"{taken.order_id}-1",
        kind=ExecutionKind.FILL,
        quantity=quantity,
        price=price,
        event_ns=NOW,
    )
    keeper.take(report)


def test_a_sound_order_is_taken() -> None:
    assert reason(gatekeeper(), order()) == ""


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"book": "other"}, "unknown_leg"),
        ({"leg": "other"}, "unknown_leg"),
        ({"order_id": "overlay-00000002-swap"}, "misnamed"),
        ({"instrument": "vix_future"}, "misnamed"),
        ({"symbol": "VX1"}, "misnamed"),
        ({"currency": "EUR"}, "misnamed"),
        ({"config_digest": ""}, "config_digest"),
        ({"config_digest": "other"}, "config_digest"),
        ({"quantity": 0.0}, "misstated"),
        ({"quantity": -400.0, "vega": 400.0}, "misstated"),
        ({"quantity": nan}, "misstated"),
        ({"quantity": inf}, "misstated"),
        ({"limit_price": nan}, "misstated"),
        ({"limit_price": 0.0}, "misstated"),
        ({"reference_price": -22.0}, "misstated"),
        ({"notional": inf}, "misstated"),
        ({"notional": 8800.0 * (1 + 3e-9)}, "misstated"),
        ({"notional": 400.0}, "misstated"),  # units in the field of money (Citi 2022)
        ({"vega": -400.0}, "misstated"),
        ({"vega": 400.0 * (1 + 3e-9)}, "misstated"),
        ({"vega": nan}, "misstated"),
        ({"side": "sell", "vega": 400.0}, "misstated"),
        ({"valid_until_ns": NOW - 1}, "expired"),
        ({"limit_price": 22.0 * 1.1501}, "max_price_deviation"),
        ({"limit_price": 22.0 * 0.8499}, "max_price_deviation"),
        ({"reference_price": 22.0 * 1.16}, "max_price_deviation"),
        ({"quantity": 2000.5, "reference_price": 19.0}, "max_order_vega"),
        ({"quantity": 1819.0}, "max_order_notional"),
    ],
)
def test_each_thing_that_is_wrong_with_an_order_refuses_it(
    fields: dict[str, Any], expected: str
) -> None:
    assert reason(gatekeeper(), order(**fields)) == expected


@pytest.mark.parametrize(
    "fields",
    [
        {"limit_price": 22.0 * 1.1499},
        {"limit_price": 22.0 * 0.8501},
        {"notional": 8800.0 * (1 + 1e-10)},
        {"quantity": 1818.0},
        {"quantity": 2000.0, "reference_price": 19.0},
        {"valid_until_ns": NOW},
    ],
)
def test_at_a_limit_it_is_taken(fields: dict[str, Any]) -> None:
    assert reason(gatekeeper(), order(**fields)) == ""


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        ({}, "no_mark"),
        ({"VX1": MARKS["VIX"]}, "no_mark"),
        ({"VIX": Mark(level=nan, event_ns=NOW)}, "no_mark"),
        ({"VIX": Mark(level=0.0, event_ns=NOW)}, "no_mark"),
        ({"VIX": Mark(level=22.0, event_ns=NOW - 60 * SECOND - 1)}, "stale_mark"),
        ({"VIX": Mark(level=22.0, event_ns=NOW - 60 * SECOND)}, ""),
        ({"VIX": Mark(level=40.0, event_ns=NOW, bid=21.0, ask=23.0)}, ""),
    ],
)
def test_without_a_fresh_live_price_nothing_is_taken(marks: dict[str, Mark], expected: str) -> None:
    assert reason(gatekeeper(), order(), now(marks=marks)) == expected


def test_a_closed_market_does_not_age_a_mark() -> None:
    marks = {"VIX": Mark(level=22.0, event_ns=1000 * SECOND)}
    opens = 2000 * SECOND
    judged = order(event_ns=opens, valid_until_ns=opens + SECOND)
    assert reason(gatekeeper(), judged, now(now_ns=opens, at_ns=opens, marks=marks)) == ""
    late = opens + 60 * SECOND + 1
    judged = order(event_ns=late, valid_until_ns=late)
    assert reason(gatekeeper(), judged, now(now_ns=late, at_ns=late, marks=marks)) == "stale_mark"


def test_a_halted_book_takes_nothing_and_a_reducing_one_what_reduces() -> None:
    keeper = gatekeeper()
    filled(keeper, 1000.0)
    sale = order(2, quantity=1500.0, side="sell", limit_price=21.0)
    assert reason(keeper, sale, now(trading=TradingState.HALTED)) == "halted"
    assert reason(keeper, sale, now(trading=TradingState.REDUCING)) == ""
    assert reason(keeper, order(2), now(trading=TradingState.REDUCING)) == "reducing"
    beyond_nothing = order(2, quantity=1990.0, side="sell", limit_price=20.0, reference_price=20.0)
    filled(keeper, -200.0, decision=2)
    assert (
        reason(
            keeper, structs.replace(beyond_nothing, decision=2), now(trading=TradingState.REDUCING)
        )
        == "reducing"
    )


def test_position_and_open_orders_together_stay_within_the_limit() -> None:
    keeper = gatekeeper()
    filled(keeper, 1500.0)
    keeper.accept(order(2, quantity=1100.0), NOW)
    assert keeper.vega("overlay") == 2600.0
    assert reason(keeper, order(3, quantity=400.0)) == ""
    assert reason(keeper, order(3, quantity=400.5)) == "max_position_vega"
    assert reason(keeper, order(3, quantity=1800.0, side="sell", limit_price=21.0)) == ""


def test_one_that_brings_the_vega_nearer_to_nothing_passes_position_and_loss_limits() -> None:
    keeper = gatekeeper(max_position_vega=100.0)
    filled(keeper, 1500.0, price=25.0)
    assert reason(keeper, order(2)) == "max_position_vega"
    assert reason(keeper, order(2, side="sell", limit_price=21.0)) == ""


def test_beyond_the_days_loss_a_book_only_reduces() -> None:
    keeper = gatekeeper()
    filled(keeper, 1000.0, price=22.5)
    assert reason(keeper, order(2)) == "", "500 are lost, and may be"
    down = now(marks={"VIX": Mark(level=21.99, event_ns=NOW)})
    assert reason(keeper, order(2), down) == "max_daily_loss"
    assert reason(keeper, order(2, side="sell", limit_price=21.0), down) == ""
    keeper.see(down.marks, NOW)
    later = 2000 * SECOND
    fresh = now(now_ns=later, at_ns=later, marks={"VIX": Mark(level=21.99, event_ns=later)})
    assert reason(keeper, order(2, event_ns=later, valid_until_ns=later), fresh) == ""


def test_what_was_sent_before_limits_what_may_be_sent_until_it_is_rearmed() -> None:
    keeper = gatekeeper(max_orders_per_minute=2)
    for decision in (1, 2):
        assert reason(keeper, order(decision, quantity=float(decision))) == ""
        keeper.accept(order(decision, quantity=float(decision)), NOW)
    assert reason(keeper, order(3)) == "max_orders_per_minute"
    keeper.rearm("all")
    assert reason(keeper, order(3)) == ""
    keeper.accept(order(3), NOW)
    keeper.rearm("overlay")
    assert reason(keeper, order(4, quantity=7.0)) == "max_orders_per_day"


def test_a_refusal_says_what_and_how_much() -> None:
    refusal = gatekeeper().judge(order(quantity=2000.5, reference_price=19.0), now())
    assert str(refusal) == "max_order_vega: 2000.5 is beyond 2000"
    assert beyond("limit", nan, 1.0) == Refusal("limit", "nan is beyond 1")
    assert beyond("limit", 1.0, 1.0) is None


def test_it_knows_its_books() -> None:
    assert gatekeeper().books == ("overlay",)


JUDGED = st.tuples(
    st.sampled_from([50.0, 400.0, 1000.0, 1999.0, 2001.0]),
    st.sampled_from(["buy", "sell"]),
    st.sampled_from([19.0, 22.0, 25.0]),
    st.sampled_from([ExecutionKind.FILL, ExecutionKind.CANCEL, None]),
    st.booleans(),
)


@given(st.lists(JUDGED, max_size=20))
def test_through_restarts_it_judges_as_if_never_stopped_and_takes_nothing_over_a_limit(
    steps: list[tuple[float, str, float, ExecutionKind | None, bool]],
) -> None:
    whole = parted = gatekeeper(max_orders_per_day=1000, max_daily_loss=3000.0)
    parted = gatekeeper(max_orders_per_day=1000, max_daily_loss=3000.0)
    for decision, (quantity, side, level, end, restarts) in enumerate(steps, 1):
        marks = {"VIX": Mark(level=level, event_ns=NOW)}
        judged = order(
            decision, quantity=quantity, side=side, reference_price=level, limit_price=level
        )
        at = now(marks=marks, at_ns=NOW + decision)
        refusal = whole.judge(judged, at)
        assert parted.judge(judged, at) == refusal
        if refusal is None:
            assert quantity <= 2000.0
            assert abs(judged.notional) <= 40_000.0
            for keeper in (whole, parted):
                before = keeper.vega("overlay")
                keeper.accept(judged, at.at_ns)
                after = keeper.vega("overlay")
                assert abs(after) <= max(3000.0, abs(before))
                if end is not None:
                    keeper.take(_end(judged, end, level))
        if restarts:
            for keeper in (whole, parted):
                keeper.see(marks, NOW)
            stored = msgspec.msgpack.encode(parted.snapshot())
            state = msgspec.msgpack.decode(stored, type=GatekeeperState)
            parted = gatekeeper(state, max_orders_per_day=1000, max_daily_loss=3000.0)
    assert parted.snapshot() == whole.snapshot()


def _end(ended: Order, kind: ExecutionKind, price: float) -> ExecutionReported:
    trades = kind is ExecutionKind.FILL
    return ExecutionReported(
        book="overlay",
        order_id=ended.order_id,
        execution_id=f"{ended.order_id}-1",
        kind=kind,
        quantity=ended.signed_quantity if trades else 0.0,
        price=price if trades else None,
        event_ns=NOW,
    )


# --- legs held for their delta, and options --------------------------------------------------

SHARES = LegPolicy(
    name="shares", instrument="underlying", symbol="XYZ", maturity_days=0, max_vega=0
)
CALL = LegPolicy(
    name="call",
    instrument="option",
    symbol="XYZ270115C00100000",
    maturity_days=0,
    max_vega=1e6,
    multiplier=100.0,
    vega_per_unit=0.2,
)
XYZ_MARKS = {name: Mark(level=100.0, event_ns=NOW) for name in ("XYZ", CALL.symbol)}
HERE = Circumstances(now_ns=NOW, at_ns=NOW, trading=TradingState.ACTIVE, marks=XYZ_MARKS)
DELTA_LIMITS = structs.replace(
    LIMITS, max_order_delta=300.0, max_position_delta=500.0, max_order_notional=1e6
)


def keeper(limits: LimitPolicy = DELTA_LIMITS, *more: LegPolicy) -> Gatekeeper:
    book = structs.replace(BOOK, legs=(SHARES, CALL, *more), limits=limits)
    return Gatekeeper([book], CALENDAR, "digest", 0.0, GatekeeperState())


def of_leg(leg: LegPolicy, quantity: float, decision: int = 1, **fields: Any) -> Order:  # noqa: ANN401 - any of its fields
    own = {
        "order_id": f"overlay-{decision:08d}-{leg.name}",
        "leg": leg.name,
        "instrument": leg.instrument,
        "symbol": leg.symbol,
        "side": "buy" if quantity > 0 else "sell",
        "quantity": abs(quantity),
        "reference_price": 100.0,
        "limit_price": 100.0,
        "notional": abs(quantity) * 100.0 * leg.multiplier,
        "vega": 0.0 if leg.instrument == "underlying" else quantity * 20.0,
        **({"delta": quantity} if leg.instrument == "underlying" else {}),
    }
    return order(decision, **{**own, **fields})


def verdict(found: Gatekeeper, made: Order, trading: TradingState = TradingState.ACTIVE) -> str:
    refusal = found.judge(made, structs.replace(HERE, trading=trading))
    if refusal is None:
        found.accept(made, NOW)
    return "" if refusal is None else refusal.reason


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (of_leg(SHARES, -300.0), ""),
        (of_leg(SHARES, -301.0), "max_order_delta"),
        (of_leg(SHARES, nan, delta=nan), "misstated"),
        (of_leg(SHARES, -100.0, delta=-99.0), "misstated"),
        (of_leg(SHARES, -100.0, delta=UNSET), "misstated"),
        (of_leg(SHARES, -100.0, vega=1.0), "misstated"),
        (of_leg(CALL, 5.0), ""),
        (of_leg(CALL, 5.0, delta=1.0), "misstated"),
        (of_leg(CALL, 5.0, vega=400.0), ""),  # live: four times what is configured
        (of_leg(CALL, -5.0, vega=-25.0), ""),  # and a quarter of it
        (of_leg(CALL, 5.0, vega=401.0), "misstated"),
        (of_leg(CALL, 5.0, vega=24.0), "misstated"),
        (of_leg(CALL, 5.0, vega=-100.0), "misstated"),
        (of_leg(CALL, 101.0), "max_order_vega"),
        (of_leg(CALL, 50.0, vega=2400.0), "max_order_vega"),
    ],
)
def test_what_an_order_says_of_its_size_is_held_against_its_leg(made: Order, reason: str) -> None:
    assert verdict(keeper(), made) == reason


def test_a_position_of_delta_has_its_limit() -> None:
    found = keeper()
    assert verdict(found, of_leg(SHARES, -300.0)) == ""
    assert verdict(found, of_leg(SHARES, -201.0, 2)) == "max_position_delta"
    assert verdict(found, of_leg(SHARES, -200.0, 3)) == ""
    assert verdict(found, of_leg(CALL, 10.0, 4)) == ""  # its vega is another matter


def test_one_underlying_held_short_is_no_room_for_another_held_long() -> None:
    other = structs.replace(SHARES, name="other")
    found = keeper(DELTA_LIMITS, other)
    assert verdict(found, of_leg(SHARES, 300.0)) == ""
    assert verdict(found, of_leg(other, -300.0, 2)) == ""
    assert verdict(found, of_leg(SHARES, 201.0, 3)) == "max_position_delta"
    reducing = TradingState.REDUCING
    assert verdict(found, of_leg(other, -1.0, 4), reducing) == "reducing"
    assert verdict(found, of_leg(SHARES, -100.0, 5), reducing) == ""


def test_an_old_option_has_little_vega_left_and_can_be_closed() -> None:
    found = keeper()
    assert verdict(found, of_leg(CALL, 10.0)) == ""
    filled = ExecutionReported(
        book="overlay",
        order_id="overlay-00000001-" + CALL.name,
        execution_id="x",
        kind=ExecutionKind.FILL,
        quantity=10.0,
        price=100.0,
        event_ns=NOW,
    )
    found.take(filled)
    assert verdict(found, of_leg(CALL, 10.0, 2, vega=20.0)) == "misstated"
    assert verdict(found, of_leg(CALL, -11.0, 3, vega=-22.0)) == "misstated"
    assert verdict(found, of_leg(CALL, -10.0, 4, vega=20.0)) == "misstated"
    assert verdict(found, of_leg(CALL, -10.0, 5, vega=-801.0)) == "misstated"
    assert verdict(found, of_leg(CALL, -10.0, 6, vega=-20.0)) == ""


def test_an_option_counts_with_the_larger_of_both_vegas() -> None:
    found = keeper(structs.replace(DELTA_LIMITS, max_position_vega=350.0))
    assert verdict(found, of_leg(CALL, 10.0, vega=360.0)) == "max_position_vega"
    assert verdict(found, of_leg(CALL, 10.0, vega=50.0)) == ""
    assert verdict(found, of_leg(CALL, 10.0, 2, vega=50.0)) == "max_position_vega"


def test_without_limits_of_delta_no_delta_passes() -> None:
    assert verdict(keeper(LIMITS), of_leg(SHARES, -1.0)) == "max_order_delta"


def test_a_reducing_book_only_takes_what_reduces_its_delta() -> None:
    found = keeper()
    verdict(found, of_leg(SHARES, -300.0))
    reducing = TradingState.REDUCING
    assert verdict(found, of_leg(SHARES, -1.0, 2), reducing) == "reducing"
    assert verdict(found, of_leg(SHARES, 100.0, 3), reducing) == ""
    assert verdict(found, of_leg(CALL, 1.0, 4), reducing) == "reducing"


def test_a_roll_that_halves_the_mark_is_no_loss_that_stops_a_book() -> None:
    keeper = gatekeeper()
    filled(keeper, 400.0)
    keeper.see(MARKS, NOW)
    halved = now(marks={"VIX": Mark(level=11.0, event_ns=NOW)})
    cheaper = order(2, quantity=300.0, limit_price=11.0, reference_price=11.0)
    assert reason(keeper, cheaper, halved) == "max_daily_loss"
    keeper.roll(Rolled(symbol="VIX", event_ns=NOW, given_up=22.0, taken_on=11.0))
    assert reason(keeper, cheaper, halved) == ""
