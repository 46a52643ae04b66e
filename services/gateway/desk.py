"""What the gateway decides and remembers, in memory and on its disk, never apart.

Everything that changes goes through here, one after the other: an order, a piece of the journal, a
trading state. Each is on the disk, in one transaction, before anybody is told. While the disk does
not take it nothing is acknowledged, and it is tried again.

Longer than most: what must never be apart in memory and on the disk stands together.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec
import structlog
from msgspec import Struct

from shared.adapters.clock import Clock
from shared.adapters.record import (
    Answered,
    Change,
    Known,
    OrderRecord,
    Progress,
    Status,
    change_name,
)
from shared.domain.events import ClockAdvanced, ExecutionKind, ExecutionReported
from shared.domain.gatekeeping.admission import Circumstances, Gatekeeper, GatekeeperState
from shared.domain.gatekeeping.refusal import Refusal
from shared.domain.gatekeeping.throttles import TRIPPING
from shared.domain.instants import SECOND
from shared.domain.orders import Order
from shared.domain.paper import PaperState, PaperVenue
from shared.domain.tick_block import TickBlock
from shared.domain.trading import (
    ALL,
    TradingState,
    TradingStates,
    TradingStateSet,
    is_resumption,
)
from shared.runtime.health import Health
from shared.wire.journal import JournalEntry, JournalItem

log = structlog.get_logger()

RETRY_S: Final = 0.5
CHECK: Final = "gateway.record"
BELIEVED_NS: Final = 2 * SECOND
"""How much earlier than now an order may say that it was decided, and be counted there."""


class GatewayState(Struct, frozen=True):
    """What a restarted gateway goes on from, its answers and trading states aside.

    Attributes:
        venue: The venue.
        gatekeeper: The controls.
        answered: Orders answered by then: those after it are taken once more.
        read_to: Number of the journal's last event that was read by then; −1 before the first.
    """

    venue: PaperState = PaperState()
    gatekeeper: GatekeeperState = GatekeeperState()
    answered: int = 0
    read_to: int = -1


class SentOrder(Struct, frozen=True):
    """An order as it came: under which epoch, in which sealed bytes."""

    order: Order
    epoch: int
    payload: bytes


class Verdict(Struct, frozen=True):
    """What the hedger is told; `report` is what the journal is told of a refusal."""

    status: Status | None
    reason: str = ""
    label: str = ""
    is_new: bool = False
    report: ExecutionReported | None = None


@dataclass(kw_only=True)
class _Group:
    """Orders that are written down together: what was answered, and what that changes.

    `epoch` is the highest so far, `now_ns` when they are judged; `accepted` does not count yet;
    `before` is how it was before anything counted that is not on the disk.
    """

    epoch: int
    now_ns: int
    verdicts: list[Verdict] = field(default_factory=list)
    answers: list[Answered] = field(default_factory=list)
    accepted: list[tuple[Order, int]] = field(default_factory=list)
    changes: list[TradingStateSet] = field(default_factory=list)
    books: set[str] = field(default_factory=set)
    before: tuple[GatewayState, TradingStates] | None = None


@dataclass(kw_only=True)
class Digested:
    """What a piece of the journal meant."""

    made: list[ExecutionReported] = field(default_factory=list)
    journalled: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    """Names of the trading states that the journal has, or has later ones of."""


class Desk:
    """One venue, one record, one set of trading states.

    Args:
        record: This gateway's own, open.
        make_venue: The venue, from a state.
        make_gatekeeper: The controls, from a state.
        clock: The wall clock.
        is_live: Whether time is the wall clock's; else the journal's.
        health: Told when the disk does not take what is written.
        on_changes: Told of trading states that were set, once they are on the disk, and whether
            the journal must be told of them.
        on_disk_trouble: Told, once, that the disk takes nothing.
    """

    def __init__(  # noqa: PLR0913 - a composition of parts
        self,
        *,
        record: OrderRecord,
        make_venue: Callable[[PaperState], PaperVenue],
        make_gatekeeper: Callable[[GatekeeperState], Gatekeeper],
        clock: Clock,
        is_live: bool,
        health: Health,
        on_changes: Callable[[Sequence[TradingStateSet], bool], None],
        on_disk_trouble: Callable[[], None],
    ) -> None:
        self.record = record
        self.on_changes = on_changes
        self.on_disk_trouble = on_disk_trouble
        self._clock = clock
        self._is_live = is_live
        self._health = health
        self._lock = asyncio.Lock()
        self._trouble = ""
        progress = record.progress()
        self.cursor = int(progress.cursor) if progress else 0
        state = GatewayState()
        if progress:
            state = msgspec.msgpack.decode(progress.state, type=GatewayState)
        self._make_venue = make_venue
        self._venue = make_venue(state.venue)
        self._make_gatekeeper = make_gatekeeper
        self._gatekeeper = make_gatekeeper(state.gatekeeper)
        for accepted in record.accepted_since(state.answered):
            self._accept(msgspec.msgpack.decode(accepted.content, type=Order), accepted.at_ns)
        self.kept = self.cursor
        self._journalled: list[str] = []
        self.clock_ns = self._venue.snapshot().clock_ns
        self._read_to = state.read_to
        self.epoch = record.epoch()
        self.answered = record.answered()
        self.states = TradingStates()
        self._stamp_ns = 0
        for change in record.changes():
            self.states = self.states.after(change)
            self._stamp_ns = max(self._stamp_ns, change.event_ns)
        self._untold = record.untold_changes()
        health.watch(CHECK, lambda: self._trouble or None)

    @property
    def books(self) -> tuple[str, ...]:
        """Names of the books."""
        return self._gatekeeper.books

    @property
    def scopes(self) -> tuple[str, ...]:
        """Every scope of a trading state."""
        return (ALL, *self.books)

    def now_ns(self) -> int:
        """The time by which orders are judged."""
        return self._clock.now_ns() if self._is_live else self.clock_ns

    def stamp_ns(self) -> int:
        """An instant for what the gateway sets by itself: now, and later than any before."""
        self._stamp_ns = max(self.now_ns(), self._stamp_ns + 1)
        return self._stamp_ns

    def must_wait(self, order: Order, *, is_new: bool = False) -> bool:
        """Whether we have yet to read of the market what a new order was decided on.

        Args:
            order: Which.
            is_new: Whether its id is known to be new.
        """
        has_read = self._read_to >= order.journal_index
        is_settled = self._is_live or self.clock_ns >= order.event_ns  # a replay's step is whole
        if (has_read and is_settled) or self.now_ns() > order.valid_until_ns:
            return False
        try:
            return is_new or not self.record.known([order.order_id])
        except sqlite3.OperationalError as error:
            self.disk_failed(error)
            return True

    # --- orders ------------------------------------------------------------------------------

    async def take(self, orders: Sequence[SentOrder]) -> list[Verdict]:
        """Answer orders, for good, one after the other, and write all answers down at once.

        Each is judged against what the ones before it have left.

        Returns:
            What each is answered; `status` is `None` for one whose epoch was superseded.
        """
        while True:
            async with self._lock:
                verdicts = await self._try_to_take(orders)
            if verdicts is not None:
                return verdicts
            await asyncio.sleep(RETRY_S)  # meanwhile others may write, and all are judged anew

    async def _try_to_take(self, orders: Sequence[SentOrder]) -> list[Verdict] | None:
        """Return `None` when the disk did not take them: nothing has happened."""
        group = _Group(epoch=self.epoch, now_ns=self.now_ns())
        try:
            known = self.record.known([sent.order.order_id for sent in orders])
            for sent in orders:
                group.verdicts.append(self._answer(sent, known, group))
            if group.answers:
                await self._write_group(group)
        except sqlite3.OperationalError as error:
            self._take_back(group)
            self.disk_failed(error)
            return None
        return group.verdicts

    async def _write_group(self, group: "_Group") -> None:
        """Have what was judged on the disk; what no order of the group hangs on counts after it."""
        reports = [verdict.report for verdict in group.verdicts if verdict.report is not None]
        rows = [(each.execution_id, msgspec.msgpack.encode(each)) for each in reports]
        told = [Change(state=change, untold=True) for change in group.changes]
        progress = None
        if group.changes:
            self._let_count(group)
            progress = self._progress(len(group.answers))
        self.answered = await asyncio.to_thread(
            self.record.answer, group.answers, progress, rows, told
        )
        self._disk_works()
        self.epoch = group.epoch
        self._count(group)
        if group.changes:
            self._kept()
            self._untold += group.changes
            self.on_changes(group.changes, True)  # noqa: FBT003 - a callback

    def _answer(self, sent: SentOrder, known: Mapping[str, Known], group: "_Group") -> Verdict:
        """Answer an order, and add to the group what that changes."""
        order, content = sent.order, msgspec.msgpack.encode(sent.order)
        former = known.get(order.order_id)
        if former is not None:
            return _as_before(former, content)
        if sent.epoch < group.epoch:
            reason = f"epoch {sent.epoch} was superseded by {group.epoch}"
            return Verdict(None, reason, "superseded")
        if order.book in group.books:
            self._let_count(group)
        at_ns = self._counted_at(order, group.now_ns)
        verdict, changes = self._judge(order, group.now_ns, at_ns)
        group.epoch = sent.epoch
        group.books.add(order.book)
        if changes:
            self._let_count(group)
            self._apply(changes)
            group.changes += changes
        if verdict.status == "accepted":
            group.accepted.append((order, at_ns))
        group.answers.append(
            Answered(
                order_id=order.order_id,
                epoch=sent.epoch,
                received_ns=group.now_ns if self._is_live else self._clock.now_ns(),
                at_ns=at_ns,
                status=verdict.status or "refused",
                reason=verdict.reason,
                content=content,
                payload=sent.payload,
            )
        )
        return verdict

    def _let_count(self, group: "_Group") -> None:
        """Count what was accepted so far, for an order that hangs on it; it can be taken back."""
        if group.before is None:
            state = GatewayState(self._venue.snapshot(), self._gatekeeper.snapshot())
            group.before = (state, self.states)
        self._count(group)

    def _count(self, group: "_Group") -> None:
        for order, at_ns in group.accepted:
            self._accept(order, at_ns)
        group.accepted.clear()

    def _take_back(self, group: "_Group") -> None:
        if group.before is not None:
            state, self.states = group.before
            self._venue = self._make_venue(state.venue)
            self._gatekeeper = self._make_gatekeeper(state.gatekeeper)

    def _counted_at(self, order: Order, now_ns: int) -> int:
        """Give an order its instant: its own, as far as that can be believed."""
        at_ns = min(order.event_ns, now_ns)
        return max(at_ns, now_ns - BELIEVED_NS) if self._is_live else at_ns

    def _judge(
        self, order: Order, now_ns: int, at_ns: int
    ) -> tuple[Verdict, list[TradingStateSet]]:
        """Judge a new order; returns also what it sets when it trips its book."""
        circumstances = Circumstances(
            now_ns=now_ns,
            at_ns=at_ns,
            trading=self.states.of(order.book),
            marks=self._venue.marks,
        )
        refusal = self._gatekeeper.judge(order, circumstances) or self._outrun(order)
        if refusal is None:
            return Verdict("accepted", label="accepted", is_new=True), []
        changes = [_tripped(order, refusal, self.stamp_ns())] if refusal.reason in TRIPPING else []
        report = _rejection(order, refusal, now_ns)
        verdict = Verdict("refused", str(refusal), refusal.reason, is_new=True, report=report)
        return verdict, changes

    def _outrun(self, order: Order) -> Refusal | None:
        """Refuse what the venue would take without effect: an accepted order must have an end."""
        if not self._venue.has_outrun(order):
            return None
        return Refusal("outrun", f"{order.leg} has taken too many newer decisions")

    def _accept(self, order: Order, at_ns: int) -> None:
        self._gatekeeper.accept(order, at_ns)
        self._venue.accept(order)

    # --- the journal -------------------------------------------------------------------------

    async def digest(self, entries: Sequence[JournalEntry], cursor: int) -> Digested:
        """Take a piece of the journal; on the disk, when it meant more than the journal has."""
        async with self._lock:
            found, clock_ns = Digested(), self.clock_ns
            for entry in entries:
                for item in entry.items:
                    self._digest(item, found)
                self._read_to = entry.first_index + len(entry) - 1
            self.cursor = cursor
            self._journalled += found.journalled
            if found.made or found.told or self.clock_ns != clock_ns:
                rows = [(each.execution_id, msgspec.msgpack.encode(each)) for each in found.made]
                progress = self._progress()
                await self._write(lambda: self.record.advance(progress, rows, found.told))
                self._kept()
            return found

    async def note(self) -> None:
        """Write down which reports the journal has, unless that was done with something else.

        It can wait: what is read again after a crash says the same.
        """
        async with self._lock:
            if self._journalled:
                progress = self._progress()
                await self._write(lambda: self.record.advance(progress))
                self._kept()

    def _digest(self, item: JournalItem, found: Digested) -> None:
        match item:
            case TickBlock():
                self._venue.receive_block(item)
            case ClockAdvanced():
                reports = self._venue.receive(item)
                for report in reports:
                    self._gatekeeper.take(report)
                found.made.extend(reports)
                self.clock_ns = item.event_ns
                self._gatekeeper.see(self._venue.marks, item.event_ns)
            case ExecutionReported():
                found.journalled.append(item.execution_id)
            case TradingStateSet():
                found.told += self._told_by(item)
            case _:
                pass

    def _told_by(self, state: TradingStateSet) -> list[str]:
        """Take those off the untold that a trading state in the journal tells, or outdates."""
        if state.authority != "gateway":
            return []
        told = [
            each
            for each in self._untold
            if each.scope == state.scope and each.event_ns <= state.event_ns
        ]
        self._untold = [each for each in self._untold if each not in told]
        return [change_name(each) for each in told]

    # --- trading states ------------------------------------------------------------------------

    async def set_states(
        self,
        changes: Sequence[TradingStateSet],
        *,
        untold: bool,
        command: tuple[str, int] | None = None,
        volatile: bool = False,
    ) -> None:
        """Set trading states; when this returns no order is accepted against them.

        Args:
            changes: In order.
            untold: Whether the journal must be told.
            command: Key and `issued_at` of the command that wants it.
            volatile: Not written down, forgotten by a restart, and nothing open is cancelled.
        """
        async with self._lock:
            self._apply(changes, cancels=not volatile)
            if not volatile:
                progress = self._progress()
                rows = [Change(state=change, untold=untold) for change in changes]
                await self._write(lambda: self.record.change(rows, progress, command))
                self._kept()
                self._untold += changes if untold else ()
        self.on_changes(changes, untold)

    def _apply(self, changes: Iterable[TradingStateSet], *, cancels: bool = True) -> None:
        for change in changes:
            self.states = self.states.after(change)
            if is_resumption(change):
                self._gatekeeper.rearm(change.scope)
            for book in self.books if cancels else ():
                if self.states.of(book) is TradingState.HALTED:
                    self._venue.cancel(book, f"halted: {change.reason}"[:500])

    # --- epochs --------------------------------------------------------------------------------

    async def announce(self, epoch: int, holder: str) -> None:
        """Write down who holds an epoch from now on."""
        async with self._lock:
            await self._write(lambda: self.record.announce(epoch, holder))
            self.epoch = max(self.epoch, epoch)

    # --- the disk ------------------------------------------------------------------------------

    async def _write(self, write: Callable[[], None]) -> None:
        while True:
            try:
                await asyncio.to_thread(write)
            except sqlite3.OperationalError as error:
                self.disk_failed(error)
                await asyncio.sleep(RETRY_S)
            else:
                self._disk_works()
                return

    def disk_failed(self, error: sqlite3.OperationalError) -> None:
        """Say, once, that the disk fails, until it works again."""
        if not self._trouble:
            remedy = "free space on its disk, or repair it: nothing is acknowledged until then"
            log.critical("record_unwritable", error=str(error), remedy=remedy)
            self.on_disk_trouble()
        self._trouble = f"the record takes nothing: {error}"

    def _disk_works(self) -> None:
        if self._trouble:
            log.warning("record_writable_again")
            self._trouble = ""

    def _progress(self, more: int = 0) -> Progress:
        """Put all on record, with so many orders more than are answered yet."""
        answered = self.answered + more
        state = GatewayState(
            self._venue.snapshot(), self._gatekeeper.snapshot(), answered, self._read_to
        )
        return Progress(
            cursor=str(self.cursor),
            state=msgspec.msgpack.encode(state),
            journalled=tuple(self._journalled),
        )

    def _kept(self) -> None:
        """All that was read is on the disk."""
        self.kept = self.cursor
        self._journalled.clear()


def _as_before(known: Known, content: bytes) -> Verdict:
    """Answer an order whose id was answered before."""
    if known.content != content:
        reason = "conflict: this id was answered before, with other contents"
        return Verdict("refused", reason, "conflict")
    return Verdict(known.status, known.reason, "known")


def _tripped(order: Order, refusal: Refusal, stamp_ns: int) -> TradingStateSet:
    return TradingStateSet(
        scope=order.book,
        state=TradingState.HALTED,
        authority="gateway",
        operator=refusal.reason,
        reason=f"{order.order_id}: {refusal.detail}",
        event_ns=stamp_ns,
    )


def _rejection(order: Order, refusal: Refusal, now_ns: int) -> ExecutionReported:
    return ExecutionReported(
        book=order.book,
        order_id=order.order_id,
        execution_id=f"{order.order_id}-1",
        kind=ExecutionKind.REJECT,
        quantity=0.0,
        price=None,
        event_ns=now_ns,
        reason=str(refusal)[:500],
    )
