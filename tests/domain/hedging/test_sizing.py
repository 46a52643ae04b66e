from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from shared.domain.hedging.sizing import (
    BudgetRoom,
    SizingInputs,
    allocation_step,
    check_sizing,
    contracts_multiplier,
    size,
    smallest_trade,
)
from shared.domain.policies import BudgetPolicy, SizingPolicy

POLICY = SizingPolicy(base_vega=1000.0)
INPUTS = SizingInputs(
    rule=1.0,
    rule_note="linear(vix_smooth 22)",
    held=0.6,
    confirmed_by="vix_move",
    hedge_correlation=None,
    budget=None,
)


def sized(policy: SizingPolicy = POLICY, **changes: Any) -> dict[str, tuple[float, bool]]:  # noqa: ANN401 - any field
    """The chain by name: multiplier and whether the step binds."""
    sizing = size(policy, structs.replace(INPUTS, **changes))
    return {step.name: (step.multiplier, step.binding) for step in sizing.steps}


def test_every_step_is_visible_and_in_order() -> None:
    assert sized() == {
        "rule": (1.0, False),
        "persistence": (1.0, True),
        "equity_share": (1.0, False),
        "budget": (1.0, False),
        "floor_and_cap": (1.0, False),
    }


def test_persistence_does_not_bind_when_nothing_was_held_or_nothing_changed() -> None:
    assert sized(held=None)["persistence"] == (1.0, False)
    assert sized(held=1.0)["persistence"] == (1.0, False)


def test_only_the_equity_part_is_hedged() -> None:
    policy = structs.replace(POLICY, equity_share=0.6)
    assert sized(policy)["equity_share"] == (0.6, True)


@pytest.mark.parametrize(("rho", "factor"), [(-1.0, 1.0), (-0.5, 0.5), (0.3, 0.0), (None, 1.0)])
def test_a_hedge_counts_as_far_as_it_opposes_the_portfolio(
    rho: float | None, factor: float
) -> None:
    policy = structs.replace(POLICY, scale_by_hedge_correlation=True)
    assert sized(policy, hedge_correlation=rho)["equity_share"][0] == factor


def test_correlation_scales_only_when_asked() -> None:
    assert sized(hedge_correlation=-0.5)["equity_share"] == (1.0, False)


def test_the_budget_scales_by_what_is_left_of_it() -> None:
    assert sized(budget=BudgetRoom(500.0, 1000.0))["budget"] == (0.5, True)
    assert sized(budget=BudgetRoom(1500.0, 1000.0))["budget"] == (1.0, False)


def test_a_hedge_without_cost_is_not_scaled() -> None:
    assert sized(budget=BudgetRoom(500.0, 0.0))["budget"] == (1.0, False)


def test_an_unknown_cost_is_said_and_does_not_scale() -> None:
    sizing = size(POLICY, structs.replace(INPUTS, budget=BudgetRoom(500.0, None)))
    assert sizing.multiplier == 1.0
    assert "unknown" in sizing.steps[3].note


def test_of_a_budget_used_up_nothing_is_spent_though_the_cost_is_unknown() -> None:
    sizing = size(POLICY, structs.replace(INPUTS, budget=BudgetRoom(0.0, None)))
    assert (sizing.multiplier, sizing.at_floor) == (0.2, True)
    assert sizing.steps[3].note.endswith("nothing left")


def test_the_floor_wins_over_the_budget_and_says_so() -> None:
    sizing = size(POLICY, structs.replace(INPUTS, budget=BudgetRoom(0.0, 1000.0)))
    assert sizing.multiplier == 0.2
    assert sizing.at_floor
    assert sizing.steps[-1].note == "the floor 0.2 wins over the budget: minimum protection"


def test_the_floor_lifts_a_rule_that_asks_for_less() -> None:
    sizing = size(POLICY, structs.replace(INPUTS, rule=0.0))
    assert (sizing.multiplier, sizing.at_floor, sizing.at_cap) == (0.2, True, False)
    assert sizing.steps[-1].note == "the floor 0.2 binds"


def test_the_cap_holds() -> None:
    sizing = size(POLICY, structs.replace(INPUTS, rule=6.0))
    assert (sizing.multiplier, sizing.at_floor, sizing.at_cap) == (2.0, False, True)
    assert sizing.steps[-1].note == "the cap 2 binds"


def test_a_rule_that_ends_at_the_cap_by_itself_stands_at_the_cap_too() -> None:
    assert size(POLICY, structs.replace(INPUTS, rule=2.0)).at_cap
    assert size(POLICY, structs.replace(INPUTS, rule=0.2)).at_floor
    assert not size(POLICY, structs.replace(INPUTS, rule=1.99)).at_cap


@pytest.mark.parametrize("rule", [0.2, 2.0])
def test_a_multiplier_at_the_floor_or_cap_is_not_moved_by_it(rule: float) -> None:
    sizing = size(POLICY, structs.replace(INPUTS, rule=rule))
    assert sizing.multiplier == rule
    assert sizing.steps[-1].note == "within 0.2..2"
    assert not sizing.steps[-1].binding


def test_a_budget_at_the_floor_exactly_is_not_overruled() -> None:
    sizing = size(POLICY, structs.replace(INPUTS, budget=BudgetRoom(200.0, 1000.0)))
    assert sizing.steps[-1].note == "within 0.2..2"


@given(
    rule=st.floats(0, 100),
    share=st.floats(0, 1),
    rho=st.none() | st.floats(-1, 1),
    room=st.none() | st.builds(BudgetRoom, st.floats(0, 1e7), st.none() | st.floats(0, 1e7)),
)
def test_the_chain_always_ends_within_floor_and_cap(
    rule: float, share: float, rho: float | None, room: BudgetRoom | None
) -> None:
    policy = structs.replace(POLICY, equity_share=share, scale_by_hedge_correlation=True)
    inputs = structs.replace(INPUTS, rule=rule, hedge_correlation=rho, budget=room)
    sizing = size(policy, inputs)
    assert 0.2 <= sizing.multiplier <= 2.0
    assert sizing.steps[-1].multiplier == sizing.multiplier


def test_the_allocation_binds_when_the_legs_take_less() -> None:
    assert allocation_step(1.0, 0.7, "limits").binding
    assert not allocation_step(1.0, 1.0 - 1e-12, "rounding of floats").binding
    assert allocation_step(1e-3, 1e-3 + 1e-8, "a tenth of a permille").binding
    assert not allocation_step(0.0, 0.0, "nothing to allocate").binding


def test_contracts_become_a_multiple_of_the_base() -> None:
    assert contracts_multiplier(2000.0, 250.0, 1_000_000.0) == 0.5


def test_the_smallest_trade_is_the_larger_of_both_limits() -> None:
    assert smallest_trade(structs.replace(POLICY, min_trade_vega=10.0)) == 10.0
    assert smallest_trade(structs.replace(POLICY, min_trade_fraction=0.05)) == 50.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"base_vega": 0.0}, "base_vega"),
        ({"base_vega": inf}, "base_vega"),
        ({"equity_share": 1.1}, "equity_share"),
        ({"floor": 3.0}, "floor"),
        ({"floor": nan}, "floor"),
        ({"cap": inf}, "cap"),
        ({"min_trade_vega": -1.0}, "min_trade"),
        ({"min_trade_fraction": nan}, "min_trade"),
        ({"budget": BudgetPolicy(annual=0.0)}, "budget"),
    ],
)
def test_numbers_that_no_chain_can_use_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_sizing(structs.replace(POLICY, **change))


def test_sound_numbers_pass() -> None:
    check_sizing(structs.replace(POLICY, budget=BudgetPolicy(annual=1.0)))
    check_sizing(structs.replace(POLICY, floor=0.0, cap=0.0, min_trade_vega=0.0))
