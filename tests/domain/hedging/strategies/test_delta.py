from typing import Any

import pytest
from fakes.hedged_market import CALENDAR, MONDAY, restarted, timeless
from fakes.measured_market import BAND, DELTA, SHARES, MeasuredMarket, strategy_book
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from shared.domain.effects import AlertRaised, OrderWithheld, StrategyTold, TargetChanged
from shared.domain.events import ExecutionKind
from shared.domain.hedging.book import HedgeBook
from shared.domain.hedging.strategies.delta import DeltaStrategy
from shared.domain.hedging.strategies.state import StrategyState
from shared.domain.instants import DAY, HOUR, MINUTE, SECOND
from shared.domain.orders import Order
from shared.domain.strategy_policies import BandKind, DeltaPolicy
from shared.domain.trading import TradingState


def delta(**band: Any) -> DeltaPolicy:  # noqa: ANN401 - any of its fields
    return structs.replace(DELTA, band=structs.replace(BAND, **band))


def sold(orders: list[Order]) -> list[float]:
    return [order.signed_quantity for order in orders]


def whats(market: MeasuredMarket) -> list[tuple[str, str]]:
    return [(each.what, each.where) for each in market.of(AlertRaised)]


def told(market: MeasuredMarket) -> StrategyTold:
    target: TargetChanged = market.of(TargetChanged)[-1]
    assert isinstance(target.strategies, tuple)
    return target.strategies[0]


# --- trading to the edge -----------------------------------------------------------------------


def test_what_lies_beyond_the_band_is_traded_to_its_edge() -> None:
    market = MeasuredMarket(strategy_book(delta(half_width=100.0)))
    market.measure(6000.0)
    (order,) = market.orders
    assert (order.side, order.quantity, order.trigger) == ("sell", 5900.0, "band.delta")
    assert (order.delta, order.vega, order.target_quantity) == (-5900.0, 0.0, -5900.0)
    assert order.notional == 590_000.0
    market.fill()
    market.measure(6001.0, after=SECOND)
    market.measure(5950.0, after=SECOND)
    market.measure(5801.0, after=SECOND)
    assert sold(market.orders) == [-5900.0, -1.0]
    market.measure(5799.0, after=SECOND)
    market.fill()
    market.measure(5600.0, after=SECOND)
    assert sold(market.orders) == [-5900.0, -1.0, 2.0, 199.0]


def test_a_target_is_held_as_well_as_nothing() -> None:
    market = MeasuredMarket(strategy_book(structs.replace(DELTA, target=1000.0)))
    market.measure(6000.0)
    assert sold(market.orders) == [-5000.0]


def test_less_than_the_smallest_trade_is_let_be() -> None:
    market = MeasuredMarket(strategy_book(structs.replace(DELTA, min_trade=50.0)))
    market.measure(49.0)
    assert market.orders == []
    market.measure(50.0, after=SECOND)
    assert sold(market.orders) == [-50.0]


def test_a_leg_is_traded_in_its_lots() -> None:
    legs = (structs.replace(SHARES, lot=100.0),)
    market = MeasuredMarket(strategy_book(legs=legs))
    market.measure(6049.0)
    market.fill()
    market.measure(6049.0, after=SECOND)
    assert sold(market.orders) == [-6000.0]


def test_a_future_hedges_the_index_it_is_on() -> None:
    future = structs.replace(
        SHARES, name="es", instrument="future", symbol="ESZ26", multiplier=50.0
    )
    book = strategy_book(structs.replace(DELTA, leg="es"), legs=(future,))
    market = MeasuredMarket(book)
    market.marks |= {"ESZ26": 102.0}
    market.marked_at |= {"ESZ26": market.now}
    market.greeks["level.ESZ26"] = 102.0
    market.measure(6000.0)
    (order,) = market.orders
    assert (order.quantity, order.delta) == (118.0, -118 * 50.0)  # 6000 / (50 × 1.02) = 117.6
    assert order.notional == 118 * 50 * 102.0


# --- what counts -------------------------------------------------------------------------------


def test_an_open_order_counts_as_position() -> None:
    market = MeasuredMarket()
    market.measure(6000.0)
    market.measure(6000.0, after=SECOND)
    market.measure(6500.0, after=SECOND)
    assert sold(market.orders) == [-6000.0, -500.0]


def test_a_fill_that_the_measurement_does_not_count_yet_is_not_hedged_again() -> None:
    market = MeasuredMarket()
    market.measure(6000.0)
    market.fill()
    market.counted = {"XYZ": 0.0}  # made before the fill was journalled
    market.measure(6000.0, after=SECOND)
    market.counted = None
    market.measure(6000.0, after=SECOND)
    assert sold(market.orders) == [-6000.0]


def test_a_rest_that_will_never_trade_is_ordered_again_after_the_retry() -> None:
    market = MeasuredMarket()
    market.measure(6000.0)
    market.send(market.report(market.orders[-1], ExecutionKind.PARTIAL, -2000.0, 100.0))
    market.send(market.report(market.orders[-1], ExecutionKind.EXPIRE, reason="past it"))
    market.measure(after=30 * SECOND)
    assert len(market.orders) == 1
    market.measure(after=31 * SECOND)
    assert sold(market.orders) == [-6000.0, -4000.0]


# --- blindness ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("missing", "reason"),
    [
        ("delta.XYZ", "delta.XYZ is not measured"),
        ("gamma.XYZ", "gamma.XYZ is not measured"),
        ("volatility.XYZ", "volatility.XYZ is not measured"),
        ("filled.XYZ", "filled.XYZ is not measured"),
        ("coverage", "coverage is not measured"),
    ],
)
def test_without_a_greek_nothing_is_done_and_that_is_said_once(missing: str, reason: str) -> None:
    market = MeasuredMarket()
    market.gone.add(missing)
    for _ in range(3):
        market.measure(6000.0, after=SECOND)
    assert market.orders == []
    assert whats(market).count(("strategy_blind", f"delta: {reason}")) == 1
    market.gone.clear()
    market.measure(6000.0, after=SECOND)
    assert sold(market.orders) == [-6000.0]
    assert whats(market)[-1] == ("strategy_sees", "delta")


def test_a_position_without_a_mark_stops_it() -> None:
    market = MeasuredMarket()
    for coverage in (0.9, 0.8):
        market.measure(6000.0, coverage=coverage, after=SECOND)
    assert market.orders == []
    assert whats(market)[1:] == [("strategy_blind", "delta: positions without a mark")]
    assert market.of(AlertRaised)[-1].figures == {"coverage": 0.9, "limit": 1.0}


def test_a_stale_measurement_stops_it_and_time_alone_says_so() -> None:
    market = MeasuredMarket(strategy_book(delta(half_width=10_000.0)))
    market.measure(6000.0)
    deadline = market.book.next_deadline()
    assert deadline == market.now + MINUTE + 1
    assert market.book.advance_to(deadline - 1) == ()
    (alert,) = market.book.advance_to(deadline)
    assert isinstance(alert, AlertRaised)
    assert alert.where == "delta: the measurement is stale"


def test_a_band_without_an_answer_stops_it() -> None:
    market = MeasuredMarket(strategy_book(delta(kind="leland", proportional_cost=0.5)))
    market.measure(6000.0)
    assert market.orders == []
    assert "no band of kind leland: Leland number" in whats(market)[-1][1]


def test_an_operator_is_told_when_it_cannot_see() -> None:
    market = MeasuredMarket()
    market.clock()
    market.ask()
    assert ("target_unknown", "operator") in whats(market)


def test_nothing_is_measured_outside_a_session() -> None:
    market = MeasuredMarket(now=MONDAY - HOUR)
    market.measure(6000.0)
    assert market.orders == []
    assert market.book.snapshot().strategies["delta"].accounts == ()
    market.measure(6000.0, after=HOUR)
    assert sold(market.orders) == [-6000.0]


# --- schedules ---------------------------------------------------------------------------------


def test_a_timed_band_waits_for_its_interval_and_then_trades_to_the_centre() -> None:
    market = MeasuredMarket(strategy_book(delta(kind="time", interval_trading_ns=HOUR)))
    market.measure(6000.0)
    market.fill()
    market.measure(6500.0, after=59 * MINUTE)
    assert sold(market.orders) == [-6000.0]
    market.measure(6600.0, after=2 * MINUTE)
    market.fill()
    market.measure(6700.0, after=58 * MINUTE)
    market.measure(6800.0, after=MINUTE)  # on the grid: two hours after the first
    assert sold(market.orders) == [-6000.0, -600.0, -200.0]


def test_an_operator_does_not_wait_for_it() -> None:
    market = MeasuredMarket(strategy_book(delta(kind="time", interval_trading_ns=HOUR)))
    market.measure(6000.0)
    market.fill()
    market.measure(6500.0, after=MINUTE)
    market.ask()
    assert sold(market.orders) == [-6000.0, -500.0]
    assert market.orders[-1].reason.startswith("operator ann: review; band.delta: net_delta 500")


def test_a_timed_hedge_that_failed_is_due_again() -> None:
    market = MeasuredMarket(strategy_book(delta(kind="time", interval_trading_ns=HOUR)))
    market.measure(6000.0)
    market.send(market.report(market.orders[-1], ExecutionKind.REJECT, reason="no"))
    market.measure(after=61 * SECOND)
    assert sold(market.orders) == [-6000.0, -6000.0]


def test_leland_hedges_the_delta_of_its_own_volatility() -> None:
    leland = {"kind": "leland", "proportional_cost": 0.001, "interval_trading_ns": 390 * MINUTE}
    market = MeasuredMarket(strategy_book(delta(**leland)))
    market.measure(6000.0, vanna__XYZ=1000.0)
    shift = 1000.0 * (0.186905 - 0.2)  # spec 11, long gamma
    assert sold(market.orders) == [-round(6000.0 + shift)]
    assert told(market).figures["shift"] == pytest.approx(shift, abs=1e-2)


# --- controls ----------------------------------------------------------------------------------


def test_a_halted_book_decides_and_sends_nothing() -> None:
    market = MeasuredMarket()
    market.set_trading(TradingState.HALTED)
    market.measure(6000.0)
    assert market.orders == []
    (withheld,) = market.of(OrderWithheld)
    assert (withheld.control, withheld.figures) == ("halted", {"delta": -6000.0})
    market.set_trading(TradingState.ACTIVE)
    market.measure(after=SECOND)
    assert sold(market.orders) == [-6000.0]


def test_a_limit_of_delta_blocks_and_is_named() -> None:
    market = MeasuredMarket()
    market.measure(10_001.0)
    (withheld,) = market.of(OrderWithheld)
    assert (withheld.control, withheld.figures["value"]) == ("max_order_delta", 10_001.0)
    assert market.orders == []


def test_a_leg_without_a_price_is_not_ordered() -> None:
    market = MeasuredMarket()
    del market.marks["XYZ"]
    market.measure(6000.0)
    assert [each.control for each in market.of(OrderWithheld)] == ["mark"]
    assert market.of(TargetChanged)[-1].legs[0].quantity is None


# --- what is shown -----------------------------------------------------------------------------


def test_every_band_is_kept_beside_the_one_taken_and_shown_with_its_cost() -> None:
    market = MeasuredMarket(strategy_book(delta(half_width=100.0)))
    market.measure(6000.0)
    market.fill()
    market.measure(6300.0, after=SECOND)
    shown = told(market)
    assert (shown.strategy, shown.band) == ("delta", "fixed")
    assert shown.figures["net_delta"] == 400.0
    bands = {band.kind: band for band in shown.bands}
    assert (bands["fixed"].trades, bands["fixed"].cost, bands["fixed"].hedge) == (2, 100.0, -6200.0)
    assert (bands["time"].trades, bands["time"].hedge) == (1, -6000.0)
    assert bands["whalley_wilmott"].trades == 2


def test_the_overlay_has_nothing_of_this() -> None:
    state = StrategyState()
    strategy = DeltaStrategy(DELTA, (SHARES,), state)
    assert (strategy.name, strategy.state) == ("delta", state)


# --- laws --------------------------------------------------------------------------------------

Run = list[tuple[str, float, int]]

steps = st.lists(
    st.tuples(
        st.sampled_from(["measure", "measure", "fill", "reject", "ask", "blind", "clock"]),
        st.floats(-3000, 3000),
        st.sampled_from([SECOND, MINUTE, HOUR, DAY]),
    ),
    max_size=12,
)
kinds: st.SearchStrategy[BandKind] = st.sampled_from(
    ["fixed", "time", "leland", "whalley_wilmott", "zakamouline"]
)


def play(market: MeasuredMarket, kind: str, size: float, after: int) -> None:
    open_orders = market.orders
    if kind == "measure":
        market.print(100.0 + size / 1000)
        market.measure(size, after=after)
    elif kind in {"fill", "reject"} and open_orders:
        order = open_orders[-1]
        reports = {"fill": ExecutionKind.FILL, "reject": ExecutionKind.REJECT}
        traded = order.signed_quantity if kind == "fill" else 0.0
        market.send(market.report(order, reports[kind], traded, 100.0 if kind == "fill" else None))
    elif kind == "ask":
        market.ask()
    elif kind == "blind":
        market.measure(size, after=after, coverage=0.5)
        market.greeks["coverage"] = 1.0
    else:
        market.clock(after=after)


@settings(max_examples=30, deadline=None)
@given(kinds, steps, st.integers(0, 12))
def test_through_a_restart_it_goes_on_as_if_never_stopped(
    kind: BandKind, run: Run, at: int
) -> None:
    book = strategy_book(structs.replace(delta(kind=kind, half_width=50.0), scalps=True))
    steady, stopped = MeasuredMarket(book), MeasuredMarket(book)
    for number, step in enumerate(run):
        if number == at:
            stopped.book = restarted(stopped.book, book)
        play(steady, *step)
        play(stopped, *step)
    assert stopped.effects == steady.effects
    assert stopped.book.snapshot() == steady.book.snapshot()


@settings(max_examples=30, deadline=None)
@given(kinds, steps)
def test_nothing_happens_before_the_deadline_and_something_at_it(kind: BandKind, run: Run) -> None:
    book = strategy_book(delta(kind=kind, half_width=50.0))
    market = MeasuredMarket(book)
    for step in run:
        play(market, *step)
    deadline = market.book.next_deadline()
    if deadline is None:
        return
    before = HedgeBook.resume(book, CALENDAR, "digest", market.book.snapshot())
    state = timeless(before.snapshot())
    if deadline - 1 > market.now:
        assert before.advance_to(deadline - 1) == ()
        assert timeless(before.snapshot()) == state
    effects = before.advance_to(deadline)
    assert effects or timeless(before.snapshot()) != state
