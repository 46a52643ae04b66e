"""What every process answers over HTTP: `/healthz`, `/readyz`, `/metrics`.

`bind` chooses the port before anything runs, so that it can be printed; `serve` runs in the task
group of the process until it is cancelled. It leaves signals alone: who starts the process decides
what Ctrl-C means.
"""

import asyncio
import contextlib
import socket
from collections.abc import Collection, Iterator, Sequence
from typing import Final

import msgspec
import uvicorn
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.runtime.health import Health
from shared.runtime.hosts import KnownNames

_GRACE_S: Final = 1
_PORTS_TRIED: Final = 50
_STUCK_MS: Final = 20_000


def operations_routes(health: Health, registry: CollectorRegistry) -> list[BaseRoute]:
    """The three endpoints.

    `/healthz` answers 200 while the event loop turns. `/readyz` answers 200 when every check of
    `health` passes and 503 otherwise, with all checks as JSON. `/metrics` is for Prometheus.
    """

    async def alive(_: Request) -> Response:
        return Response("alive\n", media_type="text/plain")

    async def ready(_: Request) -> Response:
        report = health.report()
        is_ready = all(check.ready for check in report.values())
        body = msgspec.json.encode({"ready": is_ready, "checks": report})
        return Response(body, 200 if is_ready else 503, media_type="application/json")

    async def metrics(request: Request) -> Response:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), headers={"content-type": content_type})

    return [Route("/healthz", alive), Route("/readyz", ready), Route("/metrics", metrics)]


def operations_app(
    health: Health,
    registry: CollectorRegistry,
    routes: Sequence[BaseRoute] = (),
    *,
    hosts: Collection[str] = (),
) -> Starlette:
    """An application of `operations_routes`, after a service's own; `hosts`: see `KnownNames`."""
    return Starlette(
        routes=[*routes, *operations_routes(health, registry)],
        middleware=[Middleware(KnownNames, names=hosts)],
    )


class Front:
    """The application that a process serves; another may take its place while it is served.

    Args:
        app: The first.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def show(self, app: ASGIApp) -> None:
        """Serve another application from the next request on."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        await self._app(scope, receive, send)


def bind(host: str = "127.0.0.1", port: int = 8080, *, next_free: bool = False) -> socket.socket:
    """Listen on a port; `.getsockname()[1]` of what is returned says on which.

    Args:
        host: The address; loopback unless somebody means it.
        port: The port; 0 for any.
        next_free: Try the ports after it when it is taken.

    Raises:
        OSError: The port is taken, and with `next_free` the 50 from it on.
    """
    last = min(port + _PORTS_TRIED, 65_536) if next_free and port else port + 1
    for candidate in range(port, last):
        try:
            listener = socket.create_server((host, candidate), reuse_port=False)
        except OSError as error:
            if candidate == last - 1:
                raise OSError(error.errno, f"cannot serve on {host}:{port}: {error}") from error
        else:
            _give_up_on_the_stuck(listener)
            return listener
    raise AssertionError("unreachable")


def _give_up_on_the_stuck(listener: socket.socket) -> None:
    """Let the kernel end connections whose other end takes nothing: closing waits for them."""
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _STUCK_MS)


async def serve(app: ASGIApp, listener: socket.socket) -> None:
    """Serve `app` on `listener` until cancelled; requests in hand get a second to finish."""
    server = _Server(
        uvicorn.Config(
            app,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE_S,
        )
    )
    try:
        await server.serve(sockets=[listener])
    except asyncio.CancelledError:
        if server.started:
            await server.shutdown(sockets=[listener])
        raise
    finally:
        listener.close()


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
