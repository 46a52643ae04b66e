import pytest
from prometheus_client import CollectorRegistry

from shared.runtime.checks import CheckCollector
from shared.runtime.health import Health


def test_every_check_is_a_metric_and_is_asked_at_each_scrape() -> None:
    registry, health = CollectorRegistry(), Health("hedger.lease")
    CheckCollector(registry, health)

    def value(check: str) -> float | None:
        return registry.get_sample_value("hedge_check_ready", {"check": check})

    assert (value("hedger.lease"), value("hedger.bus")) == (0, None)
    health.passing("hedger.lease")
    health.failing("hedger.bus", "not connected yet")
    assert (value("hedger.lease"), value("hedger.bus")) == (1, 0)


def test_it_is_named_without_asking() -> None:
    health = Health()
    health.watch("broken", lambda: pytest.fail("it was asked"))
    collector = CheckCollector(CollectorRegistry(), health)
    assert [family.name for family in collector.describe()] == ["hedge_check_ready"]
