"""The paper's gamma scalper: implied volatility 15, realized 18, gamma beats theta (spec 4.3)."""

from math import exp, sqrt

import pytest
from fakes.hedged_market import MONDAY
from fakes.measured_market import (
    BAND,
    DELTA,
    MeasuredMarket,
    call_delta,
    call_gamma,
    strategy_book,
)
from msgspec import structs

from shared.domain.effects import TargetChanged
from shared.domain.instants import DAY

STRADDLES, STRIKE, IMPLIED = 100 * 100.0, 100.0, 0.15
EXPIRY = MONDAY + 90 * DAY
SCALPING = structs.replace(
    DELTA,
    name="gamma_scalping",
    scalps=True,
    band=structs.replace(BAND, kind="whalley_wilmott", proportional_cost=1e-5, risk_aversion=1e-2),
)


def measure(market: MeasuredMarket, level: float) -> None:
    """The straddles at this level: Black-Scholes without rates."""
    years = (EXPIRY - market.now) / (365 * DAY)
    gamma = 2 * STRADDLES * call_gamma(level, STRIKE, IMPLIED, years)
    market.print(level)
    market.measure(
        STRADDLES * (2 * call_delta(level, STRIKE, IMPLIED, years) - 1),
        gamma__XYZ=gamma,
        theta=9e6,  # of all underlyings
        theta__XYZ=-gamma * level**2 * IMPLIED**2 / 2 / 365,
        volatility__XYZ=IMPLIED,
        years__XYZ=years,
    )


def scalped(realized: float) -> tuple[MeasuredMarket, dict[str, float]]:
    """Forty sessions of daily moves of just that volatility, up and down in turn."""
    market, level = MeasuredMarket(strategy_book(SCALPING)), 100.0
    step, days = 0.0, [(week * 7 + day) for week in range(8) for day in range(5)]
    for number, (day, before) in enumerate(zip(days, [0, *days], strict=False)):
        step = realized * sqrt((day - before) / 365)
        level *= exp(step if number % 2 else -step)
        market.now = MONDAY + day * DAY
        measure(market, level)
        if market.orders and market.orders[-1].event_ns == market.now:
            market.fill()
    target = market.of(TargetChanged)[-1]
    return market, target.strategies[0].figures


def test_realized_18_against_implied_15_gamma_beats_theta() -> None:
    _, figures = scalped(0.18)
    assert figures["realized_volatility"] == pytest.approx(0.18, rel=1e-3)
    assert figures["implied_volatility"] == pytest.approx(0.15)
    assert figures["gamma_profit"] > figures["theta_paid"] > 0
    ratio = figures["gamma_profit"] / figures["theta_paid"]
    assert ratio == pytest.approx((0.18 / 0.15) ** 2, rel=0.05)  # the paper's 300,000 to 200,000


def test_realized_12_against_implied_15_theta_beats_gamma() -> None:
    _, figures = scalped(0.12)
    assert 0 < figures["gamma_profit"] < figures["theta_paid"]
    assert figures["scalping_net"] < 0


def test_the_break_even_move_is_what_implied_volatility_makes_of_a_day() -> None:
    market, figures = scalped(0.18)
    level = market.marks["XYZ"]
    assert figures["break_even_move"] == pytest.approx(level * IMPLIED / sqrt(365), rel=1e-9)


def test_it_sells_into_rises_and_buys_into_falls() -> None:
    market, _ = scalped(0.18)
    assert len(market.orders) > 20
    levels = [order.reference_price for order in market.orders]
    for order, level in zip(market.orders[1:], levels[1:], strict=True):
        assert (order.side == "sell") == (level > 100.0) or abs(level - 100.0) < 1.0
