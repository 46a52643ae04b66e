"""Every check of a process as a metric: what `/readyz` says, for those who look at numbers."""

from collections.abc import Iterable
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from shared.runtime.health import Health

NAME: Final = "hedge_check_ready"


class CheckCollector(Collector):
    """Asks every check when somebody scrapes.

    A stage's lease is a check too, so `max by (check)` of `*.lease` is 0 when nobody leads.

    Args:
        registry: Where it is registered.
        health: Of the process.
    """

    def __init__(self, registry: CollectorRegistry, health: Health) -> None:
        self._health = health
        registry.register(self)

    def describe(self) -> Iterable[Metric]:
        """Name the metric without asking."""
        return (_family(),)

    def collect(self) -> Iterable[Metric]:
        """Ask every check."""
        family = _family()
        for name, check in self._health.report().items():
            family.add_metric([name], check.ready)
        return (family,)


def _family() -> GaugeMetricFamily:
    return GaugeMetricFamily(NAME, "1 for a check that passes, else 0.", labels=["check"])
