"""What is counted of those who come to the page to do something, or should not have come."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge


class DoorMetrics:
    """Prometheus metrics of the page's door.

    Args:
        registry: Where they are registered.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._refused = Counter(
            "hedge_page_requests_refused",
            "Requests that the page did not do, by reason.",
            ["reason"],
            registry=registry,
        )
        self._logins = Counter(
            "hedge_page_logins", "Logins to the page, by outcome.", ["outcome"], registry=registry
        )
        self._sessions = Gauge(
            "hedge_page_sessions", "Operators' sessions that go on.", registry=registry
        )
        self._actions = Counter(
            "hedge_page_actions",
            "Actions of operators that are logged in, by outcome.",
            ["action", "outcome"],
            registry=registry,
        )

    def refused(self, reason: str) -> None:
        """Count a request that was not done."""
        self._refused.labels(reason).inc()

    def login(self, outcome: str) -> None:
        """Count a login: `right`, `wrong` or `throttled`."""
        self._logins.labels(outcome).inc()

    def sessions(self, count: Callable[[], int]) -> None:
        """Show how many sessions go on."""
        self._sessions.set_function(count)

    def action(self, action: str, outcome: str) -> None:
        """Count an action: `sent`, or why it was not."""
        self._actions.labels(action, outcome).inc()
