"""One book's past, read again from its journal and from what was decided of it.

Nothing is decided here: the signals' own step takes the journal, decisions are those that were
recorded, and the live account counts the sessions. What was decided at an instant is known before
what the market says after it, as the live services have it.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final

from shared.domain.accounts.accounting import HedgeComparison
from shared.domain.accounts.effectiveness import SessionResult
from shared.domain.accounts.leg_profit import unit_vega
from shared.domain.effects import (
    Effect,
    OrderDecided,
    TargetChanged,
    TriggerChanged,
    WhipsawSuppressed,
)
from shared.domain.events import ExecutionReported
from shared.domain.orders import Order, leg_of
from shared.domain.policies import BookPolicy
from shared.domain.sessions import SessionCalendar
from shared.domain.signals_observed import HedgerInput, SignalsObserved
from shared.domain.study.session_record import BookAtClose, DealtTrade, SessionRecord

REMEMBERED: Final = 256
"""Execution ids: a report comes twice only when a process died between writing and noting it."""


class BookPast:
    """What a book did, session by session.

    Args:
        book: The book.
        calendar: Its sessions.
        index_symbol: Whose returns a variance swap realizes.
        commission: Per execution that trades.
        effects: What was decided for it, in order.

    Raises:
        ValueError: An option leg without `vega_per_unit`.

    Attributes:
        book: As above.
        sessions: Counted so far, in order.
        trades: In order.
        targets: That came to stand …
        orders: … orders of them …
        executions: … and what became of those.
        whipsaws: Suppressed.
        firings: Of triggers.
    """

    def __init__(
        self,
        book: BookPolicy,
        calendar: SessionCalendar,
        index_symbol: str,
        commission: float,
        effects: Iterable[Effect],
    ) -> None:
        self.book = book
        self.sessions: list[SessionRecord] = []
        self.trades: list[DealtTrade] = []
        self.targets: list[TargetChanged] = []
        self.orders: list[Order] = []
        self.executions: list[ExecutionReported] = []
        self.whipsaws: list[WhipsawSuppressed] = []
        self.firings: list[TriggerChanged] = []
        self._account = HedgeComparison(book, calendar, index_symbol, commission)
        self._legs = {leg.name: leg for leg in book.legs}
        self._coming = deque(effects)
        self._observed: SignalsObserved | None = None
        self._held_vega = 0.0
        self._seen: deque[str] = deque(maxlen=REMEMBERED)

    @property
    def skipped(self) -> int:
        """Sessions that lacked a level."""
        return self._account.report().sessions_skipped

    def take(self, event: HedgerInput) -> None:
        """Take an event of the signal log."""
        while self._coming and self._coming[0].event_ns < event.event_ns:
            self._decided(self._coming.popleft())
        if isinstance(event, SignalsObserved):
            self._counted(self._account.receive(event))
            self._observed = event
        elif isinstance(event, ExecutionReported) and event.book == self.book.name:
            self._counted(self._account.receive(event))
            self._executed(event)

    def finish(self) -> None:
        """Nothing comes after this: the last event may be the last close itself."""
        while self._coming:
            self._decided(self._coming.popleft())
        if self._observed is not None:
            self._counted(self._account.advance_to(self._observed.event_ns + 1))

    def _decided(self, effect: Effect) -> None:
        match effect:
            case TargetChanged():
                self._counted(self._account.receive_target(effect))
                self.targets.append(effect)
            case OrderDecided():
                self.orders.append(effect.order)
            case WhipsawSuppressed():
                self.whipsaws.append(effect)
            case TriggerChanged(state="firing"):
                self.firings.append(effect)
            case _:
                pass

    def _executed(self, report: ExecutionReported) -> None:
        if report.execution_id in self._seen:
            return
        self._seen.append(report.execution_id)
        self.executions.append(report)
        if report.price is None or not report.quantity:
            return
        leg = self._legs[leg_of(report.order_id)]
        mark = None if self._observed is None else self._observed.marks.get(leg.symbol)
        level = report.price if mark is None else mark.level
        self._held_vega += report.quantity * unit_vega(leg)
        self.trades.append(
            DealtTrade(report.event_ns, leg.name, report.quantity, level, report.price)
        )

    def _counted(self, results: Sequence[SessionResult]) -> None:
        for result in results:
            if self._observed is not None:
                at_close = self._at_close(result.close_ns, self._observed)
                self.sessions.append(SessionRecord(result, self._account.closes, at_close))

    def _at_close(self, close_ns: int, observed: SignalsObserved) -> BookAtClose:
        standing = self.targets[-1] if self.targets else None
        return BookAtClose(
            close_ns=close_ns,
            observed=observed,
            target_vega=0.0 if standing is None else standing.target_vega,
            held_vega=self._held_vega,
            budget_used=None if standing is None else standing.budget_used,
            whipsaws=len(self.whipsaws),
        )
