from math import inf, nan
from typing import Any

import pytest
from fakes.hedged_market import FUTURE, LIMITS, SWAP
from fakes.orders import make_order
from msgspec import structs

from shared.domain.accounts.leg_profit import Measure
from shared.domain.dealing.pretrade import (
    Block,
    ProposedOrder,
    check_limits,
    check_order,
    check_trading,
)
from shared.domain.orders import Order
from shared.domain.policies import LegPolicy, LimitPolicy
from shared.domain.strategy_policies import DeltaLegPolicy
from shared.domain.trading import TradingState

TIGHT = structs.replace(
    LIMITS,
    max_order_vega=100.0,
    max_order_notional=2000.0,
    max_position_vega=300.0,
    max_daily_loss=500.0,
    max_price_deviation=0.125,
)


def order(quantity: float = 100.0, side: str = "buy", leg: LegPolicy = SWAP, **more: Any) -> Order:  # noqa: ANN401 - any of its fields
    sign = 1 if side == "buy" else -1
    vega = sign * quantity * (1.0 if leg is SWAP else leg.multiplier)
    fields: dict[str, Any] = {
        "side": side,
        "quantity": quantity,
        "vega": vega,
        "reference_price": 20.0,
        "limit_price": 20.0 * (1 + sign * 0.125),
        "notional": quantity * 20.0 * leg.multiplier,
    }
    return make_order(1, **(fields | more))


def proposed(made: Order | None = None, **more: Any) -> ProposedOrder:  # noqa: ANN401 - any of its fields
    fields: dict[str, Any] = {
        "leg": SWAP,
        "mark": 20.0,
        "book_size": 200.0,
        "furthest_size": 300.0,
        "loss": 0.0,
    }
    return ProposedOrder(order=order() if made is None else made, **(fields | more))


def control(of: ProposedOrder) -> str:
    block = check_order(TIGHT, of)
    return "" if block is None else block.control


def test_an_order_at_every_limit_passes() -> None:
    assert check_order(TIGHT, proposed(loss=500.0)) is None
    assert check_order(TIGHT, proposed(order(side="sell"), book_size=-200.0, loss=500.0)) is None


@pytest.mark.parametrize(
    ("beyond", "blocks", "figures"),
    [
        (proposed(order(100.5)), "max_order_vega", {"value": 100.5, "limit": 100.0}),
        (
            proposed(order(96.0, reference_price=21.0, notional=2016.0), mark=21.0),
            "max_order_notional",
            {"value": 2016.0, "limit": 2000.0},
        ),
        (
            proposed(order(limit_price=23.0)),
            "max_price_deviation",
            {"value": 0.15, "limit": 0.125},
        ),
        (
            proposed(order(limit_price=17.0)),
            "max_price_deviation",
            {"value": 0.15, "limit": 0.125},
        ),
        (proposed(furthest_size=300.5), "max_position_vega", {"value": 300.5, "limit": 300.0}),
        (proposed(loss=500.5), "max_daily_loss", {"value": 500.5, "limit": 500.0}),
    ],
)
def test_an_order_beyond_a_limit_is_blocked_with_the_figures(
    beyond: ProposedOrder, blocks: str, figures: dict[str, float]
) -> None:
    assert check_order(TIGHT, beyond) == Block(blocks, figures)


def test_the_collar_is_measured_from_the_live_mark_not_from_what_the_order_says() -> None:
    assert control(proposed(mark=19.0)) == "max_price_deviation"
    assert control(proposed(order(reference_price=10.0, notional=1000.0))) == ""


@pytest.mark.parametrize("value", [nan, inf, -inf, 0.0, -20.0])
@pytest.mark.parametrize("name", ["quantity", "reference_price", "limit_price", "notional"])
def test_a_figure_of_an_order_that_is_not_finite_and_positive_blocks(
    name: str, value: float
) -> None:
    changed: dict[str, Any] = {name: value}
    block = check_order(TIGHT, proposed(order(**changed)))
    assert block is not None
    assert block.control == "figures"
    assert name in block.figures


@pytest.mark.parametrize("value", [nan, inf, -inf, 0.0, -20.0])
def test_a_mark_that_is_not_finite_and_positive_blocks(value: float) -> None:
    assert control(proposed(mark=value)) == "figures"


@pytest.mark.parametrize("value", [nan, inf, -inf])
def test_a_vega_that_is_not_finite_blocks(value: float) -> None:
    assert control(proposed(order(vega=value))) == "figures"
    assert control(proposed(book_size=value)) == "figures"


def test_a_loss_that_is_not_a_number_blocks_what_does_not_reduce() -> None:
    assert control(proposed(loss=nan)) == "max_daily_loss"
    assert control(proposed(order(side="sell"), loss=nan)) == ""


@pytest.mark.parametrize(
    ("swapped", "figure"),
    [
        (order(quantity=2000.0, vega=100.0, notional=2000.0), "vega"),  # units for money: Citi 2022
        (order(notional=100.0), "notional"),
        (order(side="sell", vega=100.0), "vega"),
        (order(vega=100.0 * (1 + 1e-8)), "vega"),
        (order(notional=2000.0 * (1 - 1e-8)), "notional"),
    ],
)
def test_statements_of_one_size_that_disagree_block(swapped: Order, figure: str) -> None:
    block = check_order(TIGHT, proposed(swapped))
    assert block is not None
    assert block.control == "agreement"
    assert set(block.figures) == {figure, "implied"}


def test_the_multiplier_of_another_leg_does_not_agree() -> None:
    small = order(1.0, vega=1.0, notional=20.0)
    assert control(proposed(small)) == ""
    assert control(proposed(small, leg=FUTURE)) == "agreement"


def test_the_noise_of_floats_is_no_disagreement() -> None:
    assert control(proposed(order(vega=100.0 * (1 - 1e-12)))) == ""


def test_an_order_that_reduces_is_not_blocked_by_the_loss() -> None:
    assert control(proposed(order(side="sell"), furthest_size=-800.0, loss=1e9)) == ""


def test_a_reach_that_is_not_a_number_blocks() -> None:
    assert control(proposed(furthest_size=nan)) == "max_position_vega"


def test_halted_nothing_passes_and_active_everything() -> None:
    for change in (100.0, -100.0, nan):
        block = check_trading(TradingState.HALTED, 200.0, change)
        assert block is not None
        assert block.control == "halted"
        assert check_trading(TradingState.ACTIVE, 200.0, change) is None


@pytest.mark.parametrize(
    ("before", "change", "passes"),
    [
        (200.0, -100.0, True),
        (200.0, -400.0, True),
        (200.0, -400.5, False),
        (-200.0, 100.0, True),
        (-200.0, -0.5, False),
        (200.0, 0.5, False),
        (0.0, 1.0, False),
        (nan, -100.0, False),
        (200.0, nan, False),
    ],
)
def test_reducing_only_what_brings_vega_nearer_to_zero_passes(
    before: float, change: float, *, passes: bool
) -> None:
    block = check_trading(TradingState.REDUCING, before, change)
    assert (block is None) is passes
    if block is not None:
        assert (block.control, set(block.figures)) == ("reducing", {"vega_before", "vega"})


@pytest.mark.parametrize("name", LIMITS.__struct_fields__)
@pytest.mark.parametrize("value", [0.0, -1.0, inf, -inf, nan])
def test_a_limit_that_limits_nothing_is_refused(name: str, value: float) -> None:
    sound = structs.replace(LIMITS, max_order_delta=1.0, max_position_delta=1.0)
    with pytest.raises(ValueError, match=name):
        check_limits(structs.replace(sound, **{name: value}), ("vega", "delta"))


def test_sound_limits_pass() -> None:
    check_limits(LIMITS)
    check_limits(structs.replace(LIMITS, max_order_delta=1.0, max_position_delta=1.0), {"delta"})


@pytest.mark.parametrize("measure", ["vega", "delta"])
def test_a_book_may_have_no_limit_of_what_it_does_not_deal_in(measure: Measure) -> None:
    other: Measure = "delta" if measure == "vega" else "vega"
    sound = {f"max_{what}_{measure}": 1.0 for what in ("order", "position")}
    none = {f"max_{what}_{other}": 0.0 for what in ("order", "position")}
    limits = structs.replace(LIMITS, **(sound | none))
    check_limits(limits, {measure})
    with pytest.raises(ValueError, match=f"max_order_{other}"):
        check_limits(limits, {measure, other})


# --- legs measured by delta ------------------------------------------------------------------

SHARES = DeltaLegPolicy(name="shares", instrument="underlying", symbol="XYZ")
DELTA_LIMITS = structs.replace(TIGHT, max_order_vega=0.0, max_position_vega=0.0)
DELTA_LIMITS = structs.replace(DELTA_LIMITS, max_order_delta=100.0, max_position_delta=300.0)


def shares(**more: Any) -> ProposedOrder:  # noqa: ANN401 - any of its fields
    made = order(leg=SHARES, vega=0.0, delta=more.pop("delta", 100.0))
    return proposed(made, **({"leg": SHARES} | more))


@pytest.mark.parametrize(
    ("of", "limits", "name"),
    [
        (shares(), DELTA_LIMITS, ""),
        (shares(), structs.replace(DELTA_LIMITS, max_order_delta=99.0), "max_order_delta"),
        (shares(furthest_size=301.0), DELTA_LIMITS, "max_position_delta"),
        (shares(furthest_size=nan), DELTA_LIMITS, "max_position_delta"),
        (shares(), TIGHT, "max_order_delta"),  # limits of a book without such legs
        (shares(delta=99.0), DELTA_LIMITS, "agreement"),
        (shares(delta=nan), DELTA_LIMITS, "figures"),
        (shares(unit=2.0), DELTA_LIMITS, "agreement"),
        (shares(unit=1.0), DELTA_LIMITS, ""),
        (shares(loss=501.0), DELTA_LIMITS, "max_daily_loss"),
        (shares(loss=501.0, book_size=-200.0, furthest_size=0.0), DELTA_LIMITS, ""),
    ],
)
def test_a_leg_measured_by_delta_has_limits_of_its_own(
    of: ProposedOrder, limits: LimitPolicy, name: str
) -> None:
    block = check_order(limits, of)
    assert (block.control if block else "") == name


def test_a_measured_vega_replaces_the_configured_one() -> None:
    dear = order(vega=50.0)
    assert control(proposed(dear)) == "agreement"
    assert control(proposed(dear, unit=0.5)) == ""


def test_what_may_not_trade_is_told_in_its_own_measure() -> None:
    halted = check_trading(TradingState.HALTED, 5.0, 1.0, "delta")
    reducing = check_trading(TradingState.REDUCING, 5.0, 1.0, "delta")
    assert halted == Block("halted", {"delta": 1.0})
    assert reducing == Block("reducing", {"delta_before": 5.0, "delta": 1.0})
