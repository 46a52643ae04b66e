"""A folder of history files, read at once and held against the exchange's calendar."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from shared.adapters.calendars import NO_OVERRIDES, CalendarOverrides
from shared.adapters.history.readers import HistoryError, read_file
from shared.adapters.history.series import Series
from shared.adapters.history.sessions import checked

KINDS: Final = frozenset({".csv", ".parquet"})


def open_history(
    source: Path | Sequence[Path],
    calendar: str = "XNYS",
    overrides: CalendarOverrides = NO_OVERRIDES,
) -> tuple[Series, ...]:
    """Read every CSV and Parquet file of a folder, or one file, and check it against the calendar.

    Args:
        source: The folder or file, or several of them.
        calendar: Whose sessions the bars belong to.
        overrides: As of `session_calendar`.

    Returns:
        The series, in the order of their symbols.

    Raises:
        HistoryError: No such folder, none of them in it, a file that cannot be read, or two files
            of one symbol.
        CalendarError: Unknown calendar, or it does not reach that far.
    """
    by_symbol: dict[str, Series] = {}
    sources = [source] if isinstance(source, Path) else source
    paths = dict.fromkeys(path for each in sources for path in _files(each))
    for series in (series for path in paths for series in read_file(path)):
        twin = by_symbol.setdefault(series.symbol, series)
        if twin is not series:
            raise HistoryError(f"{series.place}: {twin.place} is of {series.symbol} too; keep one")
    return checked([by_symbol[symbol] for symbol in sorted(by_symbol)], calendar, overrides)


def _files(source: Path) -> list[Path]:
    if not source.is_dir():
        return [source]
    files = sorted(path for path in source.iterdir() if path.suffix.lower() in KINDS)
    if not files:
        raise HistoryError(f"{source}: no .csv or .parquet file in this folder")
    return files
