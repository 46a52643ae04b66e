"""The history that the `arch` package carries: S&P 500 bars and VIX closes, 2014-01-03 to 2018.

It needs no download, so the demo and the tests run on real data anywhere.
"""

from math import isnan
from typing import TYPE_CHECKING

from shared.adapters.history.readers import HistoryError, daily_series
from shared.adapters.history.series import Row, Series

if TYPE_CHECKING:
    from pandas import DataFrame


def packaged_history() -> tuple[Series, ...]:
    """SPX (1999 to 2018) and VIX (closes, 2014 to 2018; holidays are empty rows).

    Raises:
        HistoryError: The `arch` package is not installed.
    """
    try:
        from arch.data import sp500, vix  # noqa: PLC0415 - an extra, and slow to import
    except ImportError:
        raise HistoryError("arch is not installed; pip install 'hedgestat[demo]'") from None
    return (
        _series("SPX", "arch.data.sp500", sp500.load(), ("Open", "High", "Low", "Close")),
        _series("VIX", "arch.data.vix", vix.load(), ("", "", "", "vix")),
    )


def _series(
    symbol: str, place: str, frame: "DataFrame", columns: tuple[str, str, str, str]
) -> Series:
    cells = [frame[name].tolist() if name else [None] * len(frame) for name in columns]
    rows = [
        Row(
            place=f"{place}:{line}",
            when=stamp.date(),
            prices=(_number(opening), _number(high), _number(low), _number(close)),
        )
        for line, (stamp, opening, high, low, close) in enumerate(
            zip(frame.index, *cells, strict=True), start=2
        )
    ]
    return daily_series(symbol, place, rows)


def _number(cell: float | None) -> float | None:
    return None if cell is None or isnan(cell) else cell
