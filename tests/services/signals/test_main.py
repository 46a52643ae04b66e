from pathlib import Path

import pytest
from fakes.eventually import eventually
from fakes.journal import minutes_of
from fakes.workplace import Workplace, workplace

from services.signals.__main__ import run
from services.signals.step import SignalsStep
from shared.adapters.store import Entry
from shared.runtime.site import Site
from shared.wire import keys

COUNT = 120


def expected(place: Workplace, payloads: list[bytes]) -> list[bytes]:
    calendar = Site(settings=place.settings).calendar()
    step = SignalsStep(place.settings.signals, calendar, None)
    rows = [Entry(keys.journal(), index, payload) for index, payload in enumerate(payloads, 1)]
    return list(step.receive(rows).entries[keys.signal_log()])


@pytest.mark.server
async def test_broker_and_store_are_killed_and_the_log_is_as_if_they_were_not(
    tmp_path: Path,
) -> None:
    payloads = minutes_of("VIX", 15.0, COUNT)
    async with workplace(tmp_path) as place:
        async with place.running(run) as site:
            for first in range(0, COUNT, 40):
                await place.write("ingest", keys.journal(), payloads[first : first + 40])
                await place.kill(site)
            await place.reaches(keys.signal_log(), COUNT)
        assert await place.read(keys.signal_log()) == expected(place, payloads)


@pytest.mark.server
async def test_while_it_waits_for_its_servers_it_is_not_ready_and_says_for_what(
    tmp_path: Path,
) -> None:
    place = Workplace(tmp_path)
    async with place.running(run) as site:
        await eventually(lambda: "signals.lease" in site.health.report())
        await eventually(lambda: "111" in site.health.report()["signals.lease"].reason)
        place.redis.start()
        await eventually(lambda: "signals.bus" in site.health.report())
        await eventually(lambda: "refused" in site.health.report()["signals.bus"].reason.lower())
        assert not site.health.is_ready
        place.mosquitto.start()
        await eventually(lambda: site.health.is_ready, within_s=30)
    place.mosquitto.stop()
    place.redis.stop()
