"""`rule = "option_a"` or `[[books.rules]]`: which signals say how much protection to hold."""

from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from typing import Final, get_args

from shared.adapters.configuration.table import SHARE, Table
from shared.domain.policies import RuleKind, RulePolicy

_MOST_INPUTS: Final = 3
_LEVELS: Final = {("linear", "a"), ("sigmoid", "v0")}
_FRACTIONS: Final = {("realized_vol", "target"), ("drawdown", "d0"), ("correlation", "normal")}


def presets() -> Mapping[str, RulePolicy]:
    """Rules by name (spec sections 2 and 10)."""
    try:
        known: Mapping[str, RulePolicy] = import_module("shared.domain.rules").PRESETS
    except ImportError:
        return {"option_a": RulePolicy(kind="linear", parameters={"a": 12.0, "b": 10.0, "c": 2.0})}
    return known


def read_rules(table: Table) -> tuple[RulePolicy, ...]:
    """One preset by `rule`, or up to three `[[books.rules]]`."""
    tables = table.tables("rules")
    if table.has("rule"):
        if tables:
            table.fault("rule", "stands beside [[books.rules]]", "keep one of the two")
        return (_preset(table, "rule"),)
    if not tables and table.is_sound("rules"):
        names = ", ".join(sorted(presets()))
        table.fault("rule", "is missing", f"write one of {names}, or [[books.rules]]")
    if len(tables) > _MOST_INPUTS:
        problem = (
            f"{len(tables)} rules; more than {_MOST_INPUTS} inputs fit the past, not the future"
        )
        table.fault("rules", f"{problem} (spec 2)", f"keep {_MOST_INPUTS}")
    return tuple(map(_rule, tables))


def _preset(table: Table, key: str) -> RulePolicy:
    known = presets()
    name = table.text(key)
    if name in known or not table.is_sound(key):
        return known.get(name, RulePolicy(kind="linear"))
    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    table.fault(
        key, f"unknown preset {name!r}", f"{hint}the presets are {', '.join(sorted(known))}"
    )
    return RulePolicy(kind="linear")


def _rule(table: Table) -> RulePolicy:
    if table.has("preset"):
        rule = _preset(table, "preset")
        table.refuse_unknown_keys()
        return rule
    if not table.has("kind"):
        table.fault(
            "kind", "is missing", f"write one of {', '.join(get_args(RuleKind))}, or preset"
        )
    kind = table.choice("kind", get_args(RuleKind), "linear")
    keys = [key for key in table.keys() if key != "kind"]  # noqa: SIM118 - a reader, not a dict
    return RulePolicy(kind=kind, parameters={key: _parameter(table, kind, key) for key in keys})


def _parameter(table: Table, kind: str, key: str) -> float:
    if (kind, key) in _LEVELS:
        return table.level(key, 1.0)
    if (kind, key) in _FRACTIONS:
        return table.fraction(key, 1.0, SHARE)
    return table.number(key)
