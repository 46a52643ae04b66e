"""Composition root of the signals stage."""

from services.signals.metrics import SignalsCollector
from services.signals.service import SERVICE, Signals
from services.signals.step import compile_ahead
from shared.adapters.store import Store
from shared.runtime.bounded import kept_bounded, log_span
from shared.runtime.leading import lead
from shared.runtime.lease import Term
from shared.runtime.site import Site
from shared.wire import keys


async def run(site: Site) -> None:
    """Run the signals stage, whenever it is our turn, until the site is to stop."""
    metrics = SignalsCollector(site.registry)
    compile_ahead(site.settings.signals, site.calendar())
    async with site.market(SERVICE) as store, site.orders(SERVICE) as orders:

        async def serve(term: Term) -> None:
            await _serve(site, term, store, orders, metrics)

        await lead(site, SERVICE, store, serve)


async def _serve(
    site: Site, term: Term, store: Store, orders: Store, metrics: SignalsCollector
) -> None:
    readers = [(orders, "hedger")]
    async with (
        site.bus(SERVICE, ()) as bus,
        kept_bounded(site, store, keys.signal_log(), readers, log_span),
    ):
        signals = Signals(
            policy=site.settings.signals,
            calendar=site.calendar(),
            bus=bus,
            store=store,
            epoch=term.epoch,
            metrics=metrics,
            health=site.health,
            precedence=site.precedence,
        )
        await signals.run(site.stop)
