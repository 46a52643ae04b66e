"""One book over history: the hedger's book, the gateway's controls and the paper venue, in memory.

These are the objects that the live services run, in the order in which a replay lets them settle:
a step's ticks, its clock event, then the venue's reports. There is no second implementation: a
backtest and the demo over the same history make the same orders.

Where the history has instruments of its own, a step's measurements reach the book before its
signals, and its rolls come after everything else: what is held at a close goes over to the next
contract at that close's marks.
"""

from collections import Counter
from collections.abc import Mapping

from msgspec import Struct, UnsetType

from shared.domain.accounts.accounting import HedgeComparison
from shared.domain.accounts.effectiveness import SessionResult
from shared.domain.accounts.rolled import Rolled
from shared.domain.effects import (
    AlertRaised,
    Effect,
    OrderDecided,
    TargetChanged,
    TriggerChanged,
    WhipsawSuppressed,
)
from shared.domain.events import (
    ExecutionKind,
    ExecutionReported,
    ExposureMeasured,
    RebalanceRequested,
    Tick,
)
from shared.domain.gatekeeping.admission import Circumstances, Gatekeeper, GatekeeperState
from shared.domain.gatekeeping.refusal import Refusal
from shared.domain.hedging.book import HedgeBook
from shared.domain.orders import Order, leg_of
from shared.domain.paper import PaperVenue
from shared.domain.policies import BookPolicy, PaperPolicy
from shared.domain.sessions import SessionCalendar
from shared.domain.signals_observed import HedgerInput, SignalsObserved
from shared.domain.strategy_policies import acts_on_greeks
from shared.domain.study.market import ObservedStep
from shared.domain.study.session_record import BookAtClose, DealtTrade, SessionRecord
from shared.domain.study.whipsaw_cost import WhipsawWatch
from shared.domain.trading import TradingState


class BacktestPolicy(Struct, frozen=True, kw_only=True):
    """What a backtest needs beside the book.

    Attributes:
        paper: How the venue fills, and what that costs.
        symbols: What the venue makes a market in, beside what the book's legs trade.
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
        book: As above.
        account: The book's hedge beside the static one and none, session by session.
        whipsaws: What each suppressed one would have cost.
        effects: Everything that was decided, in order.
        executions: Everything that the venue reported, in order.
        trades: Those that traded.
        sessions: Counted so far, in order; the last one after `finish`.
        counts: Effects and executions by name.
    """

    def __init__(self, book: BookPolicy, policy: BacktestPolicy, calendar: SessionCalendar) -> None:
        self.book = book
        self._hedger = HedgeBook(book, calendar, policy.config_digest)
        symbols = policy.symbols | {leg.symbol for leg in book.legs}
        self._venue = PaperVenue(policy.paper, calendar, symbols)
        self._gatekeeper = Gatekeeper(
            (book,), calendar, policy.config_digest, policy.paper.commission, GatekeeperState()
        )
        self.account = HedgeComparison(book, calendar, policy.index_symbol, policy.paper.commission)
        self.whipsaws = WhipsawWatch(book, policy.paper, calendar)
        self.effects: list[Effect] = []
        self.executions: list[ExecutionReported] = []
        self.trades: list[DealtTrade] = []
        self.sessions: list[SessionRecord] = []
        self.counts: Counter[str] = Counter()
        self._index_symbol = policy.index_symbol
        self._symbol_of = {leg.name: leg.symbol for leg in book.legs}
        self._measures = acts_on_greeks(book)
        self._calendar = calendar
        self._clock_ns = 0
        self._target_vega = 0.0
        self._at_close: BookAtClose | None = None
        self._refused: list[ExecutionReported] = []
        self._rolled: Rolled | None = None

    def take(self, step: ObservedStep) -> None:
        """Take a step: everything that comes of it is done when this returns."""
        for tick in step.ticks:
            self._venue.receive(tick)
        if step.measured and self._measures:
            self._receive(self._exposure(step))
        for observed in step.observed:
            self._receive(observed)
        self._review(step)
        self._clock_ns, before_ns = step.clock.event_ns, self._clock_ns
        reports = [*self._refusals(), *self._venue.receive(step.clock)]
        while reports:
            self._settle(reports)
            reports = self._refusals()
        self._note_close(step, before_ns)
        for rolled in step.rolls:
            self._roll(rolled)

    def finish(self) -> None:
        """Count the session whose close was the last step; nothing comes after this."""
        if self._at_close is not None:
            self._counted(self.account.advance_to(self._at_close.close_ns + 1))

    def _review(self, step: ObservedStep) -> None:
        """Have a programme bought for a share of NAV look at a new contract's first mark.

        It is re-struck when it is rolled (spec 10), and a share of NAV buys another number of it.
        """
        observed = step.observed[-1]
        if self._rolled is None or not isinstance(observed, SignalsObserved):
            return
        mark = observed.marks.get(self._rolled.symbol)
        if mark is not None and mark.event_ns > self._rolled.event_ns:
            self._rolled = None
            self._receive(
                RebalanceRequested(
                    scope=self.book.name,
                    operator="study",
                    reason="the instrument was rolled",
                    event_ns=step.clock.event_ns,
                )
            )

    def _receive(self, event: HedgerInput) -> None:
        if isinstance(event, SignalsObserved | ExecutionReported):
            self._counted(self.account.receive(event))
        effects = self._hedger.receive(event)
        self.whipsaws.follow(effects, self._hedger.snapshot)
        self.effects.extend(effects)
        for effect in effects:
            self._follow(effect)

    def _follow(self, effect: Effect) -> None:
        match effect:
            case OrderDecided():
                self.counts["order"] += 1
                self._send(effect.order)
            case TargetChanged():
                self.counts["decision"] += 1
                self._target_vega = effect.target_vega
                self._counted(self.account.receive_target(effect))
            case TriggerChanged():
                self.counts[f"trigger {effect.state}"] += 1
            case WhipsawSuppressed():
                self.counts["whipsaw"] += 1
            case AlertRaised():
                self.counts[f"alert {effect.what}"] += 1
            case _:
                pass

    # --- the market side -------------------------------------------------------------------------

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

    def _settle(self, reports: list[ExecutionReported]) -> None:
        for report in reports:
            if report.kind is not ExecutionKind.REJECT:
                self._gatekeeper.take(report)
        self._gatekeeper.see(self._venue.marks, self._clock_ns)
        for report in reports:
            self.executions.append(report)
            self.counts[f"execution {report.kind.value}"] += 1
            self._note_trade(report)
            self._receive(report)

    def _exposure(self, step: ObservedStep) -> ExposureMeasured:
        """What the exposure stage would say; the portfolio counts in shares of the index."""
        marks, put_delta, portfolio = self._venue.marks, 0.0, 0.0
        for leg in self.book.legs:
            if leg.instrument == "put":
                put_delta = step.measured.get(f"unit_delta.{leg.symbol}", 0.0) / leg.multiplier
        nav = None if self._at_close is None else self._signal(f"nav.{self.book.name}")
        if nav is not None and self._index_symbol in marks:
            portfolio = nav / marks[self._index_symbol].level
        return ExposureMeasured(
            book=self.book.name,
            event_ns=step.clock.event_ns,
            portfolio_delta=portfolio,
            put_delta=put_delta,
            greeks=dict(step.measured),
        )

    def _signal(self, name: str) -> float | None:
        signal = None if self._at_close is None else self._at_close.observed.signals.get(name)
        return None if signal is None else signal.value

    def _roll(self, rolled: Rolled) -> None:
        """Go over to the next contract: accounts, the gateway's books, and the venue's market."""
        if rolled.symbol not in self._symbol_of.values():
            return
        self._counted(self.account.advance_to(rolled.event_ns))
        self.account.receive_roll(rolled)
        self.whipsaws.roll(rolled.symbol, rolled.event_ns)
        self._gatekeeper.roll(rolled)
        self._hedger.roll(rolled)
        half = rolled.cost / 2
        self._venue.receive(
            Tick(
                symbol=rolled.symbol,
                event_ns=rolled.event_ns,
                price=rolled.taken_on,
                bid=rolled.taken_on - half,
                ask=rolled.taken_on + half,
            )
        )
        self.counts["roll"] += 1
        if not isinstance(self.book.sizing.nav_share, UnsetType):
            self._rolled = rolled

    # --- what is noted ---------------------------------------------------------------------------

    def _note_trade(self, report: ExecutionReported) -> None:
        if not report.quantity or report.price is None:
            return
        leg = leg_of(report.order_id)
        level = self._venue.marks[self._symbol_of[leg]].level
        trade = DealtTrade(report.event_ns, leg, report.quantity, level, report.price)
        self.trades.append(trade)

    def _note_close(self, step: ObservedStep, before_ns: int) -> None:
        clock_ns, observed = step.clock.event_ns, step.observed[-1]
        _, close_ns = self._calendar.hours(self._calendar.opened(clock_ns))
        if clock_ns != close_ns or clock_ns == before_ns:
            return
        assert isinstance(observed, SignalsObserved)  # noqa: S101 - a clock event is answered so
        standing = self._hedger.standing()
        self._at_close = BookAtClose(
            close_ns=clock_ns,
            observed=observed,
            target_vega=self._target_vega,
            held_vega=standing.held_vega,
            budget_used=standing.budget_used,
            whipsaws=self.counts["whipsaw"],
        )

    def _counted(self, results: tuple[SessionResult, ...]) -> None:
        closes: Mapping[str, float] = self.account.closes
        for result in results:
            assert self._at_close is not None  # noqa: S101 - its step came before
            self.sessions.append(SessionRecord(result, closes, self._at_close))


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
