"""The gateway takes each order once, trades it, and reports until the journal has it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from fakes.bus import FakeBroker, FakeBus
from fakes.clock import ManualClock
from fakes.eventually import eventually
from fakes.interrupted import run_for_turns
from fakes.orders import make_order
from fakes.store import FakeStore, Fault
from prometheus_client import CollectorRegistry

from services.gateway.metrics import GatewayMetrics
from services.gateway.service import SERVICE, SUBSCRIPTIONS, Gateway
from shared.adapters.bus import Subscription
from shared.adapters.record import OrderRecord
from shared.adapters.store import StoreUnavailable
from shared.domain.events import ClockAdvanced, ExecutionKind, ExecutionReported, Tick
from shared.domain.orders import Order
from shared.domain.paper import PaperState, PaperVenue
from shared.domain.policies import PaperPolicy
from shared.domain.sessions import SessionCalendar
from shared.domain.tick_block import TickBlock
from shared.runtime.health import Health
from shared.runtime.stage import InputGap
from shared.wire import codec, keys, topics
from shared.wire.announcements import order_message
from shared.wire.journal import JournalEntry, JournalItem, decode_entry, encode_entry
from shared.wire.messages import AckMessage, ExecutionMessage, ProgressMessage
from shared.wire.times import format_instant

JOURNAL = keys.journal()
CALENDAR = SessionCalendar([0], [10**9])
POLICY = PaperPolicy(half_spread=0.0, slippage=0.0, latency_ns=0, max_fill_vega=300.0)
AWAY = Fault(StoreUnavailable("no answer from the store"), applied=False)
EXECUTIONS = topics.executions("overlay")
READ = "hedge_gateway_journal_entries"


def tick(event_ns: int) -> TickBlock:
    return TickBlock.of([Tick(symbol="VIX", event_ns=event_ns, price=22.0)])


def clock(event_ns: int) -> ClockAdvanced:
    return ClockAdvanced(event_ns=event_ns)


class Scribe:
    """Ingest as the gateway knows it: journals each execution report once."""

    def __init__(self, bus: FakeBus, journal: FakeStore) -> None:
        self._bus = bus
        self._journal = journal
        self.heard: list[str] = []
        self.deaf = False

    def write(self, *items: JournalItem) -> None:
        for item in items:
            self._journal.append(JOURNAL, encode_entry(JournalEntry(0, 0, (item,))))

    async def run(self) -> None:
        async for message in self._bus.messages():
            message.ack()
            report = codec.decode(ExecutionMessage, message.payload)
            if self.deaf:
                continue
            if report.execution_id not in self.heard:
                self.write(
                    ExecutionReported(
                        book="overlay",
                        order_id=report.order_id,
                        execution_id=report.execution_id,
                        kind=ExecutionKind(report.kind),
                        quantity=report.quantity,
                        price=report.price,
                        event_ns=codec.instant_ns(report.event_time),
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


class Venue:
    """A gateway's surroundings; its record is a file, so that it can be killed."""

    def __init__(self, broker: FakeBroker, buses: Sequence[FakeBus], path: Path) -> None:
        self.broker = broker
        self.bus, self.hedger, self._scribe_bus = buses
        self.path = path
        self.store = FakeStore()
        self.scribe = Scribe(self._scribe_bus, self.store)
        self.clock = ManualClock()
        self.health = Health()
        self.registry = CollectorRegistry()

    @asynccontextmanager
    async def gateway(self) -> AsyncIterator[tuple[Gateway, OrderRecord]]:
        """A new process."""
        self.health, self.registry = Health(), CollectorRegistry()
        with OrderRecord.open(self.path) as record:
            progress = record.progress()
            state = PaperState()
            if progress:
                state = msgspec.msgpack.decode(progress.state, type=PaperState)
            gateway = Gateway(
                bus=self.bus,
                store=self.store,
                record=record,
                venue=PaperVenue.resume(POLICY, CALENDAR, ["VIX"], state),
                clock=self.clock,
                metrics=GatewayMetrics(self.registry),
                health=self.health,
            )
            yield gateway, record

    @asynccontextmanager
    async def running(self) -> AsyncIterator[OrderRecord]:
        async with self.gateway() as (gateway, record), asyncio.TaskGroup() as tasks:
            task = tasks.create_task(gateway.run())
            yield record
            task.cancel()

    async def send(self, order: Order, epoch: int = 1, *, retain: bool = False) -> None:
        payload = codec.encode(order_message(order, epoch=epoch, sequence=1))
        await self.hedger.publish(topics.orders("overlay"), payload, retain=retain)

    @property
    def answers(self) -> list[str]:
        return [answer.status for answer in self._answers()]

    @property
    def answered(self) -> set[str]:
        return {answer.order_id for answer in self._answers()}

    def _answers(self) -> list[AckMessage]:
        published = [each for each in self.broker.published if each.topic == topics.acks("overlay")]
        return [codec.decode(AckMessage, each.payload) for each in published]

    @property
    def progress(self) -> list[ProgressMessage]:
        published = [
            each for each in self.broker.published if each.topic == topics.progress(SERVICE)
        ]
        return [codec.decode(ProgressMessage, each.payload) for each in published]

    def taken(self, status: str) -> float | None:
        labels = {"status": status}
        return self.registry.get_sample_value("hedge_gateway_orders_total", labels)

    def unacknowledged(self) -> int:
        return self.broker.unacknowledged(SERVICE)


@asynccontextmanager
async def venue(path: Path, *, denied: Sequence[str] = ()) -> AsyncIterator[Venue]:
    broker = FakeBroker(denied=denied)
    orders = [Subscription(topic) for topic in SUBSCRIPTIONS]
    reports = [Subscription(topics.EXECUTIONS)]
    async with (
        FakeBus(broker, client_id=SERVICE, subscriptions=orders) as bus,
        FakeBus(broker, client_id="hedger") as hedger,
        FakeBus(broker, client_id="ingest", subscriptions=reports) as ingest,
        asyncio.TaskGroup() as tasks,
    ):
        for each in (bus, hedger, ingest):
            await each.connected.wait()
        around = Venue(broker, (bus, hedger, ingest), path / "record.db")
        task = tasks.create_task(around.scribe.run())
        yield around
        task.cancel()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path


async def test_an_order_is_on_the_disk_when_it_is_acknowledged(path: Path) -> None:
    async with venue(path) as around, around.running() as record:
        await around.send(make_order(1), epoch=4)
        await eventually(lambda: around.answers == ["accepted"])
        (accepted,) = record.orders_since()
        assert (accepted.order_id, accepted.epoch) == ("overlay-00000001-swap", 4)
        assert msgspec.msgpack.decode(accepted.payload, type=Order) == make_order(1)
        await eventually(lambda: around.unacknowledged() == 0)


async def test_an_order_trades_and_its_reports_reach_the_journal_once(path: Path) -> None:
    async with venue(path) as around, around.running():
        await around.send(make_order(1))
        await eventually(lambda: around.answers == ["accepted"])
        around.scribe.write(clock(10), tick(15), clock(20), clock(30))
        await eventually(lambda: len(around.scribe.journalled) == 3)
        assert [(each.kind, each.quantity) for each in around.scribe.journalled] == [
            (ExecutionKind.NEW, 0.0),
            (ExecutionKind.PARTIAL, 300.0),
            (ExecutionKind.FILL, 100.0),
        ]
        await eventually(lambda: any(each.sequence == 3 for each in around.progress))


@pytest.mark.parametrize(
    ("again", "epoch", "status"),
    [
        (make_order(1), 2, "duplicate"),
        (make_order(1), 1, "duplicate"),  # accepted stays acknowledged, also to an old leader
        (make_order(1, quantity=500.0), 2, "refused"),
        (make_order(2), 1, "superseded"),
        (make_order(2), 3, "accepted"),
    ],
)
async def test_a_second_order_is_answered_by_what_it_is(
    path: Path, again: Order, epoch: int, status: str
) -> None:
    async with venue(path) as around, around.running() as record:
        await around.send(make_order(1), epoch=2)
        await around.send(again, epoch=epoch)
        await eventually(lambda: around.answers == ["accepted", status])
        assert len(record.orders_since()) == 1 + (status == "accepted")
        assert around.taken(status) == 1 + (status == "accepted")


async def test_an_order_that_is_not_accepted_does_not_trade(path: Path) -> None:
    async with venue(path) as around, around.running():
        await around.send(make_order(1, quantity=200.0, vega=200.0))
        await around.send(make_order(1, quantity=300.0, vega=300.0))
        await around.send(make_order(2), epoch=0)
        await eventually(lambda: around.answers == ["accepted", "refused", "superseded"])
        around.scribe.write(clock(10), tick(15), clock(20), clock(30))
        await eventually(lambda: len(around.scribe.journalled) == 2)
        assert around.scribe.journalled[1].quantity == 200.0


async def test_what_is_no_order_is_dropped_and_counted(path: Path) -> None:
    async with venue(path) as around, around.running() as record:
        for payload in (
            b"not json",
            b"{}",
            codec.encode(order_message(make_order(1), epoch=1, sequence=1))[:-9],
        ):
            await around.hedger.publish(topics.orders("overlay"), payload)
        await eventually(lambda: around.taken("malformed") == 3)
        assert record.orders_since() == []
        await eventually(lambda: around.unacknowledged() == 0)


async def test_an_order_kept_by_the_broker_is_old_news(path: Path) -> None:
    async with venue(path) as around, around.running() as record:
        await around.send(make_order(1), retain=True)
        await eventually(lambda: around.answers == ["accepted"])  # heard live
        around.bus.cut()
        await eventually(lambda: around.taken("retained") == 1)  # told to a new subscriber
        assert around.taken("duplicate") is None
        assert around.answers == ["accepted"]
        assert len(record.orders_since()) == 1
        await eventually(lambda: around.unacknowledged() == 0)


async def test_an_answer_nobody_hears_leaves_the_order_taken(path: Path) -> None:
    async with venue(path, denied=[topics.acks("overlay")]) as around, around.running() as record:
        await around.send(make_order(1))
        await eventually(lambda: around.taken("accepted") == 1)
        await around.send(make_order(1))
        await eventually(lambda: around.taken("duplicate") == 1)
        assert len(record.orders_since()) == 1
        await eventually(lambda: around.unacknowledged() == 0)


async def test_a_report_is_sent_again_until_the_journal_has_it(path: Path) -> None:
    async with venue(path) as around, around.running() as record:
        around.scribe.deaf = True
        await around.send(make_order(1))
        await eventually(lambda: around.answers == ["accepted"])
        around.scribe.write(clock(10), clock(20))
        await eventually(lambda: any(each.topic == EXECUTIONS for each in around.broker.published))
        assert format_instant(20) not in {each.settled for each in around.progress}
        around.scribe.deaf = False
        around.clock.advance(1.0)
        await eventually(lambda: len(around.scribe.journalled) == 1)
        await eventually(lambda: any(each.sequence == 1 for each in around.progress))
        assert record.unjournalled() == []


async def test_after_a_crash_reports_that_were_not_journalled_are_sent_again(path: Path) -> None:
    async with venue(path) as around:
        async with around.running():
            around.scribe.deaf = True
            await around.send(make_order(1))
            await eventually(lambda: around.answers == ["accepted"])
            around.scribe.write(clock(10), clock(20))
            await eventually(
                lambda: any(each.topic == EXECUTIONS for each in around.broker.published)
            )
        around.scribe.deaf = False
        async with around.running():
            await eventually(lambda: len(around.scribe.journalled) == 1)
            await eventually(lambda: any(each.sequence == 1 for each in around.progress))


async def test_after_a_restart_what_was_settled_is_said_again(path: Path) -> None:
    async with venue(path) as around:
        async with around.running():
            around.scribe.write(clock(10))
            await eventually(lambda: around.progress != [])
        around.broker.published.clear()
        async with around.running():
            await eventually(lambda: around.progress != [])


async def test_a_journal_shorter_than_the_record_ends_it(path: Path) -> None:
    async with venue(path) as around:
        async with around.running() as record:
            around.scribe.write(clock(10), clock(20))
            await eventually(lambda: (record.progress() or None) is not None)
            await eventually(lambda: around.progress != [])
        around.store.streams[JOURNAL].clear()
        around.store.last[JOURNAL] = 0
        async with around.gateway() as (gateway, _):
            with pytest.raises(ExceptionGroup) as ended:
                await gateway.run()
            assert ended.group_contains(InputGap)


async def test_a_journal_trimmed_beyond_the_record_ends_it(path: Path) -> None:
    async with venue(path) as around:
        async with around.running():
            around.scribe.write(clock(10))
            await eventually(lambda: around.progress != [])
        around.scribe.write(clock(20), clock(30))
        await around.store.trim(JOURNAL, 3)
        async with around.gateway() as (gateway, _):
            with pytest.raises(ExceptionGroup) as ended:
                await gateway.run()
            assert ended.group_contains(InputGap, match="goes on at 3")


async def test_a_new_record_begins_where_a_trimmed_journal_does(path: Path) -> None:
    async with venue(path) as around:
        around.scribe.write(clock(10), clock(20))
        await around.store.trim(JOURNAL, 2)
        async with around.running():
            await eventually(lambda: around.progress != [])
            await eventually(lambda: around.store.records[SERVICE].cursors.get(JOURNAL) == 2)


async def test_while_the_journal_cannot_be_read_it_is_not_ready_and_says_why(path: Path) -> None:
    async with venue(path) as around, around.running():
        around.scribe.write(clock(10))
        await eventually(lambda: around.progress != [])
        assert around.health.is_ready
        around.store.faults = iter([AWAY] * 4)
        around.scribe.write(clock(20))
        around.clock.advance(5.5)
        await eventually(lambda: not around.health.is_ready)
        reason = around.health.report()["gateway.journal"].reason
        assert reason.startswith("the journal was not read for 6 s")
        await eventually(lambda: around.health.is_ready)


async def test_orders_that_come_while_it_writes_to_the_disk_are_not_lost(path: Path) -> None:
    async with venue(path) as around:
        async with around.running():
            for decision in range(1, 30):
                await around.send(make_order(decision))
                around.scribe.write(tick(10 * decision), clock(10 * decision + 1))
            await eventually(lambda: len(around.answers) == 29)
            around.scribe.write(clock(2000), clock(3000), clock(4000))
            await eventually(lambda: filled(around) == 29)
        assert len({each.execution_id for each in around.scribe.journalled}) == len(
            around.scribe.journalled
        )


def filled(around: Venue) -> int:
    return sum(each.kind is ExecutionKind.FILL for each in around.scribe.journalled)


async def test_cut_off_at_any_await_no_order_trades_twice_or_never(path: Path) -> None:
    for turns in range(0, 90, 3):
        here = path / str(turns)
        here.mkdir()
        async with venue(here) as around:
            await around.send(make_order(1))
            await around.send(make_order(2))
            around.scribe.write(clock(10), tick(15), clock(20))
            async with around.gateway() as (gateway, _):
                await run_for_turns(turns, gateway.run())
            around.broker.kill()  # and nothing is redelivered
            around.broker.start()
            await eventually(lambda: all(_connected(around)))
            around.broker.published.clear()
            async with around.running() as record:
                await around.send(make_order(1))
                await around.send(make_order(2))
                await eventually(lambda: len(around.answered) == 2)
                around.scribe.write(tick(25), clock(30), clock(40), clock(50))
                await eventually(lambda: filled(around) == 2)
                around.clock.advance(100.0)
                await eventually(lambda: record.unjournalled() == [])
            for name in ("overlay-00000001-swap", "overlay-00000002-swap"):
                own = [each for each in around.scribe.journalled if each.order_id == name]
                assert sum(each.quantity for each in own) == 400.0
                assert [each.kind for each in own].count(ExecutionKind.NEW) == 1


def _connected(around: Venue) -> list[bool]:
    buses = (around.bus, around.hedger, around._scribe_bus)  # noqa: SLF001 - its own test
    return [bus.connected.is_set() and bus.reconnects == 1 for bus in buses]


async def test_ticks_alone_are_not_written_down_and_are_read_again_after_a_crash(
    path: Path,
) -> None:
    async with venue(path) as around:
        around.scribe.write(clock(10), tick(15))
        async with around.running() as record:
            await eventually(lambda: (kept := record.progress()) is not None and kept.cursor == "2")
            around.scribe.write(tick(16))
            await eventually(lambda: around.registry.get_sample_value(READ) == 3)
            kept = record.progress()
            assert kept is not None
            assert kept.cursor == "2"
        async with around.running() as record:
            around.scribe.write(clock(20))
            await eventually(lambda: (kept := record.progress()) is not None and kept.cursor == "4")
