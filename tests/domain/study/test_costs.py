import pytest

from shared.domain.study.costs import (
    NO_COSTS,
    USUAL_COSTS,
    InstrumentCosts,
    quoted,
)


def test_a_deal_costs_spread_slippage_and_commission_in_points() -> None:
    costs = InstrumentCosts(half_spread=0.01, slippage=0.002, commission=5.0)
    assert costs.points(20.0, 1000.0) == pytest.approx(0.2 + 0.04 + 0.005)
    least = InstrumentCosts(half_spread=0.01, half_spread_points=0.5)
    assert least.points(20.0, 100.0) == 0.5
    assert least.points(60.0, 100.0) == pytest.approx(0.6)


def test_quotes_carry_the_cost_on_both_sides() -> None:
    tick = quoted("VX1", 7, 20.0, InstrumentCosts(half_spread_points=0.05, commission=2.0), 1000.0)
    assert (tick.symbol, tick.event_ns, tick.price) == ("VX1", 7, 20.0)
    assert tick.bid == pytest.approx(19.948)
    assert tick.ask == pytest.approx(20.052)


def test_what_is_worth_less_than_its_cost_still_has_a_bid() -> None:
    tick = quoted("P", 7, 0.02, InstrumentCosts(half_spread_points=0.05), 100.0)
    assert tick.bid == pytest.approx(0.0002)
    assert tick.ask == pytest.approx(0.07)


def test_only_what_costs_nothing_is_zero() -> None:
    assert NO_COSTS.is_zero
    assert not any(costs.is_zero for costs in USUAL_COSTS.values())
    assert not InstrumentCosts(commission=1.0).is_zero
