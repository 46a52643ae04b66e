"""What the gateway counts."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge

from shared.adapters.keyring import FORGED
from shared.domain.events import ExecutionReported
from shared.domain.trading import STRICTNESS, TradingState
from shared.runtime.outbox import OutboxRow


class GatewayMetrics:
    """Prometheus metrics of the gateway.

    Args:
        registry: Where they are registered.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._orders = Counter(
            "hedge_gateway_orders",
            "Orders that were answered, by what they were answered.",
            ["status"],
            registry=registry,
        )
        self._refused = Counter(
            "hedge_orders_refused",
            "Orders that were not taken, by reason: those of strangers, and those that a control "
            "of the gateway's own refused.",
            ["reason"],
            registry=registry,
        )
        self._commands_refused = Counter(
            "hedge_gateway_commands_refused",
            "Commands, heartbeats and epochs that were not believed, by reason.",
            ["reason"],
            registry=registry,
        )
        self._dead_man = Counter(
            "hedge_gateway_dead_man",
            "Times that the hedger's silence changed what trades, by what it asked for.",
            ["state"],
            registry=registry,
        )
        self._trading = Gauge(
            "hedge_trading_state",
            "What a scope may do: 0 active, 1 reducing, 2 halted.",
            ["scope"],
            registry=registry,
        )
        self._executions = Counter(
            "hedge_gateway_executions",
            "Execution reports that were made.",
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
            "Reports that the journal does not show yet.",
            registry=registry,
        )
        self._cursor = Gauge(
            "hedge_gateway_journal_entries",
            "Entries of the journal the venue has read.",
            registry=registry,
        )
        self._free = Gauge(
            "hedge_disk_free_ratio",
            "Share of the file system of the gateway's record that is free.",
            registry=registry,
        )
        for reason in ("epoch_regress", "not_entitled"):
            self._commands_refused.labels(reason)
        for reason in FORGED:
            self._refused.labels(reason)
            self._commands_refused.labels(reason)
        for state in (TradingState.REDUCING, TradingState.HALTED):
            self._dead_man.labels(state.value)

    def order_taken(self, status: str) -> None:
        """Count an order that was answered."""
        self._orders.labels(status).inc()

    def order_refused(self, reason: str) -> None:
        """Count an order that was not taken."""
        self._refused.labels(reason).inc()

    def command_refused(self, reason: str) -> None:
        """Count a command, heartbeat or epoch that was not believed."""
        self._commands_refused.labels(reason).inc()

    def dead_man(self, wanted: TradingState) -> None:
        """Count that the hedger's silence stopped something."""
        self._dead_man.labels(wanted.value).inc()

    def trading(self, scope: str, state: TradingState) -> None:
        """Show what a scope may do."""
        self._trading.labels(scope).set(STRICTNESS.index(state))

    def executed(self, report: ExecutionReported) -> None:
        """Count a report that was made."""
        self._executions.labels(report.book, report.kind.value).inc()

    def report_sent(self, _: OutboxRow, outcome: str) -> None:
        """Count a sending of a report."""
        self._sendings.labels(outcome).inc()

    def watch_disk(self, free_ratio: Callable[[], float]) -> None:
        """Ask at each scrape how much of the disk is free."""
        self._free.set_function(free_ratio)

    def follow(self, cursor: int, waiting: int) -> None:
        """Show how far the venue has read, and what waits."""
        self._cursor.set(cursor)
        self._waiting.set(waiting)
