"""Composition root of the hedger."""

from services.hedger.heads import HeadTeller
from services.hedger.metrics import HedgerMetrics
from services.hedger.service import SERVICE, SUBSCRIPTIONS, Hedger, HedgerPolicy
from shared.adapters.code_version import code_version
from shared.runtime.bounded import decision_span, kept_bounded
from shared.runtime.durability import check_durability
from shared.runtime.site import Site
from shared.wire import keys


async def run(site: Site) -> None:
    """Run the hedger until the site is to stop."""
    settings = site.settings
    on_wall_clock = settings.clock.source == "wall"
    async with (
        site.bus(SERVICE, SUBSCRIPTIONS) as bus,
        site.orders() as orders,
        site.market() as market,
    ):
        hedger = Hedger(
            policy=HedgerPolicy(
                books=settings.books,
                config_digest=settings.digest,
                code_version=code_version(),
            ),
            calendar=site.calendar(),
            bus=bus,
            orders=orders,
            market=market,
            clock=site.clock,
            metrics=HedgerMetrics(site.registry, site.clock if on_wall_clock else None),
            health=site.health,
            precedence=site.precedence,
        )
        await site.until_stopped(check_durability("orders", orders))
        heads = HeadTeller(bus, site.keyring, lambda: hedger.chain)
        async with (
            kept_bounded(site, orders, keys.decisions(), (), decision_span),
            heads.telling(),
        ):
            await hedger.run(site.stop)
