"""Rules and presets."""

from pathlib import Path

import pytest
from fakes.configurations import SOUND, check_fault, load, only_fault, spoilt


@pytest.mark.parametrize(
    ("old", "new", "key", "problem", "remedy"),
    [
        ('"option_a"', '"option_aa"', "rule", "unknown preset", "'option_a'"),
        ('"option_a"', '"nothing"', "rule", "unknown preset", "presets are linear"),
        ('rule = "option_a"', "", "rule", "is missing", "option_a"),
    ],
)
def test_a_preset_is_one_of_those_there_are(  # noqa: PLR0913, PLR0917 - one row of the table
    tmp_path: Path, old: str, new: str, key: str, problem: str, remedy: str
) -> None:
    check_fault(only_fault(tmp_path, spoilt(old, new)), key, problem, remedy)


RULE = '[[books.rules]]\nkind = "{}"\n'


@pytest.mark.parametrize(
    ("rules", "key", "problem"),
    [
        (RULE.format("realized_vol") + "target = 15\n", "target", "out of range"),
        (RULE.format("linear") + "a = 0.12\n", "a", "looks like a decimal"),
        (RULE.format("linear") + "b = 0\n", "b", "out of range"),
        (RULE.format("linear") + "beta = 1\n", "beta", "unknown key"),
        (RULE.format("linaer"), "kind", "is not one of"),
        ("[[books.rules]]\na = 1\n", "kind", "is missing"),
        ('[[books.rules]]\npreset = "x"\n', "preset", "unknown preset"),
        ('[[books.rules]]\npreset = "covid"\na = 9\n', "a", "unknown key"),
        (RULE.format("linear") * 4, "rules", "4 rules: more than 3 inputs"),
        (RULE.format("delta") + RULE.format("linear"), "rules", "cannot be composed"),
        (RULE.format("conditional") + "low_threshold = 30\n", "rules", "low_threshold below"),
    ],
)
def test_rules_that_make_no_sense_are_refused(
    tmp_path: Path, rules: str, key: str, problem: str
) -> None:
    fault = only_fault(tmp_path, SOUND.replace('rule = "option_a"', "") + rules)
    assert fault.key.split(".")[-1] == key
    assert problem in fault.problem


def test_a_realized_target_in_points_is_told_as_a_decimal(tmp_path: Path) -> None:
    text = SOUND.replace('rule = "option_a"', "") + RULE.format("realized_vol") + "target = 15\n"
    assert only_fault(tmp_path, text).remedy.startswith('write "15%" or 0.15')


def test_three_rules_may_be_composed_and_presets_among_them(tmp_path: Path) -> None:
    rules = (
        '[[books.rules]]\npreset = "option_a"\n'
        + RULE.format("drawdown")
        + RULE.format("realized_vol")
    )
    text = SOUND.replace('rule = "option_a"', 'composition = "max"')
    (book,) = load(tmp_path, text + rules).books
    assert [rule.kind for rule in book.rules] == ["linear", "drawdown", "realized_vol"]
    assert book.rules[1].parameters == {"alpha": 0.5, "d0": 0.05}
    assert book.composition == "max"


def test_a_rule_and_rules_are_one_too_many(tmp_path: Path) -> None:
    fault = only_fault(tmp_path, SOUND + RULE.format("linear"))
    assert fault.problem == "stands beside [[books.rules]]"


@pytest.mark.parametrize(
    ("rules", "key", "problem"),
    [
        (RULE.format("monetise") + "first = 0.3\n", "first", "looks like a decimal"),
        (RULE.format("monetise") + "third = 35\n", "rules", "needs second below third"),
        (RULE.format("monetise") + 'sell = "50%"\n', "sell", "out of range"),
        (RULE.format("monetise") * 2, "rules", "one rule with stages"),
        (RULE.format("veqtor_like") + RULE.format("linear"), "rules", "read 4 inputs"),
        (RULE.format("tail_budget"), "sizing", "legs that are options"),
        (RULE.format("monetise_sleeve"), "sizing", "legs that are options"),
    ],
)
def test_programmes_that_make_no_sense_are_refused(
    tmp_path: Path, rules: str, key: str, problem: str
) -> None:
    fault = only_fault(tmp_path, SOUND.replace('rule = "option_a"', "") + rules)
    assert fault.key.split(".")[-1] == key
    assert problem in fault.problem
