"""Every metric of every service, registered by the very code that counts with them."""

from collections.abc import Iterator
from typing import Any

from fakes.command import DEPLOY
from msgspec import Struct
from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.metrics import MetricWrapperBase

from services.auditor.metrics import AuditorMetrics
from services.dashboard.door_metrics import DoorMetrics
from services.dashboard.metrics import DashboardMetrics
from services.exposure.metrics import ExposureMetrics
from services.feed.metrics import FeedMetrics
from services.gateway.metrics import GatewayMetrics
from services.hedger.metrics import HedgerMetrics
from services.ingest.metrics import IngestMetrics
from services.signals.metrics import SignalsCollector
from shared.adapters.settings import load_settings
from shared.runtime.site import Site


class Described(Struct, frozen=True):
    """A metric without its values.

    Attributes:
        name: As Prometheus shows it; a histogram's without `_bucket`, `_sum`, `_count`.
        kind: counter, gauge or histogram.
        labels: Their names.
    """

    name: str
    kind: str
    labels: tuple[str, ...]


def full_registry() -> CollectorRegistry:
    """What all services together register."""
    site = Site(settings=load_settings(DEPLOY / "demo.toml", {}))
    registry = site.registry
    IngestMetrics(registry, frozenset())
    SignalsCollector(registry)
    HedgerMetrics(registry, None)
    GatewayMetrics(registry)
    FeedMetrics(registry)
    AuditorMetrics(registry)
    ExposureMetrics(registry, None, 1)
    DashboardMetrics(registry)
    DoorMetrics(registry)
    return registry


def names(registry: CollectorRegistry) -> set[str]:
    """Names of all metrics of a registry."""
    return {each.name for each in described(registry)}


def described(registry: CollectorRegistry) -> list[Described]:
    """All metrics of a registry."""
    return list(_described(registry))


def _described(registry: CollectorRegistry) -> Iterator[Described]:
    for collector in list(registry._collector_to_names):  # noqa: SLF001 - it names them no other way
        if isinstance(collector, MetricWrapperBase):
            family = next(iter(collector.describe()))
            yield _describe(family, collector)
        else:
            for family in collector.collect():
                yield _describe(family, family)


def _describe(family: Metric, labelled: Any) -> Described:  # noqa: ANN401 - either of two
    name = f"{family.name}_total" if family.type == "counter" else family.name
    return Described(name, family.type, tuple(labelled._labelnames))  # noqa: SLF001 - likewise
