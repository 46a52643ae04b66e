"""The auditor in its own composition: what it waits for, and what it cannot do without."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fakes.eventually import eventually
from fakes.workplace import Workplace, workplace
from msgspec import structs

from services.auditor.__main__ import NoSocket, run
from services.gateway.__main__ import run as run_gateway
from shared.runtime.site import Site

pytestmark = [pytest.mark.server, pytest.mark.timeout(60)]


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Workplace]:
    async with workplace(tmp_path) as made:
        auditor = structs.replace(made.settings.auditor, heads=str(tmp_path / "heads"))
        made.settings = structs.replace(made.settings, auditor=auditor)
        yield made


async def test_it_leads_only_where_a_gateway_is(place: Workplace) -> None:
    async with place.running(run) as site:
        with pytest.raises(AssertionError):
            await eventually(lambda: "auditor.lease" in site.health.report(), within_s=2)
    async with place.running(run_gateway, run) as site:
        await eventually(lambda: "auditor.lease" in site.health.report(), within_s=30)
        await eventually(lambda: site.health.is_ready, within_s=30)


async def test_after_both_servers_were_killed_it_looks_again(place: Workplace) -> None:
    async with place.running(run_gateway, run) as site:
        await eventually(lambda: "auditor.lease" in site.health.report(), within_s=30)
        await eventually(lambda: site.health.is_ready, within_s=30)
        await place.kill(site)
        await eventually(lambda: site.health.report()["auditor.record"].ready, within_s=30)


async def test_without_a_socket_of_the_gateway_it_cannot_begin(place: Workplace) -> None:
    gateway = structs.replace(place.settings.gateway, socket="off")
    site = Site(settings=structs.replace(place.settings, gateway=gateway), keys=place.keys)
    async with asyncio.timeout(30):
        with pytest.raises(NoSocket, match="through its socket"):
            await run(site)
