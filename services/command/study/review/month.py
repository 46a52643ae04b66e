"""A month of a book's past: its sessions, and what was decided, sent and filled in them."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, Protocol, TypeVar

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from services.command.study.figures import rows_of
from services.command.study.review.past import BookPast
from shared.adapters.study.columns import Columns
from shared.domain.effects import TargetChanged, TriggerChanged, WhipsawSuppressed
from shared.domain.events import ExecutionReported
from shared.domain.instants import SECOND
from shared.domain.orders import Order
from shared.domain.policies import BookPolicy
from shared.domain.sessions import SessionCalendar
from shared.domain.study.performance import Performance, measure_performance
from shared.domain.study.session_table import session_table


class _Dated(Protocol):
    @property
    def event_ns(self) -> int: ...


_D = TypeVar("_D", bound=_Dated)


class Month(Struct, frozen=True):
    """A calendar month, UTC.

    Attributes:
        first: Its first day.
        following: The first day of the next.
    """

    first: date
    following: date

    @classmethod
    def of(cls, year: int, month: int) -> "Month":
        """Make one of its numbers."""
        december = month == 12  # noqa: PLR2004
        return cls(date(year, month, 1), date(year + december, 1 if december else month + 1, 1))

    def __str__(self) -> str:
        return f"{self.first:%Y-%m}"

    def has(self, event_ns: int) -> bool:
        """Whether an instant lies in it."""
        return _ns(self.first) <= event_ns < _ns(self.following)

    def of_these(self, found: Sequence[_D]) -> tuple[_D, ...]:
        """Return those that happened in it."""
        return tuple(each for each in found if self.has(each.event_ns))


class BookMonth(Struct, frozen=True, kw_only=True):
    """What a book did in a month.

    Attributes:
        book: The book.
        daily: Its sessions, columns as a study's.
        performance: Of these sessions; `None` when none counted.
        inception: Of all sessions up to the month's end; likewise.
        targets: Decided in the month.
        orders: Decided in it.
        executions: Reported in it.
        whipsaws: Suppressed in it.
        firings: Of triggers, how often each.
        portfolio_profit: Of the portfolio alone, from its last value before the month (its first
            one, where the journal begins in it); `None` when not known.
    """

    book: BookPolicy
    daily: Columns
    performance: Performance | None
    inception: Performance | None
    targets: tuple[TargetChanged, ...]
    orders: tuple[Order, ...]
    executions: tuple[ExecutionReported, ...]
    whipsaws: tuple[WhipsawSuppressed, ...]
    firings: dict[str, int]
    portfolio_profit: float | None

    def total(self, column: str) -> float:
        """Add up a column of the month's sessions."""
        return float(np.sum(self.daily[column])) if column in self.daily else 0.0


def book_month(
    past: BookPast, month: Month, calendar: SessionCalendar, index_symbol: str
) -> BookMonth:
    """Cut a month out of a book's past."""
    table = session_table(past, calendar, index_symbol)
    days = table["day"].astype("datetime64[D]")
    until = np.asarray(days < np.datetime64(month.following, "D"))
    inside = until & np.asarray(days >= np.datetime64(month.first, "D"))
    triggers: tuple[TriggerChanged, ...] = month.of_these(past.firings)
    return BookMonth(
        book=past.book,
        daily=_cut(table, inside),
        performance=_performance(past.book, _cut(table, inside)),
        inception=_performance(past.book, _cut(table, until)),
        targets=month.of_these(past.targets),
        orders=month.of_these(past.orders),
        executions=month.of_these(past.executions),
        whipsaws=month.of_these(past.whipsaws),
        firings=dict(Counter(each.trigger for each in triggers).most_common()),
        portfolio_profit=_gain(table["nav"].astype(np.float64), until & ~inside, inside),
    )


def _cut(table: Columns, rows: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
    return {name: values[rows] for name, values in table.items()}


def _gain(
    nav: NDArray[np.float64], before: NDArray[np.bool_], inside: NDArray[np.bool_]
) -> float | None:
    known = ~np.isnan(nav)
    during, earlier = nav[inside & known], nav[before & known]
    if not len(during):
        return None
    return float(during[-1] - (earlier[-1] if len(earlier) else during[0]))


def _performance(book: BookPolicy, table: Columns) -> Performance | None:
    rows = rows_of(table)
    return measure_performance(rows, cap=book.sizing.cap) if len(rows) else None


def _ns(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * SECOND
