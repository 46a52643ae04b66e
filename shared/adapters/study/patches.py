"""A variant of a configuration: the same document with some keys set otherwise.

A key is a dotted path into the TOML document. `book.` is the book that is studied, a number an
element of a list: `book.triggers.vix_points`, `signals.smoothing.sessions`, `book.rules.0.a`.
Nothing is checked here: the patched document is read and judged as any configuration is.
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Final

Document = dict[str, Any]

_EXCLUDES: Final = {"rule": "rules", "rules": "rule"}
"""A book has one of the two."""


class NoSuchKey(ValueError):  # noqa: N818 - reads as what happened, like KeyError
    """A path leads nowhere in this document."""


def patched(document: Mapping[str, Any], book: str, changes: Mapping[str, object]) -> Document:
    """Return a copy of `document` with `changes` made, in their order.

    Args:
        document: A configuration, as TOML gives it.
        book: Which of its books `book.` means.
        changes: Values by dotted path.

    Raises:
        NoSuchKey: There is no such book or element; a table that is absent is made.
    """
    result = deepcopy(dict(document))
    for key, value in changes.items():
        *parents, last = key.split(".")
        place: Any = result
        if parents[:1] == ["book"]:
            place, parents = _book(result, book), parents[1:]
        for step in parents:
            place = _within(place, step, key)
        _put(place, last, deepcopy(value), key)
    return result


def _book(document: Document, name: str) -> Any:  # noqa: ANN401 - a TOML value
    for book in document.get("books", ()):
        if isinstance(book, dict) and book.get("name") == name:
            return book
    raise NoSuchKey(f"there is no book {name!r}")


def _within(place: Any, step: str, key: str) -> Any:  # noqa: ANN401 - TOML values
    if isinstance(place, list):
        return place[_index(place, step, key)]
    if not isinstance(place, dict):
        raise NoSuchKey(f"{key}: nothing lies under a value")
    return place.setdefault(step, {})


def _put(place: Any, last: str, value: object, key: str) -> None:  # noqa: ANN401 - a TOML value
    if isinstance(place, list):
        place[_index(place, last, key)] = value
    elif isinstance(place, dict):
        place.pop(_EXCLUDES.get(last, ""), None)
        place[last] = value
    else:
        raise NoSuchKey(f"{key}: nothing lies under a value")


def _index(place: list[Any], step: str, key: str) -> int:
    if step.isdecimal() and int(step) < len(place):
        return int(step)
    raise NoSuchKey(f"{key}: {step!r} is none of the {len(place)} elements, counted from 0")
