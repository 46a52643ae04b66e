"""The worked examples, played to the live hedger."""

import pytest

from shared.domain.policies import TriggerPolicy
from shared.domain.study.claims.enacted import gamma_over_theta, market_maker, orders_on


def test_from_18_to_22_the_live_book_buys_400() -> None:
    assert orders_on((18, 22)) == [600.0, 400.0]
    assert orders_on((18, 22), base_vega=2000.0) == [1200.0, 800.0]


@pytest.mark.parametrize(("level", "count"), [(15, 1), (21, 1), (14.99, 2), (21.01, 2)])
def test_it_fires_below_15_and_above_21_and_at_neither(level: float, count: int) -> None:
    assert len(orders_on((18, level))) == count


def test_fifteen_percent_fires_before_three_points_do() -> None:
    assert len(orders_on((18, 20.71), triggers=TriggerPolicy())) == 2
    assert len(orders_on((18, 20.69), triggers=TriggerPolicy())) == 1


def test_a_whipsaw_within_the_hold_sends_nothing() -> None:
    assert orders_on((20, 25, 20), minutes=10) == [800.0]
    assert orders_on((20, 25, 20)) == [800.0, 500.0, -500.0]


def test_the_market_maker_sells_6000_and_500_more_and_pays_2000() -> None:
    made = market_maker()
    assert (made.first, made.after, made.more) == (6000.0, 6500.0, 500.0)
    assert (made.adjustments, made.cost) == (40, 2000.0)


@pytest.mark.parametrize(("implied", "realized"), [(0.15, 0.18), (0.15, 0.12), (0.2, 0.2)])
def test_gamma_earns_what_theta_costs_as_the_square_of_realized_over_implied(
    implied: float, realized: float
) -> None:
    expected = (realized / implied) ** 2
    assert gamma_over_theta(implied, realized) == pytest.approx(expected, rel=1e-3)
