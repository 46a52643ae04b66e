"""Figures as a terminal prints them: six digits that count, thousands apart, no power of ten."""

from typing import Final

_WHOLE_FROM: Final = 100_000


def figure(value: float, sign: str = "") -> str:
    """Write a figure; a zero has no sign, and `sign` is `+` to give others theirs.

    >>> figure(1_000_000.0), figure(-0.0), figure(0.0123456789), figure(1234.5, "+")
    ('1,000,000', '0', '0.0123457', '+1,234.5')
    """
    value += 0.0  # of −0.0 it makes 0.0
    sign = sign if value else ""
    digits = ",.0f" if abs(value) >= _WHOLE_FROM else ",.6g"
    return format(value, f"{sign}{digits}")


def counted(count: int, name: str) -> str:
    """Write how many there are of something.

    >>> counted(1, "observation"), counted(2000, "observation")
    ('1 observation', '2,000 observations')
    """
    return f"{count:,} {name}{'' if count == 1 else 's'}"
