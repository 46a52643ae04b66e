"""One leader again as soon as may be, and none that does not know it is out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import pytest
from fakes.clock import ManualClock
from fakes.eventually import eventually
from fakes.failures import only
from fakes.store import FakeStore, Fault

from shared.adapters.clock import Clock, SystemClock
from shared.adapters.store import Leader, StoreUnavailable, StoreUnsafe
from shared.runtime.candidate import ASKED_EVERY, Candidate, LeaseEvents
from shared.runtime.health import Health
from shared.runtime.lease import Term
from shared.runtime.ledger import LeaseLost, StageStopped, StoreRegressed

STAGE: Final = "hedger"
TTL_S: Final = 0.2


class Replica:
    """A process that would lead: it notes its terms, and what was said of them."""

    def __init__(
        self,
        name: str,
        store: FakeStore,
        *,
        digest: str = "same",
        clock: Clock | None = None,
        failure: Exception | None = None,
    ) -> None:
        self.health = Health()
        self.stop = asyncio.Event()
        self.terms: list[int] = []
        self.ends: list[str] = []
        self.refused: list[str] = []
        self.reasons: list[Exception] = []
        self.failure = failure
        self.candidate = Candidate(
            store=store,
            stage=STAGE,
            holder=name,
            digest=digest,
            ttl_s=TTL_S,
            clock=clock or SystemClock(),
            health=self.health,
            events=LeaseEvents(refused=self._refused, ended=self._ended),
        )

    async def body(self, term: Term) -> None:
        self.terms.append(term.epoch)
        failure, self.failure = self.failure, None
        if failure is not None:
            raise failure
        try:
            await self.stop.wait()
        except asyncio.CancelledError:
            self.ends.append("cancelled")
            raise
        self.ends.append("stopped")

    async def run(self) -> None:
        await self.candidate.run(self.body, self.stop)

    @property
    def why_not_ready(self) -> str:
        return self.health.report()[f"{STAGE}.lease"].reason

    async def _refused(self, leader: Leader) -> None:
        self.refused.append(leader.holder)

    async def _ended(self, reason: Exception) -> None:
        self.reasons.append(reason)


@asynccontextmanager
async def running(*replicas: Replica) -> AsyncIterator[None]:
    """Run replicas, each once the one before leads, until the block ends."""
    async with asyncio.TaskGroup() as tasks:
        for replica in replicas:
            tasks.create_task(replica.run())
            await eventually(lambda: replica.why_not_ready != "standby: nobody was asked yet")  # noqa: B023 - awaited here
        yield
        for replica in replicas:
            replica.stop.set()


async def test_one_leads_the_other_waits_and_says_for_whom() -> None:
    store = FakeStore()
    a, b = Replica("a", store), Replica("b", store)
    async with running(a, b):
        assert a.why_not_ready == ""
        assert b.why_not_ready == "standby: a-1 leads"
        await asyncio.sleep(2 * TTL_S)  # it is renewed
        assert (a.terms, b.terms) == ([1], [])
    assert a.ends == ["stopped"]
    assert b.terms == []
    assert await store.leader(STAGE) is None


async def test_who_stops_hands_over_at_once() -> None:
    store = FakeStore()
    a, b = Replica("a", store), Replica("b", store)
    async with running(a, b):
        a.stop.set()
        await eventually(lambda: b.terms == [2], within_s=2 * ASKED_EVERY * TTL_S + 0.1)
        assert b.why_not_ready == ""


async def test_who_dies_is_followed_when_its_lease_has_ended() -> None:
    store = FakeStore()
    await store.acquire(STAGE, "dead", round(1_000 * TTL_S), digest="same")
    b = Replica("b", store)
    async with running(b):
        assert b.why_not_ready == "standby: dead leads"
        await eventually(lambda: b.terms == [2], within_s=2 * TTL_S)


@pytest.mark.parametrize("error", [StoreUnavailable("away"), StoreUnsafe("READONLY")])
async def test_a_leader_that_cannot_renew_is_out_before_its_lease_ends(error: Exception) -> None:
    store = FakeStore()
    a = Replica("a", store)
    async with running(a):
        loop = asyncio.get_running_loop()
        store.faults = iter([Fault(error, applied=False)] * 1_000)
        began_s = loop.time()
        await eventually(lambda: a.ends == ["cancelled"])
        assert loop.time() - began_s < 0.8 * TTL_S
        assert a.why_not_ready.startswith("standby")
        store.faults = iter([])
        await eventually(lambda: a.terms == [1, 2])
    assert isinstance(
        a.reasons[0], LeaseLost if isinstance(error, StoreUnavailable) else StoreUnsafe
    )


async def test_a_renewal_that_is_never_answered_does_not_keep_it_in() -> None:
    class Silent(FakeStore):
        silent = False

        async def renew(self, stage: str, epoch: int, ttl_ms: int) -> bool:
            if self.silent:
                await asyncio.Event().wait()
            return await super().renew(stage, epoch, ttl_ms)

    store = Silent()
    a = Replica("a", store)
    async with running(a):
        store.silent = True
        await eventually(lambda: a.ends == ["cancelled"], within_s=TTL_S)
        store.silent = False
        await eventually(lambda: a.terms == [1, 2])


async def test_a_leader_that_was_frozen_is_out_when_it_wakes() -> None:
    store, clock = FakeStore(), ManualClock()
    a = Replica("a", store, clock=clock)
    async with running(a):
        clock.advance(0.7 * TTL_S)
        await eventually(lambda: a.ends == ["cancelled"])
        await eventually(lambda: a.terms == [1, 2])
    assert "was not renewed in time: frozen for too long" in str(a.reasons[0])


async def test_a_leader_whose_lease_was_wiped_stands_again() -> None:
    store = FakeStore()
    a = Replica("a", store)
    async with running(a):
        await store.release(STAGE, 1)
        await eventually(lambda: a.terms == [1, 2])
    assert "epoch 1 has ended in the store" in str(a.reasons[0])


async def test_a_leader_whose_store_was_wiped_ends() -> None:
    store = FakeStore()
    a = Replica("a", store)

    async def wipe() -> None:
        await eventually(lambda: a.terms == [1])
        await store.release(STAGE, 1)
        store.records.clear()

    async def run_both() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(wipe())
            await a.run()

    with pytest.raises(ExceptionGroup) as ended:
        await run_both()
    assert isinstance(only(ended.value), StoreRegressed)
    assert [type(reason) for reason in a.reasons] == [StoreRegressed]


async def test_a_lease_asked_for_with_a_lost_reply_is_had_under_the_same_epoch() -> None:
    store = FakeStore([Fault(StoreUnavailable("no reply"), applied=True)])
    a = Replica("a", store)
    async with running(a):
        await eventually(lambda: a.terms == [1])


async def test_who_is_outranked_leads_again_above_that_epoch() -> None:
    store = FakeStore()
    a = Replica("a", store, failure=LeaseLost("the gateway knows epoch 7", above=7))
    async with running(a):
        await eventually(lambda: a.terms == [1, 8])
        a_second_time = LeaseLost("lost", above=0)
        a.failure = a_second_time
        await store.release(STAGE, 8)
        await eventually(lambda: a.terms == [1, 8, 9, 10])


async def test_a_store_that_does_not_write_costs_the_lease_and_pages_somebody() -> None:
    store = FakeStore()
    a = Replica("a", store, failure=StoreUnsafe("MISCONF no disk"))
    async with running(a):
        await eventually(lambda: a.terms == [1, 2])
    assert [str(reason) for reason in a.reasons] == ["MISCONF no disk"]


async def test_a_stage_that_cannot_go_on_ends_and_leaves_the_lease_to_others() -> None:
    store = FakeStore()
    a = Replica("a", store, failure=StageStopped("the input has a gap"))
    with pytest.raises(ExceptionGroup) as ended:
        await a.run()
    assert str(only(ended.value)) == "the input has a gap"
    assert [str(reason) for reason in a.reasons] == ["the input has a gap"]
    assert await store.leader(STAGE) is None


async def test_with_another_configuration_it_waits_and_somebody_is_told_once() -> None:
    store = FakeStore()
    a, b = Replica("a", store), Replica("b", store, digest="other")
    async with running(a, b):
        await eventually(lambda: b.refused == ["a-1"])
        reason = "standby: a-1 leads with another configuration or version"
        assert b.why_not_ready == reason
        await asyncio.sleep(3 * ASKED_EVERY * TTL_S)
        assert b.refused == ["a-1"]
        a.stop.set()  # as when a new configuration is rolled out, one after the other
        await eventually(lambda: b.terms == [2])


async def test_who_waits_for_a_store_that_is_away_says_so_and_stops_when_told() -> None:
    store = FakeStore([Fault(StoreUnavailable("no route"), applied=False)] * 1_000)
    a = Replica("a", store)
    async with running(a):
        assert a.why_not_ready == "standby: no route"
    assert a.terms == []


async def test_who_is_cancelled_gives_the_lease_back() -> None:
    store = FakeStore()
    a = Replica("a", store)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(a.run())
        await eventually(lambda: a.terms == [1])
        task.cancel()
    assert await store.leader(STAGE) is None


@pytest.mark.parametrize("turns", range(12))
async def test_cut_off_at_any_await_the_next_one_leads(turns: int) -> None:
    store = FakeStore()
    a, b = Replica("a", store), Replica("b", store)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(a.run())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
    async with running(b):
        await eventually(lambda: len(b.terms) == 1, within_s=2 * TTL_S)
