"""Composition root of the exposure stage."""

import structlog

from services.exposure.books import exposure_books
from services.exposure.compiling import compile_ahead
from services.exposure.history import shocks_of
from services.exposure.measurements import SUBSCRIPTIONS, Measurements
from services.exposure.metrics import ExposureMetrics
from services.exposure.service import Exposure, MakeMonitor
from services.exposure.step import SERVICE
from services.exposure.turn import Turn
from shared.adapters.settings import Settings
from shared.adapters.store import Store
from shared.domain.exposure.engine import ExposureMonitor, ExposureState
from shared.runtime.leading import lead
from shared.runtime.lease import Term
from shared.runtime.site import Site

log = structlog.get_logger()


async def run(site: Site) -> None:
    """Run the exposure stage, whenever it is our turn, until the site is to stop."""
    settings = site.settings
    if not settings.has_positions:
        log.info("nothing_to_measure", remedy="write [[books.positions]] for what a book holds")
        await site.stop.wait()
        return
    on_wall_clock = settings.clock.source == "wall"
    metrics = ExposureMetrics(
        site.registry, site.clock if on_wall_clock else None, settings.exposure.most_underlyings
    )
    make_monitor = _monitor_maker(site)
    compile_ahead()
    async with site.market(SERVICE) as store:

        async def serve(term: Term) -> None:
            await _serve(site, term, store, metrics, make_monitor)

        await lead(site, SERVICE, store, serve)


def _monitor_maker(site: Site) -> MakeMonitor:
    settings, catalogue, calendar = site.settings, site.catalogue(), site.calendar()
    books, history = exposure_books(settings), shocks_of(settings)

    def make(state: ExposureState | None) -> ExposureMonitor:
        return ExposureMonitor(
            settings.exposure, settings.marks, catalogue, books, history, state, calendar
        )

    return make


async def _serve(
    site: Site, term: Term, store: Store, metrics: ExposureMetrics, make_monitor: MakeMonitor
) -> None:
    in_replay = site.settings.clock.source == "feed"
    async with site.bus(SERVICE, SUBSCRIPTIONS if in_replay else (), session=term.holder) as bus:
        exposure = Exposure(
            make_monitor=make_monitor,
            bus=bus,
            store=store,
            epoch=term.epoch,
            measurements=Measurements(bus, site.keyring, site.clock, Turn() if in_replay else None),
            metrics=metrics,
            health=site.health,
            precedence=site.precedence,
            in_thread=_is_large(site.settings),
        )
        await exposure.run(site.stop)


def _is_large(settings: Settings) -> bool:
    """Whether a revaluation is long enough to rest after: see `ExposurePolicy.rest_ns`."""
    positions = sum(map(len, settings.positions.values()))
    return settings.exposure.rest_ns(len(settings.books), positions) > 0
