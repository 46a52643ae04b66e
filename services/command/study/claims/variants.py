"""Which hedges claims are held against: the plan's by a rule of the papers, and two examples."""

from typing import Any, Final

from services.command.endings import Refused
from shared.adapters.configuration.faults import FaultyConfiguration
from shared.adapters.study.patches import NoSuchKey
from shared.adapters.study.plan import StudyPlan, Variant
from shared.domain.policies import BookPolicy, RuleKind

OF_THE_PAPERS: Final[frozenset[RuleKind]] = frozenset(
    ("linear", "sigmoid", "conditional", "realized_vol", "correlation", "drawdown",
     "crash_intensity", "percentile")
)  # fmt: skip
"""Rules that scale a base vega by the market, as the papers do."""
MOST_VEGA: Final = 10_000.0
UNBOUND: Final = 1e12

VIX_SCALED: Final = "vix_scaled_2017"
CONDITIONAL: Final = "conditional_2012"
_BOTH: Final[dict[str, Any]] = {
    "book.sizing.floor": 0.0,
    "book.sizing.cap": 10.0,
    "book.budget.annual": UNBOUND,
    "book.legs.0.max_vega": MOST_VEGA,
    "book.limits.max_order_vega": MOST_VEGA,
    "book.limits.max_position_vega": MOST_VEGA,
    "book.limits.max_order_notional": UNBOUND,
    "book.limits.max_daily_turnover": UNBOUND,
}
_EXAMPLES: Final[dict[str, dict[str, Any]]] = {
    VIX_SCALED: {"book.rule": "covid", "book.portfolio.value": 50e6, "book.sizing.base_vega": 1e3},
    CONDITIONAL: {
        "book.rules": [
            {"kind": "conditional", "low_threshold": 20, "high_threshold": 250}
            | {"low": 0.0, "middle": 1.0, "high": 1.0}
        ],
        "book.portfolio.value": 20e6,
        "book.sizing.base_vega": 2e3,
    },
}
"""Worked examples 1 and 2, the paper's own sizes: no floor, no budget, a cap that is not met."""


def of_the_papers(plan: StudyPlan) -> list[Variant]:
    """Return the plan's variants whose hedge moves by a rule of the papers."""
    return [variant for variant in plan.variants if _is_dynamic(variant.book)]


def examples(plan: StudyPlan) -> dict[str, Variant]:
    """Return the worked examples that can be run, by name.

    Raises:
        Refused: The plan's book cannot be patched into them.
    """
    try:
        return {name: plan.variant(name, _BOTH | changes) for name, changes in _EXAMPLES.items()}
    except NoSuchKey as reason:
        raise Refused(f"{plan.path}: {reason}") from None
    except FaultyConfiguration as faulty:
        raise Refused(f"{plan.path}: the worked examples cannot be run: {faulty}") from None


def _is_dynamic(book: BookPolicy) -> bool:
    constant = all(
        len({rule.parameters.get(level) for level in ("low", "middle", "high")}) == 1
        and rule.kind == "conditional"
        and "low" in rule.parameters
        for rule in book.rules
    )
    known = all(rule.kind in OF_THE_PAPERS for rule in book.rules)
    return known and not constant and book.sizing.cap > book.sizing.floor
