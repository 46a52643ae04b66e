"""The moment that the story is told of."""

from typing import Final

NOW: Final = "2018-02-05T20:31:04Z"
NOW_S: Final = 1517862664
_DAY: Final = "2018-02-05"


def at(time: str) -> str:
    """A time of that day."""
    return f"{_DAY}T{time}Z"
