"""A replay gets through whatever happens to the broker and to those it waits for."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import msgspec
import pytest
from fakes.bus import FakeBroker, FakeBus
from fakes.eventually import eventually
from fakes.interrupted import run_for_turns
from prometheus_client import CollectorRegistry

from services.feed.metrics import FeedMetrics
from services.feed.pacing import JournalWentBack, NumberedStep
from services.feed.service import SERVICE, SUBSCRIPTIONS, Feed, FeedPolicy
from shared.adapters.bus import BusUnavailable, Subscription
from shared.adapters.clock import SystemClock
from shared.adapters.history.replay import ReplayStep
from shared.domain.events import Tick
from shared.wire import codec, topics
from shared.wire.messages import ClockMessage, ProgressMessage, TickMessage
from shared.wire.times import format_instant

STEPS = [
    ReplayStep(
        ticks=tuple(Tick(symbol="VIX", event_ns=10 * n, price=14.0 + n) for _ in range(n % 3)),
        clock_ns=10 * n,
    )
    for n in range(1, 7)
]
LAST = sum(len(step.ticks) + 1 for step in STEPS)


class Pipeline:
    """Ingest, hedger and gateway as the feed knows them: they take numbers in turn, and tell."""

    def __init__(self, bus: FakeBus) -> None:
        self._bus = bus
        self.journal: list[int] = []
        self.deaf = False
        self.settled: str | None = None

    async def repeat(self) -> None:
        """Say it again and again, as the services do: a word may be lost."""
        while True:
            await asyncio.sleep(0.02)
            await self._tell_all()

    async def run(self) -> None:
        async for message in self._bus.messages():
            if not self.deaf:
                await self._take(message.topic, message.payload)
            message.ack()

    async def _take(self, topic: str, payload: bytes) -> None:
        arrived: Sequence[TickMessage | ClockMessage]
        if topic == topics.CLOCK:
            arrived = [codec.decode(ClockMessage, payload)]
        else:
            arrived = msgspec.json.decode(payload, type=list[TickMessage])
        for each in arrived:
            if each.sequence == len(self.journal) + 1:
                self.journal.append(each.sequence)
                if isinstance(each, ClockMessage):
                    self.settled = format_instant(int(each.event_time))
        await self._tell_all()

    async def _tell_all(self) -> None:
        await self.tell("hedger", settled=self.settled)
        await self.tell("gateway", settled=self.settled)
        await self.tell("ingest", source="replay", sequence=len(self.journal))

    async def tell(
        self, service: str, source: str = "", sequence: int = 0, settled: str | None = None
    ) -> None:
        progress = ProgressMessage(
            service=service, source=source, sequence=sequence, settled=settled
        )
        try:
            await self._bus.publish(topics.progress(service), codec.encode(progress), qos=1)
        except BusUnavailable:
            return


class Replay:
    """A feed beside a pipeline, and the steps it has done."""

    def __init__(self, broker: FakeBroker, bus: FakeBus, pipeline: Pipeline) -> None:
        self.broker = broker
        self.pipeline = pipeline
        self.bus = bus
        self.done: list[NumberedStep] = []
        self.registry = CollectorRegistry()
        self.feed = self.new_feed()

    def new_feed(
        self, speed: float | None = None, on_step: Callable[[NumberedStep], None] | None = None
    ) -> Feed:
        return Feed(
            policy=FeedPolicy(source="replay", speed=speed),
            bus=self.bus,
            clock=SystemClock(),
            metrics=FeedMetrics(CollectorRegistry()),
            on_step=on_step or self.done.append,
        )


@asynccontextmanager
async def replaying() -> AsyncIterator[Replay]:
    broker = FakeBroker()
    async with (
        FakeBus(
            broker, client_id="pipeline", subscriptions=subscribed(topics.TICKS, topics.CLOCK)
        ) as others,
        FakeBus(broker, client_id=SERVICE, subscriptions=subscribed(*SUBSCRIPTIONS)) as bus,
        asyncio.TaskGroup() as tasks,
    ):
        pipeline = Pipeline(others)
        running = [tasks.create_task(pipeline.run()), tasks.create_task(pipeline.repeat())]
        yield Replay(broker, bus, pipeline)
        for task in running:
            task.cancel()


def subscribed(*names: str) -> list[Subscription]:
    return [Subscription(name) for name in names]


async def test_a_replay_ends_when_its_last_step_is_settled() -> None:
    async with replaying() as replay:
        await replay.feed.run(STEPS)
        assert replay.pipeline.journal == list(range(1, LAST + 1))
        assert [step.clock.event_ns for step in replay.done] == [10, 20, 30, 40, 50, 60]


async def test_each_number_is_sent_once_when_nothing_goes_wrong() -> None:
    async with replaying() as replay:
        await replay.feed.run(STEPS)
        clocks = [each for each in replay.broker.published if each.topic == topics.CLOCK]
        assert len(clocks) == len(STEPS)


async def test_a_broker_that_is_killed_and_forgets_costs_nothing_but_time() -> None:
    async with replaying() as replay:
        kills = iter([True, False, True])

        def on_step(step: NumberedStep) -> None:
            replay.done.append(step)
            if next(kills, False):
                replay.broker.kill()
                replay.broker.start()

        await replay.new_feed(on_step=on_step).run(STEPS)
        assert replay.pipeline.journal == list(range(1, LAST + 1))


async def test_what_nobody_took_is_sent_again() -> None:
    async with replaying() as replay, asyncio.TaskGroup() as tasks:
        replay.pipeline.deaf = True
        task = tasks.create_task(replay.feed.run(STEPS[:1]))
        await eventually(lambda: len(replay.broker.published) >= 2)
        replay.pipeline.deaf = False
        await task
        assert replay.pipeline.journal == [1, 2]


async def test_words_it_does_not_understand_do_not_stop_it() -> None:
    async with replaying() as replay:
        await replay.feed._bus.connected.wait()  # noqa: SLF001 - it is the bus we gave it
        await replay.bus.publish(topics.progress("ingest"), b"not json")
        await replay.pipeline.tell("hedger", settled="yesterday")
        await replay.feed.run(STEPS)
        assert len(replay.done) == len(STEPS)


async def test_the_numbers_of_another_replay_do_not_concern_it() -> None:
    async with replaying() as replay:
        await replay.pipeline.tell("ingest", source="another", sequence=99)
        await replay.feed.run(STEPS)
        assert replay.pipeline.journal == list(range(1, LAST + 1))


async def test_a_journal_that_lost_a_finished_step_ends_the_replay_loudly() -> None:
    async with replaying() as replay:

        def on_step(step: NumberedStep) -> None:
            replay.done.append(step)
            if len(replay.done) == 3:
                replay.pipeline.journal.clear()

        with pytest.raises(ExceptionGroup) as ended:
            await replay.new_feed(on_step=on_step).run(STEPS)
        assert ended.group_contains(JournalWentBack)


async def test_it_is_held_back_to_the_speed_asked_for() -> None:
    async with replaying() as replay:
        loop = asyncio.get_running_loop()
        instants = []
        feed = replay.new_feed(speed=0.5e-6, on_step=lambda _: instants.append(loop.time()))
        await feed.run(STEPS)  # 10 ns of event time are 20 ms
        assert instants[-1] - instants[0] >= 0.09


async def test_cut_off_at_any_await_a_replay_begun_again_goes_on() -> None:
    for turns in range(0, 120, 3):
        async with replaying() as replay:
            await run_for_turns(turns, replay.feed.run(STEPS))
            await replay.new_feed().run(STEPS)
            assert replay.pipeline.journal == list(range(1, LAST + 1))
