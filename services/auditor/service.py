"""The shell of the auditor: folds the journal, sweeps the gateway's record, halts on a difference.

Three tasks: the *fold* is a stage like the others, with a record of its own; the *sweeps* read the
gateway's record through its socket; the *listener* hears how far the hedger calls its orders
delivered, and keeps the signed heads of the decision log.

Longer than most: what the three find out together decides whether trading is halted.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

import structlog
from msgspec import Struct

from services.auditor.comparison import Comparison, Finding, NotAsSigned
from services.auditor.fold import Fold, decode_expected
from services.auditor.halting import Halting
from services.auditor.metrics import AuditorMetrics
from shared.adapters.bus import Bus, Message
from shared.adapters.clock import Clock
from shared.adapters.control_socket import (
    GatewayUnreachable,
    OrdersAsked,
    OrdersTold,
    ask_gateway,
)
from shared.adapters.head_record import HeadRecord, signed_head
from shared.adapters.keyring import Forged, Keyring
from shared.adapters.record import RecordedOrder
from shared.adapters.store import StageRecord, Store, StoreTrouble
from shared.domain.hedging.alerts import alert
from shared.domain.orders import Order, book_of
from shared.domain.trading import ALL
from shared.runtime.alarm import Alarm
from shared.runtime.health import Health
from shared.runtime.lag import lags
from shared.runtime.stage import Committed, StagePolicy, run_stage
from shared.wire import codec, keys, topics
from shared.wire.announcements import order_from
from shared.wire.codec import MalformedMessage
from shared.wire.decisions import ChainHead
from shared.wire.messages import OrderMessage, ProgressMessage
from shared.wire.seal import split

log = structlog.get_logger()

SERVICE: Final = "auditor"
SUBSCRIPTIONS: Final = (topics.progress("hedger"), topics.DECISION_HEAD)
MOST_ROWS: Final = 5_000
"""Of the record, between two pauses."""
_SNAPSHOT_EVERY: Final = 1_000
_REST_S: Final = 0.25
"""It folds every tick a second time, on the same processors: a few hundred at once cost least."""
_AT_ONCE: Final = 500
_BLIND_S: Final = 5.0
_FOLD: Final = "auditor.fold"
_RECORD: Final = "auditor.record"


class AuditorPolicy(Struct, frozen=True, kw_only=True):
    """How the auditor looks.

    Attributes:
        socket: The gateway's door.
        pause_s: Between two looks at the record.
        grace_s: How long an order may be on its way after the hedger called it delivered.
    """

    socket: Path
    pause_s: float
    grace_s: float


class Auditor:
    """Compares what left with what was decided.

    Args:
        policy: How it looks.
        make_fold: Makes a fold from its last state.
        bus: Subscribed to `SUBSCRIPTIONS`.
        store: Of the fold's record and what it expects.
        source: Of the journal.
        epoch: Of the lease that it is run under.
        keyring: Believes the monitor, signs as the auditor.
        heads: Where the signed heads of the decision log are kept.
        clock: For the time of alerts and commands.
        metrics: What is counted.
        health: Told whether the fold runs and the record can be seen.
    """

    def __init__(  # noqa: PLR0913 - a composition of parts
        self,
        *,
        policy: AuditorPolicy,
        make_fold: Callable[[bytes | None], Fold],
        bus: Bus,
        store: Store,
        source: Store,
        epoch: int,
        keyring: Keyring,
        heads: HeadRecord,
        clock: Clock,
        metrics: AuditorMetrics,
        health: Health,
    ) -> None:
        self._policy = policy
        self._make_fold = make_fold
        self._bus = bus
        self._store = store
        self._source = source
        self._epoch = epoch
        self._keyring = keyring
        self._heads = heads
        self._kept = ChainHead()
        self._clock = clock
        self._metrics = metrics
        self._health = health
        self._alarm = Alarm(bus)
        self._halting = Halting(
            bus=bus, keyring=keyring, socket=policy.socket, clock=clock, metrics=metrics
        )
        self._comparison = Comparison(self._read, policy.grace_s)
        self._cursors: Mapping[str, int] = {}
        self._emitted = 0
        self._known = 0
        self._row = 0
        self._answered_s = clock.monotonic_s()
        self._is_blind = False
        health.failing(_FOLD, "its record is not loaded yet")
        health.failing(_RECORD, "not seen yet")

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop`.

        Raises:
            StageStopped: Another auditor took over, or the store lost data.
        """
        async with asyncio.TaskGroup() as tasks:
            others = [
                tasks.create_task(self._sweep(), name="sweep"),
                tasks.create_task(self._listen(), name="listen"),
                tasks.create_task(self._alarm.run(), name="alarm"),
                tasks.create_task(self._watch_lag(), name="lag"),
            ]
            await run_stage(
                self._store,
                SERVICE,
                [keys.journal()],
                self._make_step,
                stop=stop,
                epoch=self._epoch,
                source=self._source,
                policy=StagePolicy(snapshot_every=_SNAPSHOT_EVERY, rest_s=_REST_S),
                after_commit=self._committed,
                on_trouble=self._wait,
            )
            for task in others:
                task.cancel()

    # --- the fold ------------------------------------------------------------------------------

    def _make_step(self, record: StageRecord) -> Fold:
        self._cursors = {keys.journal(): record.cursors.get(keys.journal(), 0)}
        self._emitted = record.emitted.get(keys.expected(), 0)
        self._health.passing(_FOLD)
        return self._make_fold(record.state)

    async def _committed(self, committed: Committed) -> None:
        self._emitted += len(committed.output.entries.get(keys.expected(), ()))
        self._cursors = committed.cursors

    def _wait(self, trouble: StoreTrouble) -> None:
        self._health.failing(_FOLD, str(trouble))
        log.warning("stage_waits", stage=SERVICE, error=str(trouble))

    async def _watch_lag(self) -> None:
        async for behind in lags(self._source, lambda: self._cursors):
            self._metrics.behind(behind)

    # --- the sweeps ----------------------------------------------------------------------------

    async def _sweep(self) -> None:
        self._comparison.begin_sweep(self._clock.monotonic_s())
        while True:
            try:
                await self._look()
            except GatewayUnreachable as error:
                self._cannot_see(str(error))
            except StoreTrouble as trouble:
                log.warning("audit_waits", error=str(trouble))
            await self._halting.press()
            await asyncio.sleep(self._policy.pause_s)

    async def _look(self) -> None:
        """Read on in the record, and judge what can be judged."""
        await self._learn()
        for _ in range(0, MOST_ROWS, _AT_ONCE):
            rows = await self._rows()
            if not rows:
                break
            journalled = (await self._source.extent(keys.journal())).last
            self._row = rows[-1].number
            for row in rows:
                self._report(self._comparison.see(row, journalled))
        else:
            await self._judge()
            return
        await self._judge()
        self._report(self._comparison.end_sweep())
        self._metrics.swept(expected=self._comparison.expected, rows=self._comparison.rows)
        self._row = 0
        self._comparison.begin_sweep(self._clock.monotonic_s())

    async def _rows(self) -> tuple[RecordedOrder, ...]:
        answer = await ask_gateway(self._policy.socket, OrdersAsked(self._row))
        if not isinstance(answer, OrdersTold):
            raise GatewayUnreachable(f"{self._policy.socket}: an answer to something else")
        self._answered_s = self._clock.monotonic_s()
        self._is_blind = False
        self._health.passing(_RECORD)
        return answer.orders

    async def _judge(self) -> None:
        folded, emitted = self._cursors.get(keys.journal(), 0), self._emitted
        await self._learn()
        if self._known >= emitted:
            self._report(self._comparison.judge(folded))

    async def _learn(self) -> None:
        """Read what the fold expects; from the store, so that a restart knows it all."""
        stream = keys.expected()
        while entries := await self._store.read({stream: self._known}, count=_AT_ONCE):
            for entry in entries:
                self._comparison.expect(decode_expected(entry.payload))
            self._known = entries[-1].index

    def _read(self, row: RecordedOrder) -> Order:
        """Read the order in a row.

        Raises:
            NotAsSigned: It is not what the monitor signed.
        """
        try:
            topic = topics.orders(book_of(row.order_id))
            message = self._signed(topic, row.payload)
            order = order_from(message)
        except Forged as forged:
            raise NotAsSigned(f"{forged.reason}: {forged}") from None
        except ValueError as error:
            raise NotAsSigned(f"no order: {error}") from None
        if (message.order_id, message.epoch) != (row.order_id, row.epoch):
            raise NotAsSigned("its columns are not what was signed")
        return order

    def _signed(self, topic: str, payload: bytes) -> OrderMessage:
        try:
            return self._keyring.open("monitor", topic, payload, OrderMessage)
        except Forged as forged:
            if forged.reason != "unknown_key":
                raise
            return codec.decode(OrderMessage, split(payload).body)  # its key was retired

    # --- what is told --------------------------------------------------------------------------

    def _report(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            where = f"{finding.kind} {finding.order_id}"
            log.critical("audit_mismatch", order_id=finding.order_id, kind=finding.kind)
            self._metrics.found(finding)
            self._alarm.ring(alert(ALL, self._clock.now_ns(), "audit_mismatch", where))
            self._halting.order(f"audit: {where[:200]}: {finding.detail[:200]}")

    def _cannot_see(self, reason: str) -> None:
        self._metrics.blind()
        self._health.failing(_RECORD, reason)
        silent_s = self._clock.monotonic_s() - self._answered_s
        if silent_s > _BLIND_S and not self._is_blind:
            self._is_blind = True
            log.error("audit_blind", reason=reason)
            self._alarm.ring(alert(ALL, self._clock.now_ns(), "audit_blind", SERVICE))

    # --- what is heard -------------------------------------------------------------------------

    async def _listen(self) -> None:
        for payload in await asyncio.to_thread(lambda: list(self._heads.payloads())):
            with contextlib.suppress(Forged, MalformedMessage):  # by a key that was retired
                self._kept = signed_head(self._keyring, payload)
        async for message in self._bus.messages():
            if message.topic == topics.DECISION_HEAD:
                await self._keep_head(message)
            elif not message.retain:
                self._take_progress(message)
            message.ack()

    def _take_progress(self, message: Message) -> None:
        try:
            settled = codec.decode(ProgressMessage, message.payload).settled
            if settled is not None:
                self._comparison.claim(codec.instant_ns(settled), self._clock.monotonic_s())
        except MalformedMessage as error:
            log.warning("progress_malformed", error=str(error))

    async def _keep_head(self, message: Message) -> None:
        try:
            head = signed_head(self._keyring, message.payload)
        except (Forged, MalformedMessage) as error:
            reason = error.reason if isinstance(error, Forged) else "malformed"
            log.error("decision_head_refused", reason=reason)  # noqa: TRY400 - its sender's fault
            self._metrics.head(reason)
            return
        if head.index > self._kept.index:
            await asyncio.to_thread(self._heads.append, message.payload)
            self._kept = head
            self._metrics.head("kept")
