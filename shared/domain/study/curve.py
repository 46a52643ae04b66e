"""VIX futures by contract, from files a contract or from settlements by position.

A contract is known by the day on which it expires. Position k of a day is the k-th monthly expiry
after it: on its last day a contract has no position any more, and a month that was not listed, as
many were before 2006, leaves its position empty.

Times. A settlement is made at 16:15 New York, the index closes at 16:00. It is stamped with the
session's close all the same: profit goes from settlement to settlement, as a margin account's
does, and what the index did in the quarter of an hour between is in the one and not in the other.
On most days that is nothing; on 2018-02-05 the front future was a third up at 16:00 and had
doubled at 16:15. Sessions that moved so far are named in a study's notes (`VixCurve.notes`).
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Final

from msgspec import Struct

from shared.domain.instants import DAY, HOUR, MINUTE
from shared.domain.instruments.expiries import SessionDays, month_expiry
from shared.domain.instruments.roots import KNOWN_ROOTS
from shared.domain.sessions import OutsideCalendar

FAR_MOVE: Final = 0.25
"""A front settlement that moved by more than this is named."""
_DECEMBER: Final = 12
_EPOCH: Final = date(1970, 1, 1)


class Settlement(Struct, frozen=True):
    """What one contract settled at on one day, in points of VIX."""

    day: date
    expiry: date
    level: float


class VixCurve:
    """Settlements of all contracts.

    Args:
        settlements: In any order; of two of one contract and day the later counts.

    Attributes:
        expiries: Of the contracts, ascending.
    """

    def __init__(self, settlements: Iterable[Settlement]) -> None:
        self._levels: dict[date, dict[date, float]] = {}
        for each in settlements:
            self._levels.setdefault(each.day, {})[each.expiry] = each.level
        self._first = min(self._levels, default=None)
        self.expiries = tuple(
            sorted({expiry for levels in self._levels.values() for expiry in levels})
        )

    def __bool__(self) -> bool:
        return bool(self.expiries)

    def covers(self, day: date) -> bool:
        """Whether a day is not before the first settlement."""
        return self._first is not None and day >= self._first

    def level(self, day: date, expiry: date) -> float | None:
        """Return a contract's settlement; `None` when there is none that day."""
        return self._levels.get(day, {}).get(expiry)

    def at(self, day: date, expiry: date) -> float | None:
        """Return the curve's level at an expiry: the contract's, or between its neighbours'.

        Linear in days; beyond the last contract, and before the first, there is none.
        """
        levels = self._levels.get(day, {})
        if expiry in levels:
            return levels[expiry]
        known = sorted(levels)
        later = bisect_right(known, expiry)
        if not 0 < later < len(known):
            return None
        before, after = known[later - 1], known[later]
        share = (expiry - before) / (after - before)
        return levels[before] + share * (levels[after] - levels[before])

    def notes(self, first: date, last: date) -> tuple[str, ...]:
        """Name the days of a period on which the front settlement moved far; see the module."""
        days = sorted(day for day in self._levels if first <= day <= last)
        return tuple(
            f"{day}: the front VIX future settled {move:+.0%} at 16:15, a quarter of an hour after "
            "the index closed: the two are not of one instant"
            for before, day in pairwise(days)
            if abs(move := self._front_move(before, day)) > FAR_MOVE
        )

    def _front_move(self, before: date, day: date) -> float:
        """How far the first contract of both days moved, as a fraction; 0 without one."""
        earlier, later = self._levels[before], self._levels[day]
        expiry = min(earlier.keys() & later.keys(), default=None)
        return 0.0 if expiry is None else later[expiry] / earlier[expiry] - 1


def monthly_expiries(first: date, last: date, days: SessionDays) -> Iterator[date]:
    """Yield the monthly VIX expiries from the month of `first` on, up to a year after `last`.

    Those that the calendar does not reach are reckoned without holidays: 30 days before the third
    Friday of the next month.
    """
    year, month = first.year, first.month
    while (year, month) <= (last.year + 1, last.month):
        yield vix_expiry(year, month, days)
        year, month = year + month // _DECEMBER, month % _DECEMBER + 1


def vix_expiry(year: int, month: int, days: SessionDays) -> date:
    """Return the day on which a month's VIX future expires; beyond the calendar by the rule."""
    try:
        return month_expiry(KNOWN_ROOTS.futures["VX"], year, month, days)
    except OutsideCalendar:
        following = date(year + month // _DECEMBER, month % _DECEMBER + 1, 15)
        friday = following + timedelta(days=(4 - following.weekday()) % 7)
        return friday - timedelta(days=30)


def settlement_ns(expiry: date, days: SessionDays) -> int:
    """Return the instant at which what expires on a day settles: its opening.

    Beyond the calendar's end that is 14:30 UTC, New York's in winter.
    """
    try:
        return days.opening_ns(expiry)
    except OutsideCalendar:
        return midnight_ns(expiry) + 14 * HOUR + 30 * MINUTE


def midnight_ns(day: date) -> int:
    """Return the beginning of a day, UTC."""
    return (day - _EPOCH).days * DAY


def by_position(
    positions: Mapping[int, Mapping[date, float]], days: SessionDays
) -> Iterator[Settlement]:
    """Turn settlements by position into settlements by contract.

    Args:
        positions: Level by day, by position from 1.
        days: The exchange's sessions.
    """
    known = sorted({day for levels in positions.values() for day in levels})
    if not known:
        return
    expiries = list(monthly_expiries(known[0], known[-1], days))
    for position, levels in positions.items():
        for day, level in levels.items():
            front = bisect_right(expiries, day)
            yield Settlement(day, expiries[front + position - 1], level)


def expiries_after(expiries: Sequence[date], day: date) -> Sequence[date]:
    """Return the contracts that are still alive after a day, the front one first."""
    return expiries[bisect_right(expiries, day) :]
