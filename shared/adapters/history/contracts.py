"""VIX futures, a file a contract, as Cboe publishes them; and the curve that they make.

The files are called `CFE_F13_VX.csv` (month code and year) or `VX_2013-01-16.csv` (day of expiry);
a series of theirs is called by the contract, `VXF13`, a weekly one `VX31Q16`. Only settlements are
used. Before 2007-03-26 contracts were quoted at ten times the index, and some files have been
restated since: of those days, prices that no index ever had are divided, and that is said.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Final

from msgspec import structs

from shared.adapters.history.series import DailyBar, Finding, FindingKind, Row, Series
from shared.adapters.history.tables import HistoryError
from shared.domain.instruments.expiries import SessionDays, third_friday, week_of
from shared.domain.instruments.roots import MONTH_CODES
from shared.domain.study.curve import Settlement, VixCurve, by_position, vix_expiry

SETTLE: Final = "settle"
RESCALED: Final = date(2007, 3, 26)
"""From this day on a contract is quoted at the index's own level."""
LARGEST: Final = 60.0
"""No VIX future of those years, March 2004 to 2007, was above: 26 was the most."""

_MONTH_FILE: Final = re.compile(rf"(?:CFE_)?([{MONTH_CODES}])(\d\d)_VX\b", re.IGNORECASE)
_DAY_FILE: Final = re.compile(r"(?:CFE_)?VX_(\d{4}-\d\d-\d\d)\b", re.IGNORECASE)
_CONTRACT: Final = re.compile(rf"VX([{MONTH_CODES}])(\d\d)")
_POSITION: Final = re.compile(r"VX([1-9])")
_CENTURY: Final = 2000
_NEXT_MONTH_DAYS: Final = 30


def contract_symbol(path: Path) -> str:
    """Return the symbol of the contract that a file is named after.

    Raises:
        HistoryError: It is named after none.
    """
    if month := _MONTH_FILE.match(path.name):
        return f"VX{month[1].upper()}{month[2]}"
    day = _DAY_FILE.match(path.name)
    try:
        expiry = None if day is None else date.fromisoformat(day[1])
    except ValueError:
        expiry = None
    if expiry is None:
        raise HistoryError(
            f"{path}: name the file after its contract, CFE_F13_VX.csv or VX_2013-01-16.csv"
        )
    week = "" if _is_monthly(expiry) else str(week_of(expiry))
    return f"VX{week}{MONTH_CODES[expiry.month - 1]}{expiry:%y}"


def _is_monthly(expiry: date) -> bool:
    """Whether it lies 30 days before the third Friday of the next month, or a day before that."""
    year, month = expiry.year + expiry.month // 12, expiry.month % 12 + 1
    return 0 <= (third_friday(year, month) - expiry).days - _NEXT_MONTH_DAYS <= 1


def rescaled(symbol: str, rows: Sequence[Row]) -> tuple[list[Row], tuple[Finding, ...]]:
    """Bring prices of before 2007-03-26 to the index's own level, and say so."""
    scaled = [row for row in rows if _is_tenfold(row)]
    if not scaled:
        return list(rows), ()
    message = (
        f"{len(scaled)} settlements before {RESCALED} are quoted at ten times the index, the first"
        f" {scaled[0].when}: divided by ten"
    )
    finding = Finding(
        kind=FindingKind.SCALED,
        symbol=symbol,
        place=scaled[0].place,
        day=scaled[0].when,
        message=message,
    )
    return [_divided(row) if _is_tenfold(row) else row for row in rows], (finding,)


def _is_tenfold(row: Row) -> bool:
    settled = row.prices[3]
    return settled is not None and row.when < RESCALED and settled > LARGEST


def _divided(row: Row) -> Row:
    opening, high, low, settled = row.prices
    assert settled is not None  # noqa: S101 - it was compared
    return structs.replace(row, prices=(opening, high, low, settled / 10))


# --- the curve -------------------------------------------------------------------------------


def vix_curve(history: Sequence[Series], days: SessionDays) -> VixCurve:
    """Make the curve of all VIX futures among a history: by contract, and by position beneath.

    Where a day has a contract's own settlement, it counts, not that of its position. Weekly
    contracts are no part of it.

    Args:
        history: Any series; those called `VX1` … or `VXF13` … are used.
        days: The exchange's sessions.
    """
    positions = {
        int(match[1]): {bar.day: bar.close for bar in _daily(series)}
        for series in history
        if (match := _POSITION.fullmatch(series.symbol))
    }
    return VixCurve([*by_position(positions, days), *_settlements(history, days)])


def _settlements(history: Sequence[Series], days: SessionDays) -> Iterator[Settlement]:
    for series in history:
        match = _CONTRACT.fullmatch(series.symbol)
        if match is None:
            continue
        expiry = vix_expiry(_CENTURY + int(match[2]), MONTH_CODES.index(match[1]) + 1, days)
        for bar in _daily(series):
            if bar.day < expiry:  # on its last day it settles on the index's opening
                yield Settlement(bar.day, expiry, bar.close)


def _daily(series: Series) -> Iterator[DailyBar]:
    return (bar for bar in series.bars if isinstance(bar, DailyBar))
