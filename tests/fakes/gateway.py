"""A gateway and its surroundings: a broker, a journal, a hedger that seals, an operator.

The record is a file, so that a gateway can be killed and started again. Time is the journal's, or
the manual clock's; both stand still until they are moved.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, Literal

from fakes.bus import FakeBroker, FakeBus
from fakes.clock import ManualClock
from fakes.eventually import eventually
from fakes.keys import make_keyring
from fakes.orders import make_order
from fakes.store import FakeStore
from msgspec import structs
from prometheus_client import CollectorRegistry

from services.gateway.control import SUBSCRIPTIONS as CONTROL_SUBSCRIPTIONS
from services.gateway.metrics import GatewayMetrics
from services.gateway.service import SERVICE, SUBSCRIPTIONS, Gateway, GatewayPolicy
from shared.adapters.bus import Subscription
from shared.adapters.keyring import Keyring, MessageType, Role
from shared.adapters.record import OrderRecord
from shared.domain.events import ClockAdvanced, ExecutionKind, ExecutionReported, Tick
from shared.domain.gatekeeping.admission import Gatekeeper, GatekeeperState
from shared.domain.instants import MINUTE
from shared.domain.orders import Order, book_of
from shared.domain.paper import PaperState, PaperVenue
from shared.domain.policies import (
    BookPolicy,
    LegPolicy,
    LimitPolicy,
    OrderPolicy,
    PaperPolicy,
    RulePolicy,
    SizingPolicy,
)
from shared.domain.sessions import SessionCalendar
from shared.domain.tick_block import TickBlock
from shared.domain.trading import TradingState, TradingStateSet
from shared.runtime.health import Health
from shared.wire import codec, keys, topics
from shared.wire.announcements import order_message
from shared.wire.journal import JournalEntry, JournalItem, decode_entry, encode_entry
from shared.wire.messages import (
    AckMessage,
    EpochAnswerMessage,
    EpochMessage,
    ExecutionMessage,
    HeartbeatMessage,
    ProgressMessage,
    TradingCommandMessage,
    TradingStateMessage,
)
from shared.wire.times import format_instant

JOURNAL: Final = keys.journal()
CALENDAR: Final = SessionCalendar([0], [10**18])
PAPER: Final = PaperPolicy(half_spread=0.0, slippage=0.0, latency_ns=0, max_fill_vega=300.0)
EXECUTIONS: Final = topics.executions("overlay")
DIGEST: Final = "digest"
WIDE: Final = LimitPolicy(
    max_order_vega=2000,
    max_order_notional=200_000,
    max_position_vega=1e9,
    max_orders_per_day=10**6,
    max_orders_per_minute=10**6,
    max_daily_turnover=1e15,
    max_daily_loss=1e15,
    max_price_deviation=0.15,
    max_repeats=10**6,
    repeat_ns=10 * MINUTE,
    duplicate_ns=0,  # the orders of a test are alike
)
BOOK: Final = BookPolicy(
    name="overlay",
    rules=(RulePolicy(kind="linear"),),
    sizing=SizingPolicy(base_vega=1000.0),
    legs=(
        LegPolicy(
            name="swap",
            instrument="variance_swap",
            symbol="VIX",
            maturity_days=30,
            max_vega=2000,
        ),
    ),
    order=OrderPolicy(stale_mark_trading_ns=10**18),
    limits=WIDE,
)


def tick(event_ns: int, price: float = 22.0) -> TickBlock:
    return TickBlock.of([Tick(symbol="VIX", event_ns=event_ns, price=price)])


def clock(event_ns: int) -> ClockAdvanced:
    return ClockAdvanced(event_ns=event_ns)


def order(decision: int = 1, **fields: Any) -> Order:  # noqa: ANN401 - any of its fields
    """An order of this configuration; a quantity sets vega and notional with it."""
    quantity = float(fields.get("quantity", 400.0))
    sign = 1 if fields.get("side", "buy") == "buy" else -1
    sized = {"vega": sign * quantity, "notional": quantity * 22.0, "config_digest": DIGEST}
    return make_order(decision, **{**sized, **fields})


class Scribe:
    """Ingest as the gateway knows it: journals each report and each trading state once."""

    def __init__(self, bus: FakeBus, journal: FakeStore, keyring: Keyring) -> None:
        self._bus = bus
        self._journal = journal
        self._keyring = keyring
        self.heard: list[str] = []
        self.states: list[TradingStateSet] = []
        self.deaf = False
        self._next_index = 0

    def write(self, *items: JournalItem) -> None:
        for item in items:
            entry = JournalEntry(self._next_index, 0, (item,))
            self._next_index += len(entry)
            self._journal.append(JOURNAL, encode_entry(entry))

    async def run(self) -> None:
        async for message in self._bus.messages():
            message.ack()
            if self.deaf:
                continue
            if message.topic == topics.GATEWAY_STATE:
                self._take_state(message.topic, message.payload)
            else:
                self._take_report(codec.decode(ExecutionMessage, message.payload))

    def _take_state(self, topic: str, payload: bytes) -> None:
        wire = self._keyring.open("gateway", topic, payload, TradingStateMessage)
        state = TradingStateSet(
            scope=wire.scope,
            state=TradingState(wire.state),
            authority=wire.authority,
            operator=wire.operator,
            reason=wire.reason,
            event_ns=codec.instant_ns(wire.since),
        )
        if state not in self.states:
            self.states.append(state)
            self.write(state)

    def _take_report(self, report: ExecutionMessage) -> None:
        if report.execution_id not in self.heard:
            self.write(
                ExecutionReported(
                    book=book_of(report.order_id),
                    order_id=report.order_id,
                    execution_id=report.execution_id,
                    kind=ExecutionKind(report.kind),
                    quantity=report.quantity,
                    price=report.price,
                    event_ns=codec.instant_ns(report.event_time),
                    reason=report.reason,
                )
            )
        self.heard.append(report.execution_id)

    @property
    def journalled(self) -> list[ExecutionReported]:
        items = [
            item
            for payload in self._journal.streams[JOURNAL].values()
            for item in decode_entry(payload).items
        ]
        return [item for item in items if isinstance(item, ExecutionReported)]


class Surroundings:
    """What is around a gateway.

    Attributes:
        policy: Of the gateways that are started; their books apart.
        limits: Of their books …
        books: … and the names of these.
    """

    def __init__(self, broker: FakeBroker, buses: Sequence[FakeBus], path: Path) -> None:
        self.broker = broker
        self.bus, self.control_bus, self.client, self._scribe_bus = buses
        self.path = path
        self.store = FakeStore()
        self.keyring = make_keyring()
        self.scribe = Scribe(self._scribe_bus, self.store, self.keyring)
        self.clock = ManualClock()
        self.health = Health()
        self.registry = CollectorRegistry()
        self.policy = GatewayPolicy(is_live=False, arms_itself=True)
        self.limits = WIDE
        self.books = ["overlay"]
        self.running_gateway: Gateway | None = None
        self._beats = 0

    @property
    def buses(self) -> tuple[FakeBus, ...]:
        return (self.bus, self.control_bus, self.client, self._scribe_bus)

    @asynccontextmanager
    async def gateway(self) -> AsyncIterator[tuple[Gateway, OrderRecord]]:
        """A new process."""
        self.health, self.registry = Health(), CollectorRegistry()
        books = [structs.replace(BOOK, name=name, limits=self.limits) for name in self.books]

        def make_venue(state: PaperState) -> PaperVenue:
            return PaperVenue.resume(PAPER, CALENDAR, ["VIX"], state)

        def make_gatekeeper(state: GatekeeperState) -> Gatekeeper:
            return Gatekeeper(books, CALENDAR, DIGEST, 0.0, state)

        with OrderRecord.open(self.path) as record:
            gateway = Gateway(
                bus=self.bus,
                control_bus=self.control_bus,
                store=self.store,
                record=record,
                make_venue=make_venue,
                make_gatekeeper=make_gatekeeper,
                keyring=self.keyring,
                clock=self.clock,
                metrics=GatewayMetrics(self.registry),
                health=self.health,
                policy=self.policy,
            )
            self.running_gateway = gateway
            yield gateway, record

    @asynccontextmanager
    async def running(self) -> AsyncIterator[OrderRecord]:
        async with self.gateway() as (gateway, record), asyncio.TaskGroup() as tasks:
            task = tasks.create_task(gateway.run())
            yield record
            task.cancel()

    async def open_market(self) -> None:
        """VIX prints 22 and the clock reaches 10: orders made by then are judged."""
        self.scribe.write(tick(5), clock(10))
        await self.reads_all()

    async def reads_all(self) -> None:
        """Wait until the gateway has read the journal to its end."""
        await eventually(
            lambda: (
                self.registry.get_sample_value("hedge_gateway_journal_entries")
                == self.store.last[JOURNAL]
            )
        )

    # --- what others send ----------------------------------------------------------------------

    async def send(  # noqa: PLR0913 - as many ways to be another
        self,
        sent: Order,
        epoch: int = 1,
        *,
        topic: str = "",
        role: Role = "monitor",
        keyring: Keyring | None = None,
        retain: bool = False,
    ) -> None:
        """Send an order as the hedger does, or as somebody else would."""
        topic = topic or topics.orders(sent.book)
        message = order_message(sent, epoch=epoch, sequence=sent.decision)
        payload = (keyring or self.keyring).seal(role, topic, message)
        await self.client.publish(topic, payload, retain=retain)

    async def command(
        self,
        state: Literal["active", "reducing", "halted"],
        *,
        scope: str = "all",
        issued_ns: int = 1000,
        role: Role = "operator",
        topic: str = "",
    ) -> None:
        topic = topic or (topics.RESUME if state == "active" else topics.HALT)
        payload = self.sealed_command(topic, state, scope=scope, issued_ns=issued_ns, role=role)
        await self.client.publish(topic, payload)

    def sealed_command(
        self,
        topic: str,
        state: Literal["active", "reducing", "halted"],
        *,
        scope: str = "all",
        issued_ns: int = 1000,
        role: Role = "operator",
    ) -> bytes:
        message = TradingCommandMessage(
            scope=scope, state=state, reason="drill", operator="ann", issued_at=issued_ns
        )
        return self.keyring.seal(role, topic, message)

    async def beat(self, epoch: int = 1, *, sequence: int | None = None, sent_ns: int = 0) -> None:
        self._beats += 1
        topic = topics.heartbeats("hedger")
        message = HeartbeatMessage(
            service="hedger",
            epoch=epoch,
            sequence=self._beats if sequence is None else sequence,
            sent_at=format_instant(sent_ns or self.clock.now_ns()),
        )
        await self.client.publish(topic, self.keyring.seal("monitor", topic, message))

    async def be_heard(self) -> None:
        """Beat, and wait until that was heard."""
        await self.beat()
        assert self.running_gateway is not None
        control = self.running_gateway._control  # noqa: SLF001 - asked for it alone
        await eventually(lambda: control._beat[1] == self._beats)  # noqa: SLF001 - likewise

    async def announce(self, epoch: int, holder: str) -> None:
        topic = topics.epochs("hedger")
        message = EpochMessage(service="hedger", epoch=epoch, config_digest=DIGEST, holder=holder)
        await self.client.publish(topic, self.keyring.seal("monitor", topic, message))

    # --- what came of it -------------------------------------------------------------------------

    @property
    def answers(self) -> list[str]:
        return [answer.status for answer in self.acks]

    @property
    def answered(self) -> set[str]:
        return {answer.order_id for answer in self.acks}

    def answers_to(self, book: str) -> list[str]:
        """What a book's orders were answered, in their order; acks may overtake one another."""
        acks = self.told(topics.acks(book), AckMessage)
        return [each.status for each in sorted(acks, key=lambda ack: ack.order_id)]

    @property
    def acks(self) -> list[AckMessage]:
        return self.told(topics.acks("overlay"), AckMessage)

    @property
    def epoch_answers(self) -> list[EpochAnswerMessage]:
        return self.told(topics.epoch_answers("hedger"), EpochAnswerMessage)

    @property
    def progress(self) -> list[ProgressMessage]:
        return [
            codec.decode(ProgressMessage, each.payload)
            for each in self.broker.published
            if each.topic == topics.progress(SERVICE)
        ]

    def states(self, scope: str = "all") -> list[TradingStateMessage]:
        return self.told(topics.trading(scope), TradingStateMessage)

    def told(self, topic: str, kind: type[MessageType]) -> list[MessageType]:
        """What the gateway sealed for a topic."""
        published = [each for each in self.broker.published if each.topic == topic]
        return [self.keyring.open("gateway", topic, each.payload, kind) for each in published]

    def taken(self, status: str) -> float:
        return self._count("hedge_gateway_orders_total", status=status)

    def refused(self, reason: str) -> float:
        return self._count("hedge_orders_refused_total", reason=reason)

    def commands_refused(self, reason: str) -> float:
        return self._count("hedge_gateway_commands_refused_total", reason=reason)

    def trading(self, scope: str = "overlay") -> float:
        """0 active, 1 reducing, 2 halted."""
        return self._count("hedge_trading_state", scope=scope)

    def _count(self, metric: str, **labels: str) -> float:
        return self.registry.get_sample_value(metric, labels) or 0.0

    @property
    def silent_s(self) -> float:
        """For how long the gateway has not heard its hedger, by its own count."""
        assert self.running_gateway is not None
        return self.running_gateway._control._dead_man.silent_s  # noqa: SLF001 - asked for it alone

    def unacknowledged(self) -> int:
        return self.broker.unacknowledged(SERVICE)


@asynccontextmanager
async def surroundings(path: Path, *, denied: Sequence[str] = ()) -> AsyncIterator[Surroundings]:
    broker = FakeBroker(denied=denied)
    orders = [Subscription(topic) for topic in SUBSCRIPTIONS]
    control = [Subscription(topic) for topic in CONTROL_SUBSCRIPTIONS]
    reports = [Subscription(topics.EXECUTIONS), Subscription(topics.GATEWAY_STATE)]
    async with (
        FakeBus(broker, client_id=SERVICE, subscriptions=orders) as bus,
        FakeBus(broker, client_id="gateway-control", subscriptions=control) as control_bus,
        FakeBus(broker, client_id="client") as client,
        FakeBus(broker, client_id="ingest", subscriptions=reports) as ingest,
        asyncio.TaskGroup() as tasks,
    ):
        around = Surroundings(broker, (bus, control_bus, client, ingest), path / "record.db")
        for each in around.buses:
            await each.connected.wait()
        task = tasks.create_task(around.scribe.run())
        yield around
        task.cancel()
