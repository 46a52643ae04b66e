from math import inf, nan
from typing import Any

import pytest
from fakes.hedged_market import FUTURE, SWAP
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from shared.domain.accounts.leg_profit import unit_vega
from shared.domain.hedging.allocation import allocate, check_legs, quantity_for, weights_of
from shared.domain.policies import LegPolicy

PUT = LegPolicy(
    name="put",
    instrument="put",
    symbol="SPXP",
    maturity_days=180,
    max_vega=5000.0,
    multiplier=100.0,
    vega_per_unit=2.5,
)


@pytest.mark.parametrize(
    ("leg", "vega"), [(SWAP, 1.0), (FUTURE, 1000.0), (PUT, 250.0)], ids=["swap", "future", "put"]
)
def test_the_vega_of_one_unit(leg: LegPolicy, vega: float) -> None:
    assert unit_vega(leg) == vega


@pytest.mark.parametrize(
    ("leg", "vega", "quantity"),
    [
        (SWAP, 400.4, 400.0),
        (FUTURE, 2499.0, 2.0),
        (FUTURE, 2500.0, 3.0),
        (PUT, 1000.0, 4.0),
        (structs.replace(SWAP, lot=250.0), 400.0, 500.0),
    ],
)
def test_quantities_are_rounded_to_the_lot(leg: LegPolicy, vega: float, quantity: float) -> None:
    assert quantity_for(leg, vega) == quantity


def test_rounding_up_never_breaks_the_limit_of_a_leg() -> None:
    leg = structs.replace(FUTURE, max_vega=1500.0)
    assert quantity_for(leg, 1500.0) == 1.0


def test_a_limit_of_whole_lots_is_not_lost_to_the_rounding_of_floats() -> None:
    leg = structs.replace(SWAP, max_vega=0.3, lot=0.1)
    assert quantity_for(leg, 0.3) == pytest.approx(0.3)


def test_legs_share_by_weight() -> None:
    legs = (structs.replace(SWAP, weight=3.0), FUTURE)
    assert allocate(legs, 1000.0, None).vegas == (750.0, 250.0)


def test_the_term_structure_splits_between_short_and_long() -> None:
    short_weight, long_weight = weights_of((SWAP, FUTURE), 72.6 / 44.9)
    assert short_weight == pytest.approx(0.6179, abs=5e-5)  # 2020-03-16: long legs reduced
    assert short_weight + long_weight == 1.0


def test_legs_of_one_side_keep_their_shares_between_them() -> None:
    third = structs.replace(SWAP, name="third", weight=3.0)
    weights = weights_of((SWAP, third, FUTURE), 1.0)
    assert weights == (0.125, 0.375, 0.5)


@pytest.mark.parametrize("legs", [(SWAP,), (FUTURE,)])
def test_with_legs_on_one_side_only_there_is_nothing_to_split(legs: tuple[LegPolicy, ...]) -> None:
    assert weights_of(legs, 1.5) == (1.0,)


def test_92_days_is_still_short_and_93_is_long() -> None:
    short, long = (structs.replace(SWAP, maturity_days=days) for days in (92, 93))
    assert weights_of((short, long), 0.25) == (0.2, 0.8)


def test_what_one_leg_may_not_hold_goes_to_those_with_room() -> None:
    legs = (structs.replace(SWAP, max_vega=100.0), FUTURE)
    allocation = allocate(legs, 1000.0, None)
    assert allocation.vegas == (100.0, 900.0)
    assert allocation.excess == 0
    assert "at their limit: swap" in allocation.note


def test_excess_beyond_every_limit_is_said() -> None:
    legs = (structs.replace(SWAP, max_vega=100.0), structs.replace(FUTURE, max_vega=200.0))
    allocation = allocate(legs, 1000.0, None)
    assert allocation.vegas == (100.0, 200.0)
    assert allocation.excess == 700.0
    assert "700 vega is beyond every leg's limit and is not hedged" in allocation.note


def test_a_leg_without_weight_takes_nothing() -> None:
    legs = (structs.replace(SWAP, weight=0.0), FUTURE)
    assert allocate(legs, 1000.0, None).vegas == (0.0, 1000.0)


def test_no_vega_is_no_vega() -> None:
    assert allocate((SWAP, FUTURE), 0.0, None).vegas == (0.0, 0.0)


def test_a_vega_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be allocated"):
        allocate((SWAP,), nan, None)


@given(
    st.lists(st.tuples(st.floats(0.01, 10), st.floats(1, 5000)), min_size=1, max_size=5),
    st.floats(0, 20_000),
    st.none() | st.floats(0.3, 3),
)
def test_no_vega_is_lost_and_no_leg_above_its_limit(
    shapes: list[tuple[float, float]], vega: float, ratio: float | None
) -> None:
    legs = [
        structs.replace(
            SWAP, name=f"leg{n}", weight=weight, max_vega=most, maturity_days=30 + 60 * (n % 2)
        )
        for n, (weight, most) in enumerate(shapes)
    ]
    allocation = allocate(legs, vega, ratio)
    assert sum(allocation.weights) == pytest.approx(1)
    assert sum(allocation.vegas) + allocation.excess == pytest.approx(vega)
    assert all(0 <= v <= leg.max_vega for v, leg in zip(allocation.vegas, legs, strict=True))
    if allocation.excess > 1e-6:
        assert all(
            v == pytest.approx(leg.max_vega) for v, leg in zip(allocation.vegas, legs, strict=True)
        )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "Swap 1"}, "name"),
        ({"weight": -0.1}, "weight"),
        ({"weight": inf}, "weight"),
        ({"weight": nan}, "weight|more than 0"),
        ({"max_vega": inf}, "max_vega"),
        ({"max_vega": 0.0}, "max_vega"),
        ({"lot": 0.0}, "lot"),
        ({"multiplier": 2.0}, "multiplier must be 1"),
        ({"multiplier": 0.0}, "finite and above 0"),
    ],
)
def test_a_leg_that_cannot_be_sized_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_legs((structs.replace(SWAP, **change), FUTURE))


def test_options_under_90_days_need_an_opt_in() -> None:
    young = structs.replace(PUT, maturity_days=89)
    with pytest.raises(ValueError, match="allow_under_90_days"):
        check_legs((young,))
    check_legs((structs.replace(young, allow_under_90_days=True),))
    check_legs((structs.replace(PUT, maturity_days=90),))


@pytest.mark.parametrize("vega", [None, 0.0, inf])
def test_an_option_needs_its_vega(vega: float | None) -> None:
    with pytest.raises(ValueError, match="vega_per_unit"):
        check_legs((structs.replace(PUT, vega_per_unit=vega),))


def test_a_future_of_the_wrong_size_is_refused() -> None:
    with pytest.raises(ValueError, match="1000"):
        check_legs((structs.replace(FUTURE, multiplier=10.0),))


@pytest.mark.parametrize("legs", [(), (SWAP, SWAP)])
def test_a_book_needs_legs_with_names_of_their_own(legs: tuple[LegPolicy, ...]) -> None:
    with pytest.raises(ValueError, match="its own name"):
        check_legs(legs)


def test_the_weights_must_add_up_to_something() -> None:
    check_legs((structs.replace(SWAP, weight=0.0), FUTURE))
    with pytest.raises(ValueError, match="more than 0"):
        check_legs((structs.replace(SWAP, weight=0.0),))
