"""`rule = "option_a"` or `[[books.rules]]`: which signals say how much protection to hold."""

from difflib import get_close_matches
from typing import Final

from shared.adapters.configuration.table import Range, Table
from shared.domain.hedging.rules import (
    MAX_INPUTS,
    PRESETS,
    RULES,
    RuleParameter,
    RuleSet,
    parameters_of,
)
from shared.domain.policies import RuleKind, RulePolicy

_LEVELS: Final = {
    ("linear", "a"),
    ("sigmoid", "v0"),
    ("conditional", "low_threshold"),
    ("conditional", "high_threshold"),
    ("vxth", "none_below"),
    ("vxth", "less_above"),
    ("vxth", "none_above"),
    ("tail_budget", "gate"),
    ("monetise", "first"),
    ("monetise", "second"),
    ("monetise", "third"),
}
_FRACTIONS: Final = {
    ("realized_vol", "target"): Range(0, 3, open_low=True),  # no index ever realized 300%
    ("correlation", "normal"): Range(0, 1, open_low=True),
    ("drawdown", "d0"): Range(0, 1),
    ("veqtor_like", "normal"): Range(0, 1, open_low=True),
    ("veqtor_like", "stop"): Range(0, 1, open_low=True),
    ("tail_budget", "annual"): Range(0, 1, open_low=True),
    ("tail_budget", "stake"): Range(0, 1, open_low=True),
    ("tail_budget", "harvest_above"): Range(0, 1, open_low=True),
    ("tail_budget", "harvest_to"): Range(0, 1, open_low=True),
    ("monetise", "sell"): Range(0, 0.33, open_low=True),
    ("monetise", "hysteresis"): Range(0, 1),
    ("monetise_sleeve", "first"): Range(0, 1, open_low=True),
    ("monetise_sleeve", "second"): Range(0, 1, open_low=True),
    ("monetise_sleeve", "third"): Range(0, 1, open_low=True),
    ("monetise_sleeve", "sell"): Range(0, 0.33, open_low=True),
    ("monetise_sleeve", "hysteresis"): Range(0, 1),
}


def read_rules(table: Table, book: str, composition: str) -> tuple[RulePolicy, ...]:
    """One preset by `rule`, or up to three `[[books.rules]]`; parameters left out are filled in."""
    tables = table.tables("rules")
    if table.has("rule"):
        if tables:
            table.fault("rule", "stands beside [[books.rules]]", "keep one of the two")
        return (_preset(table, "rule"),)
    if not tables and table.is_sound("rules"):
        table.fault("rule", "is missing", f"write one of {', '.join(PRESETS)}, or [[books.rules]]")
    if len(tables) > MAX_INPUTS:
        problem = f"{len(tables)} rules: more than {MAX_INPUTS} inputs fit the past, not the future"
        table.fault("rules", f"{problem} (spec 2)", f"keep {MAX_INPUTS}")
    sound, rules = zip(*map(_rule, tables), strict=True) if tables else ((), ())
    if all(sound) and 0 < len(rules) <= MAX_INPUTS:
        _check_together(table, rules, book, composition)
    return rules


def _check_together(
    table: Table, rules: tuple[RulePolicy, ...], book: str, composition: str
) -> None:
    try:
        RuleSet(rules, composition, book)
    except ValueError as reason:
        table.fault("rules", str(reason), "correct the rules")


def _preset(table: Table, key: str) -> RulePolicy:
    name = table.text(key)
    if name in PRESETS or not table.is_sound(key):
        return _complete(PRESETS.get(name, PRESETS["linear"]))
    near = get_close_matches(name, PRESETS, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    table.fault(key, f"unknown preset {name!r}", f"{hint}the presets are {', '.join(PRESETS)}")
    return _complete(PRESETS["linear"])


def _rule(table: Table) -> tuple[bool, RulePolicy]:
    if table.has("preset"):
        rule = _preset(table, "preset")
    else:
        if not table.has("kind"):
            table.fault("kind", "is missing", f"write one of {', '.join(RULES)}, or preset")
        kind = table.choice("kind", tuple(RULES), "linear")
        definition = RULES[kind]
        rule = RulePolicy(
            kind=kind,
            parameters={each.name: _parameter(table, kind, each) for each in definition.parameters},
        )
    table.refuse_unknown_keys()
    return table.is_sound(*table.keys()), rule


def _parameter(table: Table, kind: RuleKind, parameter: RuleParameter) -> float:
    name, default = parameter.name, float(parameter.default)
    if (kind, name) in _LEVELS:
        return table.level(name, default)
    if (kind, name) in _FRACTIONS:
        return table.fraction(name, default, _FRACTIONS[kind, name])
    return table.number(name, default, Range(parameter.low, parameter.high, parameter.positive))


def _complete(rule: RulePolicy) -> RulePolicy:
    """The same rule with every parameter written out, so that equal meaning is an equal value."""
    numbers = {name: float(value) for name, value in parameters_of(rule).items()}
    return RulePolicy(kind=rule.kind, parameters=numbers)
