"""A variant is the same document with some keys set otherwise."""

import pytest

from shared.adapters.study.patches import NoSuchKey, patched

DOCUMENT = {
    "signals": {"vix": "VIX"},
    "books": [
        {"name": "other", "rule": "linear"},
        {"name": "overlay", "rule": "option_a", "legs": [{"name": "swap", "max_vega": 1.0}]},
    ],
}


def test_a_key_of_the_book_is_that_of_the_studied_book() -> None:
    changed = patched(DOCUMENT, "overlay", {"book.rule": "sigmoid"})
    assert [book["rule"] for book in changed["books"]] == ["linear", "sigmoid"]


def test_the_document_itself_is_left_alone() -> None:
    patched(DOCUMENT, "overlay", {"book.legs.0.max_vega": 2.0, "signals.vix": "V"})
    assert DOCUMENT["books"][1]["legs"] == [{"name": "swap", "max_vega": 1.0}]  # type: ignore[index]
    assert DOCUMENT["signals"] == {"vix": "VIX"}


def test_a_table_that_is_absent_is_made() -> None:
    changed = patched(DOCUMENT, "overlay", {"signals.smoothing.sessions": 5})
    assert changed["signals"] == {"vix": "VIX", "smoothing": {"sessions": 5}}


def test_rules_take_the_place_of_a_rule_and_the_other_way_round() -> None:
    rules = [{"kind": "linear"}]
    changed = patched(DOCUMENT, "overlay", {"book.rules": rules})
    assert "rule" not in changed["books"][1]
    again = patched(changed, "overlay", {"book.rule": "sigmoid"})
    assert "rules" not in again["books"][1]


def test_a_value_that_is_set_is_not_shared_with_the_document() -> None:
    rules = [{"kind": "linear"}]
    changed = patched(DOCUMENT, "overlay", {"book.rules": rules, "book.rules.0.a": 3.0})
    assert changed["books"][1]["rules"] == [{"kind": "linear", "a": 3.0}]
    assert rules == [{"kind": "linear"}]


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("book.legs.1.max_vega", "'1' is none of the 1 elements"),
        ("book.legs.first.max_vega", "'first' is none"),
        ("book.legs.4", "'4' is none"),
        ("book.rule.name", "nothing lies under a value"),
        ("signals.vix.a.b", "nothing lies under a value"),
    ],
)
def test_a_path_that_leads_nowhere_is_refused(key: str, said: str) -> None:
    with pytest.raises(NoSuchKey, match=said):
        patched(DOCUMENT, "overlay", {key: 1.0})


def test_a_book_that_is_not_there_is_refused() -> None:
    with pytest.raises(NoSuchKey, match="no book 'tail'"):
        patched(DOCUMENT, "tail", {"book.rule": "linear"})
