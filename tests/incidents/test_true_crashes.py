"""Moves that were real: the filter must not eat them, and the cap holds."""

from datetime import date

import pytest
from fakes.pipeline import INTERVAL
from incidents.reconstruction import Day, book, path, recorded, shipped
from msgspec import structs

from shared.domain.hedging.rules import PRESETS
from shared.domain.policies import LegPolicy, LimitPolicy

FRIDAY, MONDAY = date(2018, 2, 2), date(2018, 2, 5)
FAST = 3
"""Prints that confirm an extreme move, in the shipped configuration; as many confirm a jump."""


def february() -> Day:
    """Hedged at Friday's closes, 17.31 and 2762.13."""
    vix, index = recorded("VIX", FRIDAY).close, recorded("SPX", FRIDAY).close
    assert vix == 17.31
    return Day(MONDAY, {"VIX": vix, "SPX": index})


def test_2018_02_05_each_step_of_the_climb_is_believed_and_hedged() -> None:
    day, index = february(), recorded("SPX", MONDAY)
    assert index.open is not None
    assert index.low is not None
    prints = day.until("16:00")
    close = recorded("VIX", MONDAY).close
    assert close == 37.32
    day.play(
        VIX=path(17.9, 18.5, 19.0, 21.0, 24.0, 31.0, close, intervals=prints, noise=0.004),
        SPX=path(index.open, 2750, 2740, 2720, 2700, index.low, index.close, intervals=prints),
    )
    assert day.refused("VIX") == {}
    assert day.refused("SPX") == {}
    assert day.hedge[-1].target_quantity == pytest.approx(530, abs=15)
    assert {order.side for order in day.orders} == {"buy"}
    assert 1900 < day.position("varswap_3m") <= 2000  # twice the base, and no more


@pytest.mark.parametrize(
    ("crash", "within"),
    [
        ([25.6, 26.0, 27.1, 28.0], FAST),  # +48%: beyond 8 points, no jump to the filter
        ([37.32, 36.9, 37.1, 37.32, 37.2, 37.3], 2 * FAST - 1),  # +116%: the filter first
    ],
)
def test_2018_02_05_the_close_at_once_fires_within_k_prints(
    crash: list[float], within: int
) -> None:
    day = february()
    day.play(VIX=path(17.31, 17.5, intervals=20), SPX=path(2762, 2755, intervals=20))
    began = day.now
    day.play(VIX=crash, SPX=path(2740, 2640, intervals=len(crash)))
    assert [order.trigger for order in day.orders] == ["fast_vix"]
    assert (day.orders[0].event_ns - began) // INTERVAL == within


def test_2018_02_05_a_filter_that_asks_for_more_prints_than_there_are_would_eat_it() -> None:
    symbols = {
        name: structs.replace(each, max_jump=0.05, confirmations=10**6)
        for name, each in shipped().intake.symbols.items()
    }
    settings = structs.replace(shipped(), intake=structs.replace(shipped().intake, symbols=symbols))
    day = Day(MONDAY, {"VIX": 17.31, "SPX": 2762.13}, settings=settings)
    day.play(VIX=[37.32] * 60, SPX=path(2740, 2640, intervals=60))
    assert day.orders == []  # what this suite must catch


def test_2020_03_16_the_cap_holds_and_the_long_legs_are_reduced() -> None:
    short = LegPolicy(
        name="short", instrument="variance_swap", symbol="VIX", maturity_days=30, max_vega=2000
    )
    long = structs.replace(short, name="long", maturity_days=365)
    limits: LimitPolicy = structs.replace(
        book().limits, max_order_notional=1e6, max_daily_turnover=1e7, max_position_vega=2500
    )
    policy = book(
        legs=(short, long),
        rules=(PRESETS["covid"],),
        sizing=structs.replace(book().sizing, split_by_term_structure=True, budget=None),
        limits=limits,
    )
    # Reconstructed: Friday's futures; the covid rule asks for 5.7 times the base at 57.83.
    day = Day(date(2020, 3, 16), {"VX1": 40.0, "VX3": 42.0, "VIX": 57.83, "SPX": 2711.02}, policy)
    held = {order.leg: order.target_quantity for order in day.hedge}
    assert sum(held.values()) == pytest.approx(2000, abs=1)
    assert held["short"] < held["long"] + 0.1 * held["long"]
    prints = day.until("15:59")
    day.play(
        VX1=path(52.0, 72.6, intervals=prints),
        VX3=path(42.5, 44.9, intervals=prints),
        VIX=path(60.0, 82.69, intervals=prints, noise=0.003),
        SPX=path(2508.59, 2386.13, intervals=prints),
    )
    assert day.observed.signals["term_state"].state == "backwardation"
    assert (day.target.multiplier, day.target.at_cap) == (2.0, True)
    assert day.position("long") < held["long"]
    assert day.position("short") + day.position("long") == pytest.approx(
        2000, abs=60
    )  # the least change is 50
    assert max(each.target_quantity for each in day.orders) <= 2000
