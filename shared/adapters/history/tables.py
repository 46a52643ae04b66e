"""Files, CSV and Parquet, as lines of text under named columns; their meaning is not read here."""

import csv
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

DATES: Final = ("date", "observation_date", "trade date", "__index_level_0__")
"""What the column of the day is called: by most, by FRED, by Cboe's contracts, by pandas."""
STAMPS: Final = ("ts_utc", "bar_start_utc", "bar_end_utc")
_PREAMBLE: Final = 5
"""So many lines of words may stand before the header, as in files of exchanges."""


class HistoryError(ValueError):
    """A file cannot be read; the message begins with where, `file:line` when there is one."""


class Line(Struct, frozen=True):
    """One line of a file: its place, and its cells by lower-case column name."""

    place: str
    cells: dict[str, str]


class Sheet(Struct, frozen=True):
    """A file's columns, in lower case, and its lines; there is one at least."""

    columns: list[str]
    lines: list[Line]

    @property
    def day_column(self) -> str | None:
        """The column of the day, when there is one."""
        return next((name for name in DATES if name in self.columns), None)


def read_sheet(path: Path) -> Sheet:
    """Read a file.

    Raises:
        HistoryError: Missing, empty, wrongly encoded, or lines that do not fit their header.
    """
    sheet = _parquet(path) if path.suffix.lower() == ".parquet" else _csv(path)
    if not sheet.lines:
        raise HistoryError(f"{path}: no rows in it")
    return sheet


def _csv(path: Path) -> Sheet:
    rows = csv.reader(_text(path).splitlines(), strict=True)
    columns: list[str] = []
    lines: list[Line] = []
    try:
        table = [(rows.line_num, [cell.strip() for cell in cells]) for cells in rows if cells]
    except csv.Error as reason:
        raise HistoryError(f"{path}:{rows.line_num}: {reason}") from None
    start = _header(table)
    for number, (line, cells) in enumerate(table[start:]):
        place = f"{path}:{line}"
        if not number:
            columns = [cell.lower() for cell in cells]
            continue
        kept = cells[: len(columns)] if not any(cells[len(columns) :]) else cells
        if len(kept) != len(columns):
            raise HistoryError(f"{place}: {len(cells)} cells under {len(columns)} columns")
        lines.append(Line(place, dict(zip(columns, kept, strict=True))))
    return Sheet(columns, lines)


def _header(table: Sequence[tuple[int, Sequence[str]]]) -> int:
    """Where the header stands: the first line if no other of the first few names a time."""
    for number, (_, cells) in enumerate(table[:_PREAMBLE]):
        if {cell.lower() for cell in cells} & {*DATES, *STAMPS}:
            return number
    return 0


def _text(path: Path) -> str:
    try:
        return _content(path).decode("utf-8-sig")
    except UnicodeDecodeError as reason:
        line = reason.object[: reason.start].count(b"\n") + 1
        raise HistoryError(f"{path}:{line}: not UTF-8 text; save it as CSV in UTF-8") from None


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as reason:
        raise HistoryError(f"{path}: {reason.strerror}") from None


# --- Parquet ---------------------------------------------------------------------------------


def _parquet(path: Path) -> Sheet:
    """Read a Parquet file; a place is `file:row`, from 1."""
    try:
        from pyarrow import ArrowException, BufferReader, parquet  # noqa: PLC0415 - an extra, and slow to import
    except ImportError:
        message = f"{path}: Parquet needs pyarrow; pip install 'hedgestat[archive]'"
        raise HistoryError(message) from None
    try:
        table = parquet.read_table(BufferReader(_content(path)))
    except ArrowException as reason:
        raise HistoryError(f"{path}: not a Parquet file: {reason}") from None
    columns = [name.strip().lower() for name in table.column_names]
    return Sheet(columns, list(_rows(path, columns, table.columns)))


def _rows(path: Path, columns: Sequence[str], values: Sequence[Any]) -> Iterator[Line]:
    cells = [list(map(_cell, column.to_pylist())) for column in values]
    for number, row in enumerate(zip(*cells, strict=True), start=1):
        yield Line(f"{path}:{number}", dict(zip(columns, row, strict=True)))


def _cell(value: object) -> str:
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, date | datetime) else str(value)
