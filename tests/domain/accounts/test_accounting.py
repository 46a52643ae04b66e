from collections.abc import Iterable, Sequence
from itertools import pairwise

import msgspec
import numpy as np
import pandas as pd
import pytest
from fakes.books import FUTURE, SWAP, make_book
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.accounts.accounting import ComparisonState, HedgeComparison
from shared.domain.accounts.effectiveness import SessionResult, summarize
from shared.domain.accounts.rolled import Rolled
from shared.domain.accounts.variance_swap import rolled_profit, swap_value
from shared.domain.effects import TargetChanged
from shared.domain.events import ExecutionKind, ExecutionReported
from shared.domain.orders import order_id
from shared.domain.policies import BookPolicy
from shared.domain.sessions import SessionCalendar
from shared.domain.signals_observed import Mark, Quality, Signal, SignalsObserved

SESSIONS = 12
CALENDAR = SessionCalendar(
    [100 * day + 10 for day in range(1, SESSIONS + 1)],
    [100 * day + 50 for day in range(1, SESSIONS + 1)],
)  # day 3 is open from 310 to 350
Step = SignalsObserved | ExecutionReported | TargetChanged


ONE_LEG = make_book(SWAP)
TWO_LEGS = make_book(SWAP, FUTURE, base_vega=8000.0)  # static: 2000 of swap vega, 6 futures


def observed(event_ns: int, nav: float | None = None, **levels: float) -> SignalsObserved:
    known = Signal(value=nav, unit="USD", quality=Quality.GOOD, event_ns=event_ns)
    return SignalsObserved(
        event_ns=event_ns,
        index=event_ns,
        cause="clock",
        signals={} if nav is None else {"nav.overlay": known, "nav.other": known},
        marks={name: Mark(level=level, event_ns=event_ns) for name, level in levels.items()},
    )


def execution(
    event_ns: int, quantity: float, price: float | None, leg: str = "swap", **fields: object
) -> ExecutionReported:
    report = ExecutionReported(
        book="overlay",
        order_id=order_id("overlay", 1, leg),
        execution_id=f"{leg}-{event_ns}",
        kind=ExecutionKind.FILL,
        quantity=quantity,
        price=price,
        event_ns=event_ns,
    )
    return msgspec.structs.replace(report, **fields)


def target(event_ns: int, multiplier: float, **fields: object) -> TargetChanged:
    changed = TargetChanged(
        book="overlay",
        event_ns=event_ns,
        decision=1,
        trigger="vix_move",
        multiplier=multiplier,
        steps=(),
        target_vega=1000.0 * multiplier,
        current_vega=0.0,
        legs=(),
        quality=Quality.GOOD,
        reference_vix=20.0,
        budget_used=None,
        at_floor=multiplier == 0.2,
        at_cap=multiplier == 2.0,
    )
    return msgspec.structs.replace(changed, **fields)


def play(comparison: HedgeComparison, events: Iterable[Step]) -> list[SessionResult]:
    return [result for event in events for result in step(comparison, event)]


def step(comparison: HedgeComparison, event: Step) -> tuple[SessionResult, ...]:
    if isinstance(event, TargetChanged):
        return comparison.receive_target(event)
    return comparison.receive(event)


def run(
    events: Sequence[Step], policy: BookPolicy = ONE_LEG, commission: float = 0.0
) -> list[SessionResult]:
    return play(HedgeComparison(policy, CALENDAR, commission=commission), events)


# --- closes --------------------------------------------------------------------------------------


def test_a_session_is_accounted_when_time_passes_its_close() -> None:
    comparison = HedgeComparison(ONE_LEG, CALENDAR)
    assert comparison.next_deadline() is None
    assert comparison.receive(observed(120, VIX=20.0, SPX=100.0)) == ()
    assert comparison.next_deadline() == 151
    assert comparison.advance_to(150) == ()
    (result,) = comparison.advance_to(151)
    assert result.close_ns == 150
    assert comparison.next_deadline() == 251


def test_nothing_is_earned_before_there_is_a_close_to_earn_from() -> None:
    (first,) = run([observed(120, VIX=20.0, SPX=100.0), observed(220, VIX=30.0, SPX=90.0)])
    assert (first.static_carry, first.dynamic_carry, first.nav) == (0.0, 0.0, None)


def test_the_static_hedge_earns_the_base_vega_rolled_from_close_to_close() -> None:
    events: list[Step] = [
        observed(120, VIX=20.0, SPX=100.0),
        observed(220, VIX=30.0, SPX=95.0),
        observed(320, VIX=30.0, SPX=95.0),
    ]
    _, second = run(events)
    log_return = np.log(95 / 100)
    expected = 1000 / 40 * ((252 * log_return**2 * 1e4 - 400) / 21 + 20 / 21 * (900 - 400))
    assert second.static_carry == pytest.approx(expected)


def test_a_future_leg_earns_contracts_times_a_thousand_times_its_move() -> None:
    events: list[Step] = [
        observed(120, VIX=20.0, SPX=100.0, VX1=21.0),
        observed(220, VIX=20.0, SPX=100.0, VX1=23.5),
        observed(320, VIX=20.0, SPX=100.0),
    ]
    _, second = run(events, TWO_LEGS)
    assert second.static_carry == pytest.approx(6 * 1000 * 2.5 - 2000 / 40 * 400 / 21)


def test_a_print_at_the_close_is_the_close_and_one_after_it_is_nobodys() -> None:
    comparison = HedgeComparison(ONE_LEG, CALENDAR)
    play(comparison, [observed(150, VIX=20.0, SPX=100.0), observed(151, VIX=60.0, SPX=50.0)])
    assert comparison.snapshot().closes == {"SPX": 100.0, "VIX": 20.0}
    comparison.advance_to(251)
    assert comparison.report().sessions_skipped == 1  # nothing printed from 210 to 250


def test_a_print_before_the_open_is_not_a_print_of_the_session() -> None:
    comparison = HedgeComparison(ONE_LEG, CALENDAR)
    play(comparison, [observed(109, VIX=66.0, SPX=100.0), observed(140, SPX=100.0)])
    assert comparison.advance_to(151) == ()
    play(comparison, [observed(210, VIX=38.0, SPX=100.0)])
    assert len(comparison.advance_to(251)) == 1


@pytest.mark.parametrize("missing", ["VIX", "SPX"])
def test_a_session_with_a_close_missing_is_skipped_and_the_next_accounts_for_both(
    missing: str,
) -> None:
    gap = {"VIX": 25.0, "SPX": 99.0}
    del gap[missing]
    events: list[Step] = [
        observed(120, VIX=20.0, SPX=100.0),
        observed(220, **gap),
        observed(320, VIX=24.0, SPX=97.0),
    ]
    comparison = HedgeComparison(ONE_LEG, CALENDAR)
    play(comparison, events)
    (result,) = comparison.advance_to(351)
    expected = rolled_profit(1000.0, 20.0, np.log(0.97), 24.0, sessions=2)
    assert result.static_carry == pytest.approx(expected)
    assert (comparison.report().sessions, comparison.report().sessions_skipped) == (2, 1)


def test_sessions_without_any_event_are_skipped_one_by_one() -> None:
    comparison = HedgeComparison(ONE_LEG, CALENDAR)
    play(comparison, [observed(120, VIX=20.0, SPX=100.0), observed(520, VIX=20.0, SPX=100.0)])
    assert (comparison.report().sessions, comparison.report().sessions_skipped) == (1, 3)


def test_what_begins_after_a_close_waits_for_the_next_session() -> None:
    comparison = HedgeComparison(ONE_LEG, CALENDAR)
    play(comparison, [observed(160, VIX=20.0, SPX=100.0)])
    assert comparison.next_deadline() == 251
    assert comparison.report().sessions_skipped == 0


def test_beyond_the_calendar_nothing_closes() -> None:
    comparison = HedgeComparison(ONE_LEG, CALENDAR)
    play(comparison, [observed(1220, VIX=20.0, SPX=100.0), observed(5000, VIX=20.0, SPX=100.0)])
    assert comparison.next_deadline() is None
    assert comparison.advance_to(9999) == ()
    assert comparison.report().sessions == 1


# --- what was traded -----------------------------------------------------------------------------


def test_a_trade_earns_from_the_markets_level_and_the_rest_of_its_price_is_cost() -> None:
    events: list[Step] = [
        observed(120, VIX=20.0, SPX=100.0),
        execution(130, 400.0, 20.12),
        observed(140, VIX=30.0, SPX=100.0),
        observed(220, VIX=30.0, SPX=100.0),
        observed(320, VIX=30.0, SPX=100.0),
    ]
    first, second = run(events, commission=7.0)
    assert first.dynamic_carry == pytest.approx(swap_value(400.0, 20.0, 30.0))
    assert first.transaction_cost == pytest.approx(400 * 0.12 + 7)
    assert first.dynamic_net == pytest.approx(400 / 40 * 500 - 55)
    assert (first.trades, first.turnover_vega) == (1, 400.0)
    assert second.dynamic_carry == pytest.approx(rolled_profit(400.0, 30.0, 0.0, 30.0))
    assert (second.trades, second.turnover_vega, second.transaction_cost) == (0, 0.0, 0.0)


def test_a_sale_below_the_market_costs_too() -> None:
    events: list[Step] = [
        observed(120, VIX=20.0, SPX=100.0, VX1=21.0),
        execution(130, -2.0, 20.9, "future"),
        observed(140, VX1=20.0),
        observed(220),
    ]
    (first,) = run(events, TWO_LEGS)
    assert first.dynamic_carry == pytest.approx(2000.0)
    assert first.transaction_cost == pytest.approx(200.0)
    assert first.turnover_vega == 2000.0


def test_a_fill_reported_at_the_close_counts_in_the_session_that_closes() -> None:
    events: list[Step] = [
        observed(150, VIX=20.0, SPX=100.0),
        execution(150, 400.0, 20.1),
        observed(220),
    ]
    (first,) = run(events)
    assert (first.trades, first.dynamic_carry) == (1, 0.0)


def test_a_trade_in_a_skipped_session_earns_until_the_next_close_that_counts() -> None:
    events: list[Step] = [
        observed(120, VIX=20.0, SPX=100.0),
        observed(220, VIX=22.0),
        execution(230, 400.0, 22.0),
        observed(320, VIX=24.0, SPX=100.0),
        observed(420),
    ]
    _, third = run(events)
    assert third.close_ns == 350
    assert third.dynamic_carry == pytest.approx(swap_value(400.0, 22.0, 24.0))


def test_a_trade_before_any_mark_is_taken_at_its_own_price() -> None:
    (first,) = run([execution(120, 400.0, 21.0), observed(140, VIX=22.0, SPX=100.0), observed(220)])
    assert first.transaction_cost == 0.0
    assert first.dynamic_carry == pytest.approx(swap_value(400.0, 21.0, 22.0))


def test_reports_that_trade_nothing_or_are_anothers_or_came_before_do_not_count() -> None:
    fill = execution(130, 400.0, 20.0)
    events: list[Step] = [
        observed(120, VIX=20.0, SPX=100.0),
        execution(125, 0.0, None, kind=ExecutionKind.NEW),
        execution(126, 0.0, 20.0, kind=ExecutionKind.CANCEL),
        fill,
        msgspec.structs.replace(fill, event_ns=131),
        execution(132, 400.0, 20.0, book="other", execution_id="other-1"),
        observed(220),
    ]
    (first,) = run(events)
    assert (first.trades, first.turnover_vega) == (1, 400.0)


def test_a_leg_that_the_book_does_not_have_is_a_broken_invariant() -> None:
    with pytest.raises(KeyError, match="swap_12m"):
        run([execution(120, 1.0, 20.0, "swap_12m")])


# --- rolls ---------------------------------------------------------------------------------------

ONE_FUTURE = make_book(FUTURE, base_vega=2000.0)  # static: 2 futures


def rolled(event_ns: int, given_up: float, taken_on: float, **fields: float | str) -> Rolled:
    roll = Rolled(symbol="VX1", event_ns=event_ns, given_up=given_up, taken_on=taken_on)
    return msgspec.structs.replace(roll, **fields)


def test_a_roll_is_no_profit_and_costs_its_two_deals() -> None:
    comparison = HedgeComparison(ONE_FUTURE, CALENDAR, commission=3.0)
    comparison.receive(observed(120, VX1=15.0, SPX=100.0))
    comparison.receive(execution(140, 3.0, 15.1, "future"))
    comparison.receive(observed(150, VX1=15.5, SPX=100.0))
    (first,) = comparison.receive_roll(rolled(151, 15.5, 17.0, cost=0.1))
    assert first.dynamic_carry == 1500.0
    assert first.transaction_cost == pytest.approx(303.0)
    assert comparison.closes == {"SPX": 100.0, "VX1": 17.0}
    comparison.receive(observed(220, VX1=16.5, SPX=100.0))
    (second,) = comparison.advance_to(251)
    assert second.dynamic_carry == pytest.approx(3 * 1000 * (16.5 - 17.0))
    assert second.transaction_cost == pytest.approx(3 * 0.1 * 1000 + 2 * 3.0)
    assert second.static_carry == pytest.approx(2 * 1000 * (16.5 - 17.0 - 0.1) - 2 * 3.0)
    assert (second.turnover_vega, second.trades) == (0.0, 0)
    comparison.receive(observed(320, VX1=16.5, SPX=100.0))
    (third,) = comparison.advance_to(351)
    assert (third.transaction_cost, third.static_carry) == (0.0, 0.0)


def test_what_was_traded_since_the_close_rolls_too_and_the_old_contracts_mark_is_gone() -> None:
    comparison = HedgeComparison(TWO_LEGS, CALENDAR)
    comparison.receive(observed(120, VIX=20.0, VX1=15.0, SPX=100.0))
    comparison.receive(observed(220, VIX=20.0, VX1=15.0, SPX=100.0))
    comparison.receive(execution(225, 1.0, 20.0, "swap"))
    comparison.receive(execution(225, 4.0, 15.0, "future"))
    comparison.receive_roll(rolled(230, 15.0, 16.0))
    old = Mark(level=15.0, event_ns=220)
    comparison.receive(msgspec.structs.replace(observed(235), marks={"VX1": old}))
    comparison.receive(execution(240, 1.0, 16.25, "future"))
    (result,) = comparison.advance_to(251)
    assert result.dynamic_carry == pytest.approx(0.0)
    assert result.transaction_cost == pytest.approx(250.0)


def test_a_roll_across_sessions_that_did_not_count_is_no_profit_either() -> None:
    comparison = HedgeComparison(ONE_FUTURE, CALENDAR)
    comparison.receive(observed(120, VX1=15.0, SPX=100.0))
    comparison.receive_roll(rolled(160, 15.5, 17.0))
    comparison.receive_roll(rolled(260, 17.5, 18.0))
    comparison.receive(observed(320, VX1=18.25, SPX=100.0))
    (result,) = comparison.advance_to(351)
    assert comparison.report().sessions_skipped == 1
    assert result.static_carry == pytest.approx(2 * 1000 * (0.5 + 0.5 + 0.25))


def test_a_roll_of_what_nobody_holds_or_knows_changes_nothing() -> None:
    comparison = HedgeComparison(ONE_LEG, CALENDAR, commission=3.0)
    comparison.receive(observed(120, VIX=20.0, SPX=100.0))
    before = comparison.snapshot()
    comparison.receive_roll(rolled(130, 15.0, 16.0, cost=0.1))
    assert comparison.snapshot() == before


def test_a_comparison_that_was_stopped_around_a_roll_goes_on_as_if_it_had_not_been() -> None:
    whole = HedgeComparison(ONE_FUTURE, CALENDAR, commission=3.0)
    stopped = HedgeComparison(ONE_FUTURE, CALENDAR, commission=3.0)
    events: list[Step | Rolled] = [
        observed(120, VX1=15.0, SPX=100.0),
        execution(140, 3.0, 15.1, "future"),
        rolled(151, 15.0, 17.0, cost=0.1),
        observed(220, VX1=16.5, SPX=101.0),
        rolled(251, 16.5, 16.0, cost=0.2),
        observed(320, VX1=16.5, SPX=101.0),
        observed(420, VX1=16.5, SPX=101.0),
    ]
    for event in events:
        packed = msgspec.msgpack.encode(stopped.snapshot())
        state = msgspec.msgpack.decode(packed, type=ComparisonState)
        stopped = HedgeComparison.resume(ONE_FUTURE, CALENDAR, state, commission=3.0)
        for comparison in (whole, stopped):
            if isinstance(event, Rolled):
                comparison.receive_roll(event)
            else:
                step(comparison, event)
    assert stopped.snapshot() == whole.snapshot()
    assert whole.report().dynamic.transaction_cost > 0


# --- targets and value ---------------------------------------------------------------------------


def test_each_session_closes_with_the_last_target_at_its_close() -> None:
    events: list[Step] = [
        observed(120, VIX=20.0, SPX=100.0),
        target(220, 0.2),
        target(225, 9.0, book="other"),
        observed(230, VIX=20.0, SPX=100.0),
        observed(320, VIX=20.0, SPX=100.0),
        target(330, 1.0),
        target(351, 2.0),
    ]
    results = run(events)
    assert [(r.multiplier, r.at_floor, r.at_cap) for r in results] == [
        (None, False, False),
        (0.2, True, False),
        (1.0, False, False),
    ]


def test_the_portfolios_value_is_known_only_where_it_was_made_in_the_session() -> None:
    events: list[Step] = [
        observed(120, nav=500.0, VIX=20.0, SPX=100.0),
        observed(220, VIX=20.0, SPX=100.0),
        observed(320, nav=490.0, VIX=20.0, SPX=100.0),
        observed(420),
    ]
    assert [result.nav for result in run(events)] == [500.0, None, 490.0]


def test_a_portfolio_whose_value_is_still_unknown_has_none() -> None:
    unknown = Signal(value=None, unit="USD", quality=Quality.WARMING)
    snapshot = msgspec.structs.replace(
        observed(120, VIX=20.0, SPX=100.0), signals={"nav.overlay": unknown}
    )
    (first,) = run([snapshot, observed(220)])
    assert first.nav is None


# --- windows -------------------------------------------------------------------------------------

FEBRUARY_2018 = [  # S&P 500 and VIX closes of 25 January to 20 February
    (2839.25, 11.58),
    (2872.87, 11.08),
    (2853.53, 13.84),
    (2822.43, 14.79),
    (2823.81, 13.54),
    (2821.98, 13.47),
    (2762.13, 17.31),
    (2648.94, 37.32),
    (2695.14, 29.98),
    (2681.66, 27.73),
    (2581.00, 33.46),
    (2619.55, 29.06),
]


def test_february_2018_by_hand() -> None:
    """The static hedge of vega 1000 beside a portfolio of 1000 indices, from peak to trough."""
    comparison = HedgeComparison(ONE_LEG, CALENDAR)
    for day, (index, vix) in enumerate(FEBRUARY_2018, start=1):
        comparison.receive(observed(100 * day + 50, nav=1000 * index, VIX=vix, SPX=index))
    comparison.advance_to(1251)
    window = comparison.window(310, 1150)  # 29 January to 8 February
    profits = [
        1000 / (2 * k) * ((252e4 * np.log(s / s0) ** 2 - k**2) / 21 + 20 / 21 * (v**2 - k**2))
        for (s0, k), (s, v) in pairwise(FEBRUARY_2018[1:11])
    ]
    assert window.sessions == len(profits) == 9
    assert window.static_gain == pytest.approx(sum(profits))
    assert window.portfolio_loss == pytest.approx(1000 * (2872.87 - 2581.00))
    assert window.static_effectiveness == pytest.approx(sum(profits) / 291_870)
    (crash,) = comparison.report().crashes
    assert (crash.after_ns, crash.end_ns) == (250, 1150)
    assert crash.static_gain == window.static_gain
    assert comparison.report().static.cost == pytest.approx(
        -comparison.window(0, 260).static_gain - comparison.window(1200, 1300).static_gain
    )


def test_a_window_includes_the_closes_at_both_its_ends() -> None:
    comparison = HedgeComparison(ONE_LEG, CALENDAR)
    play(comparison, [observed(100 * day + 20, VIX=20.0, SPX=100.0) for day in range(1, 7)])
    assert comparison.window(250, 450).sessions == 3
    assert comparison.window(251, 449).sessions == 1


# --- the oracle ----------------------------------------------------------------------------------


def random_events(seed: int) -> list[Step]:
    """A random market with missing prints, trades and targets over the whole calendar."""
    random = np.random.default_rng(seed)
    levels = {"SPX": 100.0, "VIX": 20.0, "VX1": 21.0}
    events: list[Step] = []
    for now in np.sort(random.choice(np.arange(100, 100 * SESSIONS + 99), 90)).tolist():
        match random.integers(6):
            case 0:
                quantity = float(random.integers(-300, 500))
                events.append(execution(now, quantity, levels["VIX"] * random.uniform(0.98, 1.02)))
            case 1:
                price = levels["VX1"] * random.uniform(0.98, 1.02)
                contracts = float(random.integers(-3, 5))
                events.append(execution(now, contracts, price, "future"))
            case 2:
                events.append(target(now, float(random.choice([0.2, 1.0, 2.0]))))
            case _:
                for symbol, sigma in [("SPX", 0.02), ("VIX", 0.1), ("VX1", 0.06)]:
                    levels[symbol] *= float(np.exp(sigma * random.standard_normal()))
                printed = [symbol for symbol in levels if random.random() < 0.8]
                nav = float(levels["SPX"] * 10_000) if random.random() < 0.8 else None
                events.append(observed(now, nav, **{name: levels[name] for name in printed}))
    return [  # an id a trade, or the second would be a duplicate
        msgspec.structs.replace(event, execution_id=str(number))
        if isinstance(event, ExecutionReported)
        else event
        for number, event in enumerate(events)
    ]


def recomputed(events: Sequence[Step], commission: float) -> pd.DataFrame:
    """The same accounts from whole columns, written from the formulas and not from the code."""
    prints = all_prints(events)
    table = all_closes(prints, events[0].event_ns, events[-1].event_ns)
    good = table.dropna(subset=["SPX", "VIX", "VX1"]).copy()
    gap = pd.Series(good.index, good.index).diff()
    returns, strike = np.log(good.SPX).diff(), good.VIX.shift()
    realized, left = 252e4 * returns**2 - gap * strike**2, good.VIX**2 - strike**2
    good["skipped"] = len(table) - len(good)
    good["close_ns"] = CALENDAR.close_ns[good.index]
    good["swap"] = (realized + (21 - gap) * left) / 21 / (2 * strike)
    good["future"] = 1000 * good.VX1.diff()
    good["static_carry"] = (2000 * good.swap + 6 * good.future).fillna(0.0)
    good["dynamic_carry"] = good["transaction_cost"] = good["turnover_vega"] = 0.0
    good["held_swap"] = good["held_future"] = 0.0
    for number, event in enumerate(events):
        if isinstance(event, ExecutionReported) and event.quantity:
            before = prints[prints.number < number]
            add_trade(good, event, before, commission)
    held = good.held_swap * good.swap + good.held_future * good.future
    good["dynamic_carry"] += held.fillna(0.0)
    targets = pd.Series({e.event_ns: e.multiplier for e in events if isinstance(e, TargetChanged)})
    good["multiplier"] = [targets[targets.index <= end].tail(1).sum() for end in good.close_ns]
    return good


def all_prints(events: Sequence[Step]) -> pd.DataFrame:
    rows = []
    for number, event in enumerate(events):
        if isinstance(event, SignalsObserved):
            levels = {symbol: mark.level for symbol, mark in event.marks.items()}
            if event.signals:
                levels["nav"] = event.signals["nav.overlay"].value or np.nan
            rows += [(number, event.event_ns, *print_) for print_ in levels.items()]
    return pd.DataFrame(rows, columns=["number", "t", "symbol", "price"])


def all_closes(prints: pd.DataFrame, start: int, now: int) -> pd.DataFrame:
    days = range(*np.searchsorted(CALENDAR.close_ns, [start, now]).tolist())
    table = pd.DataFrame(index=days, columns=["SPX", "VIX", "VX1", "nav"], dtype=float)
    for day in days:
        inside = prints[prints.t.between(CALENDAR.open_ns[day], CALENDAR.close_ns[day])]
        table.loc[day, :] = inside.groupby("symbol")["price"].last().reindex(table.columns)
    return table


def add_trade(
    good: pd.DataFrame, trade: ExecutionReported, before: pd.DataFrame, commission: float
) -> None:
    counted_in = int(np.searchsorted(good.close_ns, trade.event_ns))
    if counted_in == len(good):
        return
    assert trade.price is not None
    is_swap = trade.order_id.endswith("swap")
    symbol, leg, point = ("VIX", "swap", 1) if is_swap else ("VX1", "future", 1000)
    day, now = good.index[counted_in], good[symbol].iloc[counted_in]
    known = before[before.symbol == symbol].price
    mid = known.iloc[-1] if len(known) else trade.price
    since = (now**2 - mid**2) / (2 * mid) if is_swap else 1000 * (now - mid)
    good.loc[day, "dynamic_carry"] += trade.quantity * since
    good.loc[day, "transaction_cost"] += trade.quantity * (trade.price - mid) * point + commission
    good.loc[day, "turnover_vega"] += abs(trade.quantity) * point
    good.loc[good.index > day, f"held_{leg}"] += trade.quantity


@pytest.mark.parametrize("seed", range(4))
def test_every_prefix_is_what_pandas_makes_of_it(seed: int) -> None:
    events = random_events(seed)
    comparison = HedgeComparison(TWO_LEGS, CALENDAR, commission=3.0)
    results: list[SessionResult] = []
    for number, event in enumerate(events, start=1):
        made = step(comparison, event)
        results.extend(made)
        if not made:
            continue
        expected = recomputed(events[:number], commission=3.0)
        actual = pd.DataFrame([msgspec.structs.asdict(result) for result in results])
        columns = ["close_ns", "nav", "dynamic_carry", "transaction_cost", "static_carry"]
        for column in [*columns, "turnover_vega", "multiplier"]:
            np.testing.assert_allclose(
                actual[column].astype(float).fillna(0.0),
                expected[column].fillna(0.0),
                rtol=1e-9,
                atol=1e-6,
            )
        report = comparison.report()
        assert report == summarize(results, skipped=report.sessions_skipped)
        assert report.sessions_skipped == expected.skipped.iloc[-1]
        assert report.dynamic.net_profit == pytest.approx(
            (expected.dynamic_carry - expected.transaction_cost).sum(), abs=1e-6
        )
    assert len(results) >= 3


# --- laws ----------------------------------------------------------------------------------------


@given(seed=st.integers(0, 10_000), cut=st.integers(0, 90))
def test_restart_law(seed: int, cut: int) -> None:
    events = random_events(seed)
    through = HedgeComparison(TWO_LEGS, CALENDAR, commission=3.0)
    play(through, events[:cut])
    packed = msgspec.msgpack.encode(through.snapshot())
    state = msgspec.msgpack.decode(packed, type=ComparisonState)
    assert state == through.snapshot()
    resumed = HedgeComparison.resume(TWO_LEGS, CALENDAR, state, commission=3.0)
    assert play(resumed, events[cut:]) == play(through, events[cut:])
    assert resumed.snapshot() == through.snapshot()
    assert msgspec.msgpack.encode(resumed.snapshot()) == msgspec.msgpack.encode(through.snapshot())
    assert resumed.report() == through.report()


@given(seed=st.integers(0, 10_000), cut=st.integers(0, 90))
def test_deadline_law(seed: int, cut: int) -> None:
    comparison = HedgeComparison(TWO_LEGS, CALENDAR)
    play(comparison, random_events(seed)[:cut])
    deadline = comparison.next_deadline()
    before = comparison.snapshot()
    if deadline is None:
        assert cut == 0 or before.session == SESSIONS
        return
    assert comparison.advance_to(deadline - 1) == ()
    assert comparison.snapshot() == before
    comparison.advance_to(deadline)
    assert comparison.snapshot() != before


def test_a_snapshot_does_not_move_with_its_comparison() -> None:
    comparison = HedgeComparison(ONE_LEG, CALENDAR)
    comparison.receive(observed(120, VIX=20.0, SPX=100.0))
    state = comparison.snapshot()
    packed = msgspec.msgpack.encode(state)
    play(comparison, [execution(130, 400.0, 20.1), observed(220, VIX=30.0, SPX=90.0)])
    assert msgspec.msgpack.encode(state) == packed
