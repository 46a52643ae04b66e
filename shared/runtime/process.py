"""A process: its services, its page of health and metrics, and how it ends.

SIGTERM and Ctrl-C set `site.stop`: services finish what they have in hand. A second Ctrl-C, or a
service that does not drain in time, cancels: that is safe, only slower to recover from.
"""

import asyncio
import gc
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import structlog

from shared.runtime.http import bind, serve
from shared.runtime.site import Site

log = structlog.get_logger()

ServiceMain = Callable[[Site], Awaitable[None]]

DRAIN_S: Final = 5.0
_CANCEL_AGAIN_S: Final = 0.1
STARTED_S: Final = 5.0
SWITCH_S: Final = 0.0005
"""For how long a thread keeps Python from another that waits for it.

The gateway writes each group of orders in a thread, which has to get Python back after every
statement: at CPython's 5 ms, a busy event loop turned a commit of 4 ms into one of 20 to 60.
"""


class Running:
    """Services of one process, from start to drained."""

    def __init__(self, site: Site, services: Mapping[str, ServiceMain]) -> None:
        self._site = site
        self._services = services
        self._tasks: list[asyncio.Task[None]] = []
        self._outside: set[asyncio.Task[Any]] = set()

    async def run(self) -> None:
        """Run all services until the site is to stop, or one of them fails.

        Raises:
            ExceptionGroup: What made a service fail.
        """
        self._outside = asyncio.all_tasks()
        sys.setswitchinterval(SWITCH_S)
        async with asyncio.TaskGroup() as tasks:
            self._tasks = [
                tasks.create_task(self._main(name, main), name=name)
                for name, main in self._services.items()
            ]
            others = [tasks.create_task(self._drain()), tasks.create_task(_freeze_what_started())]
            await asyncio.wait(self._tasks)
            for task in others:
                task.cancel()

    async def _main(self, name: str, main: ServiceMain) -> None:
        log.info("service_started", service=name)
        await main(self._site)
        log.info("service_ended", service=name)

    async def _drain(self) -> None:
        """Give services some seconds from `stop` on; then cancel, which is safe but says less."""
        await self._site.stop.wait()
        await asyncio.sleep(DRAIN_S)
        for task in self._tasks:
            if not task.done():
                log.warning("service_cancelled", service=task.get_name(), after_s=DRAIN_S)
        while True:  # a task group passes a cancellation on once, and a library may swallow it
            for task in asyncio.all_tasks() - self._outside - {asyncio.current_task()}:
                task.cancel()
            await asyncio.sleep(_CANCEL_AGAIN_S)


async def _freeze_what_started() -> None:
    """Spare the collector what starting made and nobody drops: looking at it costs 80 ms a time."""
    await asyncio.sleep(STARTED_S)
    gc.collect()
    gc.freeze()


async def run_process(
    site: Site,
    services: Mapping[str, ServiceMain],
    *,
    port: int,
    next_free: bool,
    listener: socket.socket | None = None,
) -> None:
    """Run services with their page of health and metrics until SIGTERM or Ctrl-C.

    Args:
        site: Where.
        services: By name.
        port: Where to serve.
        next_free: Take the next free port when that one is taken.
        listener: To serve on instead of a port.

    Raises:
        ExceptionGroup: What made a service fail.
        OSError: The port is taken.
    """
    listener = listener or bind(site.settings.http.host, port, next_free=next_free)
    host, bound = listener.getsockname()[:2]
    log.info("operations_page", url=f"http://{host}:{bound}/readyz")
    with stopped_by_signals(site.stop):
        async with asyncio.TaskGroup() as tasks:
            page = tasks.create_task(serve(site.front, listener))
            await Running(site, services).run()
            page.cancel()


@contextmanager
def stopped_by_signals(stop: asyncio.Event) -> Iterator[None]:
    """Set `stop` on the first SIGTERM or Ctrl-C; the second Ctrl-C interrupts as usual."""
    loop = asyncio.get_running_loop()

    def stopping() -> None:
        stop.set()
        loop.remove_signal_handler(signal.SIGINT)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
