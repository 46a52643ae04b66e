from fakes.hedged_market import MONDAY, HedgedMarket
from msgspec import structs
from prometheus_client import CollectorRegistry

from services.signals.metrics import SignalsCollector
from shared.domain.instants import SECOND
from shared.domain.signals_observed import SignalsObserved


def test_silent_feeds_the_session_and_the_event_time_are_shown() -> None:
    registry = CollectorRegistry()
    collector = SignalsCollector(registry)
    latest: list[SignalsObserved] = []
    collector.follow(lambda: latest[-1] if latest else None, lambda: 3, lambda now: now == MONDAY)
    assert registry.get_sample_value("hedge_market_open") is None
    assert registry.get_sample_value("hedge_signals_lag_entries") == 3
    latest.append(structs.replace(HedgedMarket().observed("VIX"), silent=("SPX",)))
    assert registry.get_sample_value("hedge_market_open") == 1
    assert registry.get_sample_value("hedge_event_timestamp_seconds") == MONDAY / SECOND
    assert registry.get_sample_value("hedge_feed_silent", {"symbol": "SPX"}) == 1
    latest.append(structs.replace(latest[-1], silent=(), event_ns=MONDAY + SECOND))
    assert registry.get_sample_value("hedge_market_open") == 0
    assert registry.get_sample_value("hedge_feed_silent", {"symbol": "SPX"}) is None
