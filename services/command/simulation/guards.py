"""What stood in the way of harm, counted: from the services' own metrics."""

from collections import Counter
from collections.abc import Mapping
from typing import Final

from prometheus_client import CollectorRegistry

GUARDS: Final[Mapping[str, str]] = {
    "hedge_rejects": "reason",
    "hedge_commands_refused": "reason",
    "hedge_orders_withheld": "control",
    "hedge_answers_refused": "reason",
    "hedge_gateway_orders": "status",
    "hedge_orders_refused": "reason",
    "hedge_gateway_commands_refused": "reason",
    "hedge_gateway_dead_man": "state",
}
"""Counters of guards, by the name of their metric, and the label that tells them apart."""

REQUIRED: Final[tuple[str, ...]] = (
    "hedge_rejects: malformed",
    "hedge_rejects: unknown_symbol",
    "hedge_rejects: crossed",
    "hedge_rejects: future",
    "hedge_rejects: late",
    "hedge_rejects: jump",
    "hedge_gateway_orders: duplicate",
)
"""Guards that a campaign must have seen fire, or it has shown nothing about them."""


def guards_of(registry: CollectorRegistry) -> Counter[str]:
    """Return how often each guard fired, as `metric: reason`; a sum over all other labels."""
    fired: Counter[str] = Counter()
    for metric in registry.collect():
        label = GUARDS.get(metric.name)
        if label is not None:
            for sample in metric.samples:
                if sample.name.endswith("_total") and sample.value:
                    fired[f"{metric.name}: {sample.labels[label]}"] += int(sample.value)
    return fired
