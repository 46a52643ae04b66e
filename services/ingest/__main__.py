"""Composition root of ingest."""

from services.ingest.metrics import IngestMetrics
from services.ingest.service import SERVICE, SUBSCRIPTIONS, Ingest
from services.ingest.step import IngestPolicy
from shared.runtime.bounded import journal_span, kept_bounded
from shared.runtime.durability import check_durability
from shared.runtime.site import Site
from shared.wire import keys


async def run(site: Site) -> None:
    """Run ingest until the site is to stop."""
    settings = site.settings
    policy = IngestPolicy(
        intake=settings.intake,
        books=frozenset(book.name for book in settings.books),
        clock_from_feed=settings.clock.source == "feed",
        clock_interval_ns=settings.clock.interval_ns,
    )
    metrics = IngestMetrics(site.registry, frozenset(settings.intake.symbols))
    async with site.bus(SERVICE, SUBSCRIPTIONS) as bus, site.market() as store:
        ingest = Ingest(
            policy=policy,
            keyring=site.keyring,
            bus=bus,
            store=store,
            clock=site.clock,
            metrics=metrics,
            health=site.health,
            precedence=site.precedence,
        )
        await site.until_stopped(check_durability("market", store))
        readers = [(store, "signals"), (store, "gateway")]
        async with kept_bounded(site, store, keys.journal(), readers, journal_span):
            await site.until_stopped(ingest.run())
