"""Numbers, times and cells as the terminal writes them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, Literal

from msgspec import Struct
from rich.text import Text

from services.command.figures import rounded
from services.command.top.picture import instant_ns
from shared.domain.instants import SECOND

NOTHING: Final = "–"
LOUD: Final = "bold reverse red"
CALM: Final = "dim"
_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "m"))
_FRACTIONS: Final = frozenset(("decimal", "fraction", "probability"))
_SCALES: Final = (("bn", 1e9), ("M", 1e6), ("k", 1e3))


def duration(seconds: float) -> str:
    """Write how long something is, in its two largest units."""
    if seconds < 10:  # noqa: PLR2004 - where tenths count
        return f"{max(seconds, 0.0):.1f}s"
    whole = int(seconds)
    for size, unit in _UNITS:
        if whole >= size:
            rest = whole % size
            smaller, letter = {86_400: (3_600, "h"), 3_600: (60, "m"), 60: (1, "s")}[size]
            second = rest // smaller
            return f"{whole // size}{unit}{f'{second:02d}{letter}' if second else ''}"
    return f"{whole}s"


def age(told: str | None, now_ns: int) -> str:
    """Write how long ago an instant was."""
    at_ns = instant_ns(told)
    return duration((now_ns - at_ns) / SECOND) if at_ns else NOTHING


def clock_time(ns: int) -> str:
    """Write the time of day, UTC."""
    return datetime.fromtimestamp(ns // SECOND, tz=UTC).strftime("%H:%M:%S")


def date_time(ns: int) -> str:
    """Write day and time, UTC."""
    return datetime.fromtimestamp(ns // SECOND, tz=UTC).strftime("%Y-%m-%d %H:%M:%S")


def number(value: float | None, unit: str = "") -> str:
    """Write a number of a unit as the field reads it; a dash where there is none."""
    if value is None:
        return NOTHING
    if unit in _FRACTIONS:
        return rounded(value, ".1%")
    if unit == "currency" or abs(value) >= 100_000:  # noqa: PLR2004 - six digits are too many
        return amount(value)
    return rounded(value, ",.2f" if unit == "points" or abs(value) >= 1 else ".3g")


def amount(value: float | None) -> str:
    """Write an amount with three digits that count."""
    if value is None:
        return NOTHING
    for unit, size in _SCALES:
        if abs(value) >= size:
            scaled = abs(value) / size
            decimals = 2 if scaled < 10 else 1 if scaled < 100 else 0  # noqa: PLR2004 - powers of ten
            return f"{value / size:.{decimals}f}{unit}"
    return rounded(value, ".0f")


class Column(Struct, frozen=True):
    """A column: so many cells wide, 0 for all that is left; texts on its left or right side."""

    width: int
    side: Literal["left", "right"] = "left"


def row(cells: Sequence[str | Text], columns: Sequence[Column], width: int) -> Text:
    """Lay texts out in columns, a space between them; what is too long for its own is cut."""
    fixed = sum(each.width for each in columns) + len(columns) - 1
    line = Text()
    for number_of, (cell, column) in enumerate(zip(cells, columns, strict=True)):
        text = cell.copy() if isinstance(cell, Text) else Text(cell)
        wide = column.width or max(width - fixed, 0)
        text.truncate(wide, overflow="ellipsis")
        text.align(column.side, wide)
        line.append_text(Text(" " * bool(number_of)) + text)
    return line


def folded(text: str, width: int, most: int, style: str = "") -> list[Text]:
    """Break a text into at most so many lines; the last ends in … when it goes on."""
    words = text.split(" ")
    lines = [Text("", style)]
    for position, word in enumerate(words):
        longer = Text(f"{lines[-1].plain} {word}".lstrip(), style)
        if longer.cell_len <= width or not lines[-1].plain:
            lines[-1] = longer
        elif len(lines) == most:
            lines[-1] = Text(" ".join((lines[-1].plain, *words[position:])), style)
            break
        else:
            lines.append(Text(word, style))
    for line in lines:
        line.truncate(width, overflow="ellipsis")
    return lines
