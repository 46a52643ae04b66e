"""What the feed counts."""

from prometheus_client import CollectorRegistry, Counter, Gauge

from services.feed.pacing import NumberedStep
from shared.domain.instants import SECOND


class FeedMetrics:
    """Prometheus metrics of the feed.

    Args:
        registry: Where they are registered.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._sent = Counter(
            "hedge_feed_ticks_sent",
            "Ticks published, those sent again included.",
            registry=registry,
        )
        self._done = Counter(
            "hedge_feed_steps_done", "Steps journalled and settled.", registry=registry
        )
        self._clock = Gauge(
            "hedge_feed_clock_timestamp_seconds",
            "Event time the replay has reached.",
            registry=registry,
        )

    def sent(self, step: NumberedStep) -> None:
        """Count a sending."""
        self._sent.inc(len(step.ticks))

    def done(self, step: NumberedStep) -> None:
        """Count a step that is done."""
        self._done.inc()
        self._clock.set(step.clock.event_ns / SECOND)
