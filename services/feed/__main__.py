"""Composition root of the feed."""

from collections.abc import Callable, Iterable

from services.feed.metrics import FeedMetrics
from services.feed.pacing import NumberedStep
from services.feed.service import SERVICE, SUBSCRIPTIONS, Feed, FeedPolicy
from shared.adapters.history.replay import ReplayStep
from shared.runtime.site import Site


async def run(
    site: Site,
    steps: Iterable[ReplayStep],
    policy: FeedPolicy,
    on_step: Callable[[NumberedStep], None],
) -> None:
    """Publish a replay; ends when its last step is settled or the site is to stop.

    Only in the first case its status says that it is finished: what came of it is all there is.
    """
    async with site.bus(SERVICE, SUBSCRIPTIONS) as bus:
        feed = Feed(
            policy=policy,
            bus=bus,
            clock=site.clock,
            metrics=FeedMetrics(site.registry),
            on_step=on_step,
        )
        await site.until_stopped(feed.run(steps))
        if not site.stop.is_set():
            bus.leave_with(site.finished(SERVICE))
