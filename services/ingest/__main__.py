"""Composition root of ingest."""

from services.ingest.metrics import IngestMetrics
from services.ingest.service import SERVICE, SUBSCRIPTIONS, Ingest
from services.ingest.step import IngestPolicy, compile_ahead
from shared.adapters.store import Store
from shared.runtime.bounded import journal_span, kept_bounded
from shared.runtime.leading import lead
from shared.runtime.lease import Term
from shared.runtime.site import Site
from shared.wire import keys


async def run(site: Site) -> None:
    """Run ingest, whenever it is our turn, until the site is to stop."""
    metrics = IngestMetrics(site.registry, frozenset(site.settings.intake.symbols))
    compile_ahead(site.settings.intake)
    async with site.market(SERVICE) as store:

        async def serve(term: Term) -> None:
            await _serve(site, term, store, metrics)

        await lead(site, SERVICE, store, serve, role="market")


async def _serve(site: Site, term: Term, store: Store, metrics: IngestMetrics) -> None:
    """Ingest for one term; only who leads is connected, for its session holds what it missed."""
    settings = site.settings
    policy = IngestPolicy(
        intake=settings.intake,
        books=frozenset(book.name for book in settings.books),
        clock_from_feed=settings.clock.source == "feed",
        clock_interval_ns=settings.clock.interval_ns,
    )
    readers = [(store, "signals"), (store, "gateway")]
    async with (
        site.bus(SERVICE, SUBSCRIPTIONS) as bus,
        kept_bounded(
            site,
            store,
            keys.journal(),
            readers,
            journal_span,
            guests=[(store, "auditor"), (store, "exposure")],
        ),
    ):
        ingest = Ingest(
            policy=policy,
            keyring=site.keyring,
            bus=bus,
            store=store,
            epoch=term.epoch,
            clock=site.clock,
            metrics=metrics,
            health=site.health,
            precedence=site.precedence,
        )
        await site.until_stopped(ingest.run())
