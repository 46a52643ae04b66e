from math import inf, nan

import pytest
from fakes.hedged_market import LIMITS
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from shared.domain.dealing.pretrade import Block, ProposedOrder, check_limits, check_order
from shared.domain.policies import LimitPolicy

TIGHT = LimitPolicy(
    max_order_vega=100.0,
    max_order_notional=2000.0,
    max_position_vega=300.0,
    max_orders_per_day=2,
    max_orders_per_minute=100,
    max_daily_turnover=1e9,
    max_daily_loss=1e9,
    max_price_deviation=0.5,
    max_repeats=100,
    repeat_ns=600_000_000_000,
    duplicate_ns=1,
)
SOUND = ProposedOrder(vega=100.0, notional=2000.0, vega_before=200.0, orders_today=1)


def test_an_order_at_every_limit_passes() -> None:
    assert check_order(TIGHT, SOUND) is None
    assert check_order(TIGHT, structs.replace(SOUND, vega=-100.0, vega_before=-200.0)) is None


@pytest.mark.parametrize(
    ("change", "control"),
    [
        ({"vega": 100.001}, "max_order_vega"),
        ({"vega": nan}, "max_order_vega"),
        ({"notional": 2000.01}, "max_order_notional"),
        ({"notional": inf}, "max_order_notional"),
        ({"vega_before": 200.001}, "max_position_vega"),
        ({"orders_today": 2}, "max_orders_per_day"),
    ],
)
def test_an_order_beyond_a_limit_is_blocked_with_the_figures(
    change: dict[str, float], control: str
) -> None:
    block = check_order(TIGHT, structs.replace(SOUND, **change))
    assert isinstance(block, Block)
    assert block.control == control
    assert set(block.figures) == {"value", "limit"}


def test_an_order_that_reduces_is_not_blocked_by_the_position_limit() -> None:
    selling = structs.replace(SOUND, vega=-100.0, vega_before=900.0)
    assert check_order(TIGHT, selling) is None


def test_a_position_turned_round_without_growing_is_not_blocked() -> None:
    limits = structs.replace(TIGHT, max_order_vega=1000.0)
    turned = structs.replace(SOUND, vega=-800.0, vega_before=400.0)
    assert check_order(limits, turned) is None


def test_selling_through_zero_into_a_larger_short_is_blocked() -> None:
    limits = structs.replace(TIGHT, max_order_vega=1000.0)
    short = structs.replace(SOUND, vega=-800.0, vega_before=390.0)
    assert check_order(limits, short) == Block("max_position_vega", {"value": 410, "limit": 300})


@pytest.mark.parametrize("value", [0.0, -1.0, inf, nan])
def test_a_limit_that_limits_nothing_is_refused(value: float) -> None:
    for name in LIMITS.__struct_fields__:
        with pytest.raises(ValueError, match=name):
            check_limits(structs.replace(LIMITS, **{name: value}))


def test_sound_limits_pass() -> None:
    check_limits(LIMITS)


@given(st.floats(-1e4, 1e4), st.floats(-1e5, 1e5), st.floats(-1e3, 1e3), st.integers(0, 5))
def test_nothing_beyond_a_limit_ever_passes(
    vega: float, notional: float, before: float, count: int
) -> None:
    order = ProposedOrder(vega=vega, notional=notional, vega_before=before, orders_today=count)
    if check_order(TIGHT, order) is None:
        assert abs(vega) <= 100
        assert abs(notional) <= 2000
        assert abs(before + vega) <= max(300, abs(before))
        assert count < 2
