"""What the page's server counts."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)


class DashboardMetrics:
    """Prometheus metrics of the page.

    Args:
        registry: Where they are registered.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._clients = Gauge("hedge_page_clients", "Open event streams.", registry=registry)
        self._refused = Counter(
            "hedge_page_clients_refused",
            "Streams that were refused: too many were open.",
            registry=registry,
        )
        self._dropped = Counter(
            "hedge_page_clients_dropped",
            "Streams that were ended: their client took nothing for too long.",
            registry=registry,
        )
        self._sent = Counter(
            "hedge_page_stream_bytes", "Bytes sent on event streams.", registry=registry
        )
        self._rounds = Histogram(
            "hedge_page_round_seconds",
            "Time taken to number and encode what changed; once a round.",
            buckets=_SECONDS,
            registry=registry,
        )
        self._folds = Histogram(
            "hedge_page_fold_seconds",
            "Time taken to fold what was read of a source, once a read.",
            ["source"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._entries = Counter(
            "hedge_page_entries", "Entries that were folded.", ["source"], registry=registry
        )
        self._refused_messages = Counter(
            "hedge_page_messages_refused",
            "Messages from the bus that were not believed or not understood.",
            ["reason"],
            registry=registry,
        )

    def opened(self) -> None:
        """Count a stream that opens."""
        self._clients.inc()

    def closed(self) -> None:
        """Count a stream that is over."""
        self._clients.dec()

    def refused(self) -> None:
        """Count a stream that was refused."""
        self._refused.inc()

    def dropped(self) -> None:
        """Count a stream whose client did not keep up."""
        self._dropped.inc()

    def sent(self, count: int) -> None:
        """Count bytes sent."""
        self._sent.inc(count)

    def turned(self, seconds: float) -> None:
        """Note how long a round took."""
        self._rounds.observe(seconds)

    def folded(self, source: str, entries: int, seconds: float) -> None:
        """Note how long it took to fold entries of a source."""
        self._entries.labels(source).inc(entries)
        self._folds.labels(source).observe(seconds)

    def not_believed(self, reason: str) -> None:
        """Count a message of the bus that changed nothing."""
        self._refused_messages.labels(reason).inc()
