"""Readers of the files people have: daily bars, VIX futures by position or contract, intraday bars.

A file, CSV or Parquet, is known by its header, its symbol by the first word of its name:
`VIX_History.csv`, `spx_daily_1990_2018.csv`, `^GSPC.csv`; FRED's by its column, `VIXCLS`. Prices
are as they printed: Yahoo's adjusted close, which is rewritten at every dividend, is not used.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Final

from msgspec import structs

from shared.adapters.history.contracts import SETTLE, contract_symbol, rescaled
from shared.adapters.history.series import (
    DailyBar,
    Finding,
    FindingKind,
    Inspection,
    IntradayBar,
    Row,
    Series,
)
from shared.adapters.history.tables import DATES, STAMPS, HistoryError, Line, Sheet, read_sheet
from shared.domain.instants import MICROSECOND, MINUTE

__all__ = ["HistoryError", "daily_series", "read_file", "symbol_of"]

UNDERSTOOD: Final = (
    "understood are date,close and date,open,high,low,close (Cboe, Yahoo, any other; in any case "
    "and order, more columns do no harm), observation_date,VIXCLS (FRED), date,F1,F2,… (VIX "
    "futures by position), Trade Date,…,Settle (one VIX future, as of Cboe) and "
    "ts_utc|bar_start_utc|bar_end_utc,open,high,low,close (intraday)"
)
_ALIASES: Final = {"GSPC": "SPX", "SP500": "SPX", "INX": "SPX", "VIXCLS": "VIX"}
_SYMBOL: Final = re.compile(r"\^?([A-Za-z0-9]{1,32})")
_POSITION: Final = re.compile(r"f([1-9])")
_AMERICAN: Final = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_NO_NUMBER: Final = frozenset({"", "nan", "null", "none", "na", "n/a", "."})
_NO_CLOSE: Final = frozenset({"open", "high", "low", "volume", "adj close"})
"""What a column beside the date alone must not be: it is no close."""
_NEW_YORK: Final = frozenset({None, timedelta(hours=-5), timedelta(hours=-4)})
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def read_file(path: Path) -> tuple[Series, ...]:
    """Read one file of any kind that is understood; VIX futures give a series a position.

    Raises:
        HistoryError: Missing, empty, wrongly encoded, an unknown header, or a cell that is
            neither a number nor empty.
    """
    sheet = read_sheet(path)
    columns, day = sheet.columns, sheet.day_column
    if day and any(map(_POSITION.fullmatch, columns)):
        return _futures(path, sheet)
    if day and SETTLE in columns:
        return (_contract(path, sheet),)
    if "close" in columns and set(columns) & set(STAMPS):
        return (_intraday(path, sheet),)
    if day and ("close" in columns or (len(columns) == 2 and not _NO_CLOSE & set(columns))):  # noqa: PLR2004 - date,X
        return (_daily(path, sheet, day),)
    raise HistoryError(f"{path}:1: the header {','.join(columns)} is not known; {UNDERSTOOD}")


def _daily(path: Path, sheet: Sheet, day: str) -> Series:
    close = "close" if "close" in sheet.columns else next(n for n in sheet.columns if n != day)
    rows = [_row(line, ("open", "high", "low", close)) for line in sheet.lines]
    name = close.upper()
    by_column = name in _ALIASES or (day == "observation_date" and close != "close")
    symbol = _ALIASES.get(name, name) if by_column else symbol_of(path)
    series = daily_series(symbol, str(path), rows)
    return _with(series, (*_inspect_dates(symbol, sheet), *_inspect_columns(symbol, path, sheet)))


def _contract(path: Path, sheet: Sheet) -> Series:
    symbol = contract_symbol(path)
    settled = [_row(line, ("", "", "", SETTLE)) for line in sheet.lines]
    rows, findings = rescaled(symbol, settled)
    series = daily_series(symbol, str(path), rows)
    return _with(series, (*_inspect_dates(symbol, sheet), *findings))


def _with(series: Series, findings: Iterable[Finding]) -> Series:
    return structs.replace(series, findings=(*findings, *series.findings))


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


def _row(line: Line, columns: tuple[str, str, str, str], when: date | None = None) -> Row:
    opening, high, low, close = (_number(line, name) for name in columns)
    return Row(place=line.place, when=when or _day(line), prices=(opening, high, low, close))


def _number(line: Line, column: str) -> float | None:
    cell = line.cells.get(column, "")
    if cell.lower() in _NO_NUMBER:
        return None
    try:
        return float(cell)
    except ValueError:
        raise HistoryError(f"{line.place}: {column} is {cell!r}, not a number") from None


def _day(line: Line) -> date:
    cell = _date_of(line)
    try:
        if american := _AMERICAN.fullmatch(cell):
            month, day, year = map(int, american.groups())
            return date(year, month, day)
        return datetime.fromisoformat(cell).date()
    except ValueError:
        raise HistoryError(
            f"{line.place}: {cell!r} is not a date such as 2018-02-05 or 02/05/2018 (month first)"
        ) from None


def _inspect_dates(symbol: str, sheet: Sheet) -> Iterator[Finding]:
    """Say where dates begin to be written otherwise than in the first line, and of their zones."""
    zoned = next((line for line in sheet.lines if _has_zone(_date_of(line))), None)
    if zoned is not None:
        yield Finding(
            kind=FindingKind.DATES,
            symbol=symbol,
            place=zoned.place,
            day=_day(zoned),
            message=f"dates have a time of day or a zone, first {_date_of(zoned)!r}: the date as "
            f"it is written, {_day(zoned)}, is the session",
        )
    first = _is_american(sheet.lines[0])
    other = next((line for line in sheet.lines if _is_american(line) is not first), None)
    if other is not None:
        yield Finding(
            kind=FindingKind.DATES,
            symbol=symbol,
            place=other.place,
            day=_day(other),
            message=f"dates are written in two ways, first here; {_day(other)} is what was read",
        )


def _is_american(line: Line) -> bool:
    return _AMERICAN.fullmatch(_date_of(line)) is not None


def _has_zone(cell: str) -> bool:
    """Whether more than a day is said: midnight of no zone, or New York's, says no more."""
    if _AMERICAN.fullmatch(cell):
        return False
    when = datetime.fromisoformat(cell)
    return when.utcoffset() not in _NEW_YORK or when.time() != time()


def _date_of(line: Line) -> str:
    return next(line.cells[name] for name in DATES if name in line.cells)


def _inspect_columns(symbol: str, path: Path, sheet: Sheet) -> Iterator[Finding]:
    """Say that only closes are used where some of the other prices have no column."""
    missing = [name for name in ("open", "high", "low") if name not in sheet.columns]
    if 0 < len(missing) < 3:  # noqa: PLR2004 - of three
        yield Finding(
            kind=FindingKind.COLUMNS,
            symbol=symbol,
            place=f"{path}:1",
            day=None,
            message=f"no column {' and '.join(missing)}: only the closes are used",
        )


# --- VIX futures by position -----------------------------------------------------------------


def _futures(path: Path, sheet: Sheet) -> tuple[Series, ...]:
    positions = [match for name in sheet.columns if (match := _POSITION.fullmatch(name))]
    return tuple(_position(path, match[0], f"VX{match[1]}", sheet.lines) for match in positions)


def _position(path: Path, column: str, symbol: str, lines: Sequence[Line]) -> Series:
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


def _intraday(path: Path, sheet: Sheet) -> Series:
    column = next(name for name in STAMPS if name in sheet.columns)
    lines, prices = sheet.lines, ("open", "high", "low", "close")
    rows = [_row(line, prices, _stamp(line, column)) for line in lines]
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
    symbol = symbol_of(path)
    findings = (*_inspect_zones(symbol, column, lines), *inspection.findings)
    return Series(symbol=symbol, bars=tuple(bars), findings=findings, place=str(path))


def _inspect_zones(symbol: str, column: str, lines: Sequence[Line]) -> Iterator[Finding]:
    """Say that stamps of a column that is called UTC carry another zone."""
    other = next(
        (line for line in lines if datetime.fromisoformat(line.cells[column]).utcoffset()), None
    )
    if other is not None:
        yield Finding(
            kind=FindingKind.ZONE,
            symbol=symbol,
            place=other.place,
            day=_stamp(other, column).date(),
            message=f"{column} has {other.cells[column]}, which is not UTC: read by its own offset",
        )


def _stamp(line: Line, column: str) -> datetime:
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
