"""Composition root of the hedger."""

from services.hedger.answers import SERVICE, SUBSCRIPTIONS
from services.hedger.heads import HeadTeller
from services.hedger.metrics import HedgerMetrics
from services.hedger.service import Hedger, HedgerPolicy
from shared.adapters.code_version import code_version
from shared.adapters.store import Store
from shared.runtime.bounded import decision_span, kept_bounded
from shared.runtime.leading import lead
from shared.runtime.lease import Term
from shared.runtime.site import Site
from shared.wire import keys
from shared.wire.access import announcer


async def run(site: Site) -> None:
    """Run the hedger, whenever it is our turn, until the site is to stop."""
    site.calendar()
    on_wall_clock = site.settings.clock.source == "wall"
    metrics = HedgerMetrics(site.registry, site.clock if on_wall_clock else None)
    async with site.orders(SERVICE) as orders, site.market(SERVICE) as market:

        async def serve(term: Term) -> None:
            await _serve(site, term, orders, market, metrics)

        await lead(site, SERVICE, orders, serve, role="orders")


async def _serve(
    site: Site, term: Term, orders: Store, market: Store, metrics: HedgerMetrics
) -> None:
    settings = site.settings
    async with site.bus(SERVICE, SUBSCRIPTIONS, session=term.holder) as bus:
        hedger = Hedger(
            policy=HedgerPolicy(
                books=settings.books,
                config_digest=settings.digest,
                code_version=code_version(),
                stale_trading_ns=settings.signals.vix_stale_trading_ns,
            ),
            calendar=site.calendar(),
            term=term,
            keyring=site.keyring,
            bus=bus,
            orders=orders,
            market=market,
            clock=site.clock,
            metrics=metrics,
            health=site.health,
            precedence=site.precedence,
        )
        told = [(orders, announcer(SERVICE))]
        heads = HeadTeller(bus, site.keyring, lambda: hedger.chain)
        async with (
            kept_bounded(site, orders, keys.decisions(), told, decision_span),
            heads.telling(),
        ):
            await hedger.run(site.stop)
