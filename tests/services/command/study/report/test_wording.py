"""Figures as a report writes them."""

import doctest

from services.command.study.report import wording
from services.command.study.report.wording import interval, money_interval
from shared.domain.study.resampling import Interval

FOUND = Interval(
    value=1.0,
    low=-1234.5,
    high=2345.6,
    confidence=0.95,
    deviation=1.0,
    block=1,
    resamples=100,
    undefined=0,
)


def test_the_examples_are_true() -> None:
    found = doctest.testmod(wording)
    assert found.attempted == 3
    assert found.failed == 0


def test_an_interval_has_both_ends_and_none_is_nothing() -> None:
    assert interval(FOUND, 1).replace("\N{NO-BREAK SPACE}", " ") == "−1,234.5 to 2,345.6"
    assert money_interval(FOUND) == "−1,234 to 2,346"
    assert interval(None) == money_interval(None) == ""
