"""What the signals stage shows: every signal with its age and quality, read at scrape time."""

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from shared.domain.instants import SECOND
from shared.domain.signals_observed import Quality, SignalsObserved


class SignalsCollector(Collector):
    """Makes gauges of the latest snapshot when somebody asks: the hot path does nothing.

    Args:
        registry: Where it is registered.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._latest: Callable[[], SignalsObserved | None] = lambda: None
        self._behind: Callable[[], int] = lambda: 0
        self._is_open: Callable[[int], bool] = lambda _: False
        registry.register(self)

    def follow(
        self,
        latest: Callable[[], SignalsObserved | None],
        behind: Callable[[], int],
        is_open: Callable[[int], bool],
    ) -> None:
        """Read from here, from now on.

        Args:
            latest: Returns the latest snapshot, or `None` before the first.
            behind: Returns how many journal entries wait.
            is_open: Whether the market is, at an instant in ns.
        """
        self._latest = latest
        self._behind = behind
        self._is_open = is_open

    def stand_down(self) -> None:
        """Show nothing: another leads, and knows better."""
        self.follow(lambda: None, lambda: 0, lambda _: False)

    def describe(self) -> Iterable[Metric]:
        """Name the metrics without reading a snapshot."""
        return self._families()

    def collect(self) -> Iterable[Metric]:
        """Read the latest snapshot."""
        values, ages, qualities, lag, silent, is_open, reached = self._families()
        observed = self._latest()
        if observed is not None:
            is_open.add_metric([], self._is_open(observed.event_ns))
            reached.add_metric([], observed.event_ns / SECOND)
            for symbol in observed.silent:
                silent.add_metric([symbol], 1)
            for name, signal in observed.signals.items():
                if signal.value is not None:
                    values.add_metric([name, signal.unit], signal.value)
                if signal.event_ns:
                    age_s = (observed.event_ns - signal.event_ns) / SECOND
                    ages.add_metric([name], age_s)
                for quality in Quality:
                    qualities.add_metric([name, quality.value], signal.quality is quality)
        return values, ages, qualities, lag, silent, is_open, reached

    def _families(self) -> tuple[GaugeMetricFamily, ...]:
        return (
            GaugeMetricFamily(
                "hedge_signal_value", "A signal, in its unit.", labels=["signal", "unit"]
            ),
            GaugeMetricFamily(
                "hedge_signal_age_seconds",
                "Event time since the youngest tick in a signal.",
                labels=["signal"],
            ),
            GaugeMetricFamily(
                "hedge_signal_quality",
                "1 for the quality a signal has, else 0; rules act on good alone.",
                labels=["signal", "quality"],
            ),
            GaugeMetricFamily(
                "hedge_signals_lag_entries",
                "Entries of the journal that the signals stage has not taken.",
                value=self._behind(),
            ),
            GaugeMetricFamily(
                "hedge_feed_silent",
                "1 for a symbol that has missed prints; not there while it prints.",
                labels=["symbol"],
            ),
            GaugeMetricFamily(
                "hedge_market_open", "1 inside a session of the exchange, else 0.", labels=[]
            ),
            GaugeMetricFamily(
                "hedge_event_timestamp_seconds",
                "Event time of the latest signals: it stands still when nothing is journalled.",
                labels=[],
            ),
        )
