"""Hedge rules: from signals to a multiplier of the base vega notional (spec section 2).

A rule never acts on a signal that is not good: what cannot be read makes the multiplier unknown,
`None`, and never a number. Levels of VIX are vol points, volatilities decimals, drawdowns ≤ 0.
"""

from collections.abc import Callable, Sequence
from math import exp, inf, isnan
from typing import Final

from msgspec import Struct

from shared.domain.policies import RuleKind, RulePolicy

MAX_INPUTS: Final = 3
"""More inputs than this is a configuration error: the paper's over-optimization guard."""

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
        inputs: Signals it reads; `{book}` stands for the book's name.
        formula: For a person.
        function: Called with the inputs in order, then the parameters by name.
        parameters: Everything that may be set.
    """

    inputs: tuple[str, ...]
    formula: str
    function: Callable[..., float | None]
    parameters: tuple[RuleParameter, ...] = ()


def _at_least_zero(name: str, default: float) -> RuleParameter:
    return RuleParameter(name, default, low=0.0)


def _above_zero(name: str, default: float) -> RuleParameter:
    return RuleParameter(name, default, low=0.0, positive=True)


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
    if policy.kind == "conditional" and values["low_threshold"] >= values["high_threshold"]:
        raise ValueError("rule conditional needs low_threshold below high_threshold")
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
        ValueError: None or more than three, unknown parameters or values out of range, or `delta`
            together with another rule (it counts contracts, they scale).
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
        """Every signal read, without repetition."""

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

    def note(self, read: Read) -> str:
        """Return which rule read what, for a person."""
        return "; ".join(
            f"{kind}({', '.join(_reading(name, read(name)) for name in names)})"
            for kind, _, names, _ in self._rules
        )


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
