"""What ingest counts."""

from prometheus_client import CollectorRegistry, Counter, Histogram

from services.ingest.commands import CONTROLS
from services.ingest.step import Taken
from shared.adapters.keyring import FORGED
from shared.domain.events import RebalanceRequested
from shared.domain.intake import Verdict
from shared.domain.trading import TradingStateSet


class IngestMetrics:
    """Prometheus metrics of ingest; symbols are the configured ones.

    Any other counts as `other`, an option too: there are too many for a label each.

    Args:
        registry: Where they are registered.
        symbols: Known symbols: what came from outside must not become a label.
    """

    def __init__(self, registry: CollectorRegistry, symbols: frozenset[str]) -> None:
        self._symbols = symbols
        self._ticks = Counter(
            "hedge_ticks", "Ticks by symbol and verdict.", ["symbol", "verdict"], registry=registry
        )
        self._rejects = Counter(
            "hedge_rejects", "Refused messages by reason.", ["reason"], registry=registry
        )
        self._commands = Counter(
            "hedge_commands",
            "Commands taken into the journal, by kind.",
            ["kind"],
            registry=registry,
        )
        self._commands_refused = Counter(
            "hedge_commands_refused",
            "Commands refused: forged, altered, replayed, stale or beside the point.",
            ["reason"],
            registry=registry,
        )
        self._missing = Counter(
            "hedge_ticks_missing",
            "Sequence numbers that sources skipped.",
            registry=registry,
        )
        self._commit = Histogram(
            "hedge_ingest_commit_seconds",
            "From the first message of a batch in hand to its commit.",
            registry=registry,
            buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0),
        )
        for reason in FORGED:
            self._commands_refused.labels(reason)
        self._children: dict[tuple[str, Verdict], Counter] = {}

    def taken(self, taken: Taken, seconds: float) -> None:
        """Count a batch that is in the journal, once, and how long it took to get there."""
        for (symbol, verdict), count in taken.ticks.items():
            self._child(symbol, verdict).inc(count)
        for letter in taken.rejects:
            self._rejects.labels(letter.reason).inc()
            if letter.topic in CONTROLS:
                self._commands_refused.labels(letter.reason).inc()
        for item in taken.items:
            if isinstance(item, RebalanceRequested):
                self._commands.labels("rebalance").inc()
            elif isinstance(item, TradingStateSet):
                self._commands.labels(item.state.value).inc()
        missing = sum(taken.missing.values())
        if missing:
            self._missing.inc(missing)
        self._commit.observe(seconds)

    def _child(self, symbol: str, verdict: Verdict) -> Counter:
        known = symbol if symbol in self._symbols else "other"
        if (known, verdict) not in self._children:
            self._children[known, verdict] = self._ticks.labels(known, verdict.name.lower())
        return self._children[known, verdict]
