"""Composition root of the gateway."""

from pathlib import Path
from typing import Final

import msgspec

from services.gateway.metrics import GatewayMetrics
from services.gateway.service import SERVICE, SUBSCRIPTIONS, Gateway
from shared.adapters.record import OrderRecord
from shared.domain.paper import PaperState, PaperVenue
from shared.runtime.site import Site

_PAUSE_S: Final = 0.02


async def run(site: Site) -> None:
    """Run the gateway until the site is to stop."""
    settings = site.settings
    site.health.failing("gateway.record", "not open yet")
    symbols = {leg.symbol for book in settings.books for leg in book.legs}
    with OrderRecord.open(Path(settings.gateway.record)) as record:
        site.health.passing("gateway.record")
        progress = record.progress()
        state = msgspec.msgpack.decode(progress.state, type=PaperState) if progress else None
        venue = PaperVenue.resume(settings.paper, site.calendar(), symbols, state or PaperState())
        async with site.bus(SERVICE, SUBSCRIPTIONS) as bus, site.market() as store:
            gateway = Gateway(
                bus=bus,
                store=store,
                record=record,
                venue=venue,
                clock=site.clock,
                metrics=GatewayMetrics(site.registry),
                health=site.health,
                pause_s=_PAUSE_S if settings.clock.source == "wall" else 0.0,
            )
            await site.until_stopped(gateway.run())
