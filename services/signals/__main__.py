"""Composition root of the signals stage."""

from services.signals.service import SERVICE, Signals
from shared.runtime.bounded import kept_bounded, log_span
from shared.runtime.site import Site
from shared.wire import keys


async def run(site: Site) -> None:
    """Run the signals stage until the site is to stop."""
    async with site.bus(SERVICE, ()) as bus, site.market() as store, site.orders() as orders:
        signals = Signals(
            policy=site.settings.signals,
            calendar=site.calendar(),
            bus=bus,
            store=store,
            registry=site.registry,
            health=site.health,
            precedence=site.precedence,
        )
        readers = [(orders, "hedger")]
        async with kept_bounded(site, store, keys.signal_log(), readers, log_span):
            await signals.run(site.stop)
