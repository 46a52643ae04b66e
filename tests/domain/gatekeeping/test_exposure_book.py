from math import isnan, nan

import msgspec
import pytest
from fakes.books import LOOSE
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.accounts.rolled import Rolled
from shared.domain.events import ExecutionKind, ExecutionReported
from shared.domain.gatekeeping.exposure_book import (
    ExposureBook,
    ExposureState,
    measure_for,
    size_of_one,
    vega_of_one,
)
from shared.domain.policies import (
    BookPolicy,
    Instrument,
    LegPolicy,
    RulePolicy,
    SizingPolicy,
)
from shared.domain.signals_observed import Mark


def leg(name: str, instrument: Instrument, symbol: str, **fields: float | None) -> LegPolicy:
    made = LegPolicy(
        name=name, instrument=instrument, symbol=symbol, maturity_days=90, max_vega=1e6
    )
    return msgspec.structs.replace(made, **fields)


SWAP = leg("swap", "variance_swap", "VIX")
FUTURE = leg("future", "vix_future", "VX1", multiplier=1000.0)
CALL = leg("call", "vix_call", "C20", multiplier=100.0, vega_per_unit=0.5)
BOOK = BookPolicy(
    name="overlay",
    rules=(RulePolicy(kind="linear"),),
    sizing=SizingPolicy(base_vega=1000.0),
    legs=(SWAP, FUTURE),
    limits=LOOSE,
)


def report(
    order_id: str, kind: ExecutionKind, quantity: float = 0.0, price: float | None = None
) -> ExecutionReported:
    return ExecutionReported(
        book="overlay",
        order_id=order_id,
        execution_id=f"{order_id}-1",
        kind=kind,
        quantity=quantity,
        price=price,
        event_ns=1,
    )


def marks(vix: float = 20.0, future: float = 21.0) -> dict[str, Mark]:
    return {"VIX": Mark(level=vix, event_ns=1), "VX1": Mark(level=future, event_ns=1)}


def book(commission: float = 0.0) -> ExposureBook:
    return ExposureBook(BOOK, commission, ExposureState())


@pytest.mark.parametrize(
    ("of", "vega"),
    [(SWAP, 1.0), (FUTURE, 1000.0), (CALL, 50.0), (leg("call", "put", "P"), nan)],
)
def test_the_vega_of_one_unit_is_by_instrument_and_unknown_is_no_number(
    of: LegPolicy, vega: float
) -> None:
    assert vega_of_one(of) == vega or (isnan(vega) and isnan(vega_of_one(of)))


def test_open_orders_count_as_position_until_they_end() -> None:
    exposure = book()
    exposure.place("a", "swap", 400.0)
    exposure.place("b", "future", -2.0)
    assert exposure.vega() == 400.0 - 2000.0
    exposure.take(report("a", ExecutionKind.NEW))
    exposure.take(report("a", ExecutionKind.PARTIAL, 100.0, 20.0))
    assert exposure.vega() == 400.0 - 2000.0
    exposure.take(report("a", ExecutionKind.CANCEL))
    exposure.take(report("b", ExecutionKind.EXPIRE))
    assert exposure.vega() == 100.0
    assert exposure.open_orders == ()


def test_a_fill_that_is_more_than_the_order_is_held_all_the_same() -> None:
    exposure = book()
    exposure.place("a", "swap", 400.0)
    exposure.take(report("a", ExecutionKind.FILL, 500.0, 20.0))
    assert exposure.vega() == 500.0


def test_a_refusal_is_about_no_order_of_the_book() -> None:
    exposure = book()
    exposure.take(report("never", ExecutionKind.REJECT))
    assert exposure.snapshot() == book().snapshot()


def test_what_was_lost_is_marked_against_the_sessions_beginning_with_costs() -> None:
    exposure = book(commission=3.0)
    exposure.see(marks(), 1)
    exposure.place("a", "future", 2.0)
    exposure.take(report("a", ExecutionKind.FILL, 2.0, 21.5))  # 0.5 above the mark
    assert exposure.loss(marks(), 1) == 1000.0 + 3.0
    assert exposure.loss(marks(future=20.0), 1) == 3000.0 + 3.0
    assert exposure.loss(marks(future=25.0), 1) == -7000.0 + 3.0


def test_a_new_session_begins_at_what_the_last_one_ended_with() -> None:
    exposure = book()
    exposure.place("a", "future", 2.0)
    exposure.take(report("a", ExecutionKind.FILL, 2.0, 21.0))
    exposure.see(marks(future=20.0), 1)
    assert exposure.loss(marks(future=20.0), 2) == 0.0, "asked before it is seen"
    exposure.see(marks(future=19.0), 2)
    assert exposure.loss(marks(future=19.0), 2) == 2000.0, "the gap at the open counts"


def test_without_a_usable_mark_the_last_price_counts() -> None:
    exposure = book()
    exposure.place("a", "future", 2.0)
    exposure.take(report("a", ExecutionKind.FILL, 2.0, 21.0))
    assert exposure.loss({}, -1) == 0.0
    exposure.see({"VX1": Mark(level=20.0, event_ns=1)}, -1)
    exposure.see({"VX1": Mark(level=-1.0, event_ns=2)}, -1)
    assert exposure.loss({}, -1) == 2000.0


def test_a_leg_that_is_no_longer_configured_is_forgotten() -> None:
    state = ExposureState(positions={"gone": 5.0, "swap": 7.0})
    other = book()
    other.place("a", "swap", 3.0)
    opened = msgspec.structs.replace(
        state,
        open_orders={
            **other.snapshot().open_orders,
            "b": msgspec.convert(["gone", 1.0], type(other.snapshot().open_orders["a"])),
        },
    )
    assert ExposureBook(BOOK, 0.0, opened).vega() == 10.0


Step = tuple[str, float, float, int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["place", "partial", "fill", "cancel", "see"]),
        st.sampled_from([-3.0, -1.0, 1.0, 2.0]),
        st.sampled_from([18.0, 20.0, 25.0]),
        st.integers(0, 3),
    ),
    max_size=30,
)


def play(exposure: ExposureBook, step: Step, number: int) -> None:
    what, quantity, price, session = step
    if what == "place":
        exposure.place(f"o{number}", "future", quantity)
    elif what == "see":
        exposure.see(marks(price, price), session)
    elif exposure.open_orders:
        traded = 0.0 if what == "cancel" else quantity
        exposure.take(
            report(exposure.open_orders[0], ExecutionKind(what), traded, price if traded else None)
        )


@given(STEPS, st.integers(0, 30))
def test_a_restart_at_any_moment_changes_nothing(steps: list[Step], cut: int) -> None:
    whole, parted = book(1.0), book(1.0)
    for number, step in enumerate(steps):
        if number == cut:
            stored = msgspec.msgpack.encode(parted.snapshot())
            parted = ExposureBook(BOOK, 1.0, msgspec.msgpack.decode(stored, type=ExposureState))
        play(whole, step, number)
        play(parted, step, number)
        assert parted.snapshot() == whole.snapshot()
        assert parted.loss(marks(), 1) == whole.loss(marks(), 1)


@given(STEPS)
def test_cash_and_positions_are_the_sum_of_all_that_traded(steps: list[Step]) -> None:
    exposure, cash, held = book(), 0.0, 0.0
    for number, step in enumerate(steps):
        what, quantity, price, _ = step
        if what in {"partial", "fill"} and exposure.open_orders:
            cash, held = cash - quantity * price * 1000.0, held + quantity
        play(exposure, step, number)
    state = exposure.snapshot()
    assert (state.cash, state.positions["future"]) == (cash, held)


SHARES = leg("shares", "underlying", "XYZ")
ES = leg("es", "future", "ESZ26", multiplier=50.0)


def test_legs_held_for_their_delta_are_added_up_by_themselves() -> None:
    book = msgspec.structs.replace(BOOK, legs=(SWAP, SHARES, ES))
    exposure = ExposureBook(book, 0.0, ExposureState())
    exposure.place("a", "swap", 400.0)
    exposure.place("b", "shares", -600.0)
    exposure.place("c", "es", 2.0)
    assert (exposure.size("vega"), exposure.size("delta")) == (400.0, -500.0)
    assert exposure.furthest("delta", -10.0) == 610.0
    assert exposure.furthest("delta", 10.0) == 110.0
    assert exposure.furthest("vega", 10.0) == 410.0
    assert (exposure.size("delta", "shares"), exposure.size("delta", "es")) == (-600.0, 100.0)
    assert exposure.furthest("delta", -10.0, "shares") == 610.0
    assert exposure.furthest("delta", 10.0, "shares") == 10.0


def test_of_one_unit_the_size_is_what_its_limits_are_told_in() -> None:
    assert [(measure_for(each), size_of_one(each)) for each in (SWAP, SHARES, ES, CALL)] == [
        ("vega", 1.0),
        ("delta", 1.0),
        ("delta", 50.0),
        ("vega", 50.0),
    ]


def test_a_roll_is_neither_lost_nor_earned() -> None:
    exposure = ExposureBook(BOOK, 0.0, ExposureState())
    exposure.place("a", "future", 3.0)
    exposure.take(report("a", ExecutionKind.FILL, 3.0, 15.0))
    exposure.see(marks(future=15.0), 1)
    exposure.roll(Rolled(symbol="VX1", event_ns=2, given_up=15.0, taken_on=17.0))
    assert exposure.loss(marks(future=17.0), 2) == 0.0
    assert exposure.loss(marks(future=16.5), 2) == 1500.0
