"""`hedgestat doctor`: what is wrong with a deployment, and what to do about it."""

import asyncio
import sys
from collections.abc import AsyncIterator, Collection, Iterable
from typing import Final

from msgspec import Struct
from rich.console import Console
from rich.markup import escape

from services.command.up import ALL_SERVICES, KEYS
from shared.adapters.clock import Clock, SystemClock
from shared.adapters.examination.certificates import examine_certificates
from shared.adapters.examination.clocks import examine_clock
from shared.adapters.examination.files import examine_files, examine_keys
from shared.adapters.examination.findings import Finding
from shared.adapters.examination.running import (
    examine_gateway,
    examine_leases,
    examine_versions,
    keyring_of,
)
from shared.adapters.examination.servers import examine_broker, examine_store
from shared.adapters.examination.watchers import (
    examine_alertmanager,
    examine_page,
    examine_prometheus,
)
from shared.adapters.keyring import KeysNeeded
from shared.adapters.settings import Settings
from shared.runtime.logs import configure_logging

UNLED: Final = {"gateway", "dashboard"}
"""Services whose stage nobody leads, for there is one of them, or any number."""


OPERATOR: Final = "operator"
"""In the place of a service: whoever commands, from a machine where none runs."""
_COMMANDING: Final = KeysNeeded(signs=("operator",), believes=("gateway",))


class Examination(Struct, frozen=True, kw_only=True):
    """What is to be looked at beside servers and files.

    Attributes:
        services: Of this machine, whose keys and files it needs; or `OPERATOR`.
        is_running: Whether the services are to be running.
        page: Where it is, if it is to be looked at.
        prometheus: The same.
        alertmanager: The same.
    """

    services: tuple[str, ...] = tuple(ALL_SERVICES)
    is_running: bool = False
    page: str | None = None
    prometheus: str | None = None
    alertmanager: str | None = None


def examine(settings: Settings, examination: Examination, console: Console) -> bool:
    """Print every finding as it comes; whether all is well."""
    configure_logging("error", stream=sys.stderr)
    return asyncio.run(_examine(settings, examination, console))


def missing_keys(settings: Settings) -> list[str]:
    """Say what is wrong with the keys, a line each: nothing of it is the configuration's fault."""
    findings = examine_keys(settings, _needed(KEYS))
    return [
        f"{each.subject}: {each.seen}\n  -> {each.remedy}" for each in findings if not each.is_well
    ]


def _needed(services: Iterable[str]) -> KeysNeeded:
    """All keys of some services."""
    known = {**KEYS, OPERATOR: _COMMANDING}
    each = [known[service] for service in services if service in known]
    return KeysNeeded(
        signs=tuple(dict.fromkeys(role for needed in each for role in needed.signs)),
        believes=tuple(dict.fromkeys(role for needed in each for role in needed.believes)),
    )


async def _examine(settings: Settings, examination: Examination, console: Console) -> bool:
    is_well = True
    async for finding in findings_of(settings, examination, SystemClock()):
        mark = "[green]ok  [/]" if finding.is_well else "[bold red]FAIL[/]"
        lines = [f"{mark} {escape(finding.subject)}: {escape(finding.seen)}"]
        if not finding.is_well:
            lines.append(f"     [bold]->[/] {escape(finding.remedy)}")
            is_well = False
        console.print("\n".join(lines), highlight=False, soft_wrap=True)
    return is_well


async def findings_of(
    settings: Settings, examination: Examination, clock: Clock
) -> AsyncIterator[Finding]:
    """Look at everything, one after the other: first what all else stands on."""
    yield await examine_broker(settings)
    for role, where in (("orders", settings.redis.orders), ("market", settings.redis.market)):
        async for finding in examine_store(role, where, clock):
            yield finding
    async for finding in examine_certificates(settings, clock):
        yield finding
    services = examination.services
    needed = _needed(services)
    for finding in (*examine_keys(settings, needed), *examine_files(settings, services)):
        yield finding
    if examination.is_running:
        async for finding in _running(settings):
            yield finding
    async for finding in _watchers(settings, examination):
        yield finding


async def _running(settings: Settings) -> AsyncIterator[Finding]:
    yield examine_clock()
    services = _services_of(settings)
    async for finding in examine_leases(settings, [each for each in services if each not in UNLED]):
        yield finding
    async for finding in examine_gateway(settings, keyring_of(settings)):
        yield finding
    async for finding in examine_versions(settings, services):
        yield finding


async def _watchers(settings: Settings, examination: Examination) -> AsyncIterator[Finding]:
    if examination.page is not None:
        async for finding in examine_page(examination.page):
            yield finding
    if examination.prometheus is not None:
        async for finding in examine_prometheus(examination.prometheus, _services_of(settings)):
            yield finding
    if examination.alertmanager is not None:
        async for finding in examine_alertmanager(examination.alertmanager):
            yield finding


def _services_of(settings: Settings) -> Collection[str]:
    """Those that are to be there under a configuration: exposure where there are positions."""
    return [each for each in ALL_SERVICES if each != "exposure" or settings.has_positions]
