"""Figures as a reader of a report wants them: thousands apart, with their unit, never −0."""

from math import isfinite
from typing import Final

from services.command.figures import rounded
from shared.domain.study.resampling import Interval

NOT_DEFINED = "–"
"""Where a figure does not exist: no crash, no trade, too short a history."""
_TO: Final = "\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}"


def money(value: float | None, sign: str = "") -> str:
    """Write whole currency; the table says which.

    >>> money(-1234.5), money(250.0, "+"), money(None)
    ('−1,234', '+250', '–')
    """
    return _written(value, f"{sign},.0f")


def percent(value: float | None, digits: int = 1) -> str:
    """Write a share.

    >>> percent(0.1234), percent(-0.05, 2), percent(-0.0)
    ('12.3%', '−5.00%', '0.0%')
    """
    return _written(value, f".{digits}%")


def ratio(value: float | None, digits: int = 2) -> str:
    """Write a plain number.

    >>> ratio(0.456), ratio(float("nan"))
    ('0.46', '–')
    """
    return _written(value, f",.{digits}f")


def interval(found: Interval | None, digits: int = 2) -> str:
    """Write both ends of an interval of a plain number; empty where there is none."""
    if found is None:
        return ""
    return f"{ratio(found.low, digits)}{_TO}{ratio(found.high, digits)}"


def money_interval(found: Interval | None) -> str:
    """Write both ends of an interval of money; empty where there is none."""
    return "" if found is None else f"{money(found.low)} to {money(found.high)}"


def _written(value: float | None, form: str) -> str:
    if value is None or not isfinite(value):
        return NOT_DEFINED
    return rounded(value, form).replace("-", "−")
