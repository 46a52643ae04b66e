"""A message is acknowledged when the journal has it, and journalled once whatever happens."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from fakes.bus import FakeBroker, FakeBus
from fakes.clock import ManualClock
from fakes.eventually import eventually
from fakes.interrupted import run_for_turns
from fakes.keys import make_keyring
from fakes.leases import lend
from fakes.store import FakeStore, Fault
from prometheus_client import CollectorRegistry

from services.ingest import service
from services.ingest.metrics import IngestMetrics
from services.ingest.service import SERVICE, SUBSCRIPTIONS, Ingest
from services.ingest.step import IngestPolicy
from shared.adapters.bus import Subscription
from shared.adapters.store import Commit, OutputMismatch, StageRecord, StoreUnavailable
from shared.domain.events import ClockAdvanced, ExecutionReported
from shared.domain.instants import SECOND
from shared.domain.policies import IntakePolicy, SymbolPolicy
from shared.domain.tick_block import TickBlock
from shared.runtime.health import Health
from shared.runtime.ledger import Ledger, StepOutput
from shared.wire import codec, keys, topics
from shared.wire.journal import decode_entry
from shared.wire.messages import ExecutionMessage, ProgressMessage, RejectMessage

NOON = 1_383_134_400 * SECOND
AWAY = Fault(StoreUnavailable("no answer from the store"), applied=False)
LOST = Fault(StoreUnavailable("no reply"), applied=True)


def vix(number: int, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - any of its fields
    tick = {"symbol": "VIX", "event_time": NOON + number, "price": 14.0}
    return tick | {"source": "feed", "sequence": number} | fields


class Edge:
    """An ingest between a broker and a store."""

    def __init__(self, broker: FakeBroker, bus: FakeBus, sender: FakeBus) -> None:
        self.broker = broker
        self.bus = bus
        self.sender = sender
        self.store = FakeStore()
        self.clock = ManualClock(NOON)
        self.policy = IngestPolicy(
            intake=IntakePolicy(symbols={"VIX": SymbolPolicy()}),
            books=frozenset(("overlay",)),
            clock_from_feed=True,
        )
        self.new_process()

    def new_process(self) -> None:
        self.health = Health()
        self.registry = CollectorRegistry()
        self.ingest = Ingest(
            policy=self.policy,
            keyring=make_keyring(),
            bus=self.bus,
            store=self.store,
            epoch=lend(self.store, SERVICE),
            clock=self.clock,
            metrics=IngestMetrics(self.registry, frozenset(("VIX",))),
            health=self.health,
        )

    async def send(self, *numbers: int) -> None:
        for number in numbers:
            payload = msgspec.json.encode(vix(number))
            await self.sender.publish(topics.ticks("VIX"), payload)

    async def fill(self, *numbers: int) -> None:
        for number in numbers:
            report = ExecutionMessage(
                order_id="overlay-00000001-swap",
                execution_id=f"x-{number}",
                kind="fill",
                quantity=1.0,
                price=20.0,
                event_time=NOON,
            )
            await self.sender.publish(topics.executions("overlay"), codec.encode(report))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(self.ingest.run())
            yield
            task.cancel()

    @property
    def journal(self) -> list[int]:
        """The sequence numbers journalled, in order; entries are checked to be without a gap."""
        found, index = [], 0
        for payload in self.store.streams[keys.journal()].values():
            entry = decode_entry(payload)
            assert entry.first_index == index
            index += len(entry)
            for item in entry.items:
                if isinstance(item, TickBlock):
                    found += item.sequence.tolist()
        return found

    @property
    def clocks(self) -> list[int]:
        payloads = self.store.streams[keys.journal()].values()
        items = [item for payload in payloads for item in decode_entry(payload).items]
        return [item.event_ns - NOON for item in items if isinstance(item, ClockAdvanced)]

    @property
    def executions(self) -> list[str]:
        payloads = self.store.streams[keys.journal()].values()
        items = [item for payload in payloads for item in decode_entry(payload).items]
        return [item.execution_id for item in items if isinstance(item, ExecutionReported)]

    def told(self, topic: str) -> list[bytes]:
        return [each.payload for each in self.broker.published if each.topic == topic]

    @property
    def progress(self) -> list[int]:
        told = self.told(topics.progress(SERVICE))
        return [codec.decode(ProgressMessage, each).sequence for each in told]

    def unacknowledged(self) -> int:
        return self.broker.unacknowledged(SERVICE)

    def counted(self, metric: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(metric, labels)


@asynccontextmanager
async def edge() -> AsyncIterator[Edge]:
    broker = FakeBroker()
    subscriptions = [Subscription(topic) for topic in SUBSCRIPTIONS]
    async with (
        FakeBus(broker, client_id=SERVICE, subscriptions=subscriptions) as bus,
        FakeBus(broker, client_id="sender") as sender,
    ):
        await bus.connected.wait()
        await sender.connected.wait()
        yield Edge(broker, bus, sender)


async def test_what_arrives_is_journalled_in_order_then_acknowledged() -> None:
    async with edge() as ingest, ingest.running():
        await ingest.send(1, 2, 3)
        await eventually(lambda: ingest.journal == [1, 2, 3])
        await eventually(lambda: ingest.unacknowledged() == 0)
        await eventually(lambda: 3 in ingest.progress)
        verdict = {"symbol": "VIX", "verdict": "accepted"}
        assert ingest.counted("hedge_ticks_total", **verdict) == 3


async def test_nothing_is_acknowledged_before_the_journal_has_it() -> None:
    async with edge() as ingest, ingest.running():
        await eventually(lambda: ingest.health.is_ready)
        ingest.store.faults = iter([AWAY] * 6)
        await ingest.send(1)
        await eventually(lambda: not ingest.health.is_ready)
        assert ingest.unacknowledged() == 1
        reason = ingest.health.report()["ingest.journal"].reason
        assert reason == "no answer from the store"
        await eventually(lambda: ingest.journal == [1] and ingest.unacknowledged() == 0)
        assert ingest.health.is_ready


async def test_it_is_ready_when_its_record_is_loaded() -> None:
    async with edge() as ingest:
        reason = ingest.health.report()["ingest.journal"].reason
        assert reason == "its record is not loaded yet"
        async with ingest.running():
            await eventually(lambda: ingest.health.is_ready)


async def test_a_commit_whose_reply_is_lost_is_not_made_twice() -> None:
    unnumbered = msgspec.json.encode(vix(1, source="", sequence=None))
    async with edge() as ingest, ingest.running():
        await eventually(lambda: ingest.health.is_ready)
        for _ in range(5):
            ingest.store.faults = iter([LOST] * 3)
            await ingest.sender.publish(topics.ticks("VIX"), unnumbered)
            await eventually(lambda: ingest.unacknowledged() == 0)
        assert len(ingest.journal) == 5


async def test_a_refused_message_goes_to_the_dead_letters() -> None:
    async with edge() as ingest, ingest.running():
        await ingest.sender.publish(topics.ticks("VIX"), b"not json")
        await eventually(lambda: ingest.told(topics.REJECTS) != [])
        letter = codec.decode(RejectMessage, ingest.told(topics.REJECTS)[0])
        assert (letter.reason, letter.payload) == ("malformed", b"not json")
        assert ingest.counted("hedge_rejects_total", reason="malformed") == 1
        assert ingest.journal == []
        assert ingest.unacknowledged() == 0


async def test_a_symbol_from_outside_does_not_become_a_label() -> None:
    async with edge() as ingest, ingest.running():
        await ingest.sender.publish(topics.ticks("DAX"), msgspec.json.encode(vix(1, symbol="DAX")))
        await eventually(lambda: ingest.told(topics.REJECTS) != [])
        verdict = {"symbol": "other", "verdict": "unknown_symbol"}
        assert ingest.counted("hedge_ticks_total", **verdict) == 1


async def test_a_killed_broker_redelivers_nothing_and_the_feed_fills_the_gap() -> None:
    async with edge() as ingest, ingest.running():
        await ingest.send(1)
        await eventually(lambda: ingest.journal == [1])
        ingest.broker.kill()
        ingest.broker.start()
        await eventually(ingest.bus.connected.is_set)
        await eventually(ingest.sender.connected.is_set)
        await eventually(lambda: ingest.bus.reconnects == ingest.sender.reconnects == 1)
        await ingest.send(3)  # 2 was lost: 3 is held back
        await ingest.send(2, 3)
        await eventually(lambda: ingest.journal == [1, 2, 3])


async def test_what_comes_faster_than_the_store_commits_goes_together() -> None:
    async with edge() as ingest:
        await ingest.send(*range(1, 201))
        async with ingest.running():
            await eventually(lambda: len(ingest.journal) == 200)
        assert len(ingest.store.streams[keys.journal()]) < 10


async def test_a_journal_that_somebody_else_wrote_ends_it() -> None:
    async with edge() as ingest:
        ingest.store.append(keys.journal(), b"not ours")
        await ingest.send(1)
        with pytest.raises(ExceptionGroup) as ended:
            await ingest.ingest.run()
        assert ended.group_contains(OutputMismatch)
        assert ingest.unacknowledged() == 1


async def test_a_state_that_another_version_wrote_ends_it_with_what_to_do() -> None:
    async with edge() as ingest:
        ledger = Ledger(ingest.store, SERVICE, epoch=lend(ingest.store, SERVICE))
        await ledger.open()
        await ledger.commit(StepOutput(), state=b"\x01")
        ingest.new_process()
        with pytest.raises(ExceptionGroup) as ended:
            await ingest.ingest.run()
        assert "ingest: its stored state was written by another version" in str(
            ended.value.exceptions[0]
        )


async def test_the_wall_clock_is_journalled_though_nothing_arrives() -> None:
    async with edge() as ingest:
        ingest.policy = IngestPolicy(
            intake=ingest.policy.intake,
            books=ingest.policy.books,
            clock_from_feed=False,
            clock_interval_ns=SECOND // 100,
        )
        ingest.new_process()
        async with ingest.running():
            await eventually(lambda: ingest.clocks == [0])
            ingest.clock.advance(5.0)
            await eventually(lambda: ingest.clocks == [0, 5 * SECOND])


async def test_a_restarted_ingest_says_how_far_it_is() -> None:
    async with edge() as ingest:
        async with ingest.running():
            await ingest.send(1, 2)
            await eventually(lambda: ingest.journal == [1, 2])
        ingest.broker.published.clear()
        ingest.new_process()
        async with ingest.running():
            await eventually(lambda: ingest.progress[:1] == [2])


async def test_a_report_is_journalled_once_whoever_leads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(service, "_READ_AT_ONCE", 2)
    async with edge() as ingest:
        for number in range(0, 50, 10):
            async with ingest.running():
                await ingest.fill(*range(number + 10))
                await eventually(lambda: ingest.executions[-1:] == [f"x-{number + 9}"])  # noqa: B023
            ingest.new_process()
        assert ingest.executions == [f"x-{number}" for number in range(50)]


class LateStore(FakeStore):
    """A store that is sent a commit whose sender gives up, and gets it between two of its reads."""

    is_slow = False
    _late: Commit | None = None

    async def commit(self, commit: Commit) -> None:
        if self.is_slow:
            self.is_slow, self._late = False, commit
            raise StoreUnavailable("no reply")
        await super().commit(commit)

    async def load(self, stage: str) -> StageRecord:
        record = await super().load(stage)
        late, self._late = self._late, None
        if late is not None:
            await super().commit(late)
        return record


async def test_a_late_commit_does_not_pass_for_what_came_after_it() -> None:
    async with edge() as ingest:
        store = ingest.store = LateStore()
        ingest.new_process()
        async with ingest.running():
            await ingest.send(1)
            await eventually(lambda: ingest.journal == [1])
            store.is_slow = True
            await ingest.fill(1)
            await eventually(lambda: ingest.executions == ["x-1"] and not ingest.unacknowledged())
            await ingest.send(2)
            await eventually(lambda: not ingest.unacknowledged())
        assert ingest.journal == [1, 2]
        assert ingest.executions == ["x-1"]


async def test_cut_off_at_any_await_no_tick_is_lost_or_doubled() -> None:
    for turns in range(40):
        async with edge() as ingest:
            await ingest.send(1, 2, 3)
            await run_for_turns(turns, ingest.ingest.run())
            ingest.bus.cut()  # what it had not acknowledged is delivered again
            ingest.new_process()
            async with ingest.running():
                await eventually(lambda: ingest.journal == [1, 2, 3])
                await eventually(lambda: ingest.unacknowledged() == 0)
            assert ingest.journal == [1, 2, 3]
