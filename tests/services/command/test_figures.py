"""Figures as a terminal prints them."""

import doctest

import pytest

from services.command import figures
from services.command.figures import figure
from services.command.top.words import amount, number


def test_the_examples_are_true() -> None:
    assert doctest.testmod(figures).attempted == 4
    assert doctest.testmod(figures).failed == 0


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1e6, "1,000,000"),
        (-2.5e9, "-2,500,000,000"),
        (99_999.5, "99,999.5"),
        (100_000.4, "100,000"),
        (22.0, "22"),
        (0.0, "0"),
        (-0.0, "0"),
        (float("inf"), "inf"),
    ],
)
def test_no_figure_is_a_power_of_ten_or_a_negative_zero(value: float, text: str) -> None:
    assert figure(value) == text


def test_the_terminal_shows_no_negative_zero() -> None:
    shown = amount(-0.3), number(-0.0004, "decimal"), number(-0.001, "points")
    assert shown == ("0", "0.0%", "0.00")
