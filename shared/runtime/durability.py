"""Whether a store keeps what it confirms, asked once before anything is built on it.

A decision that was acted on and then forgotten is decided again: the gateway tells by its id, but
a store that had lost more than that is an account nobody can trust. So the store of orders must
sync every commit to the disk; what is in the market's store can be had again, and a second of it
may be lost.
"""

import asyncio
from typing import Literal, Protocol

import structlog

from shared.adapters.redis_store import Durability
from shared.adapters.store import StoreTrouble
from shared.runtime.backoff import delays_s
from shared.runtime.ledger import StageStopped

log = structlog.get_logger()

_REMEDY = "set appendonly yes, appendfsync {fsync} and no-appendfsync-on-rewrite no there"


class OrdersNotKept(StageStopped):
    """The store of orders is certain to forget, one day, what it has confirmed."""


class TellsDurability(Protocol):
    """A store that can be asked; `RedisStore` is one."""

    async def durability(self) -> Durability | None:
        """Tell what survives kill -9 and power loss; `None`: it won't say."""
        ...


async def check_durability(role: Literal["orders", "market"], store: TellsDurability) -> None:
    """Return when a store may be relied on for its role, or does not tell.

    Args:
        role: `orders` must keep every commit; `market` may lose its last second.
        store: Asked again until it answers.

    Raises:
        OrdersNotKept: The store of orders does not keep every commit.
    """
    durability = await _ask(store)
    if durability is None:
        remedy = "see for yourself: CONFIG GET is not allowed"
        log.warning("durability_unknown", store=role, remedy=remedy)
    elif role == "orders" and durability != "always":
        remedy = _REMEDY.format(fsync="always")
        raise OrdersNotKept(f"[redis] orders does not keep every commit it confirms: {remedy}")
    elif durability == "never":
        remedy = _REMEDY.format(fsync="everysec")
        log.critical("store_forgets", store=role, what="all of it with its process", remedy=remedy)


async def _ask(store: TellsDurability) -> Durability | None:
    delays = delays_s()
    while True:
        try:
            return await store.durability()
        except StoreTrouble as trouble:
            log.warning("store_unavailable", error=str(trouble))
            await asyncio.sleep(next(delays))
