"""The shell of the stage: what it tells, what it measures, and that it may be cut off anywhere."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from fakes.bus import FakeBroker, FakeBus
from fakes.clock import ManualClock
from fakes.eventually import eventually
from fakes.exposures import CHAIN, NOW, monitor, quotes
from fakes.interrupted import run_for_turns
from fakes.keys import make_keyring
from fakes.leases import lend
from fakes.store import FakeStore, Fault
from prometheus_client import CollectorRegistry

from services.exposure.measurements import Measurements
from services.exposure.metrics import OTHER, ExposureMetrics
from services.exposure.service import Exposure
from services.exposure.step import SERVICE
from shared.adapters.store import Commit, StoreUnavailable
from shared.domain.events import ClockAdvanced, ExposureMeasured
from shared.domain.exposure.engine import ExposureMonitor, ExposureState
from shared.domain.exposure.layout import ExposureBook
from shared.domain.instants import SECOND
from shared.domain.tick_block import TickBlock
from shared.runtime.health import Health
from shared.wire import codec, keys, topics
from shared.wire.journal import JournalEntry, SingleEvent, encode_entry
from shared.wire.messages import ExposureMessage, MeasurementMessage, ProgressMessage

AWAY = Fault(StoreUnavailable("no answer from the store"), applied=False)
KEYS = make_keyring()
BOOK = ExposureBook(name="a", opening={CHAIN[5].symbol: 10.0, "NDX": 1.0}, is_measured=True)


def make(state: ExposureState | None) -> ExposureMonitor:
    return monitor(BOOK, state=state)


class Desk:
    """An exposure stage between a store and a broker."""

    def __init__(self, broker: FakeBroker, bus: FakeBus) -> None:
        self.broker = broker
        self.bus = bus
        self.store = FakeStore()
        self.new_process()

    def new_process(self, *, most_underlyings: int = 50, in_thread: bool = False) -> None:
        self.health = Health()
        self.registry = CollectorRegistry()
        self.stop = asyncio.Event()
        clock = ManualClock(NOW + 5 * SECOND)
        self.exposure = Exposure(
            make_monitor=make,
            bus=self.bus,
            store=self.store,
            epoch=lend(self.store, SERVICE),
            measurements=Measurements(self.bus, KEYS, clock, None),
            metrics=ExposureMetrics(self.registry, clock, most_underlyings),
            health=self.health,
            in_thread=in_thread,
        )

    def journal(self, *items: TickBlock | SingleEvent) -> None:
        number = self.store.last[keys.journal()]
        self.store.append(keys.journal(), encode_entry(JournalEntry(100 * number, 0, items)))

    def pass_second(self, number: int) -> None:
        """Quotes, and a clock event behind them."""
        now_ns = NOW + number * SECOND
        self.journal(quotes(now_ns, 100.0 + number), ClockAdvanced(event_ns=now_ns))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.exposure.run(self.stop))
            yield
            self.stop.set()

    @property
    def cursor(self) -> int:
        return self.store.records[SERVICE].reached.get(keys.journal(), 0)

    @property
    def registered(self) -> bool:
        """Whether metrics know of a commit."""
        name = "hedge_exposure_coverage_ratio"
        return self.registry.get_sample_value(name, {"book": "a"}) is not None

    @property
    def log(self) -> list[bytes]:
        return list(self.store.streams[keys.exposure_log()].values())

    def told(self) -> list[ExposureMessage]:
        published = [one for one in self.broker.published if one.topic == topics.exposure("a")]
        assert all(each.retain for each in published)
        return [codec.decode(ExposureMessage, each.payload) for each in published]

    def measured(self) -> list[MeasurementMessage]:
        topic = topics.measurements("a")
        sealed = [one.payload for one in self.broker.published if one.topic == topic]
        return [KEYS.open("monitor", topic, payload, MeasurementMessage) for payload in sealed]

    def settled(self) -> list[ProgressMessage]:
        published = [one for one in self.broker.published if one.topic == topics.progress(SERVICE)]
        return [codec.decode(ProgressMessage, each.payload) for each in published]


@asynccontextmanager
async def desk() -> AsyncIterator[Desk]:
    broker = FakeBroker()
    async with FakeBus(broker, client_id=SERVICE) as bus:
        await bus.connected.wait()
        yield Desk(broker, bus)


async def test_the_latest_exposure_is_told_retained_and_written_for_people() -> None:
    async with desk() as stage, stage.running():
        stage.pass_second(0)
        await eventually(lambda: bool(stage.told() and stage.registered))
        message = stage.told()[-1]
        assert (message.positions, message.marked) == (2, 1)
        assert [each.symbol for each in message.unmarked] == ["NDX"]
        assert stage.store.hashes[keys.exposure("a")]["coverage"].startswith("0.5 ratio")


class SlowStore(FakeStore):
    """A store that commits when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.lets = asyncio.Event()

    async def commit(self, commit: Commit) -> None:
        await self.lets.wait()
        await super().commit(commit)


@pytest.mark.parametrize("in_thread", [False, True])
async def test_an_exposure_is_told_while_it_is_committed_and_a_measurement_after(
    *, in_thread: bool
) -> None:
    async with desk() as stage:
        stage.store = store = SlowStore()
        stage.new_process(in_thread=in_thread)
        async with stage.running():
            stage.pass_second(0)
            await eventually(lambda: bool(stage.told()))
            assert stage.told()[-1].groups[-1].level == 100.0
            assert (stage.cursor, stage.measured(), stage.registered) == (0, [], False)
            store.lets.set()
            await eventually(lambda: len(stage.measured()) == 1 and stage.registered)
            assert stage.cursor == 1


async def test_a_measurement_is_sent_and_the_clock_settled_once_the_journal_has_it() -> None:
    async with desk() as stage, stage.running():
        stage.pass_second(0)
        await eventually(lambda: len(stage.measured()) == 1)
        (said,) = stage.measured()
        assert stage.settled() == []
        stage.journal(
            ExposureMeasured(
                book="a",
                event_ns=NOW,
                portfolio_delta=said.portfolio_delta,
                put_delta=said.put_delta,
                sequence=said.sequence,
            )
        )
        await eventually(lambda: bool(stage.settled()))
        assert stage.settled()[-1].sequence == 1


async def test_what_was_said_while_the_broker_was_away_is_said_with_the_next() -> None:
    async with desk() as stage, stage.running():
        stage.broker.kill()
        stage.pass_second(0)
        await eventually(lambda: stage.cursor == 1)
        stage.broker.start()
        stage.pass_second(1)
        await eventually(lambda: bool(stage.told()) and stage.told()[-1].groups[-1].level == 101.0)


async def test_what_is_taken_again_after_a_crash_is_told_again() -> None:
    async with desk() as stage:
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(stage.exposure.run(stage.stop))
            stage.pass_second(0)
            await eventually(lambda: stage.cursor == 1 and bool(stage.told()))
            task.cancel()
        stage.broker.published.clear()
        stage.new_process()
        async with stage.running():
            await eventually(lambda: bool(stage.told()))
        assert stage.told()[-1].groups[-1].level == 100.0


async def test_it_is_ready_while_its_store_answers() -> None:
    async with desk() as stage:
        stage.store.faults = iter([AWAY] * 4)
        reason = stage.health.report()["exposure.stage"].reason
        assert reason == "its record is not loaded yet"
        async with stage.running():
            await eventually(
                lambda: stage.health.report()["exposure.stage"].reason == "no answer from the store"
            )
            await eventually(lambda: stage.health.is_ready)


async def test_cut_off_at_any_await_the_log_is_the_same() -> None:
    async with desk() as stage:
        for number in range(3):
            stage.pass_second(number)
        async with stage.running():
            await eventually(lambda: stage.cursor == 3)
        expected = stage.log
    assert len(expected) == 3
    for turns in range(0, 30, 3):
        async with desk() as stage:
            for number in range(3):
                stage.pass_second(number)
            await run_for_turns(turns, stage.exposure.run(stage.stop))
            stage.new_process()
            async with stage.running():
                await eventually(lambda: stage.cursor == 3)
            assert stage.log == expected


async def test_prometheus_reads_figures_coverage_and_age() -> None:
    async with desk() as stage, stage.running():
        stage.pass_second(0)
        await eventually(lambda: bool(stage.told() and stage.registered))
        message = stage.told()[-1]
        sample = stage.registry.get_sample_value
        (group,) = [each for each in message.groups if each.bucket == "8-30d"]
        place = {"book": "a", "underlying": "SPX", "bucket": "8-30d"}
        figures = group.figures
        assert sample("hedge_exposure_dollars", place | {"figure": "vega"}) == figures["vega"]
        assert sample("hedge_exposure_units", place | {"figure": "delta"}) == figures["delta"]
        total = {"book": "a", "figure": "worst"}
        assert message.worst is not None
        assert sample("hedge_exposure_book_dollars", total) == message.worst.profit
        assert sample("hedge_exposure_coverage_ratio", {"book": "a"}) == 0.5
        unmarked = {"book": "a", "state": "unmarked"}
        assert sample("hedge_exposure_positions", unmarked) == 1
        assert sample("hedge_exposure_revaluations_total", {"book": "a"}) == 1
        assert sample("hedge_tick_to_exposure_seconds_count") == 1
        assert sample("hedge_exposure_awaited_measurements") == 1


async def test_underlyings_beyond_the_bound_are_added_up() -> None:
    async with desk() as stage:
        stage.new_process(most_underlyings=0)
        async with stage.running():
            stage.pass_second(0)
            await eventually(lambda: stage.registered)
            names = {
                sample.labels["underlying"]
                for family in stage.registry.collect()
                for sample in family.samples
                if "underlying" in sample.labels
            }
            assert names == {OTHER}
