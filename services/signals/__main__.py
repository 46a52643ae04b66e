"""Composition root of the signals stage."""

from services.signals.service import SERVICE, Signals
from shared.runtime.site import Site


async def run(site: Site) -> None:
    """Run the signals stage until the site is to stop."""
    async with site.bus(SERVICE, ()) as bus, site.market() as store:
        signals = Signals(
            policy=site.settings.signals,
            calendar=site.calendar(),
            bus=bus,
            store=store,
            registry=site.registry,
            health=site.health,
        )
        await signals.run(site.stop)
