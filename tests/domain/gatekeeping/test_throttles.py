"""What a book has sent limits what it may send; asked of the real thing and of a naive model."""

from collections.abc import Sequence

import msgspec
import pytest
from fakes.orders import make_order
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from shared.domain.gatekeeping.throttles import TRIPPING, History, HistoryState
from shared.domain.instants import MINUTE, SECOND
from shared.domain.orders import Order
from shared.domain.policies import LimitPolicy

LIMITS = LimitPolicy(
    max_order_vega=1e9,
    max_order_notional=1e9,
    max_position_vega=1e9,
    max_orders_per_day=5,
    max_orders_per_minute=3,
    max_daily_turnover=40_000.0,
    max_daily_loss=1e9,
    max_price_deviation=0.15,
    max_repeats=2,
    repeat_ns=100 * SECOND,
    duplicate_ns=10 * SECOND,
)
WIDE = structs.replace(
    LIMITS, max_orders_per_day=1000, max_orders_per_minute=1000, max_repeats=1000, duplicate_ns=1
)


def refusals(
    limits: LimitPolicy, orders: Sequence[tuple[Order, int]], session: int = 1
) -> list[str]:
    """Send orders, each at its instant; answers with the reasons, empty for accepted."""
    history = History(limits, HistoryState())
    found = []
    for order, at_ns in orders:
        refusal = history.refuses(order, at_ns, session)
        found.append("" if refusal is None else refusal.reason)
        if refusal is None:
            history.count(order, at_ns, session)
    return found


def orders(*seconds: float, **fields: float | str) -> list[tuple[Order, int]]:
    return [
        (
            make_order(number, **{"notional": 10.0 * number, "quantity": float(number), **fields}),
            round(at * SECOND),
        )
        for number, at in enumerate(seconds, 1)
    ]


def test_one_more_than_a_minute_may_have_is_refused_and_a_minute_later_it_is_not() -> None:
    limits = structs.replace(WIDE, max_orders_per_minute=3)
    found = refusals(limits, orders(0, 1, 2, 3, 59.999, 60, 60.5, 61))
    assert found == [
        "",
        "",
        "",
        "max_orders_per_minute",
        "max_orders_per_minute",
        "",
        "max_orders_per_minute",
        "",
    ]


def test_one_more_on_a_side_of_a_leg_is_refused_unless_the_other_side_or_time_came_between() -> (
    None
):
    limits = structs.replace(WIDE, max_repeats=2)
    assert refusals(limits, orders(0, 99, 198)) == ["", "", "max_repeats"]
    assert refusals(limits, orders(0, 99, 199)) == ["", "", ""]
    sold = (make_order(9, side="sell"), 150 * SECOND)
    mixed = [*orders(0, 99), sold, *orders(200, 201, 202)]
    assert refusals(limits, mixed) == ["", "", "", "", "", "max_repeats"]
    other = (make_order(9, leg="other"), 150 * SECOND)
    assert refusals(limits, [*orders(0, 99), other]) == ["", "", ""]


def test_the_same_leg_side_and_quantity_is_a_duplicate_within_its_window() -> None:
    limits = structs.replace(WIDE, duplicate_ns=10 * SECOND)
    assert refusals(limits, orders(0, 9.999, 10, 15, quantity=7.0)) == [
        "",
        "duplicate",
        "",
        "duplicate",
    ]
    first = (make_order(1), 0)
    for fields in ({"side": "sell"}, {"quantity": 401.0}, {"leg": "other"}):
        assert refusals(limits, [first, (make_order(2, **fields), 1)]) == ["", ""]


def test_a_session_has_its_count_and_its_turnover() -> None:
    limits = structs.replace(WIDE, max_orders_per_day=2)
    assert refusals(limits, orders(0, 100, 200)) == ["", "", "max_orders_per_day"]
    limits = structs.replace(WIDE, max_daily_turnover=30.0)
    assert refusals(limits, orders(0, 100, 200, notional=15.0)) == ["", "", "max_daily_turnover"]
    history = History(limits, HistoryState(session=1, orders=9, turnover=30.0))
    order = make_order(1, notional=15.0)
    assert history.refuses(order, 0, 2) is None
    history.count(order, 0, 2)
    assert (history.snapshot().session, history.snapshot().orders) == (2, 1)


def test_a_turnover_that_is_no_number_is_refused() -> None:
    refusal = History(WIDE, HistoryState()).refuses(make_order(1, notional=float("nan")), 0, 1)
    assert refusal is not None
    assert refusal.reason == "max_daily_turnover"


def test_after_an_operator_resumed_rate_and_repeats_begin_anew_and_the_day_does_not() -> None:
    limits = structs.replace(WIDE, max_orders_per_minute=1, max_repeats=1, duplicate_ns=MINUTE)
    history = History(limits, HistoryState())
    history.count(make_order(1), 0, 1)
    assert _reason(history, make_order(2, quantity=1.0)) in TRIPPING
    history.rearm()
    assert _reason(history, make_order(2, quantity=1.0)) == ""
    assert _reason(history, make_order(2)) == "duplicate"
    assert history.snapshot().orders == 1


def _reason(history: History, order: Order) -> str:
    refusal = history.refuses(order, 1, 1)
    return "" if refusal is None else refusal.reason


class Naive:
    """The same limits, by going through all orders that were ever accepted."""

    def __init__(self) -> None:
        self.accepted: list[tuple[Order, int, int]] = []

    def refuses(self, order: Order, at: int, session: int) -> str:
        today = [each for each, _, day in self.accepted if day == session]
        lately = [when for _, when, _ in self.accepted if at - when < MINUTE]
        copies = [
            when
            for each, when, _ in self.accepted
            if (each.leg, each.side, each.quantity) == (order.leg, order.side, order.quantity)
        ]
        if any(at - when < LIMITS.duplicate_ns for when in copies):
            return "duplicate"
        if len(today) + 1 > LIMITS.max_orders_per_day:
            return "max_orders_per_day"
        if sum(each.notional for each in today) + order.notional > LIMITS.max_daily_turnover:
            return "max_daily_turnover"
        if len(lately) + 1 > LIMITS.max_orders_per_minute:
            return "max_orders_per_minute"
        return "max_repeats" if self._run(order, at) > LIMITS.max_repeats else ""

    def _run(self, order: Order, at: int) -> int:
        length, last = 1, at
        for each, when, _ in reversed(self.accepted):
            if each.leg != order.leg:
                continue
            if each.side != order.side or last - when >= LIMITS.repeat_ns:
                break
            length, last = length + 1, when
        return length


STEPS = st.lists(
    st.tuples(
        st.sampled_from([1, 5 * SECOND, 20 * SECOND, 50 * SECOND, 90 * SECOND, 150 * SECOND]),
        st.sampled_from(["buy", "buy", "sell"]),
        st.sampled_from(["swap", "other"]),
        st.sampled_from([100.0, 200.0, 300.0, 400.0]),
        st.sampled_from([0, 0, 0, 0, 1]),
        st.booleans(),
    ),
    max_size=40,
)


@given(STEPS)
def test_it_refuses_what_a_naive_model_refuses_through_every_restart(
    steps: list[tuple[int, str, str, float, int, bool]],
) -> None:
    history, naive, at, session = History(LIMITS, HistoryState()), Naive(), 0, 0
    for after, side, leg, quantity, days, restarts in steps:
        at, session = at + after, session + days
        order = make_order(1, side=side, leg=leg, quantity=quantity, notional=22.0 * quantity)
        assert _reason_at(history, order, at, session) == naive.refuses(order, at, session)
        if not naive.refuses(order, at, session):
            naive.accepted.append((order, at, session))
            history.count(order, at, session)
        if restarts:
            stored = msgspec.msgpack.encode(history.snapshot())
            history = History(LIMITS, msgspec.msgpack.decode(stored, type=HistoryState))


def _reason_at(history: History, order: Order, at: int, session: int) -> str:
    refusal = history.refuses(order, at, session)
    return "" if refusal is None else refusal.reason


@pytest.mark.parametrize("many", [1000])
def test_it_remembers_no_more_than_a_minute_and_the_duplicate_window(many: int) -> None:
    history = History(WIDE, HistoryState())
    for number in range(many):
        history.count(make_order(1, quantity=float(number)), number * SECOND, 1)
    state = history.snapshot()
    assert (len(state.minute), len(state.passed), len(state.runs)) == (60, 1, 1)
