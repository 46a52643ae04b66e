import pytest
from fakes.hedged_market import CALENDAR, LIMITS, SWAP, policy
from fakes.measured_market import BAND, DELTA, DELTA_LIMITS, SHARES, MeasuredMarket, strategy_book
from msgspec import structs

from shared.domain.effects import OrderWithheld, TargetChanged
from shared.domain.hedging.book import HedgeBook
from shared.domain.hedging.rules import PRESETS
from shared.domain.instants import DAY, SECOND
from shared.domain.policies import GreekBand, LegPolicy, LimitPolicy
from shared.domain.signals_observed import Quality
from shared.domain.strategy_policies import STRATEGY_TRIGGERS, DeltaPolicy, acts_on_greeks

OTHER = structs.replace(SHARES, name="other", symbol="ABC")


@pytest.mark.parametrize(
    ("strategies", "legs", "limits", "problem"),
    [
        ((DELTA, DELTA), (SHARES,), DELTA_LIMITS, "each its own name"),
        ((DELTA,), (), DELTA_LIMITS, "at least one leg"),
        ((DELTA,), (SHARES,), LIMITS, "max_order_delta"),
        ((DELTA,), (SHARES, structs.replace(OTHER, symbol="XYZ")), DELTA_LIMITS, "one symbol"),
        ((DELTA,), (SHARES, OTHER), DELTA_LIMITS, "no strategy hedges with it"),
        ((DELTA,), (SHARES, SWAP), LIMITS, "max_order_delta"),
        ((structs.replace(DELTA, leg="none"),), (SHARES,), DELTA_LIMITS, "no strategy hedges"),
    ],
)
def test_a_book_that_contradicts_itself_is_refused(
    strategies: tuple[DeltaPolicy, ...],
    legs: tuple[LegPolicy, ...],
    limits: LimitPolicy,
    problem: str,
) -> None:
    with pytest.raises(ValueError, match=problem):
        HedgeBook(strategy_book(*strategies, legs=legs, limits=limits), CALENDAR, "")


def test_a_strategy_needs_its_own_leg_and_one_underlying_a_leg() -> None:
    twice = (DELTA, structs.replace(DELTA, name="two", leg="none", underlying="ABC"))
    with pytest.raises(ValueError, match="no leg none"):
        HedgeBook(strategy_book(*twice), CALENDAR, "")
    twice = (DELTA, structs.replace(DELTA, name="two", underlying="ABC"))
    with pytest.raises(ValueError, match="cannot hedge two underlyings"):
        HedgeBook(strategy_book(*twice), CALENDAR, "")


def test_a_swap_is_no_leg_of_a_strategy() -> None:
    both = structs.replace(LIMITS, max_order_delta=1.0, max_position_delta=1.0)
    with pytest.raises(ValueError, match="an underlying, futures or options"):
        HedgeBook(strategy_book(legs=(SHARES, SWAP), limits=both), CALENDAR, "")


def test_a_book_without_strategies_is_none() -> None:
    with pytest.raises(ValueError, match="at least one strategy"):
        HedgeBook(structs.replace(strategy_book(), strategies=()), CALENDAR, "")


SECOND_ONE = structs.replace(DELTA, name="second", underlying="ABC", leg="other")


def two_underlyings(second: DeltaPolicy = SECOND_ONE) -> MeasuredMarket:
    market = MeasuredMarket(strategy_book(DELTA, second, legs=(SHARES, OTHER)))
    market.marks |= {"ABC": 50.0}
    market.marked_at |= {"ABC": market.now}
    names = ("gamma.", "level.", "volatility.")
    market.greeks |= {f"{name}ABC": market.greeks[f"{name}XYZ"] for name in names}
    market.greeks["delta.ABC"] = 100.0
    return market


def test_each_strategy_has_its_own_underlying_and_all_are_one_decision() -> None:
    market = two_underlyings()
    market.measure(6000.0)
    assert {order.leg: order.signed_quantity for order in market.orders} == {
        "shares": -6000.0,
        "other": -100.0,
    }
    assert [order.decision for order in market.orders] == [1, 1]


def test_a_hedge_of_one_underlying_is_no_room_for_that_of_another() -> None:
    market = two_underlyings()
    market.greeks["delta.ABC"] = -9_000.0
    for options in (9_000.0, 18_000.0, 24_000.0):
        before = len(market.orders)
        market.measure(options, after=SECOND)
        for order in market.orders[before:]:
            market.fill(order)
        market.greeks["delta.ABC"] = 0.0
    assert market.book.position("other") == 9_000.0
    assert market.book.position("shares") == -18_000.0
    (withheld,) = market.of(OrderWithheld)
    assert (withheld.leg, withheld.control) == ("shares", "max_position_delta")
    assert withheld.figures == {"value": 24_000.0, "limit": 20_000.0}


def test_one_that_is_blind_does_not_stop_the_others() -> None:
    market = two_underlyings()
    market.gone.add("gamma.ABC")
    market.measure(6000.0)
    assert [order.leg for order in market.orders] == ["shares"]
    (target,) = market.of(TargetChanged)
    assert target.quality is Quality.STALE
    assert target.strategies[1].note == "gamma.ABC is not measured"
    assert {leg.leg: leg.quantity for leg in target.legs} == {"shares": -6000.0, "other": 0.0}


def test_what_is_due_stays_due_while_its_strategy_is_blind() -> None:
    timed = structs.replace(BAND, kind="time")
    second = structs.replace(DELTA, name="second", underlying="ABC", leg="other", band=timed)
    market = two_underlyings(second)
    market.greeks["delta.ABC"] = 0.2
    market.measure(0.0, after=SECOND)  # due, and less than a lot
    market.gone.add("level.ABC")
    market.measure(6000.0, after=SECOND)
    market.fill()
    market.gone.clear()
    market.greeks["delta.ABC"] = 500.0
    market.measure(6000.0, after=SECOND)
    assert [(order.leg, order.signed_quantity) for order in market.orders] == [
        ("shares", -6000.0),
        ("other", -500.0),
    ]


def test_a_scheduled_review_with_nothing_to_do_orders_nothing() -> None:
    market = MeasuredMarket()
    market.measure(6000.0)
    market.fill()
    market.measure(6000.0, after=7 * DAY)
    assert [target.trigger for target in market.of(TargetChanged)] == ["band.delta", "schedule"]
    assert len(market.orders) == 1


def test_a_greek_band_asks_for_a_review_too() -> None:
    bands = (GreekBand(greek="vega", low=-1.0, high=1.0),)
    triggers = structs.replace(STRATEGY_TRIGGERS, greek_bands=bands)
    market = MeasuredMarket(strategy_book(triggers=triggers))
    market.measure(0.0, after=SECOND, vega=2.0)
    assert [target.trigger for target in market.of(TargetChanged)] == ["greek.vega"]
    assert market.orders == []


PUT = LegPolicy(
    name="put",
    instrument="put",
    symbol="VX6",
    maturity_days=120,
    max_vega=1.0,
    vega_per_unit=1.0,
)


def test_measurements_bear_on_some_books_alone() -> None:
    bands = {"greek_bands": (GreekBand(greek="vega", low=-1.0, high=1.0),)}
    assert not acts_on_greeks(policy())
    assert acts_on_greeks(strategy_book())
    assert acts_on_greeks(policy(triggers=bands))
    assert acts_on_greeks(policy(rules=(PRESETS["delta"],)))
    assert acts_on_greeks(policy(legs=(PUT,)))
