"""Why an order was sent, in one sentence: trigger, figures, target, clamp."""

from typing import Final

from msgspec import UnsetType

from shared.domain.effects import SizingStep, TargetChanged
from shared.domain.orders import Order

_SAID: Final = {
    "operator": "An operator asked",
    "initial": "There was no hedge yet",
    "initial_incomplete": "There was no hedge yet, and waiting for the rest had to end",
    "fast_vix": "VIX jumped far above its level at the last rebalance",
    "fast_index": "The index fell far below its last close",
    "vix_move": "VIX moved by points from the last rebalance",
    "vix_relative": "VIX moved by a fraction from the last rebalance",
    "drawdown": "The portfolio fell beyond its drawdown line",
    "regime": "The regime changed",
    "budget": "The cost budget crossed its line",
    "roll": "An option had too few days left",
    "stage": "A level of staged monetisation was passed, or its spell was over",
    "harvest": "The options held were worth more than their line",
    "schedule": "The scheduled review was due",
}


def binding_step(target: TargetChanged) -> SizingStep | None:
    """Return the step of the sizing chain that had the last word, the rule itself aside."""
    binding = [step for step in target.steps if step.binding and step.name != "rule"]
    return binding[-1] if binding else None


def why(order: Order, target: TargetChanged | None) -> str:
    """Say why an order was sent; without its target only what the order itself tells."""
    cause = _SAID.get(order.trigger) or _of_family(order.trigger)
    told = f"{cause} ({order.reason})" if order.reason else cause
    deed = f"{order.side} {order.quantity:,.10g} {order.leg} to hold {order.target_quantity:,.10g}"
    if target is None:
        return f"{told}: {deed}."
    return f"{told}, so {_aim(target)}: {deed}."


def _of_family(trigger: str) -> str:
    family, _, name = trigger.partition(".")
    if family == "greek":
        return f"{name} left its band"
    if family == "band":
        return f"Strategy {name} was beyond its bounds"
    return f"Trigger {trigger} fired"


def _aim(target: TargetChanged) -> str:
    if not isinstance(target.strategies, UnsetType):
        names = ", ".join(each.strategy for each in target.strategies)
        return f"strategy {names} wants another holding"
    aim = (
        f"the target is {_whole(target.target_vega)} vega ({target.multiplier:.4g} times the base) "
        f"after {_whole(target.current_vega)}"
    )
    step = binding_step(target)
    if step is None:
        return f"{aim}, by the rule alone"
    return f"{aim}, bound by {step.name}" + (f" ({step.note})" if step.note else "")


def _whole(vega: float) -> str:
    """Write vega, hundredths at most; a zero has no sign."""
    return f"{round(vega, 2) + 0.0:,.12g}"
