from typing import Any

import pytest
from fakes.hedged_market import LIMITS, MONDAY
from fakes.measured_market import DELTA, SHARES, MeasuredMarket, strategy_book
from msgspec import structs

from shared.domain.effects import AlertRaised, TargetChanged
from shared.domain.events import ExecutionKind
from shared.domain.hedging.strategies.state import StrategyState
from shared.domain.hedging.strategies.vega import VegaStrategy, bucket_of
from shared.domain.instants import DAY, MINUTE, SECOND
from shared.domain.policies import LegPolicy
from shared.domain.signals_observed import Mark
from shared.domain.strategy_policies import (
    ListedLegPolicy,
    StrategyBookPolicy,
    VegaBounds,
    VegaPolicy,
)


def option(name: str, days: int, **more: Any) -> ListedLegPolicy:  # noqa: ANN401 - any of its fields
    fields: dict[str, Any] = {
        "instrument": "option",
        "symbol": name.upper(),
        "underlying": "XYZ",
        "expiry_ns": MONDAY + days * DAY,
        "maturity_days": 0,
        "max_vega": 1e6,
        "multiplier": 100.0,
        "vega_per_unit": 0.2,
    }
    return ListedLegPolicy(name=name, **(fields | more))


NEAR, WIDE, FAR = option("near", 120), option("wide", 130), option("far", 400)
VEGA = VegaPolicy(
    underlying="XYZ",
    leg="shares",
    bounds=(
        VegaBounds(bucket="91-365d", low=-500.0, high=500.0),
        VegaBounds(bucket="366d+", low=-1000.0, high=1000.0),
    ),
)
BOTH_LIMITS = structs.replace(LIMITS, max_order_delta=10_000.0, max_position_delta=20_000.0)


def book(*more: Any, legs: tuple[Any, ...] = (NEAR, WIDE, FAR, SHARES)) -> StrategyBookPolicy:  # noqa: ANN401 - strategies
    return strategy_book(VEGA, *more, legs=legs, limits=BOTH_LIMITS)


class Listed(MeasuredMarket):
    """A market with quotes of its options."""

    def __init__(self, of: StrategyBookPolicy | None = None) -> None:
        super().__init__(of or book())
        self.quotes = {"NEAR": (4.9, 5.1), "WIDE": (4.0, 6.0), "FAR": (9.8, 10.2)}
        self.greeks |= {"vega.XYZ.91-365d": 0.0, "vega.XYZ.366d+": 0.0}
        for symbol in ("NEAR", "WIDE", "FAR"):
            self.greeks |= {f"unit_vega.{symbol}": 20.0, f"unit_delta.{symbol}": 55.0}

    def observed(self, cause: str) -> Any:  # noqa: ANN401 - as the market's own
        seen = super().observed(cause)
        quoted = {
            symbol: Mark(level=(bid + ask) / 2, event_ns=self.now, bid=bid, ask=ask)
            for symbol, (bid, ask) in self.quotes.items()
        }
        return structs.replace(seen, marks={**seen.marks, **quoted})


def by_leg(market: MeasuredMarket) -> dict[str, float]:
    return {order.leg: order.signed_quantity for order in market.orders}


def vega(market: Listed, **buckets: float) -> None:
    market.greeks |= {f"vega.XYZ.{name}": value for name, value in buckets.items()}
    market.measure(0.0, after=SECOND)


def test_a_bucket_inside_its_bounds_is_let_alone() -> None:
    market = Listed()
    vega(market, **{"91-365d": 500.0, "366d+": -1000.0})
    assert market.orders == []


def test_a_bucket_outside_is_brought_to_its_bound_with_the_cheapest_option() -> None:
    market = Listed()
    vega(market, **{"91-365d": -1490.0})
    assert by_leg(market) == {"near": 50.0, "shares": -2750.0}  # 990 / 20, and 50 × 55 of delta
    near = next(order for order in market.orders if order.leg == "near")
    assert (near.vega, near.instrument, near.trigger) == (1000.0, "option", "band.vega")


def test_too_much_vega_is_sold_to_the_upper_bound() -> None:
    market = Listed()
    vega(market, **{"366d+": 1210.0})
    assert by_leg(market) == {"far": -11.0, "shares": 605.0}


def test_the_vega_of_another_underlying_is_not_its_own() -> None:
    market = Listed()
    market.greeks |= {"vega": -5000.0, "vega.VXZ26.91-365d": -4500.0}
    vega(market, **{"91-365d": -400.0})
    assert market.orders == []


def test_several_buckets_are_one_decision() -> None:
    market = Listed()
    vega(market, **{"91-365d": -600.0, "366d+": -1100.0})
    assert by_leg(market) == {"near": 5.0, "far": 5.0, "shares": -550.0}
    assert len(market.of(TargetChanged)) == 1


def test_cheap_is_the_least_spread_for_a_unit_of_vega() -> None:
    market = Listed()
    market.greeks["unit_vega.WIDE"] = 400.0  # ten times the spread, twenty times the vega
    vega(market, **{"91-365d": -900.0})
    assert by_leg(market) == {"wide": 1.0, "shares": -55.0}


def test_of_two_as_cheap_the_first_is_taken() -> None:
    market = Listed()
    market.quotes["WIDE"] = market.quotes["NEAR"]
    vega(market, **{"91-365d": -600.0})
    assert set(by_leg(market)) == {"near", "shares"}


@pytest.mark.parametrize("spoil", ["no quote", "no bid", "no vega"])
def test_an_option_that_cannot_be_priced_is_not_taken(spoil: str) -> None:
    market = Listed()
    if spoil == "no quote":
        del market.quotes["NEAR"]
    elif spoil == "no bid":
        market.quotes["NEAR"] = (0.0, 0.1)
    else:
        market.greeks["unit_vega.NEAR"] = 0.0
    vega(market, **{"91-365d": -600.0})
    assert set(by_leg(market)) == {"wide", "shares"}


def test_without_any_it_says_so_once() -> None:
    market = Listed()
    market.quotes.clear()
    for _ in range(2):
        vega(market, **{"91-365d": -600.0})
    blind = [each.where for each in market.of(AlertRaised) if each.what == "strategy_blind"]
    assert blind[1:] == ["vega: no option of 91-365d may be dealt in at a quote"]


def test_an_order_on_its_way_counts_and_its_fill_counts_once() -> None:
    market = Listed()
    vega(market, **{"91-365d": -600.0})
    vega(market)
    assert len(market.orders) == 2
    for order in market.orders:
        market.send(market.report(order, ExecutionKind.FILL, order.signed_quantity, 5.0))
    vega(market, **{"91-365d": -500.0})
    assert len(market.orders) == 2


def test_young_options_are_sold_but_bought_only_with_the_opt_in() -> None:
    young = option("young", 60)
    bounds = (VegaBounds(bucket="31-90d", low=-100.0, high=100.0),)
    policy = structs.replace(VEGA, bounds=bounds)

    def traded(leg: ListedLegPolicy, net: float) -> dict[str, float]:
        of = strategy_book(policy, legs=(leg, SHARES), limits=BOTH_LIMITS)
        market = Listed(of)
        market.quotes["YOUNG"] = (4.9, 5.1)
        market.greeks |= {"unit_vega.YOUNG": 20.0, "unit_delta.YOUNG": 50.0}
        vega(market, **{"31-90d": net})
        return by_leg(market)

    assert traded(young, -200.0) == {}
    assert traded(young, 200.0) == {"young": -5.0, "shares": 250.0}
    willing = structs.replace(young, allow_under_90_days=True)
    assert traded(willing, -200.0) == {"young": 5.0, "shares": -250.0}


def test_a_lot_that_is_larger_than_the_bounds_is_traded_only_if_it_helps() -> None:
    bounds = (VegaBounds(bucket="366d+", low=0.0, high=0.0),)
    market = Listed(
        strategy_book(structs.replace(VEGA, bounds=bounds), legs=(FAR, SHARES), limits=BOTH_LIMITS)
    )
    vega(market, **{"366d+": 9.0})
    assert market.orders == []
    market.greeks["unit_delta.FAR"] = 0.1  # nothing to neutralise
    vega(market, **{"366d+": 11.0})
    assert by_leg(market) == {"far": -1.0}


def test_vega_and_delta_are_held_by_one_book() -> None:
    market = Listed(book(DELTA))
    market.greeks["vega.XYZ.91-365d"] = -600.0
    market.measure(1000.0)
    assert by_leg(market) == {"near": 5.0, "shares": -1275.0}
    market.measure(1000.0, after=SECOND)
    assert len(market.orders) == 2  # the options' delta, still on order, is not hedged again
    names = [told.strategy for told in market.of(TargetChanged)[0].strategies]
    assert names == ["vega", "delta"]


def test_the_figures_of_every_bucket_are_shown() -> None:
    market = Listed()
    vega(market, **{"91-365d": -600.0})
    (told,) = market.of(TargetChanged)[0].strategies
    assert told.figures == {"vega.91-365d": -600.0, "vega.366d+": 0.0}


def test_a_decision_that_failed_is_made_again() -> None:
    market = Listed()
    vega(market, **{"91-365d": -600.0})
    market.send(market.report(market.orders[0], ExecutionKind.REJECT, reason="no"))
    for _ in range(61):
        vega(market)
    assert by_leg(market) == {"near": 5.0, "shares": -275.0}
    assert [order.leg for order in market.orders] == ["shares", "near", "shares"]


def test_what_hedged_an_option_that_has_expired_is_given_up_once() -> None:
    short = option("short", 1, allow_under_90_days=True)
    bounds = VegaBounds(bucket="0-7d", low=-100.0, high=100.0)
    policy = structs.replace(VEGA, bounds=(bounds,))
    market = Listed(strategy_book(policy, legs=(short, SHARES), limits=BOTH_LIMITS))
    market.quotes = {"SHORT": (0.9, 1.1)}
    market.greeks |= {"vega.XYZ.0-7d": -300.0, "unit_vega.SHORT": 20.0, "unit_delta.SHORT": 55.0}
    market.measure(0.0, after=SECOND)
    for order in market.orders:
        market.fill(order)
    assert by_leg(market) == {"short": 10.0, "shares": -550.0}
    market.greeks |= {"vega.XYZ.0-7d": 0.0, "unit_delta.SHORT": 100.0}  # in the money to the end
    market.measure(0.0, after=2 * DAY)
    assert [(each.leg, each.signed_quantity) for each in market.orders[2:]] == [("shares", 550.0)]
    market.fill()
    market.gone.add("unit_delta.SHORT")
    market.measure(0.0, after=SECOND)
    assert len(market.orders) == 3
    assert market.of(AlertRaised)[-1].what == "strategy_sees"


def test_what_a_delta_strategy_holds_as_well_is_left_to_it() -> None:
    market = Listed(book(DELTA))
    vega(market, **{"91-365d": -600.0})
    market.send(market.report(market.orders[0], ExecutionKind.REJECT, reason="no"))
    for _ in range(61):
        vega(market)
    assert [order.trigger for order in market.orders] == ["band.vega", "band.vega", "band.delta"]


@pytest.mark.parametrize(
    ("days", "bucket"),
    [
        (-1.0, ""),
        (0.0, ""),
        (0.5, "0-7d"),
        (7.9, "0-7d"),
        (8.0, "8-30d"),
        (31.0, "31-90d"),
        (91.0, "91-365d"),
        (366.0, "366d+"),
    ],
)
def test_buckets_go_by_whole_days_left(days: float, bucket: str) -> None:
    assert bucket_of(MONDAY + int(days * DAY), MONDAY) == bucket


@pytest.mark.parametrize(
    ("bounds", "legs", "problem"),
    [
        ((), (NEAR, SHARES), "needs bounds"),
        ((VEGA.bounds[0], VEGA.bounds[0]), (NEAR, SHARES), "each of its own bucket"),
        ((VegaBounds(bucket="spot", low=0.0, high=0.0),), (NEAR, SHARES), "no bucket spot"),
        (VEGA.bounds, (SHARES,), "needs options"),
        ((VegaBounds(bucket="366d+", low=1.0, high=0.0),), (NEAR, SHARES), "low must not"),
    ],
)
def test_bounds_and_legs_are_checked(
    bounds: tuple[VegaBounds, ...], legs: tuple[LegPolicy, ...], problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        VegaStrategy(structs.replace(VEGA, bounds=bounds), legs, StrategyState())


def test_its_measurements_go_stale_too() -> None:
    market = Listed()
    market.clock()
    opening = market.book.next_deadline()
    market.measure(0.0)
    assert market.book.next_deadline() == market.now + MINUTE + 1
    market.clock(after=2 * MINUTE)
    assert market.book.next_deadline() == opening
