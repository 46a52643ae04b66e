"""One leader for each stage: who runs it, who waits, and how it passes from one to the other.

See `shared.runtime.lease` for why two never lead at once.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from typing import Final, NoReturn

import structlog
from msgspec import Struct

from shared.adapters.clock import Clock
from shared.adapters.store import Leader, Store, StoreTrouble, StoreUnsafe
from shared.runtime.backoff import delays_s
from shared.runtime.health import Health
from shared.runtime.lease import Lease, Term
from shared.runtime.ledger import LeaseLost, StageStopped, StoreRegressed

log = structlog.get_logger()

ASKED_EVERY: Final = 0.1
"""By those who wait; of the time a lease is given for."""
_LONG_TERM: Final = 10


class LeaseEvents(Struct, frozen=True, kw_only=True):
    """Who is told of what befalls a lease; none may raise.

    Attributes:
        refused: The leader has another configuration or version than we; once for each leader.
        ended: We led, and do not any more: why.
    """

    refused: Callable[[Leader], Awaitable[None]]
    ended: Callable[[Exception], Awaitable[None]]


class Candidate:
    """Runs one stage whenever it is our turn.

    Args:
        store: Lends the stage.
        stage: Its name.
        holder: Our name, which no other process has; a number tells its terms apart.
        digest: Of our code and configuration.
        ttl_s: For how long a lease is given.
        clock: Ours.
        health: Told whether we lead, or who does.
        events: Told of what a person should know.
    """

    def __init__(  # noqa: PLR0913 - a composition of parts
        self,
        *,
        store: Store,
        stage: str,
        holder: str,
        digest: str,
        ttl_s: float,
        clock: Clock,
        health: Health,
        events: LeaseEvents,
    ) -> None:
        self._store = store
        self._stage = stage
        self._holder = holder
        self._digest = digest
        self._ttl_s = ttl_s
        self._clock = clock
        self._health = health
        self._events = events
        self._check = f"{stage}.lease"
        self._above = 0
        self._terms = 0
        self._leader: Leader | None = None
        self._seen: Leader | None = None
        health.failing(self._check, "standby: nobody was asked yet")

    async def run(self, body: Callable[[Term], Awaitable[None]], stop: asyncio.Event) -> None:
        """Lead whenever we can, until the body ends by itself or `stop` is set.

        Args:
            body: Runs the stage for one term; cancelled when the lease is lost, run again when
                it is had again.
            stop: Ends the waiting; the body looks at it by itself.

        Raises:
            StageStopped: The body cannot go on, and nobody else could.
        """
        delays = delays_s()
        while (led := await self._next_term(stop)) is not None:
            began_s = self._clock.monotonic_s()
            if await self._serve(*led, body):
                return
            if self._clock.monotonic_s() - began_s > _LONG_TERM * self._ttl_s:
                delays = delays_s()
            await _pause(next(delays), stop)

    async def _next_term(self, stop: asyncio.Event) -> tuple[Lease, Term] | None:
        self._terms += 1
        holder = f"{self._holder}-{self._terms}"
        waits = delays_s()
        while not stop.is_set():
            asked_s = self._clock.monotonic_s()
            try:
                async with asyncio.timeout(self._ttl_s):
                    epoch = await self._ask(holder)
            except (StoreTrouble, TimeoutError) as trouble:
                reason = str(trouble) or "the store does not answer"
                self._health.failing(self._check, f"standby: {reason}")
                log.warning("lease_waits", stage=self._stage, error=reason)
                await _pause(next(waits), stop)
                continue
            if epoch is None:
                await self._stand_by()
                await _pause(ASKED_EVERY * self._ttl_s, stop)
                continue
            lease = Lease(epoch, self._ttl_s, asked_s)
            if lease.is_valid(self._clock.monotonic_s()):
                self._above = 0
                return lease, Term(lease, holder, self._clock)
        return None

    async def _ask(self, holder: str) -> int | None:
        epoch = await self._store.acquire(
            self._stage, holder, self._ttl_ms, above=self._above, digest=self._digest
        )
        self._leader = None if epoch else await self._store.leader(self._stage)
        return epoch

    async def _stand_by(self) -> None:
        """Say who leads, once."""
        leader = self._leader
        if leader is None or leader == self._seen:
            return
        self._seen = leader
        self._health.failing(self._check, f"standby: {leader.holder} leads")
        log.info("standing_by", stage=self._stage, leader=leader.holder, epoch=leader.epoch)
        if leader.digest != self._digest:
            reason = f"standby: {leader.holder} leads with another configuration or version"
            self._health.failing(self._check, reason)
            log.error("lease_refused", stage=self._stage, leader=leader.holder, reason=reason)
            await self._events.refused(leader)

    async def _serve(
        self, lease: Lease, term: Term, body: Callable[[Term], Awaitable[None]]
    ) -> bool:
        """Run the body for one term; whether it ended by itself."""
        self._seen = None
        self._health.passing(self._check)
        log.info("leading", stage=self._stage, epoch=term.epoch)
        ended: list[Exception] = []
        try:
            async with asyncio.TaskGroup() as tasks:
                keeper = tasks.create_task(self._keep(lease), name="lease")
                await body(term)
                keeper.cancel()
        except* (LeaseLost, StoreUnsafe) as lost:
            ended = list(_leaves(lost))
        except* StageStopped as stopped:
            await self._events.ended(next(_leaves(stopped)))
            raise
        finally:
            self._health.failing(self._check, "standby: we led until now")
            with contextlib.suppress(StoreTrouble, TimeoutError):
                async with asyncio.timeout(self._ttl_s):  # after that it has ended anyhow
                    await self._store.release(self._stage, term.epoch)
        if not ended:
            return True
        self._above = max(getattr(reason, "above", 0) for reason in ended)
        log.warning("demoted", stage=self._stage, epoch=term.epoch, reason=str(ended[0]))
        await self._events.ended(ended[0])
        return False

    async def _keep(self, lease: Lease) -> None:
        """Renew the lease until it is lost.

        Raises:
            LeaseLost: It is.
            StoreUnsafe: The store does not write, so it will be.
            StoreRegressed: The store lost data.
        """
        trouble = "frozen for too long"
        retry_s = 0.0
        while True:
            await asyncio.sleep(max(retry_s, lease.renew_at_s - self._clock.monotonic_s()))
            asked_s = self._clock.monotonic_s()
            if not lease.is_valid(asked_s):
                raise LeaseLost(f"epoch {lease.epoch} was not renewed in time: {trouble}")
            try:
                async with asyncio.timeout(lease.ends_s - asked_s):
                    held = await self._store.renew(self._stage, lease.epoch, self._ttl_ms)
            except StoreUnsafe:
                raise
            except (StoreTrouble, TimeoutError) as failure:
                trouble, retry_s = str(failure) or "no answer", ASKED_EVERY * self._ttl_s
                continue
            if not held:
                await self._explain(lease)
            lease.confirm(asked_s)
            retry_s = 0.0

    async def _explain(self, lease: Lease) -> NoReturn:
        """Say why a lease is not ours any more.

        Raises:
            LeaseLost: Another leads, or has led, or it ended.
            StoreRegressed: The store has forgotten that we led.
        """
        with contextlib.suppress(StoreTrouble, TimeoutError):
            async with asyncio.timeout(self._ttl_s):
                stored = (await self._store.load(self._stage)).epoch
                if stored < lease.epoch:
                    raise StoreRegressed(
                        f"{self._stage}: the store has epoch {stored}, we hold {lease.epoch}. It "
                        "lost data: restore it, or start all stages over."
                    )
        raise LeaseLost(f"epoch {lease.epoch} has ended in the store")

    @property
    def _ttl_ms(self) -> int:
        return round(1_000 * self._ttl_s)


async def _pause(seconds: float, stop: asyncio.Event) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()


def _leaves(group: BaseExceptionGroup[Exception]) -> Iterator[Exception]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
