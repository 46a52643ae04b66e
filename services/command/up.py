"""`hedgestat up` and `hedgestat run`: services in this process, against configured servers."""

import asyncio
import socket
from collections.abc import Collection, Coroutine, Iterable, Mapping
from pathlib import Path
from typing import Final

import structlog

from services.auditor.__main__ import run as run_auditor
from services.command.children import as_child, stop_with_input
from services.command.endings import Failed, Refused, named_reasons
from services.command.pages import as_page
from services.gateway.__main__ import run as run_gateway
from services.hedger.__main__ import run as run_hedger
from services.ingest.__main__ import run as run_ingest
from services.signals.__main__ import run as run_signals
from shared.adapters.keyring import KeyMissing, KeysNeeded
from shared.adapters.settings import Settings
from shared.runtime.logs import configure_logging
from shared.runtime.process import ServiceMain, run_process
from shared.runtime.site import Site

SERVICES: Final[dict[str, ServiceMain]] = {
    "ingest": run_ingest,
    "signals": run_signals,
    "hedger": run_hedger,
    "gateway": run_gateway,
}
"""What runs all the time; the feed runs for a replay."""


async def run_exposure(site: Site) -> None:
    """Run the exposure stage; whoever holds no positions does not load what it computes with."""
    from services.exposure.__main__ import run  # noqa: PLC0415 - see above

    await run(site)


async def run_dashboard(site: Site) -> None:
    """Run the page; whoever serves none does not load what serves it."""
    from services.dashboard.__main__ import run  # noqa: PLC0415 - see above

    await run(site)


ALL_SERVICES: Final[dict[str, ServiceMain]] = {
    **SERVICES,
    "exposure": run_exposure,
    "auditor": run_auditor,
    "dashboard": run_dashboard,
}
"""And the one for those who hold positions, and those with a process of their own."""

KEYS: Final[dict[str, KeysNeeded]] = {
    "ingest": KeysNeeded(believes=("operator", "gateway", "monitor")),
    "hedger": KeysNeeded(signs=("monitor",), believes=("gateway",)),
    "exposure": KeysNeeded(signs=("monitor",)),
    "gateway": KeysNeeded(signs=("gateway",), believes=("monitor", "operator")),
    "auditor": KeysNeeded(signs=("auditor",), believes=("monitor",)),
    "dashboard": KeysNeeded(believes=("gateway",)),
}
"""What a service signs with and whom it must be able to believe."""

log = structlog.get_logger()


def services_of(settings: Settings) -> dict[str, ServiceMain]:
    """Return what runs all the time under a configuration: exposure where there are positions."""
    return {**SERVICES, "exposure": run_exposure} if settings.has_positions else SERVICES


def with_children(config: Path, settings: Settings) -> dict[str, ServiceMain]:
    """Return all services: auditor, page, and where there are positions exposure, as children.

    Valuing a large book takes the processor for longer than an order should wait.
    """
    names = ("exposure", "auditor") if settings.has_positions else ("auditor",)
    children = {name: as_child("run", name, "--child", "-c", str(config)) for name in names}
    return {**SERVICES, **children, "dashboard": as_page(config)}


def some_of(
    services: Mapping[str, ServiceMain], without: Collection[str]
) -> dict[str, ServiceMain]:
    """Leave some services out.

    Raises:
        Refused: There is no such service, or none is left.
    """
    for name in without:
        if name not in services:
            raise Refused(f"--without {name}: there are {', '.join(services)}")
    left = {name: main for name, main in services.items() if name not in without}
    if not left:
        raise Refused("no service is left to run")
    return left


def run_services(  # noqa: PLR0913 - options are the interface
    settings: Settings,
    services: Mapping[str, ServiceMain],
    *,
    port: int,
    next_free: bool,
    child: bool = False,
    listener: socket.socket | None = None,
) -> None:
    """Run services until SIGTERM or Ctrl-C; what ends one of them is said in one line.

    Args:
        settings: The configuration.
        services: By name.
        port: Of the page of health and metrics.
        next_free: Take the next free port when that one is taken.
        child: Stop when standard input ends, too.
        listener: To serve on instead of a port.

    Raises:
        Refused: A key is missing that one of them needs.
        SystemExit: With 1, when a service could not go on.
    """
    site = Site(settings=settings)
    check_keys(site, services)
    configure_logging(settings.logs.level)
    try:
        with named_reasons():
            running = run_process(site, services, port=port, next_free=next_free, listener=listener)
            asyncio.run(_run(site, running, child=child))
    except Failed as failed:
        for reason in failed.args:
            log.critical("stopped", reason=reason)
        raise SystemExit(1) from None
    except KeyboardInterrupt:  # the second one: services were not waited for
        raise SystemExit(130) from None


async def _run(site: Site, running: Coroutine[None, None, None], *, child: bool) -> None:
    if child:
        stop_with_input(site.stop.set)
    await running


def check_keys(site: Site, services: Iterable[str]) -> None:
    """See that services have the keys that they need.

    Raises:
        Refused: One is missing, or cannot be read; the text says what to do.
    """
    try:
        for service in services:
            if needed := KEYS.get(service):
                site.keyring.require(needed)
    except KeyMissing as missing:
        raise Refused(str(missing)) from missing
