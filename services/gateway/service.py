"""The execution side: takes orders, lets the paper venue trade them, reports what happened.

Around one desk, which decides and remembers: *orders* arrive over one connection, *commands*,
heartbeats and epochs over another; the *journal* moves the market and the clock; *reports*, and the
trading states that the gateway set by itself, are resent until the journal has them: the gateway
reads the journal, and sees. The unix socket needs none of these.

Longer than most: the one place where the desk, its two connections and the journal meet.
"""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec
import structlog
from msgspec import Struct, structs

from services.gateway.bookmark import Bookmark
from services.gateway.control import Control
from services.gateway.desk import Desk
from services.gateway.door import Door
from services.gateway.metrics import GatewayMetrics
from services.gateway.orders import OrderIntake
from services.gateway.teller import Teller, state_message
from shared.adapters.bus import Bus, BusUnavailable, PublishRefused
from shared.adapters.clock import Clock
from shared.adapters.control_socket import serve_control
from shared.adapters.keyring import Keyring
from shared.adapters.record import OrderRecord, change_name
from shared.adapters.store import Store, StoreTrouble
from shared.domain.events import ExecutionReported
from shared.domain.gatekeeping.admission import Gatekeeper, GatekeeperState
from shared.domain.hedging.alerts import alert
from shared.domain.paper import PaperState, PaperVenue
from shared.domain.trading import ALL, TradingStateSet
from shared.runtime.alarm import Alarm
from shared.runtime.delivery import Delivery
from shared.runtime.health import Health
from shared.runtime.outbox import OutboxRow
from shared.runtime.progress import ProgressReporter
from shared.runtime.stage import InputGap
from shared.wire import codec, keys, topics
from shared.wire.journal import decode_entry
from shared.wire.messages import ExecutionMessage, ProgressMessage
from shared.wire.times import format_instant

log = structlog.get_logger()

SERVICE = "gateway"
SUBSCRIPTIONS = (topics.ORDERS,)
CONTROL_SERVICE = "gateway-control"
_ENTRIES_AT_ONCE = 200
_BLOCK_MS = 1000
_RETRY_S = 0.5
_LONGEST_SILENCE_S = 5.0
"""A read of the journal returns within a second, with or without entries."""
_MOST_REPORTS: Final = 200
"""On their way at a time: so few that what else ingest has to take does not wait for them."""
_RING_AGAIN_S: Final = 60.0


class GatewayPolicy(Struct, frozen=True, kw_only=True):
    """What the gateway needs to know.

    Attributes:
        socket: Where its own door is; `None` for none.
        is_live: Whether the wall clock is the time; else the journal's clock events are.
        arms_itself: Whether it starts active, and goes on by itself after a silence.
        pause_s: Between two reads of the journal: what a venue sees may be some milliseconds old.
            0 in a replay, which waits for it.
    """

    socket: Path | None = None
    is_live: bool = True
    arms_itself: bool = False
    pause_s: float = 0.0


class Gateway:
    """One venue, one record.

    Args:
        bus: Subscribed to `SUBSCRIPTIONS`.
        control_bus: Subscribed to `control.SUBSCRIPTIONS`.
        store: Holds the journal.
        record: This gateway's own.
        make_venue: The venue, from a state.
        make_gatekeeper: The controls, from a state.
        keyring: Believes monitor, operator and auditor; signs as the gateway.
        clock: The wall clock.
        metrics: What is counted.
        health: Told whether the journal is read and the disk takes what is written.
        policy: See there.
    """

    def __init__(  # noqa: PLR0913 - a composition of parts
        self,
        *,
        bus: Bus,
        control_bus: Bus,
        store: Store,
        record: OrderRecord,
        make_venue: Callable[[PaperState], PaperVenue],
        make_gatekeeper: Callable[[GatekeeperState], Gatekeeper],
        keyring: Keyring,
        clock: Clock,
        metrics: GatewayMetrics,
        health: Health,
        policy: GatewayPolicy,
    ) -> None:
        self._bus = bus
        self._store = store
        self._record = record
        self._keyring = keyring
        self._clock = clock
        self._metrics = metrics
        self._health = health
        self._policy = policy
        self.desk = Desk(
            record=record,
            make_venue=make_venue,
            make_gatekeeper=make_gatekeeper,
            clock=clock,
            is_live=policy.is_live,
            health=health,
            on_changes=self._changed,
            on_disk_trouble=lambda: self._ring("record_unwritable", "gateway"),
        )
        self._control = Control(
            bus=control_bus,
            keyring=keyring,
            desk=self.desk,
            metrics=metrics,
            clock=clock,
            is_live=policy.is_live,
            arms_itself=policy.arms_itself,
            ring=self._ring,
        )
        self._orders = OrderIntake(
            bus=bus,
            keyring=keyring,
            desk=self.desk,
            metrics=metrics,
            on_life=self._control.hear_order,
            on_wait=self._read_now,
            on_refused=self._refused,
            on_forged=lambda reason, topic: self._ring("message_forged", f"{reason} on {topic}"),
        )
        self._door = Door(self.desk, self._control, metrics, health)
        self._teller = Teller(control_bus, keyring, self.desk)
        self._made = record.executions()
        self._reports = Delivery(bus, clock, metrics.report_sent, most_sent=_MOST_REPORTS)
        self._progress = ProgressReporter(bus, SERVICE)
        self._bookmark = Bookmark(store, lambda: self.desk.kept)
        self._alarm = Alarm(control_bus)
        self._rung_s: dict[tuple[str, str], float] = {}
        self._wake = asyncio.Event()
        self._caught_up = asyncio.Event()
        self._read_at_s = clock.monotonic_s()
        self._trouble = "not read yet"
        health.watch("gateway.journal", self._journal_trouble)

    async def run(self) -> None:
        """Run until cancelled.

        Raises:
            StageStopped: Journal and record do not belong together, or another gateway took over.
            OSError: The socket cannot be made.
        """
        if self._policy.socket is None:
            await self._run()
            return
        async with serve_control(self._policy.socket, self._door.answer):
            await self._run()

    async def _run(self) -> None:
        await self._control.arm()
        rows = [
            OutboxRow(key, *_addressed(payload)) for key, payload in self._record.unjournalled()
        ]
        rows += map(self._state_row, self._record.untold_changes())
        self._reports.replace(rows)
        self._show_states()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._orders.run(), name="orders")
            tasks.create_task(self._control.run(), name="control")
            tasks.create_task(self._teller.run(), name="states")
            tasks.create_task(self._follow_journal(), name="journal")
            tasks.create_task(self._send_reports(), name="reports")
            tasks.create_task(self._progress.run(), name="progress")
            tasks.create_task(self._bookmark.run(), name="bookmark")
            tasks.create_task(self._alarm.run(), name="alarm")

    # --- what is told ----------------------------------------------------------------------------

    def _changed(self, changes: Sequence[TradingStateSet], untold: bool) -> None:  # noqa: FBT001 - a callback
        if not changes:
            return
        self._teller.tell(changes)
        self._show_states()
        if untold:
            self._reports.put(map(self._state_row, changes))
        for change in changes:
            if change.authority == "gateway" and change.scope != ALL:
                self._ring("book_stopped", f"{change.scope}: {change.operator}")

    def _show_states(self) -> None:
        for scope in self.desk.scopes:
            self._metrics.trading(scope, self.desk.states.of(scope))

    def _state_row(self, change: TradingStateSet) -> OutboxRow:
        """As the journal is told: by the gateway, also what somebody at its socket wanted."""
        topic = topics.GATEWAY_STATE
        told = structs.replace(change, authority="gateway")
        payload = self._keyring.seal("gateway", topic, state_message(told))
        return OutboxRow(change_name(change), topic, payload)

    async def _refused(self, reports: Sequence[ExecutionReported]) -> None:
        """Have refusals journalled; whoever paces a replay learns of it before the hedger does."""
        self._made += len(reports)
        for report in reports:
            self._metrics.executed(report)
        self._reports.put(OutboxRow(each.execution_id, *_message(each)) for each in reports)
        if self.desk.clock_ns:
            try:
                message = codec.encode(self._settled())
                await self._bus.publish(topics.progress(SERVICE), message, qos=0)
            except (BusUnavailable, PublishRefused):
                return  # nor will the hedger hear the answer now

    def _ring(self, what: str, where: str) -> None:
        """Raise an alert, at most once a minute about one thing."""
        now_s = self._clock.monotonic_s()
        if now_s - self._rung_s.get((what, where), float("-inf")) >= _RING_AGAIN_S:
            self._rung_s[what, where] = now_s
            self._alarm.ring(alert(ALL, self._clock.now_ns(), what, where))

    async def _send_reports(self) -> None:
        """Send what the journal lacks: after a restart it may have more than we had written down.

        Ingest knows its latest reports only: of an older one sent again it would take two.
        """
        await self._caught_up.wait()
        await self._reports.run()

    # --- the journal -----------------------------------------------------------------------------

    async def _follow_journal(self) -> None:
        while True:
            try:
                end = await self._check_journal()
                while True:
                    if self.desk.cursor >= end:
                        self._caught_up.set()
                    if await self._read_on() < _ENTRIES_AT_ONCE:
                        await self._pause()
            except StoreTrouble as error:
                self._trouble = str(error)
                log.warning("store_unavailable", error=str(error))
                await asyncio.sleep(_RETRY_S)

    async def _pause(self) -> None:
        """Wait a little, unless an order waits for what the journal has to say."""
        try:
            async with asyncio.timeout(self._policy.pause_s):
                await self._wake.wait()
        except TimeoutError:
            return
        self._wake.clear()

    def _read_now(self) -> None:
        self._wake.set()

    async def _check_journal(self) -> int:
        """Return the journal's end."""
        last = (await self._store.extent(keys.journal())).last
        if last < self.desk.cursor:
            raise InputGap(
                f"gateway: the journal ends at {last}, its record has read to {self.desk.cursor}. "
                "The store lost data: restore it, or start over and move the record away too."
            )
        return last

    async def _read_on(self) -> int:
        cursor = self.desk.cursor
        entries = await self._store.read(
            {keys.journal(): cursor}, count=_ENTRIES_AT_ONCE, block_ms=_BLOCK_MS
        )
        if entries:
            first = entries[0].index
            if cursor and first != cursor + 1:  # a new record begins anywhere
                raise InputGap(
                    f"gateway: the journal goes on at {first}, its record has read to {cursor}. "
                    "Entries between were trimmed or lost: restore them."
                )
            read = [decode_entry(entry.payload) for entry in entries]
            digested = await self.desk.digest(read, entries[-1].index)
            self._reports.put(
                OutboxRow(each.execution_id, *_message(each)) for each in digested.made
            )
            self._reports.acknowledge([*digested.journalled, *digested.told])
            for report in digested.made:
                self._metrics.executed(report)
                log.info("executed", **msgspec.to_builtins(report))
            self._made += len(digested.made)
            self._metrics.follow(self.desk.cursor, self._reports.waiting)
            self._orders.look_again()
        else:
            await self.desk.note()
        self._read_at_s = self._clock.monotonic_s()
        self._report()  # also when nothing came: after a restart nothing else says so
        return len(entries)

    def _report(self) -> None:
        """Say what is settled, when the journal has every report."""
        if not self._reports.waiting and self.desk.clock_ns:
            self._progress.report(self._settled())

    def _settled(self) -> ProgressMessage:
        settled = format_instant(self.desk.clock_ns)
        return ProgressMessage(service=SERVICE, sequence=self._made, settled=settled)

    def _journal_trouble(self) -> str | None:
        silent_s = self._clock.monotonic_s() - self._read_at_s
        if silent_s <= _LONGEST_SILENCE_S:
            return None
        return f"the journal was not read for {silent_s:.0f} s: {self._trouble}"


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
