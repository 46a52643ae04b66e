from typing import Any

import msgspec
import pytest
from fakes.hedged_market import LIMITS
from fakes.orders import make_order
from msgspec import structs

from shared.domain.dealing.pretrade import Block
from shared.domain.dealing.throttles import Throttles, ThrottleState
from shared.domain.instants import HOUR, MINUTE, SECOND
from shared.domain.orders import Order


def throttles(**limits: float) -> Throttles:
    return Throttles(structs.replace(LIMITS, **limits), ThrottleState())


def order(at_ns: int, quantity: float = 100.0, **fields: Any) -> Order:  # noqa: ANN401 - any of its fields
    return make_order(1, event_ns=at_ns, quantity=quantity, notional=quantity * 20.0, **fields)


def admit(found: Throttles, at_ns: int, quantity: float = 100.0, **fields: Any) -> str:  # noqa: ANN401 - as above
    block = found.admit(order(at_ns, quantity, **fields), 0)
    return "" if block is None else block.control


# --- a session's counts ----------------------------------------------------------------------


def test_orders_of_a_session_are_counted_and_the_next_one_starts_afresh() -> None:
    found = throttles(max_orders_per_day=2)
    assert [admit(found, at) for at in (1, 2, 3)] == ["", "", "max_orders_per_day"]
    assert found.admit(order(4), 0) == Block("max_orders_per_day", {"value": 3.0, "limit": 2.0})
    assert found.admit(order(5), 1) is None


def test_the_turnover_of_a_session_ends_at_its_limit_and_not_before() -> None:
    found = throttles(max_daily_turnover=5000.0)
    assert admit(found, 1, 100.0) == ""
    assert admit(found, 2, 150.5) == "max_daily_turnover"
    assert admit(found, 3, 150.0) == ""
    assert found.admit(order(4, 0.5), 0) == Block(
        "max_daily_turnover", {"value": 5010.0, "limit": 5000.0}
    )
    assert found.admit(order(5, 250.0), 1) is None


def test_what_was_blocked_does_not_count() -> None:
    found = throttles(max_daily_turnover=5000.0, max_orders_per_day=2)
    for at in range(10):
        admit(found, at, 300.0)
    assert found.snapshot() == structs.replace(ThrottleState(), session=0)


# --- the same intent twice -------------------------------------------------------------------


def test_the_same_order_again_within_the_window_is_a_duplicate_and_after_it_is_not() -> None:
    found = throttles(duplicate_ns=5 * MINUTE)
    assert admit(found, 0) == ""
    assert admit(found, 5 * MINUTE - 1) == "duplicate"
    assert admit(found, 5 * MINUTE) == ""


@pytest.mark.parametrize(
    "other", [{"leg": "future"}, {"side": "sell"}, {"quantity": 100.00000000000001}]
)
def test_another_leg_side_or_quantity_is_another_intent(other: dict[str, Any]) -> None:
    found = throttles(duplicate_ns=MINUTE)
    assert admit(found, 0) == ""
    assert admit(found, 1, **other) == ""
    assert admit(found, 2) == "duplicate"


# --- too fast, and again and again -----------------------------------------------------------


def test_one_order_too_many_in_a_minute_stops_the_book() -> None:
    found = throttles(max_orders_per_minute=3)
    assert [admit(found, at * 20 * SECOND) for at in range(4)] == [""] * 4  # 60 s apart: no minute
    assert admit(found, 61 * SECOND) == "rate"
    assert found.stopped == Block("rate", {"value": 4.0, "limit": 3.0})
    assert admit(found, 5 * HOUR) == "rate"
    assert found.admit(order(30 * HOUR), 1) == found.stopped


def test_one_order_too_many_in_a_row_on_a_leg_and_side_stops_the_book() -> None:
    found = throttles(max_repeats=3, repeat_ns=10 * MINUTE)
    later = [0, 10 * MINUTE - 1, 20 * MINUTE - 2]
    assert [admit(found, at) for at in later] == ["", "", ""]
    assert admit(found, 30 * MINUTE - 3) == "repeat"
    assert found.stopped == Block("repeat", {"value": 4.0, "limit": 3.0})


def test_a_pause_or_the_other_side_ends_a_row_and_another_leg_has_its_own() -> None:
    found = throttles(max_repeats=2, repeat_ns=10 * MINUTE)
    assert [admit(found, 0), admit(found, 1), admit(found, 2, leg="future")] == [""] * 3
    assert admit(found, 10 * MINUTE + 1) == ""  # ten minutes after the last
    assert admit(found, 10 * MINUTE + 2) == ""
    assert admit(found, 10 * MINUTE + 3, side="sell") == ""
    assert admit(found, 10 * MINUTE + 4) == ""
    assert admit(found, 10 * MINUTE + 5) == ""
    assert admit(found, 10 * MINUTE + 6) == "repeat"


def test_a_runaway_of_a_thousand_orders_a_second_gets_as_many_as_the_limit() -> None:
    found = throttles(max_orders_per_minute=4)
    said = [admit(found, at * SECOND // 1000, 1.0 + at) for at in range(1000)]
    assert said == [""] * 4 + ["rate"] * 996


@pytest.mark.parametrize("attempts", [2, 3])
def test_resumed_it_starts_afresh_as_to_rate_and_repeats_and_as_to_nothing_else(
    attempts: int,
) -> None:
    found = throttles(
        max_orders_per_minute=2, max_repeats=2, max_orders_per_day=4, duplicate_ns=MINUTE
    )
    for at in range(attempts):
        admit(found, at, 100.0 + at)
    assert (found.stopped is not None) is (attempts == 3)
    found.resume()
    assert found.stopped is None
    assert admit(found, 10, 100.0) == "duplicate"
    assert [admit(found, at, 110.0 + at) for at in (11, 12)] == ["", ""]
    assert admit(found, MINUTE + 20, 130.0) == "max_orders_per_day"


# --- state -----------------------------------------------------------------------------------


def test_only_what_a_window_may_still_need_is_remembered() -> None:
    found = throttles(
        max_orders_per_minute=1000,
        max_orders_per_day=1000,
        max_repeats=1000,
        duplicate_ns=2 * MINUTE,
    )
    for at in range(500):
        assert admit(found, at * SECOND, 1.0 + at) == ""
    assert (len(found.snapshot().minute), len(found.snapshot().recent)) == (60, 120)


@pytest.mark.parametrize("stop", [False, True])
def test_throttles_go_on_from_their_snapshot(*, stop: bool) -> None:
    limits = structs.replace(LIMITS, max_orders_per_minute=3, duplicate_ns=MINUTE)
    found = Throttles(limits, ThrottleState())
    for at in range(5 if stop else 2):
        admit(found, at, 100.0 + at)
    assert (found.stopped is not None) is stop
    stored = msgspec.msgpack.encode(found.snapshot())
    again = Throttles(limits, msgspec.msgpack.decode(stored, type=ThrottleState))
    assert again.snapshot() == found.snapshot()
    assert [admit(again, 6), admit(again, 7, 101.0)] == [admit(found, 6), admit(found, 7, 101.0)]
