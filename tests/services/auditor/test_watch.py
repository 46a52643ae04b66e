"""The watch on a broker and stores in memory: who speaks, and what is heard."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from fakes.bus import FakeBroker, FakeBus
from fakes.eventually import eventually
from fakes.store import FakeStore, Fault

from services.auditor.watch import SUBSCRIPTIONS, Watch, WatchPolicy
from shared.adapters.bus import Subscription
from shared.adapters.clock import SystemClock
from shared.adapters.store import StoreUnavailable
from shared.runtime.health import Health
from shared.wire import codec, topics
from shared.wire.messages import AlertMessage, StatusMessage, TriggerMessage

EVENT_TIME = "2026-11-20T15:00:00.000000000Z"


class Place:
    def __init__(self) -> None:
        self.broker = FakeBroker()
        self.market, self.orders = FakeStore(), FakeStore()
        self.health = Health()
        self.told: list[AlertMessage] = []

    def heard(self, what: str) -> list[str]:
        return [each.where for each in self.told if each.what == what]

    @asynccontextmanager
    async def watched(self, tmp_path: Path) -> AsyncIterator[FakeBus]:
        """The watch, and an ear on its alerts; the bus is the test's."""
        policy = WatchPolicy(stages=("hedger", "auditor"), disk=tmp_path, is_live=False, name="w")
        async with (
            FakeBus(self.broker, client_id="watch", subscriptions=_all(SUBSCRIPTIONS)) as bus,
            FakeBus(self.broker, client_id="ear", subscriptions=_all([topics.ALERTS])) as ear,
            asyncio.TaskGroup() as tasks,
        ):
            watch = Watch(
                policy=policy,
                bus=bus,
                market=self.market,
                orders=self.orders,
                clock=SystemClock(),
                health=self.health,
            )
            running = [tasks.create_task(watch.run()), tasks.create_task(self._hear(ear))]
            yield ear
            for task in running:
                task.cancel()

    async def _hear(self, ear: FakeBus) -> None:
        async for message in ear.messages():
            if message.topic.startswith(topics.ALERTS.rstrip("+")):
                self.told.append(codec.decode(AlertMessage, message.payload))
            message.ack()


def _all(filters: Iterable[str]) -> list[Subscription]:
    return [Subscription(each) for each in filters]


@pytest.fixture
def place() -> Place:
    return Place()


async def test_it_tells_that_it_is_there_and_who_leads_nothing(
    place: Place, tmp_path: Path
) -> None:
    async with place.watched(tmp_path):
        await eventually(lambda: place.heard("monitor_alive") == ["w"])
        await eventually(lambda: sorted(place.heard("nobody_leads")) == ["auditor", "hedger"])


async def test_a_trigger_that_fires_and_a_service_that_is_gone_are_told(
    place: Place, tmp_path: Path
) -> None:
    trigger = TriggerMessage(
        book="overlay",
        trigger="vix_move",
        state="firing",
        previous="pending",
        event_time=EVENT_TIME,
        since=EVENT_TIME,
        observations=3,
        sessions=1,
        inputs={"move": 4.0},
        reference=18.0,
        reason="",
    )
    gone = StatusMessage(service="hedger", state="offline", version="1", config_digest="")
    async with place.watched(tmp_path) as bus:
        await eventually(lambda: place.heard("monitor_alive") == ["w"])
        await bus.publish(topics.trigger("overlay", "vix_move"), codec.encode(trigger))
        await bus.publish(topics.status("hedger"), codec.encode(gone))
        await bus.publish(topics.status("gateway"), b"nonsense")
        await eventually(lambda: place.heard("trigger_fired") == ["vix_move"])
        await eventually(lambda: place.heard("service_silent") == ["hedger"])


async def test_it_is_silent_while_the_auditor_of_another_machine_leads(
    place: Place, tmp_path: Path
) -> None:
    await place.market.acquire("auditor", "another", 60_000)
    async with place.watched(tmp_path):
        with pytest.raises(AssertionError):
            await eventually(lambda: bool(place.told), within_s=4.5)
        place.health.passing("auditor.lease")  # it is ours after all
        await eventually(lambda: place.heard("monitor_alive") == ["w"])


async def test_it_speaks_while_the_store_does_not_answer(place: Place, tmp_path: Path) -> None:
    away = Fault(StoreUnavailable("gone"), applied=False)
    await place.market.acquire("auditor", "another", 60_000)
    async with place.watched(tmp_path):
        with pytest.raises(AssertionError):
            await eventually(lambda: bool(place.told), within_s=1.0)
        place.market.faults = iter([away] * 1_000)
        await eventually(lambda: place.heard("store_unreachable") == ["all"])
