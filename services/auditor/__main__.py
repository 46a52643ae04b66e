"""Composition root of the auditor."""

import asyncio
import contextlib
from pathlib import Path
from typing import Final

from services.auditor.fold import Fold
from services.auditor.metrics import AuditorMetrics
from services.auditor.service import SERVICE, SUBSCRIPTIONS, Auditor, AuditorPolicy
from shared.adapters.archive import ArchiveReader
from shared.adapters.head_record import HeadRecord
from shared.adapters.recalled_store import RecalledStore
from shared.adapters.store import Store
from shared.domain.instants import SECOND
from shared.runtime.leading import lead
from shared.runtime.lease import Term
from shared.runtime.site import Site
from shared.wire import keys

_LOOK_S: Final = 0.5


class NoSocket(OSError):  # noqa: N818 - reads as what it is
    """The gateway has no socket, so its record cannot be seen."""


async def run(site: Site) -> None:
    """Run the auditor, whenever it is our turn, until the site is to stop.

    Raises:
        NoSocket: The gateway is configured without one.
    """
    settings = site.settings
    socket = settings.gateway.socket_path
    if socket is None:
        raise NoSocket('the auditor looks at the gateway through its socket: [gateway] is "off"')
    directory = settings.retention.archive
    archives = (
        {}
        if directory is None
        else {keys.journal(): ArchiveReader(Path(directory), keys.journal())}
    )
    policy = AuditorPolicy(
        socket=socket,
        pause_s=settings.auditor.pause_ns / SECOND,
        grace_s=settings.auditor.grace_ns / SECOND,
    )
    metrics = AuditorMetrics(site.registry)
    async with RecalledStore(settings.redis.market, archives) as store:

        async def serve(term: Term) -> None:
            await _serve(site, term, policy, store, metrics)

        await _until_there(socket, site.stop)
        await lead(site, SERVICE, store, serve)


async def _until_there(socket: Path, stop: asyncio.Event) -> None:
    """Wait for the gateway's socket: without one on this machine another should be auditor."""
    while not (await asyncio.to_thread(socket.exists) or stop.is_set()):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_S):
                await stop.wait()


async def _serve(
    site: Site, term: Term, policy: AuditorPolicy, store: Store, metrics: AuditorMetrics
) -> None:
    settings, calendar = site.settings, site.calendar()

    def make_fold(state: bytes | None) -> Fold:
        return Fold(settings.signals, settings.books, calendar, settings.digest, state)

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
