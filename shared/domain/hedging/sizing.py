"""The sizing chain: from a rule's multiplier to the book's vega, each step visible (spec 2).

rule m → persistence-filtered → equity share → annual cost budget → floor and cap → allocation.
Multipliers are of the book's base vega notional.
"""

from math import inf, isfinite

from msgspec import Struct

from shared.domain.effects import SizingStep
from shared.domain.policies import SizingPolicy


class BudgetRoom(Struct, frozen=True):
    """What the annual budget leaves.

    Attributes:
        remaining: Currency not used yet this year, ≥ 0.
        unit_cost: Projected cost to year end of holding a multiplier of 1, currency; `None` while
            the carry is unknown.
    """

    remaining: float
    unit_cost: float | None


class SizingInputs(Struct, frozen=True, kw_only=True):
    """What the chain starts from.

    Attributes:
        rule: The rules' multiplier now.
        rule_note: What they read.
        held: The multiplier held since the last trigger; `None` before the first.
        confirmed_by: The trigger whose persistence lets the new one through.
        hedge_correlation: ρ of portfolio and hedge, −1..1; needed only when asked for.
        budget: `None` without a budget.
    """

    rule: float
    rule_note: str
    held: float | None
    confirmed_by: str
    hedge_correlation: float | None
    budget: BudgetRoom | None


class Sizing(Struct, frozen=True, kw_only=True):
    """The chain's answer up to the allocation.

    Attributes:
        multiplier: Between floor and cap, both included.
        steps: In order.
        at_floor: It stands at the floor, lifted to it or not.
        at_cap: It stands at the cap, cut to it or not.
    """

    multiplier: float
    steps: tuple[SizingStep, ...]
    at_floor: bool
    at_cap: bool


def check_sizing(policy: SizingPolicy) -> None:
    """Refuse numbers that no chain can use.

    Raises:
        ValueError: With what is wrong.
    """
    problems = {
        "base_vega must be finite and above 0": not 0 < policy.base_vega < inf,
        "equity_share must lie in 0..1": not 0 <= policy.equity_share <= 1,
        "floor and cap must satisfy 0 <= floor <= cap, finite": not (
            0 <= policy.floor <= policy.cap and isfinite(policy.cap)
        ),
        "min_trade_vega and min_trade_fraction must not be negative": not (
            policy.min_trade_vega >= 0 and policy.min_trade_fraction >= 0
        ),
        "the annual budget must be above 0": policy.budget is not None
        and not policy.budget.annual > 0,
    }
    for problem, wrong in problems.items():
        if wrong:
            raise ValueError(problem)


def contracts_multiplier(contracts: float, leg_vega: float, base_vega: float) -> float:
    """Express the delta rule's contracts as a multiple of the base vega.

    So that share, budget, floor and cap bind a book sized in contracts as they bind any other.
    """
    return contracts * leg_vega / base_vega


def smallest_trade(policy: SizingPolicy) -> float:
    """Return the vega that a change must exceed to be sent (spec 3, meaningful change only)."""
    return max(policy.min_trade_vega, policy.min_trade_fraction * policy.base_vega)


def size(policy: SizingPolicy, inputs: SizingInputs) -> Sizing:
    """Carry a multiplier through the chain, up to floor and cap."""
    rule = SizingStep(name="rule", multiplier=inputs.rule, note=inputs.rule_note, binding=False)
    filtered = _persistence(inputs)
    shared = _equity_share(policy, filtered.multiplier, inputs.hedge_correlation)
    budgeted = _budget(shared.multiplier, inputs.budget)
    last = _floor_and_cap(policy, budgeted)
    return Sizing(
        multiplier=last.multiplier,
        steps=(rule, filtered, shared, budgeted, last),
        at_floor=last.multiplier <= policy.floor,
        at_cap=last.multiplier >= policy.cap,
    )


def allocation_step(multiplier: float, allocated: float, note: str) -> SizingStep:
    """Show the last step: `allocated` is what the legs take, as a multiplier."""
    binding = not abs(allocated - multiplier) <= 1e-9 * multiplier
    return SizingStep(name="allocation", multiplier=allocated, note=note, binding=binding)


def _persistence(inputs: SizingInputs) -> SizingStep:
    held = inputs.held
    before = "nothing was held before" if held is None else f"{held:.6g} was held since the last"
    return SizingStep(
        name="persistence",
        multiplier=inputs.rule,
        note=f"confirmed by {inputs.confirmed_by}; {before}",
        binding=held is not None and held != inputs.rule,
    )


def _equity_share(policy: SizingPolicy, multiplier: float, rho: float | None) -> SizingStep:
    """Hedge the equity part only; ρ scales by max(0, −ρ).

    The hedge's returns oppose the portfolio's, so a perfect hedge has ρ = −1 and factor 1; one
    that moves with the portfolio protects nothing, and factor 0 says so.
    """
    factor, note = policy.equity_share, f"equity share {policy.equity_share:.6g}"
    if policy.scale_by_hedge_correlation and rho is not None:
        factor *= max(0.0, -rho)
        note += f" x hedge correlation {rho:.4f}"
    return SizingStep(
        name="equity_share", multiplier=multiplier * factor, note=note, binding=factor != 1
    )


def _budget(multiplier: float, budget: BudgetRoom | None) -> SizingStep:
    scale, note = 1.0, "no budget"
    if budget is not None and budget.unit_cost is None:
        scale = 1.0 if budget.remaining > 0 else 0.0
        rest = "not scaled" if scale else "nothing left"
        note = f"projected cost unknown (needs good vix and rv): {rest}"
    elif budget is not None and budget.unit_cost is not None:
        projected = multiplier * budget.unit_cost
        scale = min(1.0, budget.remaining / projected) if projected > 0 else 1.0
        note = f"{budget.remaining:.2f} left, {projected:.2f} projected to year end"
    return SizingStep(name="budget", multiplier=multiplier * scale, note=note, binding=scale < 1)


def _floor_and_cap(policy: SizingPolicy, before: SizingStep) -> SizingStep:
    low, high = policy.floor, policy.cap
    result = min(max(before.multiplier, low), high)
    note = f"within {low:.6g}..{high:.6g}"
    if before.multiplier < low and before.binding:
        note = f"the floor {low:.6g} wins over the budget: minimum protection"
    elif before.multiplier < low:
        note = f"the floor {low:.6g} binds"
    elif before.multiplier > high:
        note = f"the cap {high:.6g} binds"
    return SizingStep(
        name="floor_and_cap", multiplier=result, note=note, binding=result != before.multiplier
    )
