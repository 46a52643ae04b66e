"""Composition root of the gateway."""

from pathlib import Path
from typing import Final

from services.gateway.control import SUBSCRIPTIONS as CONTROL_SUBSCRIPTIONS
from services.gateway.metrics import GatewayMetrics
from services.gateway.service import (
    CONTROL_SERVICE,
    SERVICE,
    SUBSCRIPTIONS,
    Gateway,
    GatewayPolicy,
)
from shared.adapters.disk import free_ratio
from shared.adapters.record import OrderRecord
from shared.domain.gatekeeping.admission import Gatekeeper, GatekeeperState
from shared.domain.paper import PaperState, PaperVenue
from shared.runtime.site import Site

_PAUSE_S: Final = 0.02


async def run(site: Site) -> None:
    """Run the gateway until the site is to stop."""
    settings = site.settings
    keyring, calendar = site.keyring, site.calendar()
    symbols = {leg.symbol for book in settings.books for leg in book.legs}
    is_live = settings.clock.source == "wall"
    site.health.failing("gateway.record", "not open yet")

    def make_venue(state: PaperState) -> PaperVenue:
        return PaperVenue.resume(settings.paper, calendar, symbols, state)

    def make_gatekeeper(state: GatekeeperState) -> Gatekeeper:
        commission = settings.paper.commission
        return Gatekeeper(settings.books, calendar, settings.digest, commission, state)

    metrics, record_path = GatewayMetrics(site.registry), Path(settings.gateway.record)
    metrics.watch_disk(lambda: free_ratio(record_path))
    with OrderRecord.open(record_path) as record:
        async with (
            site.bus(SERVICE, SUBSCRIPTIONS) as bus,
            site.bus(CONTROL_SERVICE, CONTROL_SUBSCRIPTIONS) as control_bus,
            site.market(SERVICE) as store,
        ):
            gateway = Gateway(
                bus=bus,
                control_bus=control_bus,
                store=store,
                record=record,
                make_venue=make_venue,
                make_gatekeeper=make_gatekeeper,
                keyring=keyring,
                clock=site.clock,
                metrics=metrics,
                health=site.health,
                policy=GatewayPolicy(
                    socket=settings.gateway.socket_path,
                    is_live=is_live,
                    arms_itself=settings.trading.arms_itself,
                    pause_s=_PAUSE_S if is_live else 0.0,
                ),
            )
            await site.until_stopped(gateway.run())
