"""Recorded history as values, and what every row must pass before it becomes a bar.

Real files have gaps, duplicates, holiday rows and highs below their closes. Nothing is silently
fixed: what is dropped or doubted leaves a `Finding`, and the rest carries on.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from enum import StrEnum
from itertools import pairwise
from math import inf

from msgspec import Struct


class FindingKind(StrEnum):
    """What was noticed about a file."""

    GAP = "gap"  # a session without a bar
    DUPLICATE = "duplicate"  # a date twice with the same values: one is used
    CONFLICT = "conflict"  # a date twice with different values: the date is refused
    ORDER = "order"  # rows not in ascending order: they were sorted
    CLOSED = "closed"  # a row while the exchange was closed: not used
    EMPTY = "empty"  # a row without a close: not used
    BRACKET = "bracket"  # high and low that do not bracket open and close: only the close is used
    REFUSED = "refused"  # a value that is not a positive number: the row is refused
    SCALED = "scaled"  # quoted at ten times the index: divided
    DATES = "dates"  # dates written in more than one way
    COLUMNS = "columns"  # some of open, high and low have no column: only the closes are used
    ZONE = "zone"  # stamps in another zone than their column says: read by their own offset


class Finding(Struct, frozen=True, kw_only=True):
    """One thing noticed about a file, and what was done about it.

    Attributes:
        kind: What.
        symbol: In whose series.
        place: `file:line`, or the file alone.
        day: The (first) day concerned, or `None` for the whole file.
        message: For a person: what was seen, and what became of it.
    """

    kind: FindingKind
    symbol: str
    place: str
    day: date | None
    message: str

    @property
    def is_error(self) -> bool:
        """Whether data was refused that claimed to be good."""
        return self.kind in (FindingKind.CONFLICT, FindingKind.REFUSED)

    def __str__(self) -> str:
        return f"{self.place}: {self.symbol}: {self.message}"


class DailyBar(Struct, frozen=True, kw_only=True):
    """One session of one symbol, in its own unit; open, high and low are all there or all `None`.

    Attributes:
        day: The session's date on the exchange.
    """

    day: date
    open: float | None = None
    high: float | None = None
    low: float | None = None
    close: float


class IntradayBar(Struct, frozen=True, kw_only=True):
    """One stretch of a session, as `DailyBar`; instants in ns since the epoch, UTC."""

    start_ns: int
    end_ns: int
    open: float | None = None
    high: float | None = None
    low: float | None = None
    close: float


class Series(Struct, frozen=True, kw_only=True):
    """The history of one symbol.

    Attributes:
        symbol: Whose.
        bars: In ascending order; all daily or all intraday.
        findings: What was noticed while reading, in the file's order.
        place: The file it came from.
    """

    symbol: str
    bars: tuple[DailyBar, ...] | tuple[IntradayBar, ...]
    findings: tuple[Finding, ...] = ()
    place: str = ""


Prices = tuple[float | None, float | None, float | None, float]
"""Open, high, low, close that passed: all of the first three are there, or none of them."""


class Row(Struct, frozen=True, kw_only=True):
    """One row as it stands in the file.

    Attributes:
        place: `file:line`.
        when: Its date; for an intraday bar its stamp, a datetime in UTC.
        prices: Open, high, low, close; `None` where the file has no number.
    """

    place: str
    when: date
    prices: tuple[float | None, float | None, float | None, float | None]


class Inspection:
    """The checks on one series' rows, and what they found.

    Attributes:
        findings: Everything reported so far.
    """

    def __init__(self, symbol: str, place: str) -> None:
        self._symbol = symbol
        self._place = place
        self.findings: list[Finding] = []

    def passed(self, rows: Iterable[Row]) -> dict[date, Prices]:
        """Prices by time, ascending, of the rows that can be used; the others are reported."""
        by_time: dict[date, list[tuple[Row, Prices]]] = {}
        latest: list[date] = []
        for row in rows:
            latest.append(row.when)
            prices = self._usable(row)
            if prices is not None:
                by_time.setdefault(row.when, []).append((row, prices))
        self._inspect_order(latest)
        agreed = {when: self._agreed(by_time[when]) for when in sorted(by_time)}
        return {when: prices for when, prices in agreed.items() if prices is not None}

    def report(self, kind: FindingKind, place: str, when: date | None, message: str) -> None:
        """Add a finding."""
        day = when and date(when.year, when.month, when.day)
        self.findings.append(
            Finding(kind=kind, symbol=self._symbol, place=place, day=day, message=message)
        )

    def _inspect_order(self, times: Sequence[date]) -> None:
        if all(earlier <= later for earlier, later in pairwise(times)):
            return
        descending = all(earlier >= later for earlier, later in pairwise(times))
        order = "newest first" if descending else "in no order"
        self.report(FindingKind.ORDER, self._place, None, f"rows are {order}; sorted by time")

    def _usable(self, row: Row) -> Prices | None:
        bad = [price for price in row.prices if price is not None and not 0 < price < inf]
        opening, high, low, close = row.prices
        if bad:
            message = f"{row.when} has {bad[0]:g}, which is not a positive number; row refused"
            self.report(FindingKind.REFUSED, row.place, row.when, message)
            return None
        if close is None:
            message = f"{row.when} has no close; not used"
            self.report(FindingKind.EMPTY, row.place, row.when, message)
            return None
        if opening is None or high is None or low is None:
            return None, None, None, close
        if low <= min(opening, close) and high >= max(opening, close):
            return opening, high, low, close
        message = (
            f"{row.when}: high {high:g} and low {low:g} do not bracket open {opening:g} and "
            f"close {close:g}; only the close is used"
        )
        self.report(FindingKind.BRACKET, row.place, row.when, message)
        return None, None, None, close

    def _agreed(self, rows: Sequence[tuple[Row, Prices]]) -> Prices | None:
        (first, prices), *others = rows
        for row, _ in others:
            seen = f"{row.when} stands already at {first.place}"
            if row.prices != first.prices:
                message = f"{seen} with other values; both are refused"
                self.report(FindingKind.CONFLICT, row.place, row.when, message)
                return None
            message = f"{seen} with the same values; one is used"
            self.report(FindingKind.DUPLICATE, row.place, row.when, message)
        return prices
