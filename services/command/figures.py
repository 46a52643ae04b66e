"""Figures as a terminal prints them: six digits that count, thousands apart, no power of ten."""

import re
from typing import Final

_LONG: Final = re.compile(r"(?<![\d.,:-])\d{4,}(?![\d:-])")
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


def rounded(value: float, form: str) -> str:
    """Write a figure in a form of `format`; what is rounded to zero has no sign.

    >>> rounded(-0.4, ",.0f"), rounded(-0.0004, ".1%"), rounded(-1234.5, ",.0f")
    ('0', '0.0%', '-1,234')
    """
    text = format(value, form)
    return text if re.search("[1-9a-z]", text) else text.lstrip("+-")


def spaced(text: str) -> str:
    """Put thousands apart in a text that was written without.

    >>> spaced("207461.95 left, 137562.00 projected")
    '207,461.95 left, 137,562.00 projected'
    """
    return _LONG.sub(lambda found: f"{int(found[0]):,}", text)


def counted(count: int, name: str) -> str:
    """Write how many there are of something.

    >>> counted(1, "observation"), counted(2000, "observation")
    ('1 observation', '2,000 observations')
    """
    return f"{count:,} {name}{'' if count == 1 else 's'}"
