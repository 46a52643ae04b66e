from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from fakes.hedged_market import (
    CALENDAR,
    FUTURE,
    IMMEDIATELY,
    LIMITS,
    MONDAY,
    SWAP,
    HedgedMarket,
    instant,
    policy,
    restarted,
    timeless,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from shared.domain.effects import (
    AlertRaised,
    OrderWithheld,
    TargetChanged,
    WhipsawSuppressed,
)
from shared.domain.events import ExecutionKind, ExposureMeasured, RebalanceRequested
from shared.domain.hedging.book import HedgeBook
from shared.domain.hedging.rules import PRESETS, RULES
from shared.domain.instants import DAY, HOUR, MINUTE, SECOND
from shared.domain.policies import BookPolicy, BudgetPolicy, FastPathPolicy, GreekBand, Hold
from shared.domain.signals_observed import Quality
from shared.domain.trading import Authority, TradingState

DAYS_LEFT = (instant("2025-01-01 00:00") - MONDAY) / DAY
CLOSE = MONDAY + 6 * HOUR + 30 * MINUTE


def whats(market: HedgedMarket) -> list[tuple[str, str]]:
    return [(each.what, each.where) for each in market.of(AlertRaised)]


def move(market: HedgedMarket, level: float, minutes: int = 16) -> None:
    """VIX prints at this level, each minute, for so long."""
    for _ in range(minutes):
        market.vix(level, after=MINUTE)


# --- the first hedge -------------------------------------------------------------------------


def test_the_first_hedge_is_made_when_everything_is_good() -> None:
    market = HedgedMarket()
    market.vix(18.0)
    (order,) = market.orders
    assert (order.trigger, order.side, order.quantity) == ("initial", "buy", 600.0)
    assert (order.order_id, order.config_digest) == ("overlay-00000001-swap", "digest")
    assert order.valid_until_ns == MONDAY + 10 * MINUTE


def test_nothing_is_ordered_while_a_signal_warms_up() -> None:
    market = HedgedMarket()
    market.qualities["vix_smooth"] = Quality.WARMING
    for _ in range(100):
        market.vix(40.0, after=MINUTE)
    assert market.orders == []
    assert ("signal_unknown", "vix_smooth") in whats(market)


@pytest.mark.parametrize(
    ("sizing", "unknown"),
    [
        ({"budget": BudgetPolicy(annual=1000.0)}, "rv"),  # twenty sessions from a cold start
        ({"split_by_term_structure": True}, "term_ratio"),  # a feed that never comes
    ],
)
def test_the_first_hedge_waits_for_what_it_can_do_without_no_longer_than_the_hold(
    sizing: dict[str, Any], unknown: str
) -> None:
    market = HedgedMarket(policy(legs=(SWAP, FUTURE), sizing={"base_vega": 4000.0} | sizing))
    market.qualities[unknown] = Quality.WARMING
    move(market, 22.0, minutes=15)
    assert market.orders == []
    market.vix(22.0, after=MINUTE)
    (target,) = market.of(TargetChanged)
    assert (target.trigger, target.quality) == ("initial_incomplete", Quality.WARMING)
    assert target.target_vega == 4000.0
    market.qualities.clear()
    move(market, 22.0, minutes=60)
    assert len(market.of(TargetChanged)) == 1


def test_daily_runs_wait_for_it_until_the_second_session() -> None:
    daily = Hold(trading_ns=0, sessions=2, observations=2)
    book = policy(sizing={"budget": BudgetPolicy(annual=9000.0)}, triggers={"hold": daily})
    market = HedgedMarket(book, now=CLOSE)
    market.qualities["rv"] = Quality.WARMING
    market.vix(18.0)
    assert market.of(TargetChanged) == []
    market.vix(18.0, after=DAY)
    assert [target.trigger for target in market.of(TargetChanged)] == ["initial_incomplete"]


def test_nothing_happens_before_the_market_opens() -> None:
    market = HedgedMarket(now=MONDAY - HOUR)
    assert market.vix(18.0) == []
    assert market.ask() == []
    assert market.book.next_deadline() is not None
    market.clock(after=HOUR)
    assert [order.trigger for order in market.orders] == ["operator"]


def test_an_operator_may_ask_before_there_was_any_signal() -> None:
    market = HedgedMarket()
    assert market.ask() == []
    market.vix(18.0)
    assert market.orders[0].trigger == "operator"


# --- the specification's checks --------------------------------------------------------------


def test_from_18_to_22_on_option_a_buys_400() -> None:
    market = HedgedMarket().hedged(18.0)
    move(market, 22.0)
    (target,) = market.of(TargetChanged)
    (order,) = market.orders
    assert (target.current_vega, target.target_vega, target.reference_vix) == (600.0, 1000.0, 22.0)
    assert (order.side, order.quantity, order.vega, order.target_quantity) == (
        "buy",
        400.0,
        400.0,
        1000.0,
    )
    assert order.reason == "vix_move: vix 22, reference_vix 18, limit 3"


@pytest.mark.parametrize(
    ("level", "orders"), [(15.0, 0), (21.0, 0), (14.99, 1), (21.01, 1), (18.0, 0)]
)
def test_last_rebalanced_at_18_it_fires_below_15_and_above_21_and_at_neither(
    level: float, orders: int
) -> None:
    market = HedgedMarket().hedged(18.0)
    move(market, level, minutes=30)
    assert len(market.orders) == orders


def test_a_relative_move_of_more_than_15_percent_fires_too() -> None:
    market = HedgedMarket(policy(triggers={"vix_relative": 0.15})).hedged(10.0)
    move(market, 11.6)
    assert [target.trigger for target in market.of(TargetChanged)] == ["vix_relative"]


def test_a_whipsaw_inside_the_window_sends_nothing_and_is_counted() -> None:
    market = HedgedMarket().hedged(20.0)
    move(market, 25.0, minutes=14)
    market.vix(20.0, after=MINUTE)
    (whipsaw,) = market.of(WhipsawSuppressed)
    assert market.orders == []
    assert (whipsaw.trigger, whipsaw.observations, whipsaw.peak["vix"]) == ("vix_move", 14, 25.0)
    assert market.book.snapshot().whipsaws == 1


def test_daily_runs_hold_two_sessions() -> None:
    daily = Hold(trading_ns=0, sessions=2, observations=2)
    book = policy(triggers={"hold": daily, "cooldown_trading_ns": 0, "fast": None})
    market = HedgedMarket(book, now=CLOSE)
    market.vix(18.0)
    market.fill()
    market.effects.clear()
    market.vix(22.0, after=DAY)
    assert market.orders == []
    market.vix(22.0, after=DAY)
    assert [order.quantity for order in market.orders] == [400.0]
    assert market.orders[0].valid_until_ns == market.now + DAY - 6 * HOUR - 20 * MINUTE


# --- references, cooldown, schedule ----------------------------------------------------------


def test_a_decision_moves_the_reference() -> None:
    market = HedgedMarket().hedged(18.0)
    move(market, 22.0)
    market.fill()
    move(market, 24.9, minutes=60)
    assert len(market.orders) == 1
    move(market, 25.1)
    assert [order.quantity for order in market.orders] == [400.0, 310.0]


def test_two_decisions_keep_the_cooldown_between_them() -> None:
    book = policy(triggers={"hold": IMMEDIATELY, "fast": None})
    market = HedgedMarket(book).hedged(18.0)
    market.vix(22.0)
    market.fill()
    for _ in range(14):
        market.vix(26.0, after=MINUTE)
    assert len(market.orders) == 1
    market.clock(after=MINUTE)
    assert [order.quantity for order in market.orders] == [400.0, 400.0]


def test_the_review_comes_seven_days_after_the_last_rebalance() -> None:
    market = HedgedMarket().hedged(18.0)
    due = MONDAY + 7 * DAY
    market.clock(after=due - market.now - 1)
    assert market.of(TargetChanged) == []
    market.tick(after=1, vix_smooth=19.0)
    (target,) = market.of(TargetChanged)
    assert (target.trigger, target.reference_vix) == ("schedule", 19.0)
    assert market.book.next_deadline() is not None


def test_no_review_is_due_before_there_was_a_decision() -> None:
    market = HedgedMarket()
    market.qualities["vix_smooth"] = Quality.WARMING
    market.vix(18.0, after=30 * DAY)
    assert market.states("schedule") == []


def test_a_review_due_on_a_closed_day_waits_for_the_next_opening() -> None:
    market = HedgedMarket(policy(triggers={"schedule_days": 5.5})).hedged(18.0)
    market.clock(after=MONDAY + 7 * DAY - 1 - market.now)
    assert market.of(TargetChanged) == []
    market.clock(after=1)
    assert [target.trigger for target in market.of(TargetChanged)] == ["schedule"]


def test_a_review_that_finds_nothing_to_change_orders_nothing() -> None:
    market = HedgedMarket().hedged(18.0)
    market.clock(after=7 * DAY)
    assert len(market.of(TargetChanged)) == 1
    assert market.orders == []
    assert market.of(OrderWithheld) == []


def test_a_change_below_the_minimum_is_withheld_and_said() -> None:
    market = HedgedMarket(policy(sizing={"min_trade_fraction": 0.5})).hedged(18.0)
    move(market, 22.0)
    (withheld,) = market.of(OrderWithheld)
    assert (withheld.control, withheld.figures) == ("min_trade", {"value": 400.0, "limit": 500.0})
    assert market.of(AlertRaised) == []


def test_the_calendar_may_end_before_the_order_does() -> None:
    last = int(CALENDAR.close_ns[-1])
    market = HedgedMarket(now=last - MINUTE)
    market.vix(18.0)
    assert market.orders[0].valid_until_ns == last


# --- the other triggers ----------------------------------------------------------------------


def test_a_drawdown_fires_once_while_it_lasts_and_again_after_it_recovered() -> None:
    book = policy(rules=(PRESETS["option_a"], PRESETS["drawdown"]))
    market = HedgedMarket(book).hedged(18.0)
    for drawdown in (-0.06, -0.049, -0.06, -0.04, -0.10):
        for _ in range(40):
            market.tick(after=MINUTE, drawdown=drawdown)
    assert [target.trigger for target in market.of(TargetChanged)] == ["drawdown"] * 2
    assert market.of(TargetChanged)[1].multiplier == pytest.approx(0.6 * 1.025)


def test_a_regime_change_fires_at_once_for_the_signal_itself_persists() -> None:
    market = HedgedMarket().hedged(18.0)
    market.tick(after=MINUTE, regime=2.0)
    market.tick(after=MINUTE, regime=2.0)
    assert [target.trigger for target in market.of(TargetChanged)] == ["regime"]


def test_a_greek_outside_its_band_fires_after_its_hold() -> None:
    band = (GreekBand(greek="delta", low=-100.0, high=100.0),)
    market = HedgedMarket(policy(triggers={"greek_bands": band})).hedged(18.0)
    for minute in range(17):
        market.clock(after=MINUTE)
        market.send(
            ExposureMeasured(
                book="overlay",
                event_ns=market.now,
                portfolio_delta=0.0,
                put_delta=-0.2,
                greeks={"delta": 120.0 + minute},
            )
        )
    assert [target.trigger for target in market.of(TargetChanged)] == ["greek.delta"]
    assert market.book.snapshot().exposures == 17
    assert market.of(TargetChanged)[0].reference_vix == 18.0


def test_an_operator_whose_clock_is_years_ahead_is_answered_and_stops_no_time() -> None:
    market = HedgedMarket().hedged(18.0)
    request = RebalanceRequested(
        scope="all", operator="ann", reason="in a replay", event_ns=market.now + 3000 * DAY
    )
    market.send(request)
    assert [target.event_ns for target in market.of(TargetChanged)] == [market.now]
    move(market, 22.0, minutes=32)
    assert [order.trigger for order in market.orders] == ["vix_move"]


def test_an_operator_gets_a_decision_at_once_even_in_the_cooldown() -> None:
    market = HedgedMarket()
    market.vix(18.0)
    market.vix(20.0, after=SECOND)
    market.ask("before the vote")
    assert market.orders[-1].trigger == "operator"
    assert market.orders[-1].reason == "operator ann: before the vote"
    market.clock(after=HOUR)
    assert len(market.of(TargetChanged)) == 2


def test_the_budget_line_fires_and_the_budget_scales_down_to_the_floor() -> None:
    book = policy(sizing={"budget": BudgetPolicy(annual=1000.0)})
    market = HedgedMarket(book)
    market.vix(18.0)
    market.fill(price=18.0 + 850 / market.orders[0].quantity)
    market.vix(18.0, after=20 * MINUTE)
    first, second = market.of(TargetChanged)
    assert first.budget_used == 0.0
    assert first.multiplier == pytest.approx(1000 / (1000 * 2.75 / 30 * DAYS_LEFT))
    assert (second.trigger, second.at_floor) == ("budget", True)
    assert second.budget_used == pytest.approx(0.85)
    market.vix(18.0, after=HOUR)
    assert len(market.of(TargetChanged)) == 2


# --- the fast path ---------------------------------------------------------------------------


def crash(market: HedgedMarket, levels: tuple[float, ...] = (26.0, 28.0, 31.0)) -> None:
    """Raw VIX prints these, while the smoothed one hardly moves."""
    for level in levels:
        market.tick(after=SECOND, vix=level, vix_smooth=18.5)


def test_an_extreme_move_needs_only_k_prints() -> None:
    market = HedgedMarket().hedged(18.0)
    crash(market, (26.0, 28.0))
    assert market.orders == []
    crash(market, (31.0,))
    (target,) = market.of(TargetChanged)
    assert (target.trigger, target.reference_vix) == ("fast_vix", 26.0)
    assert market.orders[0].target_quantity == 1400.0


def test_the_cap_holds_on_the_fast_path() -> None:
    market = HedgedMarket(policy(rules=(PRESETS["covid"],))).hedged(18.0)
    crash(market, (60.0, 70.0, 82.69))
    (target,) = market.of(TargetChanged)
    assert (target.multiplier, target.at_cap) == (2.0, True)


def test_one_wild_print_does_not_trade() -> None:
    market = HedgedMarket().hedged(18.0)
    crash(market, (26.5,))
    crash(market, (18.1, 18.2, 18.0, 18.1))
    assert market.orders == []
    assert [each.trigger for each in market.of(WhipsawSuppressed)] == ["fast_vix"]


def test_the_lag_of_the_smoothing_does_not_sell_what_the_fast_path_bought() -> None:
    market = HedgedMarket().hedged(18.0)
    crash(market)
    market.fill()
    for minute in range(120):
        smooth = 30 - 11.5 * 2 ** (-minute / 30)
        market.tick(after=MINUTE, vix=30.0, vix_smooth=smooth)
    assert all(order.side == "buy" for order in market.orders)
    assert market.book.snapshot().fast_level is None


def test_the_smoothed_vix_has_caught_up_when_it_is_level() -> None:
    market = HedgedMarket().hedged(18.0)
    crash(market)
    assert market.book.snapshot().fast_level == 26.0
    market.tick(after=SECOND, vix=31.0, vix_smooth=26.0)
    assert market.book.snapshot().fast_level is None


def test_of_two_confirmed_levels_the_higher_counts() -> None:
    market = HedgedMarket().hedged(18.0)
    market.tick(after=SECOND, vix=25.0, vix_smooth=18.5, index_return=-0.06)
    market.tick(after=SECOND, vix=27.0, vix_smooth=18.5, index_return=-0.06)
    market.tick(after=SECOND, vix=28.0, vix_smooth=18.5)
    market.tick(after=SECOND, vix=29.0, vix_smooth=18.5, index_return=-0.06)
    assert set(market.book.snapshot().standing.triggers) == {"fast_vix", "fast_index"}
    assert market.of(TargetChanged)[0].reference_vix == 27.0


def test_when_raw_vix_falls_back_the_fast_hedge_goes_too() -> None:
    market = HedgedMarket().hedged(18.0)
    crash(market)
    market.fill()
    for _ in range(40):
        market.tick(after=MINUTE, vix=19.0, vix_smooth=18.6)
    assert [order.side for order in market.orders] == ["buy", "sell"]
    assert market.orders[-1].target_quantity == 700.0


def test_one_low_print_among_high_ones_does_not_undo_the_fast_path() -> None:
    market = HedgedMarket().hedged(18.0)
    crash(market)
    market.fill()
    for quarter in range(1, 160):
        raw = 18.5 if quarter == 8 else 30.0
        smooth = 30 - 11.5 * 2 ** (-quarter / 120)
        market.tick(after=15 * SECOND, vix=raw, vix_smooth=smooth)
    assert [order.side for order in market.orders] == ["buy"]


def test_what_was_decided_since_lowers_the_level_that_the_fast_path_confirmed() -> None:
    market = HedgedMarket().hedged(18.0)
    crash(market)
    market.fill()
    for _ in range(40):
        market.tick(after=MINUTE, vix=19.0, vix_smooth=18.6)
    market.fill()
    assert market.book.snapshot().fast_level == 19.0
    market.tick(after=MINUTE, vix=40.0, vix_smooth=18.8)
    market.ask()
    assert market.orders[-1].target_quantity == 700.0


def test_vix_is_unknown_when_the_fast_level_has_no_raw_vix_to_lean_on() -> None:
    market = HedgedMarket().hedged(18.0)
    crash(market)
    market.fill()
    market.missing.add("vix")
    market.effects.clear()
    market.clock(after=MINUTE)
    market.ask()
    assert market.orders == []
    assert ("target_unknown", "operator") in whats(market)


def test_a_fall_of_the_index_takes_the_fast_path_too() -> None:
    market = HedgedMarket().hedged(18.0)
    for fall in (-0.05, -0.055, -0.06):
        market.tick(after=SECOND, vix=24.0, vix_smooth=18.5, index_return=fall)
    (target,) = market.of(TargetChanged)
    assert (target.trigger, target.reference_vix) == ("fast_index", 24.0)


def test_a_fall_of_the_index_without_vix_alerts_that_nothing_can_be_sized() -> None:
    market = HedgedMarket().hedged(18.0)
    market.missing |= {"vix", "vix_smooth", "regime"}
    for fall in (-0.05, -0.055, -0.06, -0.07):
        market.tick(after=SECOND, index_return=fall)
    assert market.orders == []
    assert [each for each in whats(market) if each[0] == "target_unknown"] == [
        ("target_unknown", "fast_index")
    ]
    market.missing.clear()
    market.tick(after=SECOND, vix=30.0, vix_smooth=20.0)
    assert [order.trigger for order in market.orders] == ["fast_index"]


def test_premarket_prints_do_not_trade_by_themselves() -> None:  # 2024-08-05
    market = HedgedMarket().hedged(18.0)
    market.now = MONDAY + DAY - HOUR
    crash(market, (55.0, 60.0, 66.0))
    market.clock(after=MONDAY + DAY - market.now)
    market.clock(after=SECOND)
    assert market.orders == []


# --- missing signals -------------------------------------------------------------------------


def test_without_vix_the_other_triggers_are_live_and_a_person_is_told_once() -> None:  # 2015-08-24
    book = policy(rules=(PRESETS["realized_vol"],))
    market = HedgedMarket(book).hedged(18.0)
    market.qualities |= {"vix": Quality.STALE, "vix_smooth": Quality.STALE}
    for _ in range(20):
        market.tick(after=MINUTE, rv=0.3, drawdown=-0.08)
    assert whats(market) == [("signal_lost", "vix_smooth")]
    assert [order.trigger for order in market.orders] == ["drawdown"]
    market.qualities.clear()
    market.clock(after=MINUTE)
    assert whats(market)[-1] == ("signal_recovered", "vix_smooth")


def test_the_index_is_watched_only_where_the_fast_path_needs_it() -> None:
    for fast, told in ((FastPathPolicy(), [("signal_lost", "index_return")]), (None, [])):
        market = HedgedMarket(policy(triggers={"fast": fast})).hedged(18.0)
        market.missing.add("index_return")
        market.clock(after=SECOND)
        assert whats(market) == told


def test_a_reference_unknown_at_the_first_hedge_is_taken_when_it_is_known() -> None:
    book = policy(rules=(PRESETS["realized_vol"],))
    market = HedgedMarket(book)
    market.missing |= {"vix_smooth", "regime"}
    market.tick(rv=0.15)
    assert market.orders[0].trigger == "initial"
    assert market.of(TargetChanged)[0].reference_vix is None
    market.missing.clear()
    market.vix(30.0, after=MINUTE)
    references = market.book.snapshot().references
    assert (references.vix, references.regime) == (30.0, "medium")
    assert len(market.orders) == 1


def test_a_reference_once_known_is_kept_while_its_signal_is_gone() -> None:
    book = policy(rules=(PRESETS["realized_vol"],))
    market = HedgedMarket(book)
    market.missing.add("regime")
    market.tick(rv=0.15, vix_smooth=18.0)
    market.clock(after=SECOND)
    references = market.book.snapshot().references
    assert (references.vix, references.regime) == (18.0, "")


# --- orders and reports ----------------------------------------------------------------------


def test_open_orders_count_as_position() -> None:
    market = HedgedMarket().hedged(18.0)
    move(market, 22.0)
    market.vix(24.0, after=SECOND)
    market.ask()
    assert [order.quantity for order in market.orders] == [400.0, 200.0]
    assert market.orders[-1].target_quantity == 1200.0


@pytest.mark.parametrize("kind", [ExecutionKind.REJECT, ExecutionKind.CANCEL, ExecutionKind.EXPIRE])
def test_a_failed_order_arms_its_trigger_again_but_cannot_loop(kind: ExecutionKind) -> None:
    market = HedgedMarket().hedged(18.0)
    move(market, 22.0)
    market.send(market.report(market.orders[-1], kind))
    assert len(whats(market)) == 1
    move(market, 22.0, minutes=14)
    assert len(market.orders) == 1
    move(market, 22.0, minutes=20)
    assert [order.quantity for order in market.orders] == [400.0, 400.0]
    assert [order.trigger for order in market.orders] == ["vix_move"] * 2


def test_a_failed_first_hedge_is_tried_again() -> None:
    market = HedgedMarket()
    market.vix(18.0)
    market.send(market.report(market.orders[-1], ExecutionKind.REJECT))
    market.vix(18.0, after=16 * MINUTE)
    assert [order.trigger for order in market.orders] == ["initial", "initial"]


def test_a_failed_answer_to_an_operator_is_tried_again() -> None:
    market = HedgedMarket().hedged(18.0)
    market.vix(20.0, after=SECOND)
    market.ask("before the vote")
    market.send(market.report(market.orders[-1], ExecutionKind.REJECT))
    market.vix(20.0, after=MINUTE - 1)
    assert len(market.orders) == 1
    market.vix(20.0, after=1)
    assert [order.reason for order in market.orders] == ["operator ann: before the vote"] * 2


def test_a_crash_hedge_that_the_venue_refused_does_not_wait_for_the_cooldown() -> None:
    market = HedgedMarket().hedged(18.0)
    crash(market)
    market.send(market.report(market.orders[-1], ExecutionKind.REJECT))
    crash(market)
    assert len(market.orders) == 1
    market.now += MINUTE
    crash(market)
    assert [order.trigger for order in market.orders] == ["fast_vix"] * 2


def refused_all_day(market: HedgedMarket, reason: str) -> None:
    """Every order is refused at once, for a session of raw VIX far above."""
    while market.now < CLOSE:
        before = len(market.orders)
        market.tick(after=15 * SECOND, vix=40.0, vix_smooth=18.5)
        for order in market.orders[before:]:
            market.send(market.report(order, ExecutionKind.REJECT, reason=reason))


@pytest.mark.parametrize("reason", ["halted: nothing trades", "config_digest: ours is b"])
@pytest.mark.parametrize("urgent", [False, True])
def test_what_the_gateway_refuses_for_good_is_tried_no_faster_than_the_cooldown(
    reason: str, *, urgent: bool
) -> None:
    market = HedgedMarket()
    if urgent:
        market.hedged(18.0)
    refused_all_day(market, reason)
    tried = {order.trigger for order in market.orders}
    assert tried == ({"fast_vix", "vix_move"} if urgent else {"initial"})
    for trigger in tried:
        instants = [order.event_ns for order in market.orders if order.trigger == trigger]
        assert len(instants) > 10
        assert all(after - before >= 15 * MINUTE for before, after in pairwise(instants))


def test_what_a_limit_blocked_waits_for_the_cooldown_however_urgent() -> None:
    market = HedgedMarket(policy(limits=structs.replace(LIMITS, max_order_vega=700.0)))
    market.hedged(18.0)
    for _ in range(15 * 60):
        market.tick(after=SECOND, vix=40.0, vix_smooth=18.5)
    assert [target.trigger for target in market.of(TargetChanged)] == ["fast_vix"]
    assert len(market.of(OrderWithheld)) == 1


def test_what_a_partial_fill_left_is_ordered_again() -> None:
    market = HedgedMarket().hedged(18.0)
    move(market, 22.0)
    market.send(market.report(market.orders[-1], ExecutionKind.PARTIAL, 150.0, 22.0))
    market.send(market.report(market.orders[-1], ExecutionKind.EXPIRE))
    move(market, 22.0, minutes=40)
    assert [order.quantity for order in market.orders] == [400.0, 250.0]


def test_an_order_overtaken_by_a_newer_decision_is_made_up_for() -> None:
    market = HedgedMarket().hedged(18.0)
    move(market, 22.0)
    market.vix(24.0, after=SECOND)
    market.ask()
    overtaken, newer = market.orders
    market.send(market.report(overtaken, ExecutionKind.CANCEL))
    market.fill(newer)
    market.vix(24.0, after=16 * MINUTE)
    assert market.orders[-1].quantity == 400.0
    assert market.orders[-1].target_quantity == 1200.0


def test_without_a_fresh_mark_there_is_no_order_and_a_person_is_told() -> None:
    market = HedgedMarket().hedged(18.0)
    for _ in range(16):
        market.levels["vix_smooth"] = 22.0
        market.printed["vix_smooth"] = (market.index, market.now)
        market.clock(after=MINUTE)
    (withheld,) = market.of(OrderWithheld)
    assert withheld.control == "mark"
    assert ("mark_unknown", "swap: mark") in whats(market)
    assert market.of(TargetChanged)[0].legs[0].quantity is None
    move(market, 22.0, minutes=40)
    assert [order.quantity for order in market.orders] == [400.0]


def test_a_limit_blocks_with_its_figures() -> None:
    book = policy(limits=structs.replace(LIMITS, max_order_vega=300.0))
    market = HedgedMarket(book)
    market.vix(18.0)
    (withheld,) = market.of(OrderWithheld)
    assert (withheld.control, withheld.figures) == (
        "max_order_vega",
        {"value": 600.0, "limit": 300.0},
    )
    assert market.orders == []


def test_a_blocked_order_is_retried_no_faster_than_by_the_minute() -> None:
    limits = structs.replace(LIMITS, max_order_vega=300.0)
    book = policy(limits=limits, triggers={"cooldown_trading_ns": 0, "hold": IMMEDIATELY})
    market = HedgedMarket(book)
    for _ in range(100):
        market.vix(18.0, after=SECOND)
    assert len(market.of(OrderWithheld)) == 2


def test_an_order_nobody_answers_alerts() -> None:
    market = HedgedMarket()
    market.vix(18.0)
    assert market.book.next_deadline() == MONDAY + 10 * MINUTE + 1
    market.clock(after=10 * MINUTE + 1)
    assert whats(market) == []
    market.clock(after=MINUTE)
    assert whats(market) == [("order_unanswered", "overlay-00000001-swap")]


def test_the_venues_word_that_an_order_expired_comes_in_time() -> None:
    market = HedgedMarket()
    market.vix(18.0)
    market.clock(after=DAY)
    market.send(market.report(market.orders[0], ExecutionKind.EXPIRE))
    market.clock(after=2 * MINUTE)
    assert [what for what, _ in whats(market)] == ["order_expired", "off_target"]


def test_a_book_says_how_it_stands() -> None:
    market = HedgedMarket(policy(sizing={"budget": BudgetPolicy(annual=1000.0)}))
    market.vix(18.0)
    standing = market.book.standing()
    assert (standing.held_vega, standing.open_orders, standing.budget_used) == (0.0, 1, 0.0)
    market.fill()
    standing = market.book.standing()
    held = market.orders[0].quantity
    assert (standing.held_vega, standing.open_orders) == (held, 0)
    assert (standing.is_off_target, standing.trading) == (False, TradingState.ACTIVE)


def test_a_hedge_that_is_never_made_is_told_once_and_so_is_that_it_is_made_after_all() -> None:
    market = HedgedMarket()
    market.vix(18.0)
    for _ in range(60):
        market.clock(after=MINUTE)
    assert [what for what, _ in whats(market)] == ["order_unanswered", "off_target"]
    assert market.book.standing().is_off_target
    market.fill()
    assert whats(market)[2:] == [("on_target", "overlay")]
    assert not market.book.standing().is_off_target


def test_a_book_that_is_halted_is_not_told_to_be_off_its_target_as_well() -> None:
    market = HedgedMarket()
    market.vix(18.0)
    market.set_trading(TradingState.HALTED)
    for _ in range(60):
        market.clock(after=MINUTE)
    assert "off_target" not in [what for what, _ in whats(market)]


def test_reports_are_booked_while_the_market_is_closed() -> None:
    market = HedgedMarket()
    market.vix(18.0)
    market.now = CLOSE + HOUR
    market.fill()
    assert market.book.position("swap") == 600.0


def test_carry_is_charged_to_the_book_at_the_close() -> None:
    market = HedgedMarket()
    market.vix(18.0)
    market.fill()
    market.clock(after=DAY)
    assert market.book.snapshot().dealer.ledger.carry == pytest.approx(600 * 2.75 / 30 * 6.5 / 24)


# --- whether it may trade --------------------------------------------------------------------

AUTHORITIES: tuple[Authority, ...] = ("operator", "gateway", "auditor", "desk")
ACTIVE, REDUCING, HALTED = TradingState.ACTIVE, TradingState.REDUCING, TradingState.HALTED


def controls(market: HedgedMarket) -> list[str]:
    return [each.control for each in market.of(OrderWithheld)]


def test_halted_it_decides_and_shows_targets_as_ever_and_orders_nothing() -> None:
    market = HedgedMarket().hedged(18.0)
    market.set_trading(HALTED)
    move(market, 22.0)
    (target,) = market.of(TargetChanged)
    assert (target.target_vega, target.trigger) == (1000.0, "vix_move")
    assert (market.orders, controls(market)) == ([], ["halted"])


def test_a_halt_from_the_page_names_who_was_logged_in_and_an_operator_lifts_it() -> None:
    market = HedgedMarket().hedged(18.0)
    market.set_trading(HALTED, authority="desk")
    move(market, 22.0)
    assert (market.orders, controls(market)) == ([], ["halted"])
    assert whats(market) == [("trading_halted", "desk ann: drill")]
    market.set_trading(ACTIVE, authority="desk")
    market.set_trading(REDUCING, authority="desk")
    assert len(whats(market)) == 1, "the desk's own key lifts nothing"
    market.set_trading(ACTIVE)
    assert whats(market)[1:] == [("trading_resumed", "operator ann: drill")]


def test_who_halted_it_and_why_is_said_once_a_spell() -> None:
    market = HedgedMarket().hedged(18.0)
    market.set_trading(HALTED)
    market.set_trading(HALTED, scope="overlay", authority="gateway")
    move(market, 22.0, minutes=120)
    assert len(controls(market)) > 2
    assert whats(market) == [("trading_halted", "operator ann: drill")]
    market.set_trading(ACTIVE)
    assert len(whats(market)) == 1  # the gateway's still stands
    market.set_trading(ACTIVE, scope="overlay", authority="gateway")
    market.set_trading(REDUCING, scope="overlay", authority="auditor")
    assert whats(market)[1:] == [
        ("trading_resumed", "gateway ann: drill"),
        ("trading_reducing", "auditor ann: drill"),
    ]


def test_a_state_set_before_the_first_signal_is_said_at_its_own_time() -> None:
    market = HedgedMarket()
    (said,) = market.set_trading(HALTED)
    assert said.event_ns == MONDAY


def test_what_was_withheld_fires_again_when_trading_is_resumed() -> None:
    market = HedgedMarket()
    market.set_trading(HALTED)
    market.vix(18.0)
    assert controls(market) == ["halted"]
    market.vix(18.0, after=SECOND)
    assert controls(market) == ["halted"]
    market.set_trading(ACTIVE)
    assert [order.trigger for order in market.orders] == ["initial"]


def test_an_operator_halted_is_answered_once_trading_is_resumed() -> None:
    market = HedgedMarket().hedged(18.0)
    market.set_trading(HALTED)
    market.vix(20.0, after=SECOND)
    market.ask("before the vote")
    assert market.orders == []
    market.vix(20.0, after=SECOND)
    market.set_trading(ACTIVE)
    assert [order.reason for order in market.orders] == ["operator ann: before the vote"]


def test_halting_hastens_nothing() -> None:
    market = HedgedMarket()
    market.vix(18.0)
    market.send(market.report(market.orders[-1], ExecutionKind.REJECT))
    market.set_trading(HALTED)
    market.vix(18.0, after=SECOND)
    assert controls(market) == []


def test_resuming_does_not_shorten_the_cooldown_after_an_order_that_went_well() -> None:
    book = policy(triggers={"hold": IMMEDIATELY, "fast": None})
    market = HedgedMarket(book).hedged(18.0)
    market.vix(22.0)
    market.fill()
    market.set_trading(HALTED)
    market.vix(26.0, after=MINUTE)
    market.set_trading(ACTIVE)
    market.vix(26.0, after=MINUTE)
    assert [order.quantity for order in market.orders] == [400.0]


def test_halting_and_resuming_over_and_over_makes_one_order() -> None:
    market = HedgedMarket()
    market.vix(18.0)
    market.fill()
    for _ in range(50):
        market.set_trading(HALTED)
        market.vix(18.0, after=SECOND)
        market.set_trading(ACTIVE)
        market.vix(18.0, after=SECOND)
    assert len(market.orders) == 1


def test_reducing_it_sells_what_it_holds_and_buys_nothing() -> None:
    market = HedgedMarket().hedged(18.0)
    market.set_trading(REDUCING)
    move(market, 22.0)
    assert (market.orders, controls(market)) == ([], ["reducing"])
    move(market, 14.0, minutes=40)
    assert [(order.side, order.quantity) for order in market.orders] == [("sell", 400.0)]


def test_from_halted_to_reducing_a_sale_that_was_withheld_leaves() -> None:
    market = HedgedMarket().hedged(18.0)
    market.set_trading(HALTED)
    market.vix(14.0)
    market.ask()
    assert controls(market) == ["halted"]
    market.vix(14.0, after=SECOND)
    market.set_trading(REDUCING)
    assert [order.side for order in market.orders] == ["sell"]


def runaway(market: HedgedMarket, orders: int) -> None:
    """An operator's tool gone wrong asks every second, each time at another VIX."""
    for number in range(orders):
        market.vix(18.0 + 0.125 * (number + 1), after=SECOND)
        market.ask()


def test_a_runaway_is_stopped_and_stays_so_until_an_operator_resumes_it() -> None:
    def told() -> list[tuple[str, str]]:
        return [each for each in whats(market) if each[0].startswith("trading")]

    market = HedgedMarket(policy(limits=structs.replace(LIMITS, max_orders_per_minute=4)))
    market.vix(18.0)
    runaway(market, 10)
    assert len(market.orders) == 4
    assert controls(market) == ["rate"]
    assert market.book.may_trade() is HALTED
    move(market, 40.0, minutes=120)
    market.set_trading(ACTIVE, authority="gateway")
    market.set_trading(HALTED, authority="auditor")
    market.set_trading(ACTIVE, authority="auditor")
    assert len(market.orders) == 4
    assert set(controls(market)) == {"rate"}
    assert told() == [("trading_stopped", "swap: rate")]
    market.set_trading(ACTIVE)
    move(market, 40.0, minutes=40)
    assert len(market.orders) == 5
    assert told()[1:] == [("trading_resumed", "operator ann: drill")]


def test_only_reducing_orders_leave_beyond_the_daily_loss() -> None:
    book = policy(limits=structs.replace(LIMITS, max_daily_loss=1000.0))
    market = HedgedMarket(book).hedged(22.0)  # 1000 vega bought at 22
    market.vix(20.5, after=SECOND)
    market.ask()
    market.fill()
    market.vix(20.875, after=SECOND)
    market.ask()
    assert [order.side for order in market.orders] == ["sell"]
    (withheld,) = market.of(OrderWithheld)
    assert withheld.control == "max_daily_loss"
    assert withheld.figures == {"value": 150 * 1.5 + 850 * 1.125, "limit": 1000.0}
    market.vix(20.875, after=DAY)
    assert [order.side for order in market.orders] == ["sell", "buy"]


# --- laws ------------------------------------------------------------------------------------

FULL = policy(
    rules=(PRESETS["option_a"], PRESETS["drawdown"]),
    legs=(SWAP, FUTURE),
    sizing={
        "base_vega": 4000.0,
        "split_by_term_structure": True,
        "budget": BudgetPolicy(annual=30_000.0),
    },
    triggers={
        "vix_relative": 0.15,
        "greek_bands": (GreekBand(greek="delta", low=-100.0, high=100.0),),
        "hold": Hold(trading_ns=10 * MINUTE, observations=2),
    },
)

BOUND = structs.replace(
    FULL,
    limits=structs.replace(
        LIMITS,
        max_position_vega=6_000.0,
        max_orders_per_day=6,
        max_orders_per_minute=3,
        max_daily_turnover=200_000.0,
        max_daily_loss=5_000.0,
        max_repeats=2,
        repeat_ns=2 * HOUR,
        duplicate_ns=MINUTE,
    ),
)

Step = Callable[[HedgedMarket], None]


def _walk(after: int, vix: float, smooth: float, fall: float) -> Step:
    def step(market: HedgedMarket) -> None:
        market.tick(after=after, vix=vix, vix_smooth=smooth, drawdown=fall, index_return=fall)

    return step


def _quality(name: str, quality: Quality) -> Step:
    def step(market: HedgedMarket) -> None:
        market.qualities[name] = quality

    return step


def _answer(kind: ExecutionKind, share: float) -> Step:
    def step(market: HedgedMarket) -> None:
        if market.orders:
            order = market.orders[-1]
            trades = kind in {ExecutionKind.PARTIAL, ExecutionKind.FILL}
            quantity = round(order.signed_quantity * share) if trades else 0.0
            market.send(market.report(order, kind, quantity, order.limit_price))

    return step


def _expose(value: float) -> Step:
    def step(market: HedgedMarket) -> None:
        market.send(
            ExposureMeasured(
                book="overlay",
                event_ns=market.now,
                portfolio_delta=0.0,
                put_delta=-0.2,
                greeks={"delta": value},
            )
        )

    return step


def _ask(market: HedgedMarket) -> None:
    market.ask()


def _clock(after: int) -> Step:
    def step(market: HedgedMarket) -> None:
        market.clock(after=after)

    return step


def _set_trading(state: TradingState, authority: Authority) -> Step:
    def step(market: HedgedMarket) -> None:
        market.set_trading(state, authority=authority)

    return step


def expected_vega(market: HedgedMarket) -> float:
    """What is held and on order, vega."""
    holdings = market.book.snapshot().dealer.holdings
    units = {"swap": 1.0, "future": 1000.0}
    held = sum(quantity * units[leg] for leg, quantity in holdings.positions.items())
    return held + sum(order.rest * units[order.leg] for order in holdings.orders)


waits = st.sampled_from([SECOND, MINUTE, 7 * MINUTE, 2 * HOUR, 20 * HOUR, 3 * DAY])
levels = st.sampled_from([12.0, 17.0, 18.0, 20.5, 22.0, 26.0, 31.0, 60.0])
steps = st.lists(
    st.one_of(
        st.builds(_walk, waits, levels, levels, st.sampled_from([0.0, -0.03, -0.06])),
        st.builds(_walk, st.just(MINUTE), levels, levels, st.just(-0.05)),
        st.builds(_clock, waits),
        st.builds(
            _quality,
            st.sampled_from(["vix", "vix_smooth", "rv", "term_ratio", "regime"]),
            st.sampled_from(list(Quality)),
        ),
        st.builds(_answer, st.sampled_from(list(ExecutionKind)), st.sampled_from([0.3, 1.0])),
        st.builds(_expose, st.sampled_from([0.0, 150.0])),
        st.builds(_set_trading, st.sampled_from(TradingState), st.sampled_from(AUTHORITIES)),
        st.just(_ask),
    ),
    max_size=25,
)


@settings(max_examples=200, deadline=None)
@given(steps, st.integers(0, 25), st.sampled_from([FULL, BOUND]))
def test_a_restart_changes_nothing(journal: list[Step], at: int, book: BookPolicy) -> None:
    steady, stopped = HedgedMarket(book), HedgedMarket(book)
    for number, step in enumerate(journal):
        if number == at:
            stopped.book = restarted(stopped.book, book)
        step(steady)
        step(stopped)
    assert steady.effects == stopped.effects
    assert steady.book.snapshot() == stopped.book.snapshot()
    assert steady.book.next_deadline() == stopped.book.next_deadline()


def test_a_restart_remembers_the_regime_also_when_its_change_is_no_trigger() -> None:
    book = policy(triggers={"regime_change": False})
    steady, stopped = HedgedMarket(book).hedged(18.0), HedgedMarket(book).hedged(18.0)
    for market in (steady, stopped):
        market.tick(after=MINUTE, regime=2.0)
    stopped.book = restarted(stopped.book, book)
    for market in (steady, stopped):
        market.ask()
    assert steady.book.snapshot() == stopped.book.snapshot()


@settings(max_examples=150, deadline=None)
@given(steps, st.sampled_from([FULL, BOUND]))
def test_nothing_changes_before_the_deadline_and_something_does_at_it(
    journal: list[Step], limited: BookPolicy
) -> None:
    market = HedgedMarket(limited)
    market.vix(18.0)
    for step in journal:
        step(market)
    for _ in range(6):
        book, before = market.book, market.book.snapshot()
        deadline = book.next_deadline()
        if deadline is None:
            return
        assert deadline > before.now_ns
        assert book.advance_to(deadline - 1) == ()
        assert timeless(book.snapshot()) == timeless(before)
        book.advance_to(deadline)
        assert timeless(book.snapshot()) != timeless(before)


@settings(max_examples=150, deadline=None)
@given(steps, st.sampled_from([FULL, BOUND]))
def test_no_order_leaves_while_halted_and_none_that_grows_while_reducing(
    journal: list[Step], limited: BookPolicy
) -> None:
    market = HedgedMarket(limited)
    for step in journal:
        vega, orders = expected_vega(market), len(market.orders)
        step(market)
        if len(market.orders) == orders:
            continue
        after = market.book.snapshot()
        assert after.trading.of("overlay") is not HALTED
        if after.trading.of("overlay") is REDUCING:
            assert abs(expected_vega(market)) <= abs(vega)


@settings(max_examples=150, deadline=None)
@given(steps)
def test_what_was_decided_always_adds_up(journal: list[Step]) -> None:
    market = HedgedMarket(FULL)
    for step in journal:
        step(market)
    ids = [order.order_id for order in market.orders]
    assert len(set(ids)) == len(ids)
    for target in market.of(TargetChanged):
        assert 0.2 <= target.steps[4].multiplier <= 2.0
        assert target.target_vega <= 2.0 * 4000.0 + 1e-6
    for order in market.orders:
        assert market.calendar.is_open(order.event_ns)
        assert order.quantity > 0
        assert order.side in {"buy", "sell"}
        assert abs(order.vega) > 1.0


@given(steps)
def test_orders_that_all_fill_lead_to_the_absolute_target(journal: list[Step]) -> None:
    market = HedgedMarket(FULL)
    market.vix(18.0)
    for step in journal:
        step(market)
        done = {
            each.order_id
            for each in market.book.snapshot().dealer.holdings.orders
            if not each.is_open
        }
        for order in market.orders:
            if order.order_id not in done:
                working = next(
                    each
                    for each in market.book.snapshot().dealer.holdings.orders
                    if each.order_id == order.order_id
                )
                market.send(
                    market.report(order, ExecutionKind.FILL, working.rest, order.limit_price)
                )
                if order is market.orders[-1]:
                    assert market.book.position(order.leg) == order.target_quantity


def test_nothing_good_means_no_order_whatever_happens() -> None:
    market = HedgedMarket(FULL)
    market.qualities = dict.fromkeys(market.levels, Quality.STALE)
    for minutes in range(200):
        market.tick(after=minutes * MINUTE, vix=80.0, vix_smooth=80.0, index_return=-0.2)
        market.ask()
    assert market.orders == []


READS = [
    (name, signal.format(book="overlay"))
    for name, rule in RULES.items()
    if name not in {"delta", "tail_budget", "monetise_sleeve"}
    for signal in rule.inputs
    if signal != "stage.{book}"
]


@pytest.mark.parametrize(("rule", "signal"), READS)
@pytest.mark.parametrize("quality", [each for each in Quality if each is not Quality.GOOD])
def test_a_rule_whose_input_is_not_good_makes_no_order_whatever_else_is(
    rule: str, signal: str, quality: Quality
) -> None:
    market = HedgedMarket(policy(rules=(PRESETS[rule],)))
    market.qualities[signal] = quality
    for _ in range(40):
        market.tick(after=MINUTE, vix=40.0, vix_smooth=40.0, index_return=-0.2, drawdown=-0.2)
        market.ask()
    assert market.orders == []
    market.missing.add(signal)
    market.vix(40.0, after=MINUTE)
    assert market.orders == []
    market.missing.clear()
    market.qualities.clear()
    market.vix(40.0, after=MINUTE)
    assert len(market.orders) == 1


# --- configuration ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"rules": (PRESETS["linear"],) * 4},
        {"legs": ()},
        {"sizing": {"floor": 3.0}},
        {"limits": structs.replace(LIMITS, max_order_vega=0.0)},
    ],
)
def test_a_limitedthat_contradicts_the_specification_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        HedgeBook(policy(**wrong), CALENDAR, "")
