"""What the gateway counts."""

from prometheus_client import CollectorRegistry, Counter, Gauge

from shared.domain.events import ExecutionReported
from shared.runtime.outbox import OutboxRow


class GatewayMetrics:
    """Prometheus metrics of the gateway.

    Args:
        registry: Where they are registered.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._orders = Counter(
            "hedge_gateway_orders",
            "Orders that reached the gateway, by what became of them.",
            ["status"],
            registry=registry,
        )
        self._executions = Counter(
            "hedge_gateway_executions",
            "Execution reports the venue made.",
            ["book", "kind"],
            registry=registry,
        )
        self._sendings = Counter(
            "hedge_gateway_report_sendings",
            "Times a report was sent; more than once when the journal was slow to show it.",
            ["outcome"],
            registry=registry,
        )
        self._waiting = Gauge(
            "hedge_gateway_reports_waiting",
            "Execution reports that the journal does not show yet.",
            registry=registry,
        )
        self._cursor = Gauge(
            "hedge_gateway_journal_entries",
            "Entries of the journal the venue has read.",
            registry=registry,
        )

    def order_taken(self, status: str) -> None:
        """Count an order that arrived."""
        self._orders.labels(status).inc()

    def executed(self, report: ExecutionReported) -> None:
        """Count a report the venue made."""
        self._executions.labels(report.book, report.kind.value).inc()

    def report_sent(self, _: OutboxRow, outcome: str) -> None:
        """Count a sending of a report."""
        self._sendings.labels(outcome).inc()

    def follow(self, cursor: int, waiting: int) -> None:
        """Show how far the venue has read, and what waits."""
        self._cursor.set(cursor)
        self._waiting.set(waiting)
