"""A book over a made-up history, against the accounts that it must agree with."""

from itertools import pairwise
from math import fsum

import numpy as np
import pytest
from fakes import rolled_market
from fakes.rolled_books import (
    INTAKE,
    LEGS,
    POLICY,
    SIGNALS,
    backtest,
    book,
    fresh_backtest,
    instruments,
)
from msgspec import structs

from shared.domain.effects import TargetChanged
from shared.domain.events import ExecutionKind, ExposureMeasured
from shared.domain.policies import NavSharePolicy, SizingPolicy
from shared.domain.signals_observed import SignalsObserved
from shared.domain.study.backtest import Backtest
from shared.domain.study.instruments import study_book
from shared.domain.study.market import ObservedStep, StudyMarket


def test_every_session_is_counted_once_finished_and_has_the_books_standing() -> None:
    test = backtest("put")
    assert len(test.sessions) == rolled_market.SESSIONS
    assert [each.result.close_ns for each in test.sessions] == [
        each.book.close_ns for each in test.sessions
    ]
    assert test.sessions[-1].book.target_vega > 0
    assert test.sessions[-1].book.held_vega != 0
    assert test.sessions[-1].closes["PUT90"] == instruments().histories["PUT90"].level[-1]
    assert test.sessions[-1].book.budget_used is None
    assert test.sessions[-1].book.whipsaws == test.counts["whipsaw"]
    before = list(test.sessions)
    test.finish()
    assert test.sessions == before


def test_a_backtest_without_steps_has_nothing_to_finish() -> None:
    test = Backtest(book("swap"), POLICY, rolled_market.CALENDAR)
    test.finish()
    assert test.sessions == []


def test_a_leg_earns_what_the_contracts_that_it_held_have_earned() -> None:
    """Cash and value of every contract by itself: bought, rolled at both marks, and marked."""
    test = backtest("future")
    known = instruments().histories["VX1R"]
    clocks = rolled_market.points().clock_ns
    rolls = {int(clocks[roll.point]): roll for roll in known.rolls}
    closes = [each.result.close_ns for each in test.sessions]
    profit = [0.0]
    for before_ns, now_ns in pairwise(closes):
        held = fsum(each.quantity for each in test.trades if each.event_ns <= before_ns)
        traded = [each for each in test.trades if before_ns < each.event_ns <= now_ns]
        start = float(known.level[clocks == before_ns][0])
        roll = rolls.get(before_ns)
        base = start if roll is None else roll.taken_on
        end = float(known.level[clocks == now_ns][0])
        earned = held * (end - base) + fsum(t.quantity * (end - t.price) for t in traded)
        paid = 0.0
        if roll is not None:
            both = (roll.given_up, roll.taken_on)
            paid = abs(held) * sum(known.instrument.costs.points(each, 1000.0) for each in both)
        profit.append(1000 * (earned - paid))
    first = test.sessions[0].result
    assert first.dynamic_net == 0.0
    np.testing.assert_allclose(
        [each.result.dynamic_net for each in test.sessions], profit, rtol=1e-9, atol=1e-6
    )
    assert test.counts["roll"] == len(known.rolls) >= 15
    assert any(each.quantity < 0 for each in test.trades)


def test_fills_pay_the_instruments_own_costs() -> None:
    test = backtest("put")
    costs = instruments().histories["PUT90"].instrument.costs
    assert test.trades
    for trade in test.trades:
        paid = (trade.price - trade.level) * np.sign(trade.quantity)
        assert paid == pytest.approx(costs.points(trade.level, 100.0), abs=2e-6)


def test_what_trades_between_a_roll_and_the_new_contracts_first_mark_pays_quotes_too() -> None:
    known = instruments().histories["VXTH"]
    clocks = rolled_market.points().clock_ns
    openings = {int(clocks[roll.point + 1]) for roll in known.rolls}
    test = backtest("call")
    early = [trade for trade in test.trades if trade.event_ns in openings]
    assert early
    for trade in early:
        cost = known.instrument.costs.points(trade.level, 100.0)
        paid = (trade.price - trade.level) * np.sign(trade.quantity)
        assert cost / 2 < paid < 2 * cost


def test_measured_vega_sizes_option_legs_and_only_books_that_act_on_greeks_hear_of_it() -> None:
    test = backtest("put")
    points = rolled_market.points()
    for session in test.sessions[60:70]:
        point = int(np.searchsorted(points.clock_ns, session.result.close_ns))
        unit = instruments().measured[int(points.clock_ns[point])]["unit_vega.PUT90"]
        held = fsum(t.quantity for t in test.trades if t.event_ns <= session.result.close_ns)
        assert session.book.held_vega == pytest.approx(held * unit)


def stepped(test: Backtest, count: int) -> list[ObservedStep]:
    market = StudyMarket(INTAKE, SIGNALS, rolled_market.CALENDAR, instruments())
    steps = list(market.take_all(rolled_market.steps()[:count]))
    for step in steps:
        test.take(step)
    return steps


def test_the_portfolio_is_measured_in_shares_of_the_index_once_it_has_a_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard: list[ExposureMeasured] = []
    hedge = study_book(book("put", "call"), instruments())
    test = Backtest(hedge, POLICY, rolled_market.CALENDAR)
    receive = test._receive  # noqa: SLF001 - what the book hears

    def listen(event: object) -> None:
        if isinstance(event, ExposureMeasured):
            heard.append(event)
        receive(event)  # type: ignore[arg-type] # passed on

    monkeypatch.setattr(test, "_receive", listen)
    steps = stepped(test, 6)
    assert heard[0].portfolio_delta == 0.0
    nav = steps[3].observed[-1]
    assert isinstance(nav, SignalsObserved)
    value = nav.signals["nav.overlay"].value
    assert value is not None
    assert heard[-1].portfolio_delta == pytest.approx(value / steps[5].ticks[-2].level)
    unit = instruments().measured[heard[-1].event_ns]["unit_delta.PUT90"]
    assert heard[-1].put_delta == unit / 100


def test_without_a_mark_of_the_index_the_portfolio_is_not_measured() -> None:
    test = Backtest(study_book(book("put"), instruments()), POLICY, rolled_market.CALENDAR)
    steps = stepped(test, 4)
    blind = ObservedStep(
        ticks=(),
        clock=steps[-1].clock,
        observed=steps[-1].observed,
        measured={"unit_vega.PUT90": 1.0},
    )
    other = Backtest(study_book(book("put"), instruments()), POLICY, rolled_market.CALENDAR)
    other.take(blind)
    other.take(blind)
    assert other.counts["order"] == 0


def test_what_the_gateway_refuses_is_told_and_tried_again() -> None:
    """Of a leg that is said to have thirty times its vega it believes no order."""
    legs = (structs.replace(LEGS["put"], vega_per_unit=100.0),)
    test = fresh_backtest(legs=legs)
    assert {each.kind for each in test.executions} == {ExecutionKind.REJECT}
    assert test.counts["execution reject"] == test.counts["order"] > 1
    assert test.trades == []


@pytest.mark.parametrize(("leg", "symbol", "steps"), [("pput", "PPUT", 1), ("call", "VXTH", 2)])
def test_a_programme_of_a_share_of_nav_looks_again_at_a_new_contracts_first_mark(
    leg: str, symbol: str, steps: int
) -> None:
    sizing = SizingPolicy(base_vega=1.0, floor=0.0, nav_share=NavSharePolicy(share=0.01))
    test = fresh_backtest(leg, sizing=sizing)
    asked = [
        effect.event_ns
        for effect in test.effects
        if isinstance(effect, TargetChanged) and effect.trigger == "operator"
    ]
    clocks = rolled_market.points().clock_ns
    rolls = [int(clocks[r.point + steps]) for r in instruments().histories[symbol].rolls]
    assert asked == rolls


def test_a_second_clock_at_a_close_notes_nothing_and_rolls_of_others_are_not_ours() -> None:
    test = Backtest(book("swap"), POLICY, rolled_market.CALENDAR)
    steps = stepped(test, 60)
    assert test.counts["roll"] == 0
    assert any(step.rolls for step in steps)
    known = test.sessions[-1].book
    again = ObservedStep(ticks=(), clock=steps[-1].clock, observed=steps[-1].observed)
    test.take(again)
    test.finish()
    assert test.sessions[-2].book == known
    assert LEGS["swap"].symbol == "VIX"


def test_counts_name_what_was_decided_and_reported() -> None:
    test = backtest("swap")
    assert test.counts["order"] >= test.counts["execution fill"] > 5
    assert test.counts["decision"] > 5
    assert test.counts["trigger firing"] >= test.counts["decision"]
    assert len(test.executions) == sum(
        count for name, count in test.counts.items() if name.startswith("execution ")
    )
