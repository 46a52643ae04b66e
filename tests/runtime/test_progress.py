"""How far a service is: told at once, and again every second, for one may be lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from fakes.bus import FakeBroker, FakeBus
from fakes.eventually import eventually

from shared.runtime import progress
from shared.runtime.progress import ProgressReporter
from shared.wire import codec, topics
from shared.wire.messages import ProgressMessage


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "REPEAT_S", 0.03)


def at(sequence: int, source: str = "replay") -> ProgressMessage:
    return ProgressMessage(service="ingest", source=source, sequence=sequence)


def told(broker: FakeBroker) -> list[ProgressMessage]:
    assert {each.topic for each in broker.published} <= {topics.progress("ingest")}
    return [codec.decode(ProgressMessage, each.payload) for each in broker.published]


@asynccontextmanager
async def reporting(
    *, denied: tuple[str, ...] = ()
) -> AsyncIterator[tuple[FakeBroker, ProgressReporter]]:
    broker = FakeBroker(denied=denied)
    async with FakeBus(broker, client_id="ingest") as bus, asyncio.TaskGroup() as tasks:
        await bus.connected.wait()
        reporter = ProgressReporter(bus, "ingest")
        task = tasks.create_task(reporter.run())
        yield broker, reporter
        task.cancel()


async def test_news_are_told_and_repeated() -> None:
    async with reporting() as (broker, reporter):
        reporter.report(at(5))
        await eventually(lambda: told(broker)[:3] == [at(5)] * 3)


async def test_only_the_latest_of_a_source_is_told() -> None:
    async with reporting() as (broker, reporter):
        reporter.report(at(5))
        reporter.report(at(1, "other"))
        reporter.report(at(6))
        await eventually(lambda: len(told(broker)) >= 2)
        assert told(broker)[:2] == [at(6), at(1, "other")]
        assert at(5) not in told(broker)


async def test_news_do_not_repeat_what_is_no_news() -> None:
    async with reporting() as (broker, reporter):
        reporter.report(at(1, "other"))
        await eventually(lambda: len(told(broker)) == 1)
        reporter.report(at(6))
        await eventually(lambda: len(told(broker)) == 2)
        assert told(broker)[1] == at(6)


async def test_a_progress_lost_with_the_broker_is_told_once_it_is_back() -> None:
    async with reporting() as (broker, reporter):
        broker.kill()
        reporter.report(at(5))
        await asyncio.sleep(0)
        broker.start()
        await eventually(lambda: at(5) in told(broker))


async def test_a_broker_that_does_not_want_it_ends_nothing() -> None:
    async with reporting(denied=(topics.progress("ingest"),)) as (broker, reporter):
        reporter.report(at(5))
        await eventually(lambda: reporter._news == {})  # noqa: SLF001 - it has tried
        assert told(broker) == []


async def test_what_was_told_already_is_not_told_at_once_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(progress, "REPEAT_S", 60.0)
    async with reporting() as (broker, reporter):
        reporter.report(at(5))
        await eventually(lambda: told(broker) == [at(5)])
        reporter.report(at(5))
        for _ in range(10):
            await asyncio.sleep(0)
        reporter.report(at(6))
        await eventually(lambda: at(6) in told(broker))
        assert told(broker) == [at(5), at(6)]
