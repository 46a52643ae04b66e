"""The picture: what logs and bus tell, folded into what the page shows. Pure.

Theory of operation. Each source is read in its own order and at its own pace: the signal log, the
decision log, the exposure log, the hedger's record, the bus. What is taken notes in `changed` what
may look different now; a round of the stream takes these and makes views of them. Nothing here
depends on how the same entries were split into batches: of the signal log the state needs the last
snapshot, the charts the last in each quarter of a second of event time.

Longer than most: every source meets every view here, each in a few lines.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from services.dashboard.alerts import AlertsPicture
from services.dashboard.book import BookPicture, Surroundings
from services.dashboard.effectiveness import Effectiveness
from services.dashboard.entries import Snapshot, read_log
from services.dashboard.history import MARKET, History, Settled
from services.dashboard.market import Expiries, MarketPicture
from services.dashboard.orders import OrdersPicture
from services.dashboard.services import ServicesPicture
from shared.adapters.store import Entry
from shared.domain.accounts.accounting import ComparisonState
from shared.domain.effects import (
    AlertRaised,
    Effect,
    OrderDecided,
    OrderWithheld,
    TargetChanged,
    TriggerChanged,
    WhipsawSuppressed,
)
from shared.domain.events import ExecutionReported
from shared.domain.exposure.observed import ExposureObserved
from shared.domain.hedging.book import HedgeBookState
from shared.domain.hedging.session_clock import SessionClock
from shared.domain.instants import MILLISECOND, SECOND
from shared.domain.policies import BookPolicy, SignalPolicy
from shared.domain.sessions import SessionCalendar
from shared.domain.signals_observed import SignalsObserved
from shared.wire.announcements import announce
from shared.wire.decisions import read_decision
from shared.wire.messages import AckMessage, AlertMessage
from shared.wire.views import AlertView, BookSummaryView, BookView, HistoryView

_CELL_NS: Final = 250 * MILLISECOND
_EXPOSURE_CELL_NS: Final = 5 * SECOND
_OF_A_BOOK: Final = ("drawdown",)
"""Signals of a book that have a chart."""

Change = tuple[str, str]
"""What may look different: `market`, `summary`, `book`, `order`, `alert` or `health`, and which."""


class _ExposureHead(Struct, tag="exposure_observed"):
    book: str
    event_ns: int


class _HedgerBooks(Struct):
    """Of the hedger's record: the books alone."""

    books: dict[str, HedgeBookState] = {}


class PictureState(Struct, frozen=True):
    """What the log alone would not give back: it reaches back for hours, sessions for months.

    Attributes:
        index: Of the last entry of the signal log in it.
        comparisons: Of hedge and portfolio, by book.
        unsettled: The newest buckets of the charts.
        answers: Of the gateway: told on the bus alone.
        alerts: Heard by whatever way; some are told on the bus alone.
    """

    index: int = 0
    unsettled: Settled = {}
    comparisons: dict[str, ComparisonState] = {}
    answers: tuple[AckMessage, ...] = ()
    alerts: tuple[AlertMessage, ...] = ()


_decode_exposure_head = msgspec.msgpack.Decoder(_ExposureHead).decode
_decode_exposure = msgspec.msgpack.Decoder(ExposureObserved).decode
_decode_books = msgspec.msgpack.Decoder(_HedgerBooks).decode


class Picture:
    """Everything that the page shows.

    Args:
        policies: Of the books.
        signals: What signals are made of.
        calendar: The exchange's sessions.
        services: Every one that there should be.
        expiry_of: Of VIX futures.
        commission: Per execution that trades, as the venue takes it.

    Attributes:
        changed: What may look different since somebody last cleared this.
        heard: How much of what the bus alone tells was heard.
    """

    def __init__(  # noqa: PLR0913 - a composition of parts
        self,
        policies: Sequence[BookPolicy],
        signals: SignalPolicy,
        calendar: SessionCalendar,
        services: tuple[str, ...],
        expiry_of: Expiries,
        *,
        commission: float = 0.0,
    ) -> None:
        self._clock = clock = SessionClock(calendar)
        self.books = {
            policy.name: BookPicture(
                policy, clock, Effectiveness(policy, calendar, signals.index_symbol, commission)
            )
            for policy in policies
        }
        self.market = MarketPicture(signals, self.books, expiry_of)
        self.orders = OrdersPicture()
        self.alerts = AlertsPicture()
        self.services = ServicesPicture(services)
        self.history = History(len(policies))
        self.changed: set[Change] = set()
        self.heard = 0
        self._compared = 0
        self._index = 0
        self._uncharted: Snapshot | None = None
        self._exposure_cells: dict[str, int] = {}

    # --- what is taken -----------------------------------------------------------------------

    def take_log(self, entries: Sequence[Entry]) -> None:
        """Take entries of the signal log."""
        latest: Snapshot | None = None
        for entry in entries:
            self.market.first_index = self.market.first_index or entry.index
            found = read_log(entry.payload)
            for snapshot in found.snapshots:
                self._sample(snapshot)
                latest = snapshot
            self._index = entry.index
            for event in found.events:
                if isinstance(event, ExecutionReported):
                    self._take_report(event)
        if latest is not None:
            self._observe(latest.decode())

    def take_decisions(self, entries: Iterable[Entry]) -> None:
        """Take entries of the decision log."""
        for entry in entries:
            self._take_effect(read_decision(entry.payload).effect)

    def take_exposures(self, entries: Iterable[Entry]) -> None:
        """Take entries of the exposure log."""
        latest: dict[str, bytes] = {}
        for entry in entries:
            head = _decode_exposure_head(entry.payload)
            if head.book not in self.books:
                continue
            latest[head.book] = entry.payload
            cell = head.event_ns // _EXPOSURE_CELL_NS
            if self._exposure_cells.get(head.book, -1) < cell:
                self._exposure_cells[head.book] = cell
                self._chart_profit(_decode_exposure(entry.payload))
        for book, payload in latest.items():
            self.books[book].exposure = _decode_exposure(payload)
            self.changed.add(("book", book))

    def take_hedger(self, state: bytes) -> None:
        """Take the hedger's record."""
        for name, state_of_book in _decode_books(state).books.items():
            if name in self.books:
                self._count(name, state_of_book)

    def take_outbox(self, order_ids: Iterable[str]) -> None:
        """Take which orders wait in the outbox."""
        for order_id in self.orders.wait_for(order_ids):
            view = self.orders.view(order_id)
            if view is not None:
                self._order_changed(order_id, view.book)

    def take_answer(self, answer: AckMessage, book: str) -> None:
        """Take the gateway's answer for an order."""
        self.heard += 1
        self._order_changed(self.orders.answered(answer), book)

    def take_alert(self, alert: AlertMessage) -> None:
        """Take an alert that was heard."""
        view = self.alerts.take(alert)
        if view is not None:
            self.heard += 1
            self._alerted([view])

    def recalled(self) -> None:
        """Note that the decision log is read: what was heard before us stands in its place."""
        self._alerted(self.alerts.recalled())

    # --- what outlives us --------------------------------------------------------------------

    def snapshot(self) -> PictureState:
        """Return what the log alone would not give back."""
        if self._uncharted is not None:
            self._chart(self._uncharted)
        states = {name: book.effectiveness.snapshot() for name, book in self.books.items()}
        known = {name: state for name, state in states.items() if state is not None}
        index = max(self._index, self._compared)
        return PictureState(
            index=index,
            unsettled=self.history.unsettled(),
            comparisons=known,
            answers=self.orders.kept_answers(),
            alerts=self.alerts.kept(),
        )

    def restore(self, state: PictureState) -> None:
        """Go on from a state, before any log is read and after the charts were."""
        self.history.restore(state.unsettled)
        self._compared = state.index
        for name, comparison in state.comparisons.items():
            if name in self.books:
                self.books[name].effectiveness.restore(comparison)
        for answer in state.answers:
            self.orders.answered(answer)
        self.alerts.recall(state.alerts)

    # --- what is shown -----------------------------------------------------------------------

    def summary(self, book: str) -> BookSummaryView:
        """Return the line of a book."""
        return self.books[book].summary(self._around(book, whole=False))

    def summaries(self) -> tuple[BookSummaryView, ...]:
        """Return a line for each book, as configured."""
        return tuple(self.summary(book) for book in self.books)

    def book(self, book: str) -> BookView:
        """Return all of a book."""
        return self.books[book].view(self._around(book, whole=True))

    def history_of(self, scope: str, since_ns: int, points: int) -> HistoryView:
        """Return what happened from an instant on, to a book or to the market; see `History`."""
        if self._uncharted is not None:
            self._chart(self._uncharted)
        return self.history.view(scope, since_ns, points)

    def opening(self, now_ns: int) -> int | None:
        """Return when the exchange opens next; `None` while it is open, or if it never does."""
        return None if self._clock.at(now_ns).is_open else self._clock.opening_after(now_ns)

    def is_open(self) -> bool:
        """Whether the market is open, by its own instant."""
        return self._clock.at(self.market.event_ns).is_open

    # -----------------------------------------------------------------------------------------

    def _sample(self, snapshot: Snapshot) -> None:
        """Chart the last snapshot of each quarter of a second of event time."""
        before, self._uncharted = self._uncharted, snapshot
        if before is not None and before.event_ns // _CELL_NS < snapshot.event_ns // _CELL_NS:
            self._chart(before)

    def _chart(self, snapshot: Snapshot) -> None:
        observed = snapshot.decode()
        if self._index > self._compared:
            for book in self.books.values():
                book.effectiveness.receive(observed)
        for scope, values in self.market.values(observed).items():
            wanted = values if scope == MARKET else {name: values.get(name) for name in _OF_A_BOOK}
            self.history.add(scope, observed.event_ns, wanted)

    def _take_report(self, report: ExecutionReported) -> None:
        if self._uncharted is not None:  # it traded in the market that stood before it
            self._chart(self._uncharted)
            self._uncharted = None
        if report.book in self.books and self._index > self._compared:
            self.books[report.book].effectiveness.receive(report)
        self._order_changed(self.orders.reported(report), report.book)

    def _observe(self, observed: SignalsObserved) -> None:
        self.market.take(observed)
        self.changed.add(("market", ""))
        self.changed.update(("book", book) for book in self.books)

    def _take_effect(self, effect: Effect) -> None:
        book = self.books.get(effect.book)
        if isinstance(effect, AlertRaised):
            announcement = announce(effect)
            if announcement is not None and isinstance(announcement.message, AlertMessage):
                self._alerted(self.alerts.recalled(effect.event_ns))
                view = self.alerts.take(announcement.message)
                self._alerted([] if view is None else [view])
            return
        if book is None:
            return  # of a book that is not configured any more
        match effect:
            case TargetChanged():
                book.decided(effect)
                self._chart_target(effect)
            case TriggerChanged():
                book.changed(effect)
                if effect.state == "firing":
                    self.history.fire(effect.book, effect.event_ns, effect.trigger)
            case WhipsawSuppressed():
                book.suppressed(effect)
            case OrderWithheld():
                book.withheld(effect)
            case OrderDecided():
                order_id = self.orders.decided(effect.order, self._target_of(effect))
                self._order_changed(order_id, effect.book)
        self._books_changed([effect.book])

    def _target_of(self, effect: OrderDecided) -> TargetChanged | None:
        target = self.books[effect.book].target
        is_its_own = target is not None and target.decision == effect.order.decision
        return target if is_its_own else None

    def _count(self, name: str, state: HedgeBookState) -> None:
        book = self.books[name]
        book.counted(state)
        if state.now_ns:
            self.history.add(name, state.now_ns, {"current_vega": book.current_vega})
        self._books_changed([name])

    def _chart_target(self, target: TargetChanged) -> None:
        self.history.add(
            target.book,
            target.event_ns,
            {
                "target_vega": target.target_vega,
                "current_vega": target.current_vega,
                "multiplier": target.multiplier,
                "reference_vix": target.reference_vix,
            },
        )

    def _chart_profit(self, observed: ExposureObserved) -> None:
        if (profit := observed.profit) is not None:
            values = {
                "profit.total": profit.inception.total,
                "profit.unexplained": profit.inception.unexplained,
            }
            self.history.add(observed.book, observed.event_ns, values)

    def _alerted(self, views: Iterable[AlertView]) -> None:
        for view in views:
            self.changed.add(("alert", str(view.number)))
            self._books_changed([view.alert.book])

    def _order_changed(self, order_id: str, book: str) -> None:
        self.changed.add(("order", order_id))
        self._books_changed([book])

    def _books_changed(self, books: Iterable[str]) -> None:
        for book in books:
            if book in self.books:
                self.changed |= {("summary", book), ("book", book)}

    def _around(self, book: str, *, whole: bool) -> Surroundings:
        observed = self.market.observed
        return Surroundings(
            now_ns=self.market.event_ns,
            signals={} if observed is None else observed.signals,
            own=self.market.messages_of(book) if whole else {},
            trading=self.services.governing(book),
            orders_waiting=self.orders.waiting_of(book),
            alerts=self.alerts.serious_of(book),
        )
