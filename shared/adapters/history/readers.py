"""Readers of the files people have: daily bars, VIX futures by position, intraday bars.

A file is known by its header, its symbol by the first word of its name: `VIX_History.csv`,
`spx_daily_1990_2018.csv`, `^GSPC.csv`. Prices are as they printed: Yahoo's adjusted close, which
is rewritten at every dividend, is not used.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Final

from msgspec import Struct, structs

from shared.adapters.history.series import (
    DailyBar,
    Finding,
    FindingKind,
    Inspection,
    IntradayBar,
    Row,
    Series,
)
from shared.domain.instants import MICROSECOND, MINUTE

UNDERSTOOD: Final = (
    "understood are date,close and date,open,high,low,close (Cboe, Yahoo, any other; in any case "
    "and order, more columns do no harm), date,F1,F2,… (VIX futures by position) and "
    "ts_utc|bar_start_utc|bar_end_utc,open,high,low,close (intraday)"
)
_ALIASES: Final = {"GSPC": "SPX", "SP500": "SPX", "INX": "SPX"}
_SYMBOL: Final = re.compile(r"\^?([A-Za-z0-9]{1,32})")
_POSITION: Final = re.compile(r"f([1-9])")
_AMERICAN: Final = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_NO_NUMBER: Final = frozenset({"", "nan", "null", "none", "na", "n/a", "."})
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_STAMPS: Final = ("ts_utc", "bar_start_utc", "bar_end_utc")


class HistoryError(ValueError):
    """A file cannot be read; the message begins with where, `file:line` when there is one."""


class _Line(Struct, frozen=True):
    """One line of a file: its place, and its cells by lower-case column name."""

    place: str
    cells: dict[str, str]


def read_file(path: Path) -> tuple[Series, ...]:
    """Read one file of any kind that is understood; VIX futures give a series a position.

    Raises:
        HistoryError: Missing, empty, wrongly encoded, an unknown header, or a cell that is
            neither a number nor empty.
    """
    columns, lines = _table(path)
    if "date" in columns and any(map(_POSITION.fullmatch, columns)):
        return _futures(path, columns, lines)
    if "close" in columns and set(columns) & set(_STAMPS):
        return (_intraday(path, columns, lines),)
    if "date" in columns and ("close" in columns or len(columns) == 2):  # noqa: PLR2004 - date,X
        value = "close" if "close" in columns else next(name for name in columns if name != "date")
        rows = [_row(line, ("open", "high", "low", value)) for line in lines]
        return (daily_series(symbol_of(path), str(path), rows),)
    raise HistoryError(f"{path}:1: the header {','.join(columns)} is not known; {UNDERSTOOD}")


def daily_series(symbol: str, place: str, rows: Iterable[Row]) -> Series:
    """A series of daily bars from rows as they stand in a file."""
    inspection = Inspection(symbol, place)
    bars = [
        DailyBar(day=day, open=opening, high=high, low=low, close=close)
        for day, (opening, high, low, close) in inspection.passed(rows).items()
    ]
    return Series(symbol=symbol, bars=tuple(bars), findings=tuple(inspection.findings), place=place)


def symbol_of(path: Path) -> str:
    """The symbol a file is named after: the first word of its name, in capitals.

    Raises:
        HistoryError: The name does not begin with a letter or a digit.
    """
    word = _SYMBOL.match(path.name)
    if word is None:
        raise HistoryError(f"{path}: name the file after its symbol, such as VIX_daily.csv")
    symbol = word[1].upper()
    return _ALIASES.get(symbol, symbol)


def _table(path: Path) -> tuple[list[str], list[_Line]]:
    rows = csv.reader(_text(path).splitlines(), strict=True)
    columns: list[str] = []
    lines: list[_Line] = []
    try:
        for cells in rows:
            place = f"{path}:{rows.line_num}"
            if not columns:
                columns = [cell.strip().lower() for cell in cells]
            elif len(cells) == len(columns):
                lines.append(_Line(place, dict(zip(columns, map(str.strip, cells), strict=True))))
            elif cells:
                raise HistoryError(f"{place}: {len(cells)} cells under {len(columns)} columns")
    except csv.Error as reason:
        raise HistoryError(f"{path}:{rows.line_num}: {reason}") from None
    if not lines:
        raise HistoryError(f"{path}: no rows in it")
    return columns, lines


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
        return content.decode("utf-8-sig")
    except OSError as reason:
        raise HistoryError(f"{path}: {reason.strerror}") from None
    except UnicodeDecodeError as reason:
        line = reason.object[: reason.start].count(b"\n") + 1
        raise HistoryError(f"{path}:{line}: not UTF-8 text; save it as CSV in UTF-8") from None


def _row(line: _Line, columns: tuple[str, str, str, str], when: date | None = None) -> Row:
    opening, high, low, close = (_number(line, name) for name in columns)
    return Row(place=line.place, when=when or _day(line), prices=(opening, high, low, close))


def _number(line: _Line, column: str) -> float | None:
    cell = line.cells.get(column, "")
    if cell.lower() in _NO_NUMBER:
        return None
    try:
        return float(cell)
    except ValueError:
        raise HistoryError(f"{line.place}: {column} is {cell!r}, not a number") from None


def _day(line: _Line) -> date:
    cell = line.cells["date"]
    try:
        if american := _AMERICAN.fullmatch(cell):
            month, day, year = map(int, american.groups())
            return date(year, month, day)
        return datetime.fromisoformat(cell).date()
    except ValueError:
        raise HistoryError(
            f"{line.place}: {cell!r} is not a date such as 2018-02-05 or 02/05/2018 (month first)"
        ) from None


# --- VIX futures by position -----------------------------------------------------------------


def _futures(path: Path, columns: Sequence[str], lines: Sequence[_Line]) -> tuple[Series, ...]:
    positions = [match for name in columns if (match := _POSITION.fullmatch(name))]
    return tuple(_position(path, match[0], f"VX{match[1]}", lines) for match in positions)


def _position(path: Path, column: str, symbol: str, lines: Sequence[_Line]) -> Series:
    rows = [_row(line, ("", "", "", column)) for line in lines]
    listed = [row for row in rows if row.prices[3] is not None]
    series = daily_series(symbol, str(path), listed)
    if len(listed) == len(rows):
        return series
    missing = next(row for row in rows if row.prices[3] is None)
    finding = Finding(
        kind=FindingKind.EMPTY,
        symbol=symbol,
        place=missing.place,
        day=missing.when,
        message=f"{len(rows) - len(listed)} days without a settlement, the first {missing.when}",
    )
    return structs.replace(series, findings=(finding, *series.findings))


# --- intraday --------------------------------------------------------------------------------


def _intraday(path: Path, columns: Sequence[str], lines: Sequence[_Line]) -> Series:
    column = next(name for name in _STAMPS if name in columns)
    rows = [_row(line, ("open", "high", "low", "close"), _stamp(line, column)) for line in lines]
    inspection = Inspection(symbol_of(path), str(path))
    passed = inspection.passed(rows)
    stamps = [_nanoseconds(when) for when in passed]
    interval = _interval(stamps)
    before_end = _before_end(path, column, stamps, interval)
    bars = [
        IntradayBar(
            start_ns=stamp + before_end - interval,
            end_ns=stamp + before_end,
            open=opening,
            high=high,
            low=low,
            close=close,
        )
        for stamp, (opening, high, low, close) in zip(stamps, passed.values(), strict=True)
    ]
    return Series(
        symbol=symbol_of(path),
        bars=tuple(bars),
        findings=tuple(inspection.findings),
        place=str(path),
    )


def _stamp(line: _Line, column: str) -> datetime:
    cell = line.cells[column]
    try:
        stamp = datetime.fromisoformat(cell)
    except ValueError:
        raise HistoryError(
            f"{line.place}: {column} is {cell!r}, not an instant such as 2018-02-05 14:35:00+00:00"
        ) from None
    return stamp.replace(tzinfo=UTC) if stamp.tzinfo is None else stamp.astimezone(UTC)


def _nanoseconds(when: date) -> int:
    assert isinstance(when, datetime)  # noqa: S101 - intraday rows are stamped
    return (when - _EPOCH) // timedelta(microseconds=1) * MICROSECOND


def _interval(stamps: Sequence[int]) -> int:
    steps = Counter(later - earlier for earlier, later in pairwise(stamps))
    return steps.most_common(1)[0][0] if steps else MINUTE


def _before_end(path: Path, column: str, stamps: Sequence[int], interval: int) -> int:
    """How long before its bar's end a stamp lies; guessing wrong would look into the future."""
    if column != "ts_utc":
        return interval if column == "bar_start_utc" else 0
    if all((stamp + MINUTE) % interval == 0 for stamp in stamps):
        return MINUTE  # the end less one minute
    raise HistoryError(
        f"{path}:1: are the stamps of ts_utc where a bar starts or where it ends? "
        "name the column bar_start_utc or bar_end_utc"
    )
