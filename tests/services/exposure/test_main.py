"""The stage between real servers that are killed, and the stage that has nothing to do."""

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from fakes.eventually import eventually
from fakes.journal import minutes_of
from fakes.workplace import Workplace, workplace
from msgspec import structs

from services.exposure.__main__ import run
from services.exposure.books import exposure_books
from services.exposure.step import ExposureStep
from shared.adapters.store import Entry
from shared.domain.exposure.engine import ExposureMonitor, ExposureState
from shared.domain.instants import SECOND
from shared.runtime.ledger import StepOutput
from shared.runtime.site import Site
from shared.wire import keys

COUNT = 60


def hold(place: Workplace) -> None:
    place.settings = structs.replace(place.settings, positions={"overlay": {"SPX": 10.0}})


def expected(place: Workplace, payloads: list[bytes]) -> list[bytes]:
    site = Site(settings=place.settings)
    settings = place.settings

    def make(state: ExposureState | None) -> ExposureMonitor:
        catalogue, books = site.catalogue(), exposure_books(settings)
        calendar = site.calendar()
        return ExposureMonitor(
            settings.exposure, settings.marks, catalogue, books, (), state, calendar
        )

    step = ExposureStep(make, None)
    rows = [Entry(keys.journal(), index, payload) for index, payload in enumerate(payloads, 1)]
    return list(step.receive(rows).entries[keys.exposure_log()])


@pytest.mark.server
async def test_broker_and_store_are_killed_and_the_log_is_as_if_they_were_not(
    tmp_path: Path,
) -> None:
    payloads = minutes_of("SPX", 6000.0, COUNT)
    async with workplace(tmp_path) as place:
        hold(place)
        told = expected(place, payloads)
        assert len(told) == COUNT  # once a clock event
        async with place.running(run) as site:
            for first in range(0, COUNT, 20):
                await place.write("ingest", keys.journal(), payloads[first : first + 20])
                await place.kill(site)
            await place.reaches(keys.exposure_log(), COUNT)
        assert await place.read(keys.exposure_log()) == told


async def test_without_positions_it_asks_for_no_server_and_no_lease(tmp_path: Path) -> None:
    place = Workplace(tmp_path)
    async with place.running(run) as site:
        await eventually(lambda: not site.stop.is_set())
        assert site.health.report() == {}


@pytest.mark.server
@pytest.mark.parametrize(("book_ns", "in_thread"), [(0, False), (SECOND, True)])
async def test_what_rests_between_revaluations_is_valued_in_a_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, book_ns: int, *, in_thread: bool
) -> None:
    threads, receive = set[int](), ExposureStep.receive

    def noted(step: ExposureStep, entries: Sequence[Entry]) -> StepOutput:
        threads.add(threading.get_ident())
        return receive(step, entries)

    monkeypatch.setattr(ExposureStep, "receive", noted)
    async with workplace(tmp_path) as place:
        hold(place)
        policy = structs.replace(place.settings.exposure, book_ns=book_ns)
        place.settings = structs.replace(place.settings, exposure=policy)
        async with place.running(run):
            await place.write("ingest", keys.journal(), minutes_of("SPX", 6000.0, 3))
            await place.reaches(keys.exposure_log(), 3)
    assert (threading.get_ident() not in threads) == in_thread
