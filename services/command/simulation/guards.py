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
    "hedge_audit_mismatches": "kind",
    "hedge_audit_halts": "path",
}
"""Counters of guards, by the name of their metric, and the label that tells them apart."""

_REASONS: Final[Mapping[str, tuple[str, ...]]] = {
    "hedge_rejects": (
        "malformed",
        "unknown_symbol",
        "crossed",
        "future",
        "late",
        "jump",
        "retained",
        "stale_command",
        "unknown_book",
        "unknown_key",
        "unsigned",
        "bad_signature",
        "wrong_environment",
        "wrong_state",
    ),
    "hedge_commands_refused": (
        "unsigned",
        "unknown_key",
        "bad_signature",
        "wrong_environment",
        "wrong_state",
        "unknown_book",
        "stale_command",
        "retained",
    ),
    "hedge_orders_withheld": (
        "max_daily_turnover",
        "halted",
        "reducing",
        "duplicate",
        "min_trade",
        "max_order_vega",
        "max_order_notional",
        "max_position_vega",
    ),
    "hedge_answers_refused": (
        "malformed",
        "unknown_key",
        "bad_signature",
        "wrong_environment",
    ),
    "hedge_gateway_orders": (
        "duplicate",
        "refused",
        "superseded",
    ),
    "hedge_orders_refused": (
        "malformed",
        "retained",
        "unknown_key",
        "bad_signature",
        "wrong_environment",
        "wrong_book",
        "conflict",
        "superseded",
        "config_digest",
        "halted",
        "reducing",
        "expired",
        "unknown_leg",
        "misnamed",
        "misstated",
        "stale_mark",
        "max_price_deviation",
        "max_order_vega",
        "max_order_notional",
        "max_position_vega",
        "max_orders_per_day",
        "max_daily_turnover",
        "max_orders_per_minute",
        "max_repeats",
        "duplicate",
    ),
    "hedge_gateway_commands_refused": (
        "malformed",
        "retained",
        "unknown_key",
        "bad_signature",
        "wrong_environment",
        "unknown_scope",
        "wrong_topic",
        "replayed",
        "too_old",
        "from_the_future",
        "not_stricter",
        "epoch_regress",
    ),
    "hedge_gateway_dead_man": (
        "reducing",
        "halted",
    ),
    "hedge_audit_mismatches": ("forged",),
    "hedge_audit_halts": ("local", "bus"),
}

REQUIRED: Final[tuple[str, ...]] = tuple(
    f"{metric}: {reason}" for metric, reasons in _REASONS.items() for reason in reasons
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
