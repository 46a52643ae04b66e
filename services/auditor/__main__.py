"""Composition root of the auditor."""

import asyncio
import contextlib
from pathlib import Path
from typing import Final

from services.auditor.fold import Fold
from services.auditor.metrics import AuditorMetrics
from services.auditor.service import SERVICE, SUBSCRIPTIONS, Auditor, AuditorPolicy
from services.auditor.watch import SUBSCRIPTIONS as WATCHED
from services.auditor.watch import Watch, WatchPolicy
from shared.adapters.archive import ArchiveReader
from shared.adapters.head_record import HeadRecord
from shared.adapters.settings import Settings
from shared.domain.instants import SECOND
from shared.runtime.leading import holder_name, lead
from shared.runtime.lease import Term
from shared.runtime.site import Site
from shared.wire import keys

_LOOK_S: Final = 0.5
_STAGES: Final = ("ingest", "signals", "hedger", SERVICE)


class NoSocket(OSError):  # noqa: N818 - reads as what it is
    """The gateway has no socket, so its record cannot be seen."""


async def run(site: Site) -> None:
    """Run the auditor, whenever it is our turn, until the site is to stop.

    Raises:
        NoSocket: The gateway is configured without one.
    """
    settings, calendar = site.settings, site.calendar()
    policy, metrics = _policy(settings), AuditorMetrics(site.registry)

    def make_fold(state: bytes | None) -> Fold:
        return Fold(settings.signals, settings.books, calendar, settings.digest, state)

    async with site.recalled_market(_archives(settings), SERVICE) as store:

        async def serve(term: Term) -> None:
            async with site.bus(SERVICE, SUBSCRIPTIONS, session=term.holder) as bus:
                auditor = Auditor(
                    policy=policy,
                    make_fold=make_fold,
                    bus=bus,
                    store=store,
                    source=store,
                    epoch=term.epoch,
                    keyring=site.keyring,
                    heads=HeadRecord(Path(settings.auditor.heads)),
                    clock=site.clock,
                    metrics=metrics,
                    health=site.health,
                )
                await auditor.run(site.stop)

        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(_watch(site), name="watch")
            await _until_there(policy.socket, site.stop)
            await lead(site, SERVICE, store, serve)
            watching.cancel()


async def _watch(site: Site) -> None:
    """Look after the others, whether we lead or not."""
    settings = site.settings
    policy = WatchPolicy(
        stages=(*_STAGES, *(("exposure",) if settings.has_positions else ())),
        disk=Path(settings.gateway.record),
        is_live=settings.clock.source == "wall",
        name=holder_name(),
    )
    async with (
        site.caller(SERVICE, WATCHED) as bus,
        site.market(SERVICE) as market,
        site.orders(SERVICE) as orders,
    ):
        watch = Watch(
            policy=policy,
            bus=bus,
            market=market,
            orders=orders,
            clock=site.clock,
            health=site.health,
        )
        await watch.run()


def _policy(settings: Settings) -> AuditorPolicy:
    socket = settings.gateway.socket_path
    if socket is None:
        raise NoSocket(
            'the auditor looks at the gateway through its socket: [gateway] socket is "off"'
        )
    return AuditorPolicy(
        socket=socket,
        pause_s=settings.auditor.pause_ns / SECOND,
        grace_s=settings.auditor.grace_ns / SECOND,
    )


def _archives(settings: Settings) -> dict[str, ArchiveReader]:
    """Where to read what was trimmed of the journal before we came."""
    if settings.retention.archive is None:
        return {}
    directory = Path(settings.retention.archive)
    return {keys.journal(): ArchiveReader(directory, keys.journal())}


async def _until_there(socket: Path, stop: asyncio.Event) -> None:
    """Wait for the gateway's socket: without one on this machine another should be auditor."""
    while not (await asyncio.to_thread(socket.exists) or stop.is_set()):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_S):
                await stop.wait()
