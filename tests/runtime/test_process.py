"""How a process lives and ends: a page, its services, and signals that drain it."""

import asyncio
import contextlib
import gc
import json
import os
import signal
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from fakes.configurations import SOUND, load
from fakes.eventually import eventually
from fakes.servers import free_port

from shared.runtime import process
from shared.runtime.http import bind
from shared.runtime.process import Running, run_process, stopped_by_signals
from shared.runtime.site import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(settings=load(tmp_path, SOUND))


async def drains(site: Site) -> None:
    await site.stop.wait()


async def hangs(_: Site) -> None:
    await asyncio.Event().wait()


async def fails(_: Site) -> None:
    await asyncio.sleep(0)
    raise OSError("no such disk")


async def test_a_process_ends_when_its_services_have_drained(site: Site) -> None:
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(Running(site, {"a": drains, "b": drains}).run())
        await asyncio.sleep(0.01)
        assert not task.done()
        site.stop.set()


async def test_a_service_that_fails_takes_the_others_with_it(site: Site) -> None:
    with pytest.raises(ExceptionGroup) as failure:
        await Running(site, {"a": hangs, "b": fails}).run()
    assert failure.group_contains(OSError, match="no such disk")


async def test_services_that_end_by_themselves_end_the_process(site: Site) -> None:
    async def replays(_: Site) -> None:
        await asyncio.sleep(0)

    await Running(site, {"feed": replays}).run()
    assert not site.stop.is_set()


async def test_a_thread_that_waits_for_python_gets_it_soon(site: Site) -> None:
    intervals: list[float] = []

    async def asks(_: Site) -> None:
        intervals.append(sys.getswitchinterval())

    await Running(site, {"a": asks}).run()
    assert intervals == [pytest.approx(process.SWITCH_S)]


async def test_one_that_does_not_drain_in_time_is_cancelled(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "DRAIN_S", 0.01)
    cancelled: list[str] = []

    async def clings(_: Site) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.append("clings")

    site.stop.set()
    await Running(site, {"a": clings, "b": drains}).run()
    assert cancelled == ["clings"]


async def test_the_collector_is_spared_what_starting_made(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "STARTED_S", 0.0)
    gc.unfreeze()
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(Running(site, {"a": drains}).run())
            await eventually(lambda: gc.get_freeze_count() > 0)
            site.stop.set()
    finally:
        gc.unfreeze()


async def test_a_cancellation_that_a_library_swallows_is_repeated(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "DRAIN_S", 0.01)
    swallowed: list[str] = []

    async def deaf() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        swallowed.append("once")
        await asyncio.Event().wait()

    async def waits_for_its_child(_: Site) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(deaf())

    site.stop.set()
    async with asyncio.timeout(5):
        await Running(site, {"a": waits_for_its_child, "b": drains}).run()
    assert swallowed == ["once"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_asks_to_drain(number: signal.Signals) -> None:
    stop = asyncio.Event()
    with stopped_by_signals(stop):
        os.kill(os.getpid(), number)
        await eventually(stop.is_set)


async def test_the_second_interrupt_is_the_usual_one() -> None:
    stop = asyncio.Event()
    usual = signal.getsignal(signal.SIGINT)
    with stopped_by_signals(stop):
        assert signal.getsignal(signal.SIGINT) is not usual
        os.kill(os.getpid(), signal.SIGINT)
        await eventually(stop.is_set)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def get(port: int, path: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.read()


async def test_a_process_serves_its_page_until_its_services_have_ended(site: Site) -> None:
    async def waits_for_its_record(given: Site) -> None:
        given.health.failing("gateway.record", "in use by another gateway")
        await given.stop.wait()

    port = free_port()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(
            run_process(site, {"gateway": waits_for_its_record}, port=port, next_free=False)
        )
        await eventually(lambda: "gateway.record" in site.health.report())
        status, body = await asyncio.to_thread(get, port, "/readyz")
        assert status == 503
        checks = json.loads(body)["checks"]
        assert checks["gateway.record"]["reason"] == "in use by another gateway"
        site.health.passing("gateway.record")
        assert (await asyncio.to_thread(get, port, "/readyz"))[0] == 200
        assert (await asyncio.to_thread(get, port, "/metrics"))[0] == 200
        site.stop.set()
    with pytest.raises(urllib.error.URLError):
        await asyncio.to_thread(get, port, "/healthz")


async def test_a_taken_port_is_told_before_any_service_starts(site: Site) -> None:
    started: list[Site] = []

    async def starts(given: Site) -> None:
        started.append(given)

    listener = bind(port=0)
    with listener, pytest.raises(OSError, match="in use"):
        await run_process(site, {"a": starts}, port=listener.getsockname()[1], next_free=False)
    assert started == []
