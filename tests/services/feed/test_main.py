import asyncio
from pathlib import Path

import pytest
from fakes.eventually import eventually
from fakes.workplace import workplace

from services.feed.__main__ import run
from services.feed.pacing import NumberedStep
from services.feed.service import FeedPolicy
from services.ingest.__main__ import run as run_ingest
from shared.adapters.history.replay import ReplayStep
from shared.domain.events import Tick
from shared.domain.instants import DAY

STEPS = [
    ReplayStep(ticks=(Tick(symbol="VIX", event_ns=day * DAY, price=15.0),), clock_ns=day * DAY + 1)
    for day in range(15_000, 15_300)
]


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
