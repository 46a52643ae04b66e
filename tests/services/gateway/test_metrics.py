from prometheus_client import CollectorRegistry

from services.gateway.metrics import GatewayMetrics


def test_the_disk_is_asked_at_each_scrape() -> None:
    registry, free = CollectorRegistry(), [0.5]
    GatewayMetrics(registry).watch_disk(lambda: free[0])
    assert registry.get_sample_value("hedge_disk_free_ratio") == 0.5
    free[0] = 0.01
    assert registry.get_sample_value("hedge_disk_free_ratio") == 0.01


def test_what_must_never_happen_counts_from_0_so_that_the_first_time_is_an_increase() -> None:
    registry = CollectorRegistry()
    GatewayMetrics(registry)
    for name, label, value in (
        ("hedge_gateway_commands_refused_total", "reason", "epoch_regress"),
        ("hedge_gateway_dead_man_total", "state", "halted"),
    ):
        assert registry.get_sample_value(name, {label: value}) == 0
