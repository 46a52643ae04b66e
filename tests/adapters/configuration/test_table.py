"""Values of the wrong kind, unit or size."""

from pathlib import Path

import pytest
from fakes.configurations import check_fault, only_fault, spoilt


@pytest.mark.parametrize(
    ("old", "new", "key", "problem", "remedy"),
    [
        ("base_vega = 1000", "base_vega = 1000\nflor = 0.1", "flor", "unknown key", "'floor'"),
        ("[symbols.SPX]", "[symbols.SPX]\nmax_jmp = 1", "max_jmp", "unknown key", "'max_jump'"),
        ("base_vega = 1000", 'base_vega = "1000"', "base_vega", "the string '1000'", "quotes"),
        ("base_vega = 1000", "base_vega = true", "base_vega", "true or false", "a number"),
        ("base_vega = 1000", "base_vega = inf", "base_vega", "the number inf", "a number"),
        ("base_vega = 1000", "base_vega = []", "base_vega", "a list", "a number"),
        ("base_vega = 1000", "base_vega = {}", "base_vega", "a table", "a number"),
        ("base_vega = 1000", "base_vega = 2026-01-02", "base_vega", "a date", "a number"),
        ("base_vega = 1000", "", "base_vega", "is missing", "no default"),
        ('name = "overlay"', "name = 1", "name", "not a string", "quotes"),
        ('name = "overlay"', 'name = ""', "name", "is empty", "quotes"),
        ("max_orders_per_day = 20", "max_orders_per_day = 1.5", "max_orders_per_day", "whole", "2"),
        (
            "[books.triggers]",
            "[books.triggers]\nregime_change = 1",
            "regime_change",
            "true",
            "true",
        ),
        (
            "[books.limits]",
            "[[books.limits]]",
            "limits",
            "a list, not a table",
            "[books[0].limits]",
        ),
        ("[books.triggers]", "[books.triggers]\ngreek_bands = 1", "greek_bands", "list of", "[["),
        ("[books.triggers]", "[books.triggers]\ngreek_bands = [1]", "greek_bands", "list of", "[["),
        (
            "[books.triggers]",
            "[books.triggers]\ncooldown = 15",
            "cooldown",
            "with a unit",
            "15 min",
        ),
        (
            "[books.triggers]",
            '[books.triggers]\ncooldown = "2 days"',
            "cooldown",
            "session",
            "2 sess",
        ),
        ("[books.triggers]", '[books.triggers]\nhold = "soon"', "hold", "with a unit", "3 ticks"),
        (
            "[books.triggers]",
            '[books.triggers]\nschedule = "2 sessions"',
            "schedule",
            "wall",
            "2 h",
        ),
        ("[books.triggers]", '[books.triggers]\nschedule = "0 days"', "schedule", "last", "15 min"),
        (
            "[books.triggers]",
            '[books.triggers]\ncooldown = "-1 min"',
            "cooldown",
            "negative",
            "positive",
        ),
        (
            "triggers.fast]",
            'triggers.fast]\nconfirmation = "3 min"',
            "confirmation",
            "prints",
            "3 ticks",
        ),
        (
            "[books.triggers]",
            "[books.triggers]\ndrawdown = 5",
            "drawdown",
            "range",
            'write "5%" or 0.05',
        ),
        ("[books.triggers]", '[books.triggers]\ndrawdown = "5"', "drawdown", "percentage", "15%"),
        ("[books.triggers]", '[books.triggers]\ndrawdown = "500%"', "drawdown", "range", "100%"),
        (
            "[books.triggers]",
            "[books.triggers]\ndrawdown = true",
            "drawdown",
            "not a number",
            "15%",
        ),
        ("triggers.fast]", 'triggers.fast]\nindex_return = "5%"', "index_return", "range", "-100%"),
    ],
)
def test_a_value_of_the_wrong_kind_is_told_with_its_line_and_a_remedy(  # noqa: PLR0913, PLR0917 - one row of the table
    tmp_path: Path, old: str, new: str, key: str, problem: str, remedy: str
) -> None:
    check_fault(only_fault(tmp_path, spoilt(old, new)), key, problem, remedy)
