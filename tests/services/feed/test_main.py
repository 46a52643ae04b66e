import asyncio
from pathlib import Path

import pytest
from fakes.eventually import eventually
from fakes.workplace import workplace
from msgspec import UNSET, structs

from services.feed.__main__ import run
from services.feed.pacing import NumberedStep
from services.feed.service import FeedPolicy
from services.ingest.__main__ import run as run_ingest
from shared.adapters.history.replay import ReplayStep
from shared.domain.events import Tick
from shared.domain.instants import DAY
from shared.wire import topics
from shared.wire.codec import decode
from shared.wire.messages import StatusMessage

STEPS = [
    ReplayStep(ticks=(Tick(symbol="VIX", event_ns=day * DAY, price=15.0),), clock_ns=day * DAY + 1)
    for day in range(15_000, 15_300)
]


@pytest.mark.server
async def test_a_replay_that_came_to_its_end_says_so_and_one_that_was_stopped_does_not(
    tmp_path: Path,
) -> None:
    policy = FeedPolicy(source="test", waits_for=frozenset())

    async def last_status(steps: list[ReplayStep], speed: float | None = None) -> StatusMessage:
        async with place.running(run_ingest) as site, asyncio.TaskGroup() as tasks:
            paced, done = structs.replace(policy, speed=speed), list[NumberedStep]()
            replay = tasks.create_task(run(site, steps, paced, done.append))
            if speed is None:
                await replay
            else:
                await eventually(lambda: bool(done), within_s=30)  # it has said that it is here
                site.stop.set()
                await replay
        async with place.client(topics.STATUS) as bus, asyncio.timeout(10):
            async for message in bus.messages():
                message.ack()
                status = decode(StatusMessage, message.payload)
                if status.service == "feed" and status.state == "offline":
                    return status
        raise AssertionError("unreachable")

    async with workplace(tmp_path) as place:
        finished = await last_status(STEPS[:5])
        assert (finished.state, finished.note) == ("offline", "finished")
        stopped = await last_status(STEPS, speed=1.0)
        assert (stopped.state, stopped.note) == ("offline", UNSET)


@pytest.mark.server
async def test_broker_and_store_are_killed_and_the_replay_goes_through(tmp_path: Path) -> None:
    done: list[NumberedStep] = []
    policy = FeedPolicy(source="test", waits_for=frozenset())
    async with workplace(tmp_path) as place:
        async with place.running(run_ingest) as site, asyncio.TaskGroup() as tasks:
            replay = tasks.create_task(run(site, STEPS, policy, done.append))
            for steps in (50, 150):
                await eventually(lambda: len(done) >= steps, within_s=30)  # noqa: B023 - awaited here
                await place.kill(site)
            async with asyncio.timeout(60):
                await replay
        assert len(done) == len(STEPS)
        assert await place.journalled() == list(range(1, 2 * len(STEPS) + 1))
