"""Tells once when a book is not hedged as it decided, or pays too much for it, and once after.

*Off target*: a position that misses its standing target by more than what is worth an order, for
some minutes longer than an order may live, seen twice: in a replay a clock event comes before the
fills that it brings. Open orders do not count: one that nobody fills is no hedge. While the book is
halted nothing can be done about it, and that it is halted was told.

*Budget*: `budget_burning` when the year's budget goes faster than the year does, `budget_spent`
when it is gone (spec 2).
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from shared.domain.dealing.cost_ledger import year_end_ns, year_of
from shared.domain.dealing.dealer import Lack
from shared.domain.dealing.holdings import ANSWER_NS
from shared.domain.effects import AlertRaised
from shared.domain.hedging.alerts import alert
from shared.domain.hedging.session_clock import SessionClock
from shared.domain.instants import MINUTE

BURNS_ABOVE: Final = 1.2
"""Share of the budget by share of the year; told again only after it was below 1."""
LEAST_USED: Final = 0.2
"""In January every cost is a fast one."""
GRACE_NS: Final = 5 * MINUTE
"""Beyond an order's life: what became of it is told by then, and may explain this."""

_CALM, _BURNING, _SPENT = "", "budget_burning", "budget_spent"


class HedgeWatchState(Struct, frozen=True, kw_only=True):
    """Everything a watch goes on from.

    Attributes:
        lacks: Legs off their targets, by name.
        late_ns: When that is too long; 0 while nothing lacks, or it was told.
        is_late: Whether it was seen once.
        is_off: Whether it was told.
        used: Share of the budget when last looked at.
        budget: What was told of it last.
    """

    lacks: dict[str, Lack] = {}
    late_ns: int = 0
    is_late: bool = False
    is_off: bool = False
    used: float = 0.0
    budget: str = _CALM


class HedgeWatch:
    """Watches one book, inside sessions.

    Args:
        book: Whose.
        order_trading_ns: How long an order may live, in trading time.
        clock: The exchange's sessions.
        state: Where to go on from.
    """

    def __init__(
        self,
        book: str,
        order_trading_ns: int,
        clock: SessionClock,
        state: HedgeWatchState | None = None,
    ) -> None:
        known = state or HedgeWatchState()
        self._book = book
        self._patience_ns = order_trading_ns + GRACE_NS
        self._clock = clock
        self._lacks = known.lacks
        self._late_ns = known.late_ns
        self._is_late = known.is_late
        self.is_off = known.is_off
        """Whether the book was told to be off its target."""
        self._used = known.used
        self._budget = known.budget

    def snapshot(self) -> HedgeWatchState:
        """Return all that a watch goes on from."""
        return HedgeWatchState(
            lacks=self._lacks,
            late_ns=self._late_ns,
            is_late=self._is_late,
            is_off=self.is_off,
            used=self._used,
            budget=self._budget,
        )

    def follow(self, lacks: Mapping[str, Lack], now: int) -> list[AlertRaised]:
        """Take what the legs miss; to be told when a position, a target or a halt has changed.

        Args:
            lacks: Legs that miss their target by what is worth an order; none while halted.
            now: The instant in ns.
        """
        was_off, self._lacks = self.is_off, dict(lacks)
        if not lacks:
            self._late_ns, self._is_late, self.is_off = 0, False, False
            return [alert(self._book, now, "on_target", self._book)] if was_off else []
        if not was_off and not self._late_ns:
            self._late_ns = self._after_patience(now)
        return []

    def look(self, now: int, used: float) -> list[AlertRaised]:
        """Judge the time that has passed, and the share of the budget that is used."""
        told = []
        if self._is_due(now):
            if self._is_late:
                told.append(self._tell_off_target(now))
            else:
                self._late_ns, self._is_late = now + ANSWER_NS, True
        if used != self._used:
            self._used = used
            told += self._judge_budget(now, used)
        return told

    def next_deadline(self, now: int) -> int | None:
        """Return when, after `now`, the position has missed its target for too long, in ns."""
        return self._clock.open_at_or_after(max(self._late_ns, now)) if self._late_ns else None

    def _is_due(self, now: int) -> bool:
        """Whether time has run out, as it does in a session: nobody answers in between."""
        if not self._late_ns or now < self._late_ns:
            return False
        due_ns = self._clock.open_at_or_after(self._late_ns)
        return due_ns is not None and now >= due_ns

    def _tell_off_target(self, now: int) -> AlertRaised:
        self._late_ns, self._is_late, self.is_off = 0, False, True
        figures = {
            f"{name}.{what}": value
            for name, lack in self._lacks.items()
            for what, value in (("target", lack.target), ("held", lack.held))
        }
        return alert(self._book, now, "off_target", ", ".join(self._lacks), figures)

    def _judge_budget(self, now: int, used: float) -> list[AlertRaised]:
        year = year_of(now)
        began_ns, ends_ns = year_end_ns(year - 1), year_end_ns(year)
        rate = used / ((now - began_ns) / (ends_ns - began_ns)) if now > began_ns else 0.0
        before, self._budget = self._budget, self._budget_said(used, rate)
        if self._budget == before:
            return []
        figures = {"used": used, "rate": rate}
        return [alert(self._book, now, self._budget or "budget_calm", self._book, figures)]

    def _budget_said(self, used: float, rate: float) -> str:
        if used >= 1:
            return _SPENT
        above = 1.0 if self._budget else BURNS_ABOVE
        return _BURNING if used >= LEAST_USED and rate > above else _CALM

    def _after_patience(self, now: int) -> int:
        late_ns = self._clock.after_trading(now, self._patience_ns)
        return self._clock.last_close_ns if late_ns is None else late_ns
