"""The paper's market maker: 10,000 calls, hedged twice a day for twenty days (spec 4.2)."""

import pytest
from fakes.hedged_market import MONDAY
from fakes.measured_market import BAND, DELTA, MeasuredMarket, strategy_book
from msgspec import structs

from shared.domain.effects import StrategyTold, TargetChanged
from shared.domain.instants import DAY, MINUTE

CALLS = 10_000.0
TWICE_A_DAY = structs.replace(
    DELTA, band=structs.replace(BAND, kind="time", interval_trading_ns=195 * MINUTE)
)

DAYS = [MONDAY + (week * 7 + day) * DAY for week in range(4) for day in range(5)]
INSTANTS = [opening + half * 195 * MINUTE for opening in DAYS for half in (0, 1)]


def strategy_told(market: MeasuredMarket) -> StrategyTold:
    target: TargetChanged = market.of(TargetChanged)[-1]
    assert isinstance(target.strategies, tuple)
    return target.strategies[0]


def test_at_a_delta_of_0_60_it_is_short_6000_and_at_0_65_it_sells_500_more() -> None:
    market = MeasuredMarket()
    market.measure(CALLS * 0.60)
    market.fill()
    assert market.book.position("shares") == -6000.0
    market.print(102.0)
    market.measure(CALLS * 0.65, after=MINUTE)
    order = market.orders[-1]
    assert (order.side, order.quantity) == ("sell", 500.0)
    market.fill()
    assert market.book.position("shares") == -6500.0


def test_forty_adjustments_in_twenty_days_cost_2000() -> None:
    market = MeasuredMarket(strategy_book(TWICE_A_DAY))
    for number, now in enumerate(INSTANTS):
        market.now = now
        market.measure(CALLS * (0.60 if number % 2 == 0 else 0.65))
        market.fill()
    assert [order.quantity for order in market.orders] == [6000.0] + 39 * [500.0]
    taken = next(band for band in strategy_told(market).bands if band.kind == "time")
    assert (taken.trades, taken.cost) == (40, 2000.0)


def test_what_a_wider_band_would_have_cost_is_shown_beside_it() -> None:
    market = MeasuredMarket(
        strategy_book(
            structs.replace(TWICE_A_DAY, band=structs.replace(TWICE_A_DAY.band, half_width=300.0))
        )
    )
    for number, now in enumerate(INSTANTS[:10]):
        market.now = now
        market.measure(CALLS * (0.60 if number % 2 == 0 else 0.65))
        market.fill()
    costs = {band.kind: band.cost for band in strategy_told(market).bands}
    assert (costs["fixed"], costs["time"]) == (100.0, 500.0)


@pytest.mark.parametrize("delta", [0.60, 0.65, 0.01])
def test_it_is_neutral_after_every_fill(delta: float) -> None:
    market = MeasuredMarket()
    market.measure(CALLS * delta)
    market.fill()
    assert CALLS * delta + market.book.position("shares") == 0
