"""Names of books and legs."""

from pathlib import Path

import pytest
from fakes.configurations import SOUND, check_fault, only_fault, spoilt


@pytest.mark.parametrize(
    ("old", "new", "key", "problem", "remedy"),
    [
        ('"varswap"', '"Var Swap"', "name", "cannot be the name of a leg", "a-z"),
        ('"overlay"', '"all"', "name", "means every book", "differently"),
    ],
)
def test_a_name_is_told_what_it_may_be(  # noqa: PLR0913, PLR0917 - one row of the table
    tmp_path: Path, old: str, new: str, key: str, problem: str, remedy: str
) -> None:
    check_fault(only_fault(tmp_path, spoilt(old, new)), key, problem, remedy)


LEG = SOUND[SOUND.index("[[books.legs]]") : SOUND.index("[books.limits]")]


def test_names_are_given_once(tmp_path: Path) -> None:
    halves = LEG.replace("max_vega", "weight = 0.5\nmax_vega")
    assert "two legs are called 'varswap'" in only_fault(tmp_path, spoilt(LEG, halves * 2)).problem
    head, book = SOUND.split("[[books]]")
    twin_book = only_fault(tmp_path, f"{head}[[books]]{book}[[books]]{book}")
    assert "two books are called 'overlay'" in twin_book.problem
