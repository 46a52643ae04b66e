"""What a book's hedge has cost this calendar year: carry and transaction costs (spec 2 and 7).

Carry is ∫N(t)·θ(t)dt, booked right after each session close: N(t) is the vega held, integrated
exactly over calendar time; θ is the unit carry from the last good VIX and realized volatility
seen before. Years are UTC; a year starts from 0, and the carry between the last close of the old
year and the first of the new belongs to the new one.

Convention of θ (ours): a variance swap rolled at 30 days and held to the end loses implied minus
realized variance, which one vega notional turns into (VIX² − (100·rv)²)/(2·VIX) points; a 30th of
it a calendar day, and never a gain, so that a budget is not refilled by a lucky month.
"""

from datetime import UTC, datetime
from functools import cache
from typing import Final

from msgspec import Struct

from shared.domain.hedging.session_clock import SessionClock
from shared.domain.instants import DAY, SECOND

ROLL_DAYS: Final = 30


def unit_carry(vix: float | None, rv: float | None) -> float | None:
    """Return θ: points that one vega notional loses a calendar day, ≥ 0; `None` while unknown.

    Args:
        vix: Vol points, good.
        rv: Realized volatility, decimal, good.

    Example:
        >>> round(unit_carry(18.0, 0.15), 6)
        0.091667
    """
    if vix is None or rv is None or vix <= 0:
        return None
    return max(0.0, (vix**2 - (100 * rv) ** 2) / (2 * vix)) / ROLL_DAYS


def year_of(now: int) -> int:
    """Return the UTC calendar year of an instant in ns."""
    return datetime.fromtimestamp(now // SECOND, tz=UTC).year


@cache
def year_end_ns(year: int) -> int:
    """Return the first instant after a UTC calendar year, in ns."""
    return int(datetime(year + 1, 1, 1, tzinfo=UTC).timestamp()) * SECOND


class CostLedgerState(Struct, frozen=True, kw_only=True):
    """Everything the ledger remembers.

    Attributes:
        year: The year of the sums; 0 before the first event.
        carry: Carry booked this year, currency.
        transactions: Implementation shortfall of this year's executions, currency.
        unknown_days: Calendar days of this year whose carry could not be measured.
        vega: Vega notional held now.
        vega_days: ∫N(t)dt since the last close, vega × days.
        since_ns: Up to when that integral goes.
        booked_ns: The close, or start, up to which carry is booked.
        vix: Last seen good VIX, vol points; `None` while not good.
        rv: Last seen good realized volatility, decimal; `None` while not good.
    """

    year: int = 0
    carry: float = 0.0
    transactions: float = 0.0
    unknown_days: float = 0.0
    vega: float = 0.0
    vega_days: float = 0.0
    since_ns: int = 0
    booked_ns: int = 0
    vix: float | None = None
    rv: float | None = None


class CostLedger:
    """The running cost of one book. Call `advance_to` before anything else at an instant.

    Args:
        clock: The exchange's sessions.
        state: Where to go on from.
    """

    def __init__(self, clock: SessionClock, state: CostLedgerState | None = None) -> None:
        known = state or CostLedgerState()
        self._clock = clock
        self._year = known.year
        self._carry = known.carry
        self._transactions = known.transactions
        self._unknown_days = known.unknown_days
        self._vega = known.vega
        self._vega_days = known.vega_days
        self._since_ns = known.since_ns
        self._booked_ns = known.booked_ns
        self._vix = known.vix
        self._rv = known.rv
        self._deadline_ns = self._next_deadline() if known.year else 0

    @property
    def used(self) -> float:
        """Currency used this year."""
        return self._carry + self._transactions

    @property
    def unknown_days(self) -> float:
        """Calendar days of this year whose carry could not be measured."""
        return self._unknown_days

    def observe(self, vix: float | None, rv: float | None) -> None:
        """Remember the good VIX (points) and realized volatility; `None` for one that is not."""
        self._vix = vix
        self._rv = rv

    def advance_to(self, now: int) -> bool:
        """Book the carry of every close before `now`, and start a new year when it is one.

        Returns:
            Whether anything was booked.
        """
        if now < self._deadline_ns:
            return False
        if not self._year:
            self._year, self._since_ns, self._booked_ns = year_of(now), now, now
        while now >= (deadline := self._next_deadline()):
            if deadline == year_end_ns(self._year):
                self._start_year()
            else:
                self._book_close(deadline - 1)
        self._deadline_ns = deadline
        return True

    def hold(self, vega: float, now: int) -> None:
        """Say that from `now` on the book holds `vega`, currency per vol point."""
        self._integrate(now)
        self._vega = vega

    def pay(self, cost: float) -> None:
        """Add an execution's implementation shortfall, currency; negative when it was a gain."""
        self._transactions += cost

    def unit_cost(self, base_vega: float, now: int) -> float | None:
        """Project the carry of `base_vega` from `now` to year end; `None` while unknown."""
        carry = unit_carry(self._vix, self._rv)
        if carry is None:
            return None
        return base_vega * carry * (year_end_ns(self._year) - now) / DAY

    def next_deadline(self) -> int | None:
        """Return the instant right after the next close, or the new year's first."""
        return self._deadline_ns if self._year else None

    def snapshot(self) -> CostLedgerState:
        """Return all that a ledger goes on from."""
        return CostLedgerState(
            year=self._year,
            carry=self._carry,
            transactions=self._transactions,
            unknown_days=self._unknown_days,
            vega=self._vega,
            vega_days=self._vega_days,
            since_ns=self._since_ns,
            booked_ns=self._booked_ns,
            vix=self._vix,
            rv=self._rv,
        )

    def _next_deadline(self) -> int:
        close_ns = self._clock.close_after(self._booked_ns + 1)
        new_year_ns = year_end_ns(self._year)
        return new_year_ns if close_ns is None else min(close_ns + 1, new_year_ns)

    def _integrate(self, now: int) -> None:
        self._vega_days += self._vega * (now - self._since_ns) / DAY
        self._since_ns = now

    def _book_close(self, close_ns: int) -> None:
        self._integrate(close_ns)
        carry = unit_carry(self._vix, self._rv)
        if carry is None:
            self._unknown_days += (close_ns - self._booked_ns) / DAY
        else:
            self._carry += self._vega_days * carry
        self._vega_days = 0.0
        self._booked_ns = close_ns

    def _start_year(self) -> None:
        self._year += 1
        self._carry = self._transactions = self._unknown_days = 0.0
