"""The latest signals are told, and the stage says when it stands still."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from fakes.bus import FakeBroker, FakeBus
from fakes.calendars import at, daily
from fakes.eventually import eventually
from fakes.interrupted import run_for_turns
from fakes.leases import lend
from fakes.store import FakeStore, Fault
from prometheus_client import CollectorRegistry

from services.signals import service
from services.signals.metrics import SignalsCollector
from services.signals.service import SERVICE, Signals
from shared.adapters.store import StoreUnavailable
from shared.domain.events import ClockAdvanced, Tick
from shared.domain.instants import MINUTE, SECOND
from shared.domain.policies import SignalPolicy
from shared.domain.tick_block import TickBlock
from shared.runtime.health import Health
from shared.wire import codec, keys, topics
from shared.wire.journal import JournalEntry, encode_entry
from shared.wire.messages import SignalMessage

AWAY = Fault(StoreUnavailable("no answer from the store"), applied=False)
VIX = topics.signal("vix")


class Desk:
    """A signals stage between a store and a broker."""

    def __init__(self, broker: FakeBroker, bus: FakeBus) -> None:
        self.broker = broker
        self.bus = bus
        self.store = FakeStore()
        self.new_process()

    def new_process(self) -> None:
        self.health = Health()
        self.registry = CollectorRegistry()
        self.stop = asyncio.Event()
        self.signals = Signals(
            policy=SignalPolicy(),
            calendar=daily(30),
            bus=self.bus,
            store=self.store,
            epoch=lend(self.store, SERVICE),
            metrics=SignalsCollector(self.registry),
            health=self.health,
        )

    def print(self, *levels: float) -> None:
        """Journal VIX at these levels, each with a clock a minute later."""
        for level in levels:
            number = self.store.last[keys.journal()]
            tick = Tick(symbol="VIX", event_ns=at(1, number * MINUTE), price=level)
            clock = ClockAdvanced(event_ns=at(1, number * MINUTE + 1))
            entry = JournalEntry(2 * number, 0, (TickBlock.of([tick]), clock))
            self.store.append(keys.journal(), encode_entry(entry))

    def pass_time(self) -> None:
        """Journal a clock: nothing has changed."""
        number = self.store.last[keys.journal()]
        clock = ClockAdvanced(event_ns=at(1, (number - 1) * MINUTE + 2))
        self.store.append(keys.journal(), encode_entry(JournalEntry(2 * number, 0, (clock,))))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.signals.run(self.stop))
            yield
            self.stop.set()

    @property
    def cursor(self) -> int:
        return self.store.records[SERVICE].reached.get(keys.journal(), 0)

    @property
    def log(self) -> list[bytes]:
        return list(self.store.streams[keys.signal_log()].values())

    @property
    def told(self) -> list[float | None]:
        published = [each for each in self.broker.published if each.topic == VIX]
        assert all(each.retain for each in published)
        return [codec.decode(SignalMessage, each.payload).value for each in published]


@asynccontextmanager
async def desk() -> AsyncIterator[Desk]:
    broker = FakeBroker()
    async with FakeBus(broker, client_id=SERVICE) as bus:
        await bus.connected.wait()
        yield Desk(broker, bus)


async def test_a_signal_is_told_when_it_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "_TELL_EVERY_S", 0.001)
    async with desk() as signals, signals.running():
        signals.print(18.0)
        await eventually(lambda: signals.told == [18.0])
        signals.pass_time()
        await eventually(lambda: signals.cursor == 2)
        signals.print(19.0)
        await eventually(lambda: signals.told == [18.0, 19.0])


async def test_a_signal_told_while_the_broker_was_away_is_told_when_it_is_back() -> None:
    async with desk() as signals, signals.running():
        signals.broker.kill()
        signals.print(18.0)
        await eventually(lambda: signals.cursor == 1)
        signals.broker.start()
        await eventually(lambda: signals.told == [18.0])


async def test_prometheus_reads_value_age_and_quality() -> None:
    async with desk() as signals, signals.running():
        signals.print(18.0)
        await eventually(lambda: signals.told == [18.0])
        sample = signals.registry.get_sample_value
        assert sample("hedge_signal_value", {"signal": "vix", "unit": "points"}) == 18.0
        assert sample("hedge_signal_quality", {"signal": "vix", "quality": "good"}) == 1.0
        assert sample("hedge_signal_age_seconds", {"signal": "vix"}) == 1e-9
        assert sample("hedge_signals_lag_entries") == 0


async def test_it_is_ready_while_its_store_answers() -> None:
    async with desk() as signals:
        signals.store.faults = iter([AWAY] * 5)
        reason = signals.health.report()["signals.stage"].reason
        assert reason == "its record is not loaded yet"
        async with signals.running():
            await eventually(
                lambda: (
                    signals.health.report()["signals.stage"].reason == "no answer from the store"
                )
            )
            await eventually(lambda: signals.health.is_ready)


async def test_it_is_not_ready_while_the_market_is_open_and_nothing_prints() -> None:
    async with desk() as signals, signals.running():
        await eventually(lambda: signals.health.is_ready)  # before the first print of all
        signals.print(18.0)
        await eventually(lambda: signals.cursor == 1)
        assert signals.health.is_ready
        clock = ClockAdvanced(event_ns=at(1, 61 * SECOND))
        signals.store.append(keys.journal(), encode_entry(JournalEntry(2, 0, (clock,))))
        await eventually(lambda: not signals.health.is_ready)
        reason = "the market is open, and nothing has printed for 61 s of it"
        assert signals.health.report()["signals.data"].reason == reason
        signals.print(18.0, 18.5)
        await eventually(lambda: signals.health.is_ready)


async def test_cut_off_at_any_await_the_log_is_the_same() -> None:
    async with desk() as signals:
        signals.print(18.0, 19.0, 30.0)
        async with signals.running():
            await eventually(lambda: signals.cursor == 3)
        expected = signals.log
    for turns in range(30):
        async with desk() as signals:
            signals.print(18.0, 19.0, 30.0)
            await run_for_turns(turns, signals.signals.run(signals.stop))
            signals.new_process()
            async with signals.running():
                await eventually(lambda: signals.cursor == 3)
            assert signals.log == expected


async def test_after_a_crash_every_signal_is_written_for_people_again() -> None:
    async with desk() as signals:
        signals.print(18.0, 19.0)
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(signals.signals.run(signals.stop))
            await eventually(lambda: signals.cursor == 2)
            task.cancel()
        assert signals.store.records[SERVICE].state is None
        written = signals.store.hashes.pop(keys.signals())
        signals.new_process()
        async with signals.running():
            signals.print(20.0)
            await eventually(lambda: signals.cursor == 3)
        assert signals.store.hashes[keys.signals()].keys() == written.keys()
