"""The fold: every view, and that it does not matter how entries come together."""

import re
from itertools import pairwise
from math import inf

import pytest
from fakes.hedged_market import CALENDAR, FUTURE, MONDAY, SWAP, policy
from fakes.pictured_market import PicturedMarket
from hypothesis import given, settings
from hypothesis import strategies as st

from services.dashboard.picture import Picture
from services.dashboard.triggers import TriggersPicture
from shared.domain.effects import TriggerChanged
from shared.domain.events import ExecutionKind
from shared.domain.hedging.session_clock import SessionClock
from shared.domain.hedging.triggers import TriggerRun
from shared.domain.instants import DAY, MINUTE, SECOND
from shared.domain.policies import BudgetPolicy
from shared.domain.signals_observed import Quality
from shared.wire.announcements import announce
from shared.wire.messages import AckMessage, AlertMessage, TradingStateMessage
from shared.wire.times import format_instant
from shared.wire.views import TriggerView


def eventful() -> PicturedMarket:
    """Hedged, a move that fires, a partial fill, and a whipsaw that begins."""
    market = PicturedMarket(
        policy(
            legs=(SWAP, FUTURE),
            sizing={"budget": BudgetPolicy(annual=100_000.0), "floor": 0.2},
        )
    )
    market.hedged()
    market.vix(22.0, after=MINUTE)
    for _ in range(5):
        market.vix(22.0, after=5 * MINUTE)
    market.fill()
    market.vix(26.0, after=20 * MINUTE)
    return market


def trigger(picture: Picture, name: str) -> TriggerView:
    (found,) = [each for each in picture.book("overlay").triggers if each.trigger == name]
    return found


# --- laws ---------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 40), max_size=6), st.lists(st.integers(0, 40), max_size=6))
@settings(max_examples=30, deadline=None)
def test_how_entries_come_together_changes_nothing(cuts: list[int], others: list[int]) -> None:
    market, whole = eventful(), eventful().picture()
    picture = market.empty_picture()
    for begin, end in pairwise(sorted({0, *cuts, len(market.log)})):
        picture.take_log(market.log[begin:end])
    for begin, end in pairwise(sorted({0, *others, len(market.decisions)})):
        picture.take_decisions(market.decisions[begin:end])
    picture.take_hedger(market.state())
    assert picture.market.view() == whole.market.view()
    assert picture.book("overlay") == whole.book("overlay")
    assert picture.orders.newest(100) == whole.orders.newest(100)
    assert picture.alerts.newest(100) == whole.alerts.newest(100)
    for scope in ("", "overlay"):
        assert picture.history_of(scope, 0, 5_000) == whole.history_of(scope, 0, 5_000)


@pytest.mark.parametrize("log_first", [True, False])
def test_which_log_is_read_first_changes_no_order(log_first: bool) -> None:  # noqa: FBT001 - one of two
    market = eventful()
    picture = market.empty_picture()
    if log_first:
        picture.take_log(market.log)
        picture.take_decisions(market.decisions)
    else:
        picture.take_decisions(market.decisions)
        picture.take_log(market.log)
    picture.take_hedger(market.state())
    assert picture.orders.newest(100) == market.picture().orders.newest(100)
    assert picture.book("overlay") == market.picture().book("overlay")


# --- the market ---------------------------------------------------------------------------------


def test_before_the_first_event_nothing_is_claimed() -> None:
    picture = PicturedMarket().empty_picture()
    view = picture.market.view()
    assert (view.event_time, view.signals, view.curve, view.regime) == (None, {}, (), None)
    book = picture.book("overlay")
    assert (book.target, book.summary.target_vega, book.summary.current_vega) == (None, None, None)
    assert book.summary.state == "unknown"
    assert book.summary.quality == "warming"


def test_the_market_is_shown_without_what_belongs_to_books() -> None:
    picture = eventful().picture()
    signals = picture.market.view().signals
    assert signals["vix"].value == 26.0
    assert not any(name.startswith(("drawdown", "hedge_correlation", "nav")) for name in signals)
    assert set(picture.book("overlay").signals) == {"drawdown", "hedge_correlation", "nav"}


def test_the_curve_is_of_the_futures_that_are_quoted_with_vix_at_its_begin() -> None:
    spot, future = eventful().picture().market.view().curve
    assert (spot.symbol, spot.days, spot.level) == ("VIX", 0.0, 26.0)
    assert future.symbol == "VX6"
    assert future.days == pytest.approx(180.0)


def test_the_regime_stands_since_it_changed() -> None:
    market = PicturedMarket()
    market.vix(18.0)
    market.tick(regime=2.0, after=MINUTE)
    changed = market.now
    market.clock(after=MINUTE)
    regime = market.picture().market.view().regime
    assert regime is not None
    assert (regime.state, regime.since) == ("high", format_instant(changed))


def test_since_when_a_regime_stands_is_not_claimed_of_a_log_that_was_trimmed() -> None:
    market = PicturedMarket()
    market.vix(18.0)
    market.clock(after=MINUTE)
    picture = market.empty_picture()
    picture.take_log(market.log[1:])
    regime = picture.market.view().regime
    assert regime is not None
    assert (regime.state, regime.since) == ("medium", None)


# --- a book -------------------------------------------------------------------------------------


def test_target_and_hedge_stand_side_by_side() -> None:
    market = eventful()
    summary = market.picture().summary("overlay")
    assert summary.target_vega == 1000.0
    assert summary.current_vega == market.book.position("swap") + 1000 * market.book.position(
        "future"
    )
    assert summary.quality == "good"


def test_the_clamp_that_binds_is_named() -> None:
    market = PicturedMarket(policy(sizing={"floor": 0.2}))
    market.vix(12.5)
    assert market.picture().summary("overlay").binding == "floor_and_cap"
    market = PicturedMarket()
    market.vix(18.0)
    assert market.picture().summary("overlay").binding == ""


def test_persistence_is_counted_as_the_hedger_counts_it() -> None:
    market = PicturedMarket().hedged()
    assert isinstance(market, PicturedMarket)
    market.vix(22.0, after=MINUTE)
    since = market.now
    market.vix(22.0, after=4 * MINUTE)
    market.clock(after=5 * MINUTE)
    found = trigger(market.picture(), "vix_move")
    assert found.state == "pending"
    assert (found.observations, found.observations_needed) == (2, 3)
    assert (found.held_s, found.hold_s) == (540.0, 900.0)
    assert found.since == format_instant(since)
    assert found.inputs["reference_vix"] == 18.0
    assert market.picture().summary("overlay").pending == ("vix_move",)


def test_a_trigger_that_rests_shows_what_it_fired_for() -> None:
    market = PicturedMarket().hedged()
    assert isinstance(market, PicturedMarket)
    for _ in range(4):
        market.vix(22.0, after=6 * MINUTE)
    rests = trigger(market.picture(), "vix_move")
    assert rests.state == "cooldown"
    told = r"resting after decision 2 until [-: 0-9]+ UTC; fired: the hold is complete"
    assert re.fullmatch(told, rests.reason)
    assert rests.inputs["reference_vix"] == 18.0


def test_a_trigger_that_rests_says_until_when_as_far_as_is_known() -> None:
    shown = TriggersPicture(policy(), SessionClock(CALENDAR))
    names = [each.trigger for each in shown.views(0)]
    now_ns = 1_517_864_400 * SECOND  # 2018-02-05 21:00 UTC
    rests = TriggerChanged(
        book="overlay",
        event_ns=now_ns,
        trigger="drawdown",
        state="cooldown",
        previous="firing",
        since_ns=now_ns,
        observations=0,
        sessions=0,
        inputs={},
        reference=None,
        reason="a decision was made",
    )
    shown.changed(rests)

    def reason(until_ns: int) -> str:
        run = TriggerRun(state="cooldown", since_ns=now_ns, until_ns=until_ns)
        shown.counted({"drawdown": run}, now_ns)
        return next(each.reason for each in shown.views(now_ns) if each.trigger == "drawdown")

    assert reason(0) == "resting after a decision"
    shown.decided(now_ns, 12)
    assert reason(now_ns + 900 * SECOND) == "resting after decision 12 until 21:15 UTC"
    assert reason(now_ns + DAY) == "resting after decision 12 until 2018-02-06 21:00 UTC"
    assert reason(now_ns) == "resting after decision 12 until its condition is over"
    shown.changed(rests)  # a page that begins reads the log behind the hedger's state
    assert "until its condition is over" in shown.views(now_ns)[names.index("drawdown")].reason


def test_every_configured_trigger_is_shown_before_anything_was_heard_of_it() -> None:
    names = [each.trigger for each in PicturedMarket().empty_picture().book("overlay").triggers]
    assert {"operator", "initial", "fast_vix", "vix_move", "drawdown", "schedule"} <= set(names)


def test_bands_stand_around_the_last_rebalance() -> None:
    bands = PicturedMarket(policy(triggers={"vix_relative": 0.15})).empty_picture()
    assert bands.book("overlay").bands.reference is None
    market = PicturedMarket(policy(triggers={"vix_relative": 0.15}))
    market.vix(18.0)
    found = market.picture().book("overlay").bands
    assert found.reference == 18.0
    assert (found.lower, found.upper) == pytest.approx((15.3, 20.7))
    assert (found.fast_upper, found.fast_lower) == (26.0, None)


def test_without_a_trigger_of_moves_there_are_no_bands_around_it() -> None:
    off = {"vix_points": inf, "vix_relative": inf, "fast": None}
    market = PicturedMarket(policy(triggers=off))
    market.vix(18.0)
    found = market.picture().book("overlay").bands
    assert (found.reference, found.lower, found.upper, found.fast_upper) == (18.0, None, None, None)


def test_the_budget_says_how_long_it_lasts_at_this_years_rate() -> None:
    market = eventful()
    budget = market.picture().book("overlay").budget
    assert budget is not None
    assert budget.annual == 100_000.0
    assert budget.year_days_left == pytest.approx(30.0, abs=1.0)
    if budget.used_fraction > 0:
        assert budget.days_left is not None
        elapsed = 366 - budget.year_days_left
        rate = budget.used_fraction / elapsed
        assert budget.days_left == pytest.approx((1 - budget.used_fraction) / rate)
    assert PicturedMarket().empty_picture().book("overlay").budget is None


def test_whipsaws_and_withheld_orders_are_the_latest_first() -> None:
    market = PicturedMarket().hedged()
    assert isinstance(market, PicturedMarket)
    for level in (22.0, 18.0, 14.0, 18.0):
        market.vix(level, after=MINUTE)
    whipsaws = market.picture().book("overlay").whipsaws
    assert [each.event_time for each in whipsaws] == sorted(
        (each.event_time for each in whipsaws), reverse=True
    )
    assert len(whipsaws) == 2


def test_a_signal_that_is_not_good_is_the_quality_of_its_book() -> None:
    market = PicturedMarket().hedged()
    assert isinstance(market, PicturedMarket)
    market.qualities["vix_smooth"] = Quality.STALE
    market.clock(after=MINUTE)
    assert market.picture().summary("overlay").quality == "stale"


def test_what_the_gateway_says_of_a_book_is_its_state() -> None:
    picture = eventful().picture()
    for scope, state in (("all", "active"), ("overlay", "halted")):
        picture.services.allowed(
            TradingStateMessage(
                scope=scope,
                state=state,  # type: ignore[arg-type] # one of them
                authority="operator",
                operator="ann",
                reason="drill",
                since=format_instant(MONDAY),
            )
        )
    assert picture.summary("overlay").state == "halted"


# --- orders -------------------------------------------------------------------------------------


def test_an_order_is_followed_from_decision_to_fill() -> None:
    market = PicturedMarket()
    market.vix(18.0)
    order = market.orders[-1]
    picture = market.picture()
    picture.take_outbox([order.order_id])
    assert picture.orders.newest(1)[0].status == "decided"
    assert picture.summary("overlay").orders_waiting == 1
    answer = AckMessage(order_id=order.order_id, status="accepted", epoch=1)
    picture.take_answer(answer, "overlay")
    picture.take_outbox([])
    shown = picture.orders.newest(1)[0]
    assert (shown.status, shown.acknowledgement) == ("accepted", answer)
    market.log.clear()
    half = order.signed_quantity / 2
    for kind, quantity, price, status in (
        (ExecutionKind.NEW, 0.0, None, "working"),
        (ExecutionKind.PARTIAL, half, 18.0, "partial"),
        (ExecutionKind.FILL, half, 19.0, "filled"),
    ):
        market.write([market.report(order, kind, quantity, price)])
        picture.take_log(market.log[-1:])
        assert picture.orders.newest(1)[0].status == status
    shown = picture.orders.newest(1)[0]
    assert (shown.filled, shown.average_price) == (order.signed_quantity, 18.5)
    assert [each.kind for each in shown.executions] == ["new", "partial", "fill"]


def test_an_order_says_why_in_one_sentence() -> None:
    market = eventful()
    moved = [each for each in market.picture().orders.newest(100) if each.trigger == "vix_move"]
    assert moved[-1].why.startswith(
        "VIX moved by points from the last rebalance (vix_move: vix 22, reference_vix 18, limit 3"
    )
    assert "1,000 vega" in moved[-1].why
    assert moved[-1].why.endswith(".")


def test_a_report_counts_once() -> None:
    market = PicturedMarket()
    market.vix(18.0)
    market.fill()
    picture = market.picture()
    picture.take_log(market.log)
    assert picture.orders.newest(1)[0].filled == market.orders[-1].signed_quantity


def test_of_many_orders_the_newest_are_kept_and_a_book_can_be_asked_for() -> None:
    picture = eventful().picture()
    decided = [each.decided_time for each in picture.orders.newest(100)]
    assert decided == sorted(decided, reverse=True)
    assert len(picture.orders.newest(1)) == 1
    assert picture.orders.newest(10, "overlay") == picture.orders.newest(10)
    assert picture.orders.newest(10, "other") == []


# --- alerts and history -------------------------------------------------------------------------


def test_an_alert_that_comes_by_log_and_by_bus_is_shown_once() -> None:
    market = PicturedMarket().hedged()
    assert isinstance(market, PicturedMarket)
    market.qualities["vix_smooth"] = Quality.STALE
    market.clock(after=MINUTE)
    picture = market.picture()
    shown = picture.alerts.newest(100)
    assert shown
    for effect in market.effects:
        told = announce(effect)
        if told is not None and isinstance(told.message, AlertMessage):
            picture.take_alert(told.message)
    assert picture.alerts.newest(100) == shown
    assert [each.number for each in shown] == list(range(len(shown), 0, -1))


def test_history_shows_signals_targets_and_when_triggers_fired() -> None:
    market = eventful()
    picture = market.picture()
    assert max(value for _, value in picture.history_of("", 0, 100).series["vix"]) == 26.0
    book = picture.history_of("overlay", 0, 100)
    assert {"target_vega", "current_vega", "multiplier", "reference_vix", "drawdown"} <= set(
        book.series
    )
    assert book.series["reference_vix"][-1][1] == 22.0
    assert "vix_move" in [name for _, name in book.firings]
    assert picture.history_of("overlay", market.now + DAY, 100).series == {}


def test_of_a_burst_the_chart_shows_the_last_of_each_quarter_second() -> None:
    market = PicturedMarket()
    for step in range(8):
        market.vix(18.0 + step, after=100_000_000)
    picture = market.picture()
    assert picture.market.view().signals["vix"].value == 25.0
    values = [value for _, value in picture.history_of("", 0, 100).series["vix"]]
    assert (min(values), values[-1]) == (19.0, 25.0)  # 18.0 stood for a tenth of a second
    assert (market.now - MONDAY) / SECOND == pytest.approx(0.8)


def test_of_prints_of_one_instant_the_chart_shows_what_stood_after_the_last() -> None:
    market = PicturedMarket()
    market.vix(18.0)
    market.tick(index_return=-0.01, after=DAY)
    market.vix(25.0)
    assert market.picture().history_of("", 0, 100).series["vix"][-1][1] == 25.0
