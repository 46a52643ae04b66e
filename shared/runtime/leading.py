"""A service whose stage has one leader: what its composition root runs instead of the stage."""

import asyncio
import contextlib
import os
import re
import socket
from collections.abc import Awaitable, Callable
from typing import Final, Literal
from uuid import uuid4

import structlog

from shared.adapters.code_version import code_version
from shared.adapters.redis_store import RedisStore
from shared.adapters.store import Leader, StoreUnsafe
from shared.domain.effects import AlertRaised
from shared.domain.hedging.alerts import alert
from shared.runtime.announcer import publish_surely
from shared.runtime.candidate import Candidate, LeaseEvents
from shared.runtime.durability import check_durability
from shared.runtime.lease import Term
from shared.runtime.ledger import LeaseLost
from shared.runtime.site import Site
from shared.wire.announcements import alert_notice

log = structlog.get_logger()

_CALL_S: Final = 1.0
"""For telling an alert: who has lost a lease, or waits for one, has no connection of its own."""


async def lead(
    site: Site,
    stage: str,
    store: RedisStore,
    body: Callable[[Term], Awaitable[None]],
    *,
    role: Literal["orders", "market"] | None = None,
) -> None:
    """Run a stage for as long as the site runs and whenever it is our turn.

    Args:
        site: Where.
        stage: Its name.
        store: Of its record, which lends it too.
        body: Connects to what it needs, and runs the stage for one term: see `Candidate.run`.
        role: Of the store, if the stage is the one to see that it keeps what it confirms.

    Raises:
        OrdersNotKept: It does not.
        StageStopped: It cannot go on, and nobody else could.
    """

    async def refused(leader: Leader) -> None:
        await _call(site, stage, alert("all", site.clock.now_ns(), "lease_refused", leader.holder))

    async def ended(reason: Exception) -> None:
        if isinstance(reason, LeaseLost) and not reason.above:
            return  # another leads by now, or nobody could: the log and the gateway say so
        match reason:
            case LeaseLost():
                what = "epoch_superseded"
            case StoreUnsafe():
                what = "store_unsafe"
            case _:
                what = "stage_stopped"
        await _call(site, stage, alert("all", site.clock.now_ns(), what, stage))

    candidate = Candidate(
        store=store,
        stage=stage,
        holder=holder_name(),
        digest=f"{code_version()} {site.settings.digest}",
        ttl_s=site.settings.lease.ttl_s,
        clock=site.clock,
        health=site.health,
        events=LeaseEvents(refused=refused, ended=ended),
    )
    if role is not None:
        await site.until_stopped(check_durability(role, store))
    await candidate.run(body, site.stop)


def holder_name() -> str:
    """Name us as nobody else is named: machine, process, and a word for who has the same two."""
    machine = re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname())[:32]
    return f"{machine}-{os.getpid()}-{uuid4().hex[:6]}"


async def _call(site: Site, stage: str, raised: AlertRaised) -> None:
    """Tell an alert over a connection of its own, if the broker answers at once."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_CALL_S), site.caller(stage) as bus:
            await bus.connected.wait()
            await publish_surely(bus, [alert_notice(raised)])
