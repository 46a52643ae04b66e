import asyncio
import json
import signal
import socket
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from prometheus_client import CollectorRegistry, Counter
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from shared.runtime.health import Health
from shared.runtime.http import bind, operations_app, serve


def get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.read().decode()


@asynccontextmanager
async def serving(
    health: Health, registry: CollectorRegistry, *routes: Route
) -> AsyncIterator[int]:
    listener = bind(port=0)
    port: int = listener.getsockname()[1]
    async with asyncio.TaskGroup() as group:
        task = group.create_task(serve(operations_app(health, registry, routes), listener))
        yield port
        task.cancel()


async def test_readiness_names_what_is_missing() -> None:
    health = Health("broker", "store")
    health.passing("store")
    async with serving(health, CollectorRegistry()) as port:
        status, body = await asyncio.to_thread(get, port, "/readyz")
        assert status == 503
        assert json.loads(body) == {
            "ready": False,
            "checks": {
                "broker": {"ready": False, "reason": "not started"},
                "store": {"ready": True, "reason": ""},
            },
        }

        health.passing("broker")
        assert (await asyncio.to_thread(get, port, "/readyz"))[0] == 200


async def test_alive_does_not_mean_ready() -> None:
    async with serving(Health("broker"), CollectorRegistry()) as port:
        assert await asyncio.to_thread(get, port, "/healthz") == (200, "alive\n")


async def test_metrics_come_from_the_registry_given() -> None:
    registry = CollectorRegistry()
    Counter("hedge_orders", "Orders sent", registry=registry).inc(3)
    async with serving(Health(), registry) as port:
        status, body = await asyncio.to_thread(get, port, "/metrics")
    assert status == 200
    assert "hedge_orders_total 3.0" in body


async def test_a_service_adds_its_own_routes() -> None:
    async def page(_: Request) -> Response:
        return PlainTextResponse("the page")

    async with serving(Health(), CollectorRegistry(), Route("/", page)) as port:
        assert await asyncio.to_thread(get, port, "/") == (200, "the page")


async def test_cancelling_closes_the_port_once_requests_in_hand_are_answered() -> None:
    entered = asyncio.Event()
    finish = asyncio.Event()

    async def slow(_: Request) -> Response:
        entered.set()
        await finish.wait()
        return PlainTextResponse("done")

    app = operations_app(Health(), CollectorRegistry(), [Route("/slow", slow)])
    listener = bind(port=0)
    port = listener.getsockname()[1]
    async with asyncio.TaskGroup() as group:
        served = group.create_task(serve(app, listener))
        answer = group.create_task(asyncio.to_thread(get, port, "/slow"))
        await entered.wait()
        served.cancel()
        await asyncio.wait([served], timeout=0.3)
        assert not served.done()
        finish.set()
        await asyncio.wait([served])
    assert answer.result() == (200, "done")
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
        pass


async def test_signals_stay_with_whoever_started_the_process() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    async with serving(Health(), CollectorRegistry()) as port:
        await asyncio.to_thread(get, port, "/healthz")
        assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_a_taken_port_is_an_error_unless_the_next_will_do() -> None:
    with bind(port=0) as first:
        taken = first.getsockname()[1]
        with pytest.raises(OSError, match="in use"):
            bind(port=taken)
        with bind(port=taken, next_free=True) as second:
            assert second.getsockname()[1] > taken


def test_only_loopback_is_listened_on_by_default() -> None:
    with bind(port=0) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"
