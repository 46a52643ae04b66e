"""The shell of the hedger, for one term of its lease: stage, introduction, relays.

The stage decides from the first moment; what it decided leaves once the gateway knows our epoch.

Longer than most: the one place where the stage, its relays and what is told of them meet.
"""

import asyncio
from collections.abc import Mapping, Sequence

import structlog
from msgspec import Struct

from services.hedger.answers import SERVICE, hear
from services.hedger.introduction import Introduction
from services.hedger.metrics import HedgerMetrics
from services.hedger.relay import OrderRelay
from services.hedger.step import HedgerStep
from shared.adapters.bus import Bus
from shared.adapters.clock import Clock
from shared.adapters.keyring import Keyring
from shared.adapters.store import Entry, StageRecord, Store, StoreHalted, StoreTrouble
from shared.domain.hedging.alerts import alert
from shared.domain.hedging.book import BookStanding
from shared.domain.orders import book_of
from shared.domain.policies import BookPolicy, SignalPolicy
from shared.domain.sessions import SessionCalendar
from shared.runtime.alarm import Alarm
from shared.runtime.announcer import Announcer
from shared.runtime.freshness import Freshness
from shared.runtime.health import Health
from shared.runtime.lag import lags
from shared.runtime.lease import Term
from shared.runtime.ledger import StepOutput
from shared.runtime.outbox import OutboxRow
from shared.runtime.precedence import Precedence
from shared.runtime.progress import ProgressReporter
from shared.runtime.stage import Committed, StagePolicy, run_stage
from shared.wire import keys
from shared.wire.announcements import notice_of
from shared.wire.decisions import ChainHead, read_decision
from shared.wire.messages import AckMessage, ProgressMessage
from shared.wire.times import format_instant

log = structlog.get_logger()

_SILENT_ENTRIES = 500
_DRAIN_S = 0.4
"""For the answers to orders on their way, before the next leader may begin."""
_STAGE = "hedger.stage"
_LONGEST_WAIT_S = 10.0
"""For an order's acknowledgement, before somebody should look."""


class HedgerPolicy(Struct, frozen=True, kw_only=True):
    """What the hedger needs to know.

    Attributes:
        books: Each book's own policy.
        config_digest: Goes into every order.
        code_version: Stands with every decision.
        stale_trading_ns: Without a print for so long it is not ready.
    """

    books: tuple[BookPolicy, ...]
    config_digest: str
    code_version: str = ""
    stale_trading_ns: int = SignalPolicy().vix_stale_trading_ns


class Hedger:
    """Decides, and sees that what it decided arrives.

    Args:
        policy: The books.
        calendar: When the market is open.
        term: Of the lease, under which it decides and sends.
        keyring: Seals as the monitor, opens what the gateway sealed.
        bus: Subscribed to `answers.SUBSCRIPTIONS`.
        orders: The store of this stage: decisions and outbox.
        market: The store of the signal log.
        clock: For resends and latency.
        metrics: What is counted.
        health: Told whether the stage runs, is fed, and orders arrive.
        precedence: Of the stages of this process.
    """

    def __init__(  # noqa: PLR0913 - a composition of parts
        self,
        *,
        policy: HedgerPolicy,
        calendar: SessionCalendar,
        term: Term,
        keyring: Keyring,
        bus: Bus,
        orders: Store,
        market: Store,
        clock: Clock,
        metrics: HedgerMetrics,
        health: Health,
        precedence: Precedence | None = None,
    ) -> None:
        self._policy = policy
        self._calendar = calendar
        self._term = term
        self._keyring = keyring
        self._bus = bus
        self._precedence = precedence or Precedence()
        self._orders = orders
        self._market = market
        self._metrics = metrics
        self._progress = ProgressReporter(bus, SERVICE)
        self._announcer = Announcer(
            bus,
            orders,
            SERVICE,
            term.epoch,
            stream=keys.decisions(),
            read=lambda entry: notice_of(read_decision(entry).effect),
        )
        self._introduction = Introduction(
            bus=bus,
            keyring=keyring,
            clock=clock,
            service=SERVICE,
            term=term,
            config_digest=policy.config_digest,
        )
        self._alarm = Alarm(bus)
        self._alarmed: set[tuple[str, str]] = set()
        self._relay = OrderRelay(
            bus=bus,
            store=orders,
            keyring=keyring,
            term=term,
            clock=clock,
            on_sent=self._sent,
            on_acknowledged=self._acknowledged,
            on_superseded=self._superseded,
        )
        self._clock = clock
        self._health = health
        health.failing(_STAGE, "its record is not loaded yet")
        health.watch("hedger.orders", self._orders_trouble)
        health.watch("hedger.gateway", self._gateway_trouble)
        self._step = HedgerStep((), calendar, "", None)
        freshness = Freshness(calendar, policy.stale_trading_ns, lambda: self._step.observed)
        health.watch("hedger.data", freshness.trouble)
        self._chain = self._step.chain
        self._decided = 0
        self._is_halted = False
        self._committed_progress: ProgressMessage | None = None
        self._cursors: Mapping[str, int] = {}
        metrics.follow(self._standings)

    @property
    def chain(self) -> ChainHead:
        """The last entry of the decision log that is committed."""
        return self._chain

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop`, then wait a little for the orders on their way.

        Raises:
            StageStopped: Another hedger leads, or the store lost data.
        """
        try:
            await self._run(stop)
        finally:
            self._metrics.stand_down()

    async def _run(self, stop: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as tasks:
            relays = [
                tasks.create_task(self._introduction.run(), name="introduction"),
                tasks.create_task(self._hear(), name="answers"),
                tasks.create_task(self._relay.run(self._introduction.accepted), name="orders"),
                tasks.create_task(self._announcer.run(), name="notices"),
                tasks.create_task(self._alarm.run(), name="alarm"),
                tasks.create_task(self._progress.run(), name="progress"),
                tasks.create_task(self._watch(), name="lag"),
            ]
            await run_stage(
                self._orders,
                SERVICE,
                [keys.signal_log()],
                self._make_step,
                stop=stop,
                epoch=self._term.epoch,
                source=self._market,
                policy=StagePolicy(silent_entries=_SILENT_ENTRIES),
                before_commit=self._seal_ahead,
                after_commit=self._committed,
                on_trouble=self._wait,
                precedence=self._precedence,
            )
            await self._drain()
            for task in relays:
                task.cancel()

    def _make_step(self, record: StageRecord) -> HedgerStep:
        self._step = HedgerStep(
            self._policy.books,
            self._calendar,
            self._policy.config_digest,
            record.state,
            code_version=self._policy.code_version,
        )
        self._chain = self._step.chain
        self._decided = record.emitted.get(keys.outbox(), 0)
        self._cursors = {keys.signal_log(): record.cursors.get(keys.signal_log(), 0)}
        self._health.passing(_STAGE)
        self._committed_progress = self._progress_of_step()
        self._report()
        return self._step

    def _seal_ahead(self, output: StepOutput) -> None:
        if rows := self._rows(output):
            asyncio.get_running_loop().call_soon(self._relay.seal_ahead, rows)

    def _rows(self, output: StepOutput) -> list[Entry]:
        orders = output.entries.get(keys.outbox(), ())
        return [
            Entry(keys.outbox(), index, order)
            for index, order in enumerate(orders, self._decided + 1)
        ]

    async def _committed(self, committed: Committed) -> None:
        rows = self._rows(committed.output)
        self._relay.take_committed(rows)
        if rows:
            await asyncio.sleep(0)  # they leave now; the rest of this can wait
        self._decided += len(rows)
        self._is_halted = self._is_halted and not rows
        self._chain = self._step.chain
        self._committed_progress = self._progress_of_step()
        self._cursors = committed.cursors
        self._metrics.decided(self._step.effects)
        self._report()

    async def _hear(self) -> None:
        await hear(
            self._bus,
            self._keyring,
            on_epoch=self._introduction.receive,
            on_orders=self._relay.receive,
            on_refused=self._metrics.answer_refused,
        )

    async def _watch(self) -> None:
        async for behind in lags(self._market, lambda: self._cursors):
            self._metrics.behind(behind)
            self._metrics.taken(sum(self._cursors.values()), self._relay.longest_wait_s())
            self._report()  # after a restart the outbox may be found settled: nothing else says so

    def _sent(self, row: OutboxRow, outcome: str) -> None:
        self._metrics.order_sent(row, outcome)
        if outcome == "refused":
            self._ring("order_undeliverable", row.key)

    def _acknowledged(self, answers: Sequence[AckMessage]) -> None:
        for answer in answers:
            self._metrics.order_acknowledged(answer)
            if answer.status == "refused":
                log.error("order_refused", order_id=answer.order_id, reason=answer.reason)
                self._ring("order_refused", answer.order_id)
        self._report()

    def _superseded(self, answer: AckMessage) -> None:
        self._metrics.order_acknowledged(answer)
        log.error("order_superseded", order_id=answer.order_id, reason=answer.reason)

    def _standings(self) -> dict[str, BookStanding]:
        return {name: book.standing() for name, book in self._step.books.items()}

    def _ring(self, what: str, order_id: str) -> None:
        """Raise an alert, once: the order itself is sent again and again."""
        if (what, order_id) not in self._alarmed:
            self._alarmed.add((what, order_id))
            self._alarm.ring(alert(book_of(order_id), self._clock.now_ns(), what, order_id))

    def _report(self) -> None:
        """Say what is settled, when all that came of it is delivered.

        Never what the step alone has seen: the orders of a commit on its way are not counted yet.
        """
        self._metrics.waiting(self._relay.waiting)
        if self._committed_progress is not None and self._relay.has_delivered(self._decided):
            self._progress.report(self._committed_progress)

    def _progress_of_step(self) -> ProgressMessage | None:
        if not self._step.clock_ns:
            return None
        settled = format_instant(self._step.clock_ns)
        return ProgressMessage(service=SERVICE, sequence=self._step.reports, settled=settled)

    async def _drain(self) -> None:
        try:
            async with asyncio.timeout(_DRAIN_S):
                while not (self._relay.has_delivered(self._decided) and self._relay.has_settled):  # noqa: ASYNC110 - ends in seconds
                    await asyncio.sleep(0.02)
        except TimeoutError:
            log.warning("orders_still_waiting", count=self._relay.waiting)

    def _wait(self, trouble: StoreTrouble) -> None:
        self._health.failing(_STAGE, str(trouble))
        log.warning("stage_waits", stage=SERVICE, error=str(trouble))
        if isinstance(trouble, StoreHalted) and not self._is_halted:
            self._is_halted = True
            self._alarm.ring(alert("all", self._clock.now_ns(), "store_halted", SERVICE))

    def _gateway_trouble(self) -> str | None:
        if self._introduction.accepted.is_set():
            return None
        return "the gateway has not accepted our epoch yet"

    def _orders_trouble(self) -> str | None:
        waits_s = self._relay.longest_wait_s()
        if waits_s <= _LONGEST_WAIT_S:
            return None
        count = self._relay.waiting
        return f"{count} order(s) without the gateway's answer, the oldest for {waits_s:.0f} s"
