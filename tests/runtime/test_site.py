"""What a process gives its services: connections that tell of themselves, a calendar, an end."""

import asyncio
from pathlib import Path

import pytest
from fakes.clock import ManualClock
from fakes.configurations import SOUND, load
from fakes.eventually import eventually
from fakes.servers import MosquittoServer

from shared.domain.instants import SECOND
from shared.runtime.site import Site
from shared.wire import codec, topics
from shared.wire.messages import StatusMessage

TODAY = 1_709_560_800 * SECOND  # 2024-03-04


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(settings=load(tmp_path, SOUND), clock=ManualClock(TODAY))


def events(site: Site, service: str, event: str) -> float | None:
    labels = {"service": service, "event": event}
    return site.registry.get_sample_value("hedge_bus_events_total", labels)


def ready(site: Site) -> set[bool]:
    return {check.ready for check in site.health.report().values()}


async def test_a_service_that_ends_by_itself_ends_the_wait(site: Site) -> None:
    done: list[str] = []

    async def service() -> None:
        done.append("worked")

    await site.until_stopped(service())
    assert done == ["worked"]
    assert not site.stop.is_set()


async def test_the_end_of_the_process_cancels_the_service(site: Site) -> None:
    ended: list[str] = []

    async def service() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cleaned up")

    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(site.until_stopped(service()))
        await asyncio.sleep(0)
        site.stop.set()
        await running
    assert ended == ["cleaned up"]


async def test_what_makes_a_service_fail_is_not_hidden(site: Site) -> None:
    async def service() -> None:
        raise OSError("no such disk")

    with pytest.raises(ExceptionGroup) as failure:
        await site.until_stopped(service())
    assert failure.group_contains(OSError, match="no such disk")


async def test_a_service_begun_after_the_end_ends_too(site: Site) -> None:
    async def service() -> None:
        await asyncio.Event().wait()

    site.stop.set()
    async with asyncio.timeout(5):
        await site.until_stopped(service())


async def test_sessions_are_counted_from_the_same_day_at_every_start(site: Site) -> None:
    later = Site(settings=site.settings, clock=ManualClock(TODAY + 400 * 86_400 * SECOND))
    sessions = [each.calendar().session(TODAY) for each in (site, later)]
    assert sessions[0] == sessions[1]


def test_two_sites_count_apart(site: Site, tmp_path: Path) -> None:
    other = Site(settings=load(tmp_path, SOUND))
    assert other.registry is not site.registry
    assert other.health is not site.health
    assert other.stop is not site.stop


def test_before_it_is_connected_a_bus_is_not_ready(site: Site) -> None:
    site.bus("hedger", ())
    report = site.health.report()
    assert (report["hedger.bus"].ready, report["hedger.bus"].reason) == (False, "not connected yet")


@pytest.mark.server
async def test_a_bus_tells_health_metrics_and_everybody_how_it_is(tmp_path: Path) -> None:
    with MosquittoServer(tmp_path / "broker") as server:
        settings = load(tmp_path, SOUND, {"HEDGESTAT_MQTT_URL": server.url})
        site = Site(settings=settings)
        async with site.bus("watcher", (topics.STATUS,)) as watcher:
            await watcher.connected.wait()
            async with site.bus("hedger", ()) as bus:
                await bus.connected.wait()
                assert site.health.report()["hedger.bus"].ready
                assert events(site, "hedger", "connected") == 1
                server.kill()
                await eventually(lambda: ready(site) == {False})
                server.start()
                await eventually(lambda: ready(site) == {True})
                assert events(site, "hedger", "connected") == 2
                assert (events(site, "hedger", "disconnected") or 0) >= 1
            heard: list[StatusMessage] = []
            while not heard or heard[-1].state == "online":
                async with asyncio.timeout(10):
                    (message,) = await watcher.next_batch(1)
                message.ack()
                if message.topic == topics.status("hedger"):
                    heard.append(codec.decode(StatusMessage, message.payload))
    assert [each.state for each in heard[-2:]] == ["online", "offline"]
    assert {each.config_digest for each in heard} == {settings.digest}
