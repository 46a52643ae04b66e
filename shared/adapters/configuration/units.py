"""Quantities as people write them: "15 min", "2 sessions and 2 ticks", "15%".

A duration is a number and a unit, never a bare number. What runs on *trading time* may be given in
sessions; what runs on the wall clock may not. A hold joins its conditions by "and".
"""

import re
from decimal import Decimal
from typing import Final

from shared.domain.instants import DAY, HOUR, MICROSECOND, MILLISECOND, MINUTE, SECOND
from shared.domain.policies import Hold

_QUANTITY: Final = re.compile(r"\s*([+-]?\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*")
_NANOSECONDS: Final = {
    "us": MICROSECOND,
    "ms": MILLISECOND,
    "s": SECOND,
    "min": MINUTE,
    "h": HOUR,
    "day": DAY,
    "days": DAY,
}
_SESSIONS: Final = ("session", "sessions")
_TICKS: Final = ("tick", "ticks")


class WrongUnit(ValueError):  # noqa: N818 - reads as what happened
    """A quantity cannot be read.

    Attributes:
        remedy: What to write instead.
    """

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.remedy = remedy


def duration(text: str) -> int:
    """Nanoseconds of a duration on the wall clock or the calendar.

    >>> duration("1.5 h")
    5400000000000

    Raises:
        WrongUnit: No unit, an unknown one, a negative number, or sessions.
    """
    number, unit = _quantity(text, 'write it as "30 s", "15 min" or "7 days"')
    if unit in _SESSIONS:
        raise WrongUnit(
            "this runs on the wall clock, which knows no sessions",
            'write "30 s", "15 min" or "2 h"',
        )
    return _nanoseconds(number, unit, "us, ms, s, min, h or days")


def trading_duration(text: str, session_ns: int) -> int:
    """Nanoseconds of trading time, which stands still while the exchange is closed.

    Args:
        text: In ms, s, min, h or sessions.
        session_ns: Length of an ordinary session.

    Raises:
        WrongUnit: No unit, an unknown one, a negative number, or days.
    """
    number, unit = _quantity(text, 'write it as "15 min" or "2 sessions"')
    if unit in _SESSIONS:
        return int(number * session_ns)
    if unit in ("day", "days"):
        raise WrongUnit(
            "this runs on trading time, in which a day is a session", f'write "{number} sessions"'
        )
    return _nanoseconds(number, unit, "ms, s, min, h or sessions")


def hold(text: str) -> Hold:
    """Persistence: `"15 min and 3 ticks"`, `"2 sessions and 2 ticks"`, `"1 tick"`.

    What is not mentioned is not asked for: no time, one session, one observation.

    Raises:
        WrongUnit: A part that cannot be read, or the same kind twice.
    """
    parts: dict[str, int] = {}
    for part in text.split(" and "):
        kind, amount = _condition(part)
        if kind in parts:
            raise WrongUnit(f"{text!r} says {kind} twice", 'write it as "15 min and 3 ticks"')
        parts[kind] = amount
    return Hold(
        trading_ns=parts.get("a time", 0),
        sessions=parts.get("sessions", 1),
        observations=parts.get("ticks", 1),
    )


def ticks(text: str) -> int:
    """Observations: `"3 ticks"`.

    Raises:
        WrongUnit: Anything else.
    """
    number, unit = _quantity(text, 'write it as "3 ticks"')
    if unit not in _TICKS:
        raise WrongUnit(f"this counts prints, not {unit}", 'write it as "3 ticks"')
    return _counted(number, unit)


def fraction(text: str) -> float:
    """A percentage as a fraction.

    >>> fraction("15%")
    0.15

    Raises:
        WrongUnit: Not a number and a percent sign.
    """
    match = re.fullmatch(r"\s*([+-]?\d+(?:\.\d+)?)\s*%\s*", text)
    if match is None:
        raise WrongUnit(f"{text!r} is not a percentage", 'write "15%" or 0.15')
    return float(Decimal(match[1]) / 100)


def _condition(text: str) -> tuple[str, int]:
    number, unit = _quantity(text, 'write it as "15 min and 3 ticks" or "2 sessions and 2 ticks"')
    if unit not in (*_SESSIONS, *_TICKS):
        return "a time", trading_duration(text, 0)
    return ("sessions" if unit in _SESSIONS else "ticks"), _counted(number, unit)


def _counted(number: Decimal, unit: str) -> int:
    if number != int(number) or number < 1:
        raise WrongUnit(f"{number} {unit} cannot be counted", "write a whole number from 1")
    return int(number)


def _quantity(text: str, remedy: str) -> tuple[Decimal, str]:
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise WrongUnit(f"{text!r} is not a number with a unit", remedy)
    if Decimal(match[1]) < 0:
        raise WrongUnit(
            f"{text!r} is negative", "time does not run backwards; write a positive one"
        )
    return Decimal(match[1]), match[2].lower()


def _nanoseconds(number: Decimal, unit: str, units: str) -> int:
    if unit not in _NANOSECONDS:
        raise WrongUnit(f"unknown unit {unit!r}", f"the units are {units}")
    return int(number * _NANOSECONDS[unit])
