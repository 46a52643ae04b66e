"""A composition root's way to lead, on real servers: what is told when it may not."""

import asyncio
from pathlib import Path

import pytest
from fakes.eventually import eventually
from fakes.failures import only
from fakes.workplace import Workplace, workplace
from msgspec import structs

from shared.adapters.bus import Bus
from shared.adapters.redis_store import RedisStore
from shared.runtime.leading import holder_name, lead
from shared.runtime.lease import Term
from shared.runtime.ledger import LeaseLost, StageStopped
from shared.runtime.site import Site
from shared.wire import codec, topics
from shared.wire.messages import AlertMessage

pytestmark = pytest.mark.server
STAGE = "signals"


class Machine:
    """A process that would lead the stage; `stops_with` ends its first term."""

    def __init__(self, place: Workplace, stops_with: Exception | None = None) -> None:
        self.site = Site(settings=place.settings)
        self.terms: list[int] = []
        self._stops_with = stops_with

    async def run(self) -> None:
        async with RedisStore(self.site.settings.redis.market) as store:
            await lead(self.site, STAGE, store, self._body)

    async def _body(self, term: Term) -> None:
        self.terms.append(term.epoch)
        failure, self._stops_with = self._stops_with, None
        if failure is not None:
            raise failure
        await self.site.stop.wait()

    @property
    def why_not_ready(self) -> str:
        return self.site.health.report()[f"{STAGE}.lease"].reason


async def told(bus: Bus) -> AlertMessage:
    """The next alert."""
    async with asyncio.timeout(10):
        return codec.decode(AlertMessage, (await bus.next_batch(1))[0].payload)


async def test_another_configuration_is_refused_the_lease_and_somebody_is_told(
    tmp_path: Path,
) -> None:
    async with workplace(tmp_path) as place, place.client(topics.ALERTS) as alerts:
        first = Machine(place)
        [book] = place.settings.books
        larger = structs.replace(book.sizing, base_vega=2 * book.sizing.base_vega)
        place.settings = structs.replace(
            place.settings, books=(structs.replace(book, sizing=larger),)
        )
        second = Machine(place)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(first.run())
            await eventually(lambda: first.terms == [1])
            tasks.create_task(second.run())
            alert = await told(alerts)
            assert (alert.what, alert.severity) == ("lease_refused", "critical")
            assert "leads with another configuration or version" in second.why_not_ready
            assert second.terms == []
            first.site.stop.set()
            await eventually(lambda: second.terms == [2])
            second.site.stop.set()


@pytest.mark.parametrize(
    ("reason", "what", "terms"),
    [
        (LeaseLost("the gateway knows epoch 7", above=7), "epoch_superseded", [1, 8]),
        (StageStopped("the input has a gap"), "stage_stopped", [1]),
    ],
)
async def test_whoever_loses_the_lead_for_a_reason_tells_somebody(
    reason: Exception, what: str, terms: list[int], tmp_path: Path
) -> None:
    async with workplace(tmp_path) as place, place.client(topics.ALERTS) as alerts:
        machine = Machine(place, stops_with=reason)
        ended: list[BaseException] = []

        async def run() -> None:
            try:
                await machine.run()
            except* StageStopped as stopped:
                ended.append(only(stopped))

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(run())
            assert (await told(alerts)).what == what
            await eventually(lambda: machine.terms == terms)
            machine.site.stop.set()
        assert ended == ([] if what == "epoch_superseded" else [reason])


async def test_without_a_broker_nobody_is_told_and_it_goes_on(tmp_path: Path) -> None:
    async with workplace(tmp_path) as place:
        place.mosquitto.stop()
        machine = Machine(place, stops_with=LeaseLost("superseded", above=3))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(machine.run())
            await eventually(lambda: machine.terms == [1, 4])
            machine.site.stop.set()


def test_no_two_processes_have_one_name_and_it_may_stand_in_a_topic() -> None:
    names = {holder_name() for _ in range(50)}
    assert len(names) == 50
    assert all(topics.name(name) for name in names)
