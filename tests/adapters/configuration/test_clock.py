"""Whose sessions count, and who says what time it is."""

from pathlib import Path

import pytest
from fakes.configurations import SOUND, check_fault, load, only_fault


@pytest.mark.parametrize(
    ("section", "key", "problem", "remedy"),
    [
        ('[calendar]\nname = "XNYSE"', "name", "unknown calendar", "XNYS"),
        ('[calendar]\nclosed = ["2026-12-24"]', "closed", "date", "quotes"),
        ('[calendar]\nearly_closes = { x = "13:00" }', "x", "not a date", "2026"),
        (
            '[calendar]\nearly_closes = { 2018-07-05 = "1 pm" }',
            "2018-07-05",
            "time of day",
            "13:00",
        ),
        (
            '[calendar]\nearly_closes = { 2018-07-04 = "13:00" }',
            "early_closes",
            "no session",
            "correct",
        ),
        ('[clock]\nsource = "well"', "source", "is not one of", "'wall'"),
        ("[calendar]\nearly_closes = { 2018-07-05 = 13 }", "2018-07-05", "not a string", "quotes"),
    ],
)
def test_a_section_about_time_is_checked(
    tmp_path: Path, section: str, key: str, problem: str, remedy: str
) -> None:
    check_fault(only_fault(tmp_path, f"{SOUND}{section}\n"), key, problem, remedy)


def test_the_reviewed_calendar_is_read(tmp_path: Path) -> None:
    calendar = '[calendar]\nclosed = [2018-07-05]\nearly_closes = { 2018-07-06 = "12:30" }\n'
    overrides = load(tmp_path, SOUND + calendar).calendar.overrides
    assert [day.isoformat() for day in overrides.closed] == ["2018-07-05"]
    assert [(day.isoformat(), at.hour) for day, at in overrides.early_closes] == [
        ("2018-07-06", 12)
    ]
