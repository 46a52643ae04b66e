"""The page of `hedgestat up` and of the demo: a child process on a socket that is ours.

The socket is bound here and inherited, so that the page's address is known before the page is
there, and stays its address when the child begins anew: a browser just connects again.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from services.command.children import COMMAND, keep_running
from shared.runtime.http import bind, operations_app
from shared.runtime.site import Site

log = structlog.get_logger()

SERVICE = "dashboard"


def as_page(config: Path) -> Callable[[Site], Coroutine[Any, Any, None]]:
    """Make a service of the page, run in a process of its own."""

    async def run(site: Site) -> None:
        listener = open_page(site)
        log.info("page", url=page_url(listener))
        await run_page(site, config, listener)

    return run


def open_page(site: Site) -> socket.socket:
    """Listen where the page will be, and lead there whoever asks this process for a page."""
    http = site.settings.http
    listener = bind(http.host, http.ports[SERVICE], next_free=True)
    port = listener.getsockname()[1]

    async def lead_there(request: Request) -> Response:
        return RedirectResponse(str(request.url.replace(port=port, path="/", query="")))

    route = Route("/", lead_there)
    site.front.show(operations_app(site.health, site.registry, [route], hosts=http.hosts))
    return listener


def page_url(listener: socket.socket) -> str:
    """Return where the page is."""
    host, port = listener.getsockname()[:2]
    return f"http://{host}:{port}/"


async def run_page(
    site: Site,
    config: Path,
    listener: socket.socket,
    environment: Mapping[str, str] | None = None,
    *,
    quiet: bool = False,
) -> None:
    """Run the page in a process of its own until the site is to stop.

    Args:
        site: Whose page it is.
        config: The configuration.
        listener: Where it serves.
        environment: Variables that go before the configuration.
        quiet: Nobody wants to read its log.
    """
    words = ("run", SERVICE, "--child", "--listener", str(listener.fileno()), "-c", str(config))
    with listener:
        await keep_running(
            [*COMMAND, *words],
            site,
            pass_fds=(listener.fileno(),),
            environment=environment,
            quiet=quiet,
        )


@contextlib.asynccontextmanager
async def page_of(site: Site, config: Path) -> AsyncIterator[str]:
    """Serve the page of a demo for as long as the block lasts; gives its address.

    Where broker, store and keys are stands in the site's settings, not in the configuration.
    """
    settings = site.settings
    environment = {
        "HEDGESTAT_MQTT_URL": settings.mqtt.url,
        "HEDGESTAT_REDIS_URL": settings.redis.orders.url,
        "HEDGESTAT_REDIS_MARKET_URL": settings.redis.market.url,
        "HEDGESTAT_KEYS": settings.keys.directory,
    }
    listener = open_page(site)
    async with asyncio.TaskGroup() as tasks:
        page = tasks.create_task(run_page(site, config, listener, environment, quiet=True))
        try:
            yield page_url(listener)
        finally:
            page.cancel()
