"""One book over history: the hedger's book, the gateway's controls and the paper venue, in memory.

These are the objects that the live services run, in the order in which a replay lets them settle:
a step's ticks, its clock event, then the venue's reports. There is no second implementation: a
backtest and the demo over the same history make the same orders.
"""

from collections import Counter

from msgspec import Struct

from shared.domain.accounts.accounting import HedgeComparison
from shared.domain.effects import (
    AlertRaised,
    Effect,
    OrderDecided,
    TargetChanged,
    TriggerChanged,
    WhipsawSuppressed,
)
from shared.domain.events import ExecutionKind, ExecutionReported
from shared.domain.gatekeeping.admission import Circumstances, Gatekeeper, GatekeeperState
from shared.domain.gatekeeping.refusal import Refusal
from shared.domain.hedging.book import HedgeBook
from shared.domain.orders import Order
from shared.domain.paper import PaperVenue
from shared.domain.policies import BookPolicy, PaperPolicy
from shared.domain.sessions import SessionCalendar
from shared.domain.signals_observed import HedgerInput, SignalsObserved
from shared.domain.study.market import ObservedStep
from shared.domain.trading import TradingState


class BacktestPolicy(Struct, frozen=True, kw_only=True):
    """What a backtest needs beside the book.

    Attributes:
        paper: How the venue fills, and what that costs.
        symbols: What the venue makes a market in.
        index_symbol: Whose returns a variance swap realizes.
        config_digest: Goes into every order.
    """

    paper: PaperPolicy
    symbols: frozenset[str]
    index_symbol: str
    config_digest: str


class Backtest:
    """One book over history.

    Args:
        book: The book.
        policy: Venue and names.
        calendar: When the market is open.

    Attributes:
        account: The book's hedge beside the static one and none, session by session.
        effects: Everything that was decided, in order.
        executions: Everything that the venue reported, in order.
        counts: Effects and executions by name.
    """

    def __init__(self, book: BookPolicy, policy: BacktestPolicy, calendar: SessionCalendar) -> None:
        self._book = HedgeBook(book, calendar, policy.config_digest)
        self._venue = PaperVenue(policy.paper, calendar, policy.symbols)
        self._gatekeeper = Gatekeeper(
            (book,), calendar, policy.config_digest, policy.paper.commission, GatekeeperState()
        )
        self.account = HedgeComparison(book, calendar, policy.index_symbol, policy.paper.commission)
        self.effects: list[Effect] = []
        self.executions: list[ExecutionReported] = []
        self.counts: Counter[str] = Counter()
        self._clock_ns = 0
        self._refused: list[ExecutionReported] = []

    def take(self, step: ObservedStep) -> None:
        """Take a step: everything that comes of it is done when this returns."""
        self._venue.receive_block(step.block)
        for observed in step.observed:
            self._receive(observed)
        reports = [*self._refusals(), *self._venue.receive(step.clock)]
        self._clock_ns = step.clock.event_ns
        while reports:
            for report in reports:
                if report.kind is not ExecutionKind.REJECT:
                    self._gatekeeper.take(report)
            self._gatekeeper.see(self._venue.marks, self._clock_ns)
            for report in reports:
                self.executions.append(report)
                self.counts[f"execution {report.kind.value}"] += 1
                self._receive(report)
            reports = self._refusals()

    def _receive(self, event: HedgerInput) -> None:
        if isinstance(event, SignalsObserved | ExecutionReported):
            self.account.receive(event)
        for effect in self._book.receive(event):
            self.effects.append(effect)
            self._follow(effect)

    def _follow(self, effect: Effect) -> None:
        match effect:
            case OrderDecided():
                self.counts["order"] += 1
                self._send(effect.order)
            case TargetChanged():
                self.counts["decision"] += 1
                self.account.receive_target(effect)
            case TriggerChanged():
                self.counts[f"trigger {effect.state}"] += 1
            case WhipsawSuppressed():
                self.counts["whipsaw"] += 1
            case AlertRaised():
                self.counts[f"alert {effect.what}"] += 1
            case _:
                pass

    def _send(self, order: Order) -> None:
        circumstances = Circumstances(
            now_ns=self._clock_ns,
            at_ns=order.event_ns,
            trading=TradingState.ACTIVE,
            marks=self._venue.marks,
        )
        refusal = self._gatekeeper.judge(order, circumstances)
        if refusal is None:
            self._gatekeeper.accept(order, order.event_ns)
            self._venue.accept(order)
        else:
            self._refused.append(_rejection(order, refusal))

    def _refusals(self) -> list[ExecutionReported]:
        refused, self._refused = self._refused, []
        return refused


def _rejection(order: Order, refusal: Refusal) -> ExecutionReported:
    return ExecutionReported(
        book=order.book,
        order_id=order.order_id,
        execution_id=f"{order.order_id}-1",
        kind=ExecutionKind.REJECT,
        quantity=0.0,
        price=None,
        event_ns=order.event_ns,
        reason=str(refusal)[:500],
    )
