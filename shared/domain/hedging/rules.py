"""Hedge rules: from signals to a multiplier of the base hedge (spec sections 2 and 10).

A rule never acts on a signal that is not good: what cannot be read makes the multiplier unknown,
`None`, and never a number. Levels of VIX are vol points, volatilities decimals, drawdowns ≤ 0.

Longer than most: every rule is described in one table.
"""

from collections.abc import Callable, Sequence
from math import exp, inf, isnan
from typing import Final

from msgspec import Struct

from shared.domain.hedging.programmes import (
    check_order,
    monetise,
    monetise_sleeve,
    monetise_stage,
    sleeve_stage,
    tail_budget,
    veqtor_like,
    vxth,
)
from shared.domain.policies import RuleKind, RulePolicy

MAX_INPUTS: Final = 3
"""More inputs than this is a configuration error: the paper's over-optimization guard.

Of rules, and of different numbers that they read.
"""

STAGE: Final = "stage"
"""Input: how many levels a staged rule had passed at the last decision. Its memory, no number."""

OF_BOOK: Final = frozenset({STAGE, "sleeve", "premium_spent", "portfolio_delta", "put_delta"})
"""Inputs that the book itself knows; all others are signals."""

COSTLY: Final = frozenset({"front_future", "vix_trend", "index_return_5d"})
"""Signals that the signals stage tells only when a rule reads them (`SignalPolicy.asked`)."""

Read = Callable[[str], float | None]
"""Value of a good signal by name; `None` while it is not good."""


def linear(level: float, a: float, b: float, c: float) -> float:
    """Return clip((level − a)/b, 0, c).

    Example:
        >>> linear(22.0, a=12, b=10, c=2)
        1.0
    """
    return min(max((level - a) / b, 0.0), c)


def sigmoid(level: float, k: float, v0: float, scale: float) -> float:
    """Return scale/(1 + e^(−k(level − v0)))."""
    exponent = -k * (level - v0)
    return 0.0 if exponent > 700 else scale / (1 + exp(exponent))  # noqa: PLR2004 - e^710 overflows


def conditional(  # noqa: PLR0913, PLR0917 - two thresholds and three levels are what the rule is
    level: float,
    low_threshold: float,
    high_threshold: float,
    low: float,
    middle: float,
    high: float,
) -> float:
    """Return one of three levels; a threshold itself belongs to the lower one (15 < VIX ≤ 25)."""
    if level <= low_threshold:
        return low
    return middle if level <= high_threshold else high


def realized_vol(rv: float, target: float) -> float:
    """Return RV/RV_target."""
    return rv / target


def correlation(rho: float, normal: float) -> float:
    """Return ρ/ρ_normal; a negative correlation counts as 0, since a hedge is never sold short."""
    return max(rho, 0.0) / normal


def drawdown(value: float, alpha: float, d0: float) -> float:
    """Return 1 + α·max(0, −DD − d0), `value` = DD ≤ 0.

    The paper writes −DD + 5%; its own example, 1.025 at −10%, needs −DD − 5%.
    """
    return 1 + alpha * max(0.0, -value - d0)


def crash_intensity(ratio: float) -> float:
    """Return λ/λ̄, which is the signal itself."""
    return ratio


def delta(portfolio_delta: float, put_delta: float, contract_multiplier: float) -> float | None:
    """Return how many puts offset the portfolio: delta / (|put delta| × multiplier).

    Contracts, not a multiplier; never fewer than none. `None` when the put has no delta left.
    """
    if put_delta == 0:
        return None
    return max(0.0, portfolio_delta / (abs(put_delta) * contract_multiplier))


def short_weight(term_ratio: float) -> float:
    """Return the short legs' share of the vega: short:long = F1/F3 = r, so r/(1+r)."""
    return term_ratio / (1 + term_ratio)


class RuleParameter(Struct, frozen=True):
    """One number of a rule: its name, the spec's default, and where it may lie.

    Attributes:
        name: As in the configuration.
        default: Taken when it is left out.
        low: Least value allowed …
        high: … and greatest.
        positive: Whether 0 itself is refused (divisors).
    """

    name: str
    default: float
    low: float = -inf
    high: float = inf
    positive: bool = False


class RuleDefinition(Struct, frozen=True):
    """A rule: what it reads, by which formula, with which parameters.

    Attributes:
        inputs: What it reads, signals and what the book knows; `{book}` is the book's name.
        formula: For a person.
        function: Called with the inputs in order, then the parameters by name.
        parameters: Everything that may be set.
        rising: Parameters of which each must be below the next.
        stage: Called as `function` is, for the stage reached by now; `None`: it has none.
    """

    inputs: tuple[str, ...]
    formula: str
    function: Callable[..., float | None]
    parameters: tuple[RuleParameter, ...] = ()
    rising: tuple[str, ...] = ()
    stage: Callable[..., int] | None = None


def _share(name: str, default: float) -> RuleParameter:
    return RuleParameter(name, default, low=0.0, high=1.0, positive=True)


def _at_least_zero(name: str, default: float) -> RuleParameter:
    return RuleParameter(name, default, low=0.0)


def _above_zero(name: str, default: float) -> RuleParameter:
    return RuleParameter(name, default, low=0.0, positive=True)


def _stages(first: float, second: float, third: float) -> tuple[RuleParameter, ...]:
    """Three levels; what each sells leaves something after the last."""
    return (
        _above_zero("first", first),
        _above_zero("second", second),
        _above_zero("third", third),
        RuleParameter("sell", 0.25, low=0.0, high=0.33, positive=True),
        RuleParameter("hysteresis", 0.2, low=0.0, high=1.0),
    )


RULES: Final[dict[RuleKind, RuleDefinition]] = {
    "linear": RuleDefinition(
        ("vix_smooth",),
        "clip((VIX - a)/b, 0, c)",
        linear,
        (_at_least_zero("a", 10), _above_zero("b", 15), _above_zero("c", 2)),
    ),
    "sigmoid": RuleDefinition(
        ("vix_smooth",),
        "scale/(1 + exp(-k(VIX - v0)))",
        sigmoid,
        (_above_zero("k", 0.2), _at_least_zero("v0", 20), _above_zero("scale", 1)),
    ),
    "conditional": RuleDefinition(
        ("vix_smooth",),
        "low up to low_threshold, middle up to high_threshold, high above",
        conditional,
        (
            _at_least_zero("low_threshold", 15),
            _at_least_zero("high_threshold", 25),
            _at_least_zero("low", 0),
            _at_least_zero("middle", 0.5),
            _at_least_zero("high", 1),
        ),
        rising=("low_threshold", "high_threshold"),
    ),
    "realized_vol": RuleDefinition(
        ("rv",), "RV/target", realized_vol, (_above_zero("target", 0.15),)
    ),
    "correlation": RuleDefinition(
        ("correlation",),
        "max(correlation, 0)/normal",
        correlation,
        (RuleParameter("normal", 0.40, low=0.0, high=1.0, positive=True),),
    ),
    "drawdown": RuleDefinition(
        ("drawdown.{book}",),
        "1 + alpha*max(0, -drawdown - d0)",
        drawdown,
        (_at_least_zero("alpha", 0.5), RuleParameter("d0", 0.05, low=0.0, high=1.0)),
    ),
    "crash_intensity": RuleDefinition(
        ("crash_intensity_ratio",), "intensity/mean intensity", crash_intensity
    ),
    "percentile": RuleDefinition(
        ("vix_percentile",),
        "clip((percentile - a)/b, 0, c)",
        linear,
        (
            RuleParameter("a", 0.2, low=0.0, high=1.0),
            RuleParameter("b", 0.4, low=0.0, high=1.0, positive=True),
            _above_zero("c", 2),
        ),
    ),
    "delta": RuleDefinition(
        ("portfolio_delta", "put_delta"),
        "portfolio delta/(|put delta| * contract_multiplier), in contracts",
        delta,
        (_above_zero("contract_multiplier", 100),),
    ),
    "vxth": RuleDefinition(
        ("front_future",),
        "0 below none_below, middle up to less_above, high up to none_above, 0 above",
        vxth,
        (
            _at_least_zero("none_below", 15),
            _at_least_zero("less_above", 30),
            _at_least_zero("none_above", 50),
            _at_least_zero("middle", 1),
            _at_least_zero("high", 0.5),
        ),
        rising=("none_below", "less_above", "none_above"),
    ),
    "veqtor_like": RuleDefinition(
        ("rv", "vix_trend", "index_return_5d"),
        "2.5/10/15/25/40% by RV 10/20/35/45%, a step by the trend of VIX, over normal;"
        " 0 when five days lost stop",
        veqtor_like,
        (_share("normal", 0.10), _share("stop", 0.02)),
    ),
    "tail_budget": RuleDefinition(
        ("vix_smooth", "sleeve.{book}", "premium_spent.{book}"),
        "harvest_to above harvest_above; below gate up to stake within annual; else as it is",
        tail_budget,
        (
            _above_zero("gate", 20),
            _share("annual", 0.01),
            _share("stake", 0.005),
            _share("harvest_above", 0.05),
            _share("harvest_to", 0.03),
        ),
        rising=("harvest_to", "harvest_above"),
    ),
    "monetise": RuleDefinition(
        ("vix_smooth", "stage.{book}"),
        "1 - sell for each level of VIX passed, until it is below the first by hysteresis",
        monetise,
        _stages(30, 40, 50),
        rising=("first", "second", "third"),
        stage=monetise_stage,
    ),
    "monetise_sleeve": RuleDefinition(
        ("sleeve.{book}", "stage.{book}"),
        "the same by the unsold sleeve's share of NAV",
        monetise_sleeve,
        _stages(0.03, 0.05, 0.08),
        rising=("first", "second", "third"),
        stage=sleeve_stage,
    ),
}

PRESETS: Final[dict[str, RulePolicy]] = {
    **{kind: RulePolicy(kind=kind) for kind in RULES},
    "paper_example": RulePolicy(kind="linear", parameters={"a": 10, "b": 7.5, "c": 2}),
    "option_a": RulePolicy(kind="linear", parameters={"a": 12, "b": 10, "c": 2}),
    "covid": RulePolicy(kind="linear", parameters={"a": 12, "b": 8, "c": inf}),
    "option_c": RulePolicy(kind="conditional", parameters={"low": 0, "middle": 1, "high": 2}),
}
"""Rules by the name a person asks for: every kind with its defaults, and the paper's examples."""


def describe() -> str:
    """Return one line a preset: its name, formula and numbers, for `--help`."""
    lines = []
    for name, policy in PRESETS.items():
        numbers = " ".join(f"{key}={value:g}" for key, value in parameters_of(policy).items())
        lines.append(f"{name:16} {RULES[policy.kind].formula}; {numbers}".rstrip("; "))
    return "\n".join(lines)


def parameters_of(policy: RulePolicy) -> dict[str, float]:
    """Return all parameters of a rule, defaults filled in.

    Raises:
        ValueError: One is unknown (the message lists those allowed), or out of its range.
    """
    allowed = {each.name: each for each in RULES[policy.kind].parameters}
    unknown = sorted(policy.parameters.keys() - allowed.keys())
    if unknown:
        known = ", ".join(allowed) or "none"
        raise ValueError(
            f"rule {policy.kind} has no parameter {', '.join(unknown)}; allowed: {known}"
        )
    values = {name: policy.parameters.get(name, each.default) for name, each in allowed.items()}
    for name, value in values.items():
        _check(policy.kind, allowed[name], value)
    rising = RULES[policy.kind].rising
    check_order(policy.kind, rising, [values[name] for name in rising])
    return values


def _check(kind: RuleKind, parameter: RuleParameter, value: float) -> None:
    outside = isnan(value) or not parameter.low <= value <= parameter.high
    if outside or (parameter.positive and value == 0):
        bound = ">" if parameter.positive else ">="
        raise ValueError(
            f"rule {kind}: {parameter.name} = {value:g} must be {bound} {parameter.low:g}"
            f" and <= {parameter.high:g}"
        )


class RuleSet:
    """A book's rules, checked once, and composed.

    Args:
        policies: One to three rules.
        composition: `product`, `max` or `mean` of their multipliers.
        book: Whose drawdown is meant.

    Raises:
        ValueError: None or more than three, or more than three inputs; unknown parameters or
            values out of range; two rules with stages; or `delta` together with another rule (it
            counts contracts, they scale).
    """

    def __init__(self, policies: Sequence[RulePolicy], composition: str, book: str) -> None:
        if not 1 <= len(policies) <= MAX_INPUTS:
            raise ValueError(f"a book needs 1 to {MAX_INPUTS} rules, not {len(policies)}")
        self.counts_contracts = any(policy.kind == "delta" for policy in policies)
        if self.counts_contracts and len(policies) > 1:
            raise ValueError("rule delta counts contracts: it cannot be composed with another")
        self._compose = _COMPOSITIONS[composition]
        self._rules = tuple(
            (
                policy.kind,
                RULES[policy.kind].function,
                tuple(name.format(book=book) for name in RULES[policy.kind].inputs),
                parameters_of(policy),
            )
            for policy in policies
        )
        self.inputs: tuple[str, ...] = tuple(
            dict.fromkeys(name for _, _, names, _ in self._rules for name in names)
        )
        """Everything read, without repetition."""
        self.signals: tuple[str, ...] = tuple(name for name in self.inputs if not _is_of_book(name))
        """Those of them that are signals."""
        numbers = [name for name in self.inputs if name != f"{STAGE}.{book}"]
        if len(numbers) > MAX_INPUTS:
            raise ValueError(
                f"the rules read {len(numbers)} inputs, {', '.join(numbers)}: more than"
                f" {MAX_INPUTS} fit the past, not the future"
            )
        staged = [rule for rule in self._rules if RULES[rule[0]].stage is not None]
        if len(staged) > 1:
            raise ValueError("a book has one rule with stages at most")
        self._staged = staged[0] if staged else None
        self.staged_by: str | None = self._staged[2][0] if self._staged else None
        """What the stages are measured on; `None` without a staged rule."""

    def evaluate(self, read: Read) -> float | None:
        """Return the composed multiplier (contracts for `delta`); `None` while unknown."""
        results = []
        for _, function, names, parameters in self._rules:
            inputs = [read(name) for name in names]
            result = None if None in inputs else function(*inputs, **parameters)
            if result is None:
                return None
            results.append(result)
        return self._compose(results)

    def stage(self, read: Read) -> int | None:
        """Return the stage reached by now; `None` while unknown, or without a staged rule."""
        if self._staged is None:
            return None
        kind, _, names, parameters = self._staged
        function, inputs = RULES[kind].stage, [read(name) for name in names]
        return None if function is None or None in inputs else function(*inputs, **parameters)

    def note(self, read: Read) -> str:
        """Return which rule read what, for a person."""
        return "; ".join(
            f"{kind}({', '.join(_reading(name, read(name)) for name in names)})"
            for kind, _, names, _ in self._rules
        )


def asked_of_signals(policies: Sequence[RulePolicy]) -> tuple[str, ...]:
    """Return the costly signals that these rules read, sorted: for `SignalPolicy.asked`."""
    read = {name for policy in policies for name in RULES[policy.kind].inputs}
    return tuple(sorted(read & COSTLY))


def _is_of_book(name: str) -> bool:
    return name.partition(".")[0] in OF_BOOK


def _reading(name: str, value: float | None) -> str:
    return f"{name} unknown" if value is None else f"{name} {value:.6g}"


def _product(multipliers: Sequence[float]) -> float:
    result = 1.0
    for each in multipliers:
        result *= each
    return result


def _mean(multipliers: Sequence[float]) -> float:
    return sum(multipliers) / len(multipliers)


_COMPOSITIONS: Final[dict[str, Callable[[Sequence[float]], float]]] = {
    "product": _product,
    "max": max,
    "mean": _mean,
}
