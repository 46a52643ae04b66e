"""The execution side: takes orders, lets the paper venue trade them, reports what happened.

Three tasks around one venue. *Orders* arrive over MQTT and are on the disk before they are
acknowledged, to the broker and, by an application message, to the hedger. The *journal* moves the
market and the clock; venue state, cursor and new reports go to the disk in one transaction.
*Reports* are resent until the journal has them: the gateway reads the journal, and sees.
"""

import asyncio
from typing import assert_never

import msgspec
import structlog

from services.gateway.bookmark import Bookmark
from services.gateway.metrics import GatewayMetrics
from shared.adapters.bus import Bus, BusUnavailable, Message, PublishRefused
from shared.adapters.clock import Clock
from shared.adapters.record import Accepted, Conflict, Duplicate, OrderRecord, StaleEpoch, Verdict
from shared.adapters.store import Store, StoreTrouble
from shared.domain.events import ClockAdvanced, ExecutionReported
from shared.domain.orders import Order
from shared.domain.paper import PaperVenue
from shared.domain.tick_block import TickBlock
from shared.runtime.delivery import Delivery
from shared.runtime.health import Health
from shared.runtime.outbox import OutboxRow
from shared.runtime.progress import ProgressReporter
from shared.runtime.stage import InputGap
from shared.wire import codec, keys, topics
from shared.wire.announcements import order_from
from shared.wire.journal import decode_entry
from shared.wire.messages import AckMessage, ExecutionMessage, OrderMessage, ProgressMessage
from shared.wire.times import format_instant

log = structlog.get_logger()

SERVICE = "gateway"
SUBSCRIPTIONS = (topics.ORDERS,)
_ENTRIES_AT_ONCE = 200
_BLOCK_MS = 1000
_RETRY_S = 0.5
_LONGEST_SILENCE_S = 5.0
"""A read of the journal returns within a second, with or without entries."""


class Gateway:
    """One venue, one record.

    Args:
        bus: Subscribed to orders.
        store: Holds the journal.
        record: This gateway's own.
        venue: As the record left it.
        clock: For the time of receipt.
        metrics: What is counted.
        health: Told whether the journal is read.
        pause_s: Between two reads of the journal: what a venue sees may be some milliseconds old.
            0 in a replay, which waits for it.
    """

    def __init__(  # noqa: PLR0913 - a composition of parts
        self,
        *,
        bus: Bus,
        store: Store,
        record: OrderRecord,
        venue: PaperVenue,
        clock: Clock,
        metrics: GatewayMetrics,
        health: Health,
        pause_s: float = 0.0,
    ) -> None:
        self._bus = bus
        self._store = store
        self._record = record
        self._venue = venue
        self._clock = clock
        self._metrics = metrics
        progress = record.progress()
        self._cursor = int(progress.cursor) if progress else 0
        self._kept = self._cursor
        self._clock_ns = venue.snapshot().clock_ns
        self._made = record.executions()
        self._reports = Delivery(bus, clock, metrics.report_sent)
        self._progress = ProgressReporter(bus, SERVICE)
        self._bookmark = Bookmark(store, lambda: self._kept)
        self._pause_s = pause_s
        self._read_at_s = clock.monotonic_s()
        self._trouble = "not read yet"
        health.watch("gateway.journal", self._journal_trouble)

    async def run(self) -> None:
        """Run until cancelled.

        Raises:
            StageStopped: Journal and record do not belong together, or another gateway took over.
        """
        for accepted in self._record.orders_since():
            self._venue.accept(msgspec.msgpack.decode(accepted.payload, type=Order))
        self._reports.replace(
            OutboxRow(key, *_addressed(payload)) for key, payload in self._record.unjournalled()
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._take_orders(), name="orders")
            tasks.create_task(self._follow_journal(), name="journal")
            tasks.create_task(self._reports.run(), name="reports")
            tasks.create_task(self._progress.run(), name="progress")
            tasks.create_task(self._bookmark.run(), name="bookmark")

    async def _take_orders(self) -> None:
        async for message in self._bus.messages():
            await self._take(message)

    async def _take(self, message: Message) -> None:
        if message.retain:  # old news: what a new subscriber is told is no order
            log.error("order_retained", topic=message.topic)
            self._metrics.order_taken("retained")
            message.ack()
            return
        try:
            wire = codec.decode(OrderMessage, message.payload)
            order = order_from(wire)
        except ValueError as error:
            log.error("order_malformed", topic=message.topic, error=str(error))  # noqa: TRY400 - it is the sender's fault
            self._metrics.order_taken("malformed")
            message.ack()
            return
        verdict = await asyncio.to_thread(
            self._record.accept,
            order.order_id,
            wire.epoch,
            msgspec.msgpack.encode(order),
            self._clock.now_ns(),
        )
        if isinstance(verdict, Accepted):
            self._venue.accept(order)
        message.ack()
        answer = _answer(order, wire.epoch, verdict)
        self._metrics.order_taken(answer.status)
        log.info("order_taken", order_id=order.order_id, status=answer.status, reason=answer.reason)
        try:
            await self._bus.publish(topics.acks(order.book), codec.encode(answer))
        except (BusUnavailable, PublishRefused) as error:  # the hedger sends it again, and is told
            log.warning("answer_lost", order_id=order.order_id, error=str(error))

    async def _follow_journal(self) -> None:
        while True:
            try:
                await self._check_journal()
                while True:
                    if await self._read_on() < _ENTRIES_AT_ONCE:
                        await asyncio.sleep(self._pause_s)
            except StoreTrouble as error:
                self._trouble = str(error)
                log.warning("store_unavailable", error=str(error))
                await asyncio.sleep(_RETRY_S)

    async def _check_journal(self) -> None:
        last = (await self._store.extent(keys.journal())).last
        if last < self._cursor:
            raise InputGap(
                f"gateway: the journal ends at {last}, its record has read to {self._cursor}. The "
                "store lost data: restore it, or start over and move the record away too."
            )

    async def _read_on(self) -> int:
        entries = await self._store.read(
            {keys.journal(): self._cursor}, count=_ENTRIES_AT_ONCE, block_ms=_BLOCK_MS
        )
        if entries:
            first = entries[0].index
            if self._cursor and first != self._cursor + 1:  # a new record begins anywhere
                raise InputGap(
                    f"gateway: the journal goes on at {first}, its record has read to "
                    f"{self._cursor}. Entries between were trimmed or lost: restore them."
                )
            await self._digest([entry.payload for entry in entries], entries[-1].index)
        self._read_at_s = self._clock.monotonic_s()
        self._report()  # also when nothing came: after a restart nothing else says so
        return len(entries)

    async def _digest(self, payloads: list[bytes], cursor: int) -> None:
        made: list[ExecutionReported] = []
        journalled: list[str] = []
        clock_ns = self._clock_ns
        for payload in payloads:
            for item in decode_entry(payload).items:
                match item:
                    case TickBlock():
                        self._venue.receive_block(item)
                    case ClockAdvanced():
                        made.extend(self._venue.receive(item))
                        self._clock_ns = item.event_ns
                    case ExecutionReported():
                        journalled.append(item.execution_id)
                    case _:
                        pass
        self._cursor = cursor
        if made or journalled or self._clock_ns != clock_ns:  # ticks alone are read again
            await self._keep(cursor, made, journalled)
        self._reports.put(OutboxRow(report.execution_id, *_message(report)) for report in made)
        self._reports.acknowledge(journalled)
        for report in made:
            self._metrics.executed(report)
            log.info("executed", **msgspec.to_builtins(report))
        self._made += len(made)
        self._metrics.follow(cursor, self._reports.waiting)

    def _report(self) -> None:
        """Say what is settled, when the journal has every report."""
        if not self._reports.waiting and self._clock_ns:
            settled = format_instant(self._clock_ns)
            self._progress.report(
                ProgressMessage(service=SERVICE, sequence=self._made, settled=settled)
            )

    async def _keep(
        self, cursor: int, made: list[ExecutionReported], journalled: list[str]
    ) -> None:
        """Write it all down; encoded here, for orders reach the venue while the thread writes."""
        rows = [(report.execution_id, msgspec.msgpack.encode(report)) for report in made]
        state = msgspec.msgpack.encode(self._venue.snapshot())
        await asyncio.to_thread(self._record.advance, str(cursor), state, rows, journalled)
        self._kept = cursor

    def _journal_trouble(self) -> str | None:
        silent_s = self._clock.monotonic_s() - self._read_at_s
        if silent_s <= _LONGEST_SILENCE_S:
            return None
        return f"the journal was not read for {silent_s:.0f} s: {self._trouble}"


def _answer(order: Order, epoch: int, verdict: Verdict) -> AckMessage:
    name = order.order_id
    match verdict:
        case Accepted():
            return AckMessage(order_id=name, status="accepted", epoch=epoch)
        case Duplicate():
            return AckMessage(order_id=name, status="duplicate", epoch=epoch)
        case StaleEpoch(high_water=high_water):
            reason = f"epoch {epoch} was superseded by {high_water}"
            return AckMessage(order_id=name, status="superseded", reason=reason, epoch=epoch)
        case Conflict():
            reason = "this id was accepted before with other contents"
            return AckMessage(order_id=name, status="refused", reason=reason, epoch=epoch)
        case _:
            assert_never(verdict)


def _message(report: ExecutionReported) -> tuple[str, bytes]:
    """Topic and payload of a report."""
    message = ExecutionMessage(
        order_id=report.order_id,
        execution_id=report.execution_id,
        kind=report.kind.value,
        quantity=report.quantity,
        price=report.price,
        event_time=format_instant(report.event_ns),
        reason=report.reason,
    )
    return topics.executions(report.book), codec.encode(message)


def _addressed(payload: bytes) -> tuple[str, bytes]:
    return _message(msgspec.msgpack.decode(payload, type=ExecutionReported))
