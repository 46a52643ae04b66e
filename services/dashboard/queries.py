"""What a request may ask for: every parameter is known, and within its bounds, or refused."""

from collections.abc import Collection
from math import isfinite
from typing import Final

from msgspec import Struct
from starlette.requests import Request

LONGEST_HOURS: Final = 1e6
MOST_POINTS: Final = 5_000
MOST_ROWS: Final = 1_000
_SHOWN: Final = 80


class BadQuery(ValueError):  # noqa: N818 - reads as what it is
    """A request asks for what there is not, or in a way that is not understood.

    Attributes:
        error: In a word.
        status: Of the response.
    """

    def __init__(self, error: str, detail: str, status: int = 400) -> None:
        super().__init__(detail)
        self.error = error
        self.status = status


class Period(Struct, frozen=True):
    """How far back a history goes, hours; `None`: as far as is known; and how many points."""

    hours: float | None
    points: int


def known(request: Request, *names: str) -> None:
    """Refuse parameters that are none, or stand there twice.

    Raises:
        BadQuery: There is one.
    """
    given = [name for name, _ in request.query_params.multi_items()]
    for name in given:
        if name not in names:
            may = f"there are {', '.join(names)}" if names else "there are none here"
            raise BadQuery("unknown_parameter", f"no parameter {name[:_SHOWN]!r}: {may}")
        if given.count(name) > 1:
            raise BadQuery("repeated_parameter", f"{name} stands there twice")


def period(request: Request) -> Period:
    """Read `hours` and `points`.

    Raises:
        BadQuery: One is out of bounds.
    """
    known(request, "hours", "points")
    return Period(_hours(request), count(request, "points", 500, 2, MOST_POINTS))


def count(request: Request, name: str, default: int, least: int, most: int) -> int:
    """Read a whole number.

    Raises:
        BadQuery: It is none, or out of bounds.
    """
    text = request.query_params.get(name)
    if text is None:
        return default
    number = int(text) if text.isascii() and text.isdigit() and len(text) < len("1e6000") else -1
    if not least <= number <= most:
        raise BadQuery("out_of_bounds", f"{name} is a whole number from {least} to {most}")
    return number


def book(request: Request, books: Collection[str]) -> str:
    """Read the optional `book`; empty when it is left out.

    Raises:
        BadQuery: There is no such book.
    """
    name = request.query_params.get("book", "")
    return known_book(name, books) if name else ""


def known_book(name: str, books: Collection[str]) -> str:
    """Pass the name of a book.

    Raises:
        BadQuery: There is no such book.
    """
    if name not in books:
        raise BadQuery("unknown_book", f"no book {name[:_SHOWN]!r}", 404)
    return name


def _hours(request: Request) -> float | None:
    text = request.query_params.get("hours")
    if text is None:
        return None
    try:
        hours = float(text)
    except ValueError:
        hours = -1.0
    if not (isfinite(hours) and 0 < hours <= LONGEST_HOURS):
        raise BadQuery("out_of_bounds", f"hours is a number above 0, at most {LONGEST_HOURS:g}")
    return hours
