"""What the hedger counts."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import UnsetType
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from shared.adapters.clock import Clock
from shared.adapters.keyring import FORGED
from shared.domain.effects import (
    Effect,
    OrderDecided,
    OrderWithheld,
    TargetChanged,
    TriggerChanged,
    WhipsawSuppressed,
)
from shared.domain.hedging.book import BookStanding
from shared.domain.instants import SECOND
from shared.domain.orders import book_of
from shared.runtime.outbox import OutboxRow
from shared.wire.messages import AckMessage

Standings = Callable[[], Mapping[str, BookStanding]]
TRIGGER_STATES = ("inactive", "pending", "firing", "cooldown")


class HedgerMetrics:
    """Prometheus metrics of the hedger.

    Args:
        registry: Where they are registered.
        clock: Tells how long ago a tick was; `None` in a replay, where that means nothing.
    """

    def __init__(self, registry: CollectorRegistry, clock: Clock | None) -> None:
        self._clock = clock
        self._multiplier = Gauge(
            "hedge_multiplier_ratio",
            "Multiplier of the base vega after the whole sizing chain.",
            ["book"],
            registry=registry,
        )
        self._target = Gauge(
            "hedge_target_vega_dollars",
            "Target vega notional, currency per vol point.",
            ["book"],
            registry=registry,
        )
        self._current = Gauge(
            "hedge_current_vega_dollars",
            "Vega notional held and on order at the last decision, currency per vol point.",
            ["book"],
            registry=registry,
        )
        self._figures = Gauge(
            "hedge_strategy_figure",
            "What a strategy saw at its last decision, each figure in its own unit.",
            ["book", "strategy", "figure"],
            registry=registry,
        )
        self._band_cost = Gauge(
            "hedge_band_cost_dollars",
            "What each kind of band has cost so far, the one taken among them, currency.",
            ["book", "strategy", "band"],
            registry=registry,
        )
        self._states = Gauge(
            "hedge_trigger_state",
            "1 for the state that a trigger is in; other states are not there.",
            ["book", "trigger", "state"],
            registry=registry,
        )
        self._transitions = Counter(
            "hedge_trigger_transitions",
            "State changes of triggers.",
            ["book", "trigger", "state"],
            registry=registry,
        )
        self._whipsaws = Counter(
            "hedge_whipsaws_suppressed",
            "Conditions that broke before their hold was over.",
            ["book", "trigger"],
            registry=registry,
        )
        self._orders = Counter(
            "hedge_orders",
            "Orders by what became of them here.",
            ["book", "outcome"],
            registry=registry,
        )
        self._withheld = Counter(
            "hedge_orders_withheld",
            "Orders that a control held back.",
            ["book", "control"],
            registry=registry,
        )
        self._sendings = Counter(
            "hedge_order_sendings",
            "Times an order was sent; more than once when the gateway was slow to answer.",
            ["outcome"],
            registry=registry,
        )
        self._forged = Counter(
            "hedge_answers_refused",
            "Answers that the gateway did not send: malformed, or why the seal is not its own.",
            ["reason"],
            registry=registry,
        )
        self._waiting = Gauge(
            "hedge_orders_unacknowledged", "Orders the gateway has not answered.", registry=registry
        )
        self._behind = Gauge(
            "hedge_hedger_lag_entries",
            "Entries of the signal log that the hedger has not taken.",
            registry=registry,
        )
        self._tick_to_order = Histogram(
            "hedge_tick_to_order_seconds",
            "From the event that an order was decided on to the order's commit.",
            registry=registry,
            buckets=(0.001, 0.002, 0.003, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0),
        )
        self._taken = Gauge(
            "hedge_hedger_taken_entries",
            "Entries of the signal log that the hedger has taken.",
            registry=registry,
        )
        self._longest = Gauge(
            "hedge_order_wait_seconds",
            "How long the oldest order waits for the gateway's answer; 0 while none does.",
            registry=registry,
        )
        self._books = StandingCollector(registry)
        for reason in FORGED:
            self._forged.labels(reason)

    def taken(self, entries: int, longest_wait_s: float) -> None:
        """Show how far the hedger is, and how long an order waits."""
        self._taken.set(entries)
        self._longest.set(longest_wait_s)

    def follow(self, books: Standings) -> None:
        """Read from here, from now on, how books stand."""
        self._books.read = books

    def stand_down(self) -> None:
        """Show nothing of how things are: another leads, and knows better."""
        self._books.read = dict
        for gauge in (self._multiplier, self._target, self._current, self._figures, self._states):
            gauge.clear()
        for gauge in (self._waiting, self._behind, self._longest):
            gauge.set(0)

    def behind(self, entries: int) -> None:
        """Show how many entries of the signal log wait."""
        self._behind.set(entries)

    def decided(self, effects: Sequence[Effect]) -> None:
        """Show what a batch led to."""
        for effect in effects:
            self._show(effect)

    def order_sent(self, _: OutboxRow, outcome: str) -> None:
        """Count a sending of an order."""
        self._sendings.labels(outcome).inc()

    def order_acknowledged(self, answer: AckMessage) -> None:
        """Count the gateway's answer."""
        self._orders.labels(book_of(answer.order_id), answer.status).inc()

    def answer_refused(self, reason: str) -> None:
        """Count a message that claimed to be the gateway's."""
        self._forged.labels(reason).inc()

    def waiting(self, count: int) -> None:
        """Show how many orders are not acknowledged."""
        self._waiting.set(count)

    def _show(self, effect: Effect) -> None:
        match effect:
            case TargetChanged():
                self._multiplier.labels(effect.book).set(effect.multiplier)
                self._target.labels(effect.book).set(effect.target_vega)
                self._current.labels(effect.book).set(effect.current_vega)
                self._show_strategies(effect)
            case TriggerChanged():
                self._transitions.labels(effect.book, effect.trigger, effect.state).inc()
                for state in TRIGGER_STATES:
                    self._states.remove(effect.book, effect.trigger, state)
                self._states.labels(effect.book, effect.trigger, effect.state).set(1)
            case WhipsawSuppressed():
                self._whipsaws.labels(effect.book, effect.trigger).inc()
            case OrderDecided():
                self._orders.labels(effect.book, "decided").inc()
                if self._clock is not None:
                    age_ns = self._clock.now_ns() - effect.event_ns
                    self._tick_to_order.observe(max(0, age_ns) / SECOND)
            case OrderWithheld():
                self._withheld.labels(effect.book, effect.control).inc()
            case _:
                pass

    def _show_strategies(self, target: TargetChanged) -> None:
        for told in () if isinstance(target.strategies, UnsetType) else target.strategies:
            for name, value in told.figures.items():
                self._figures.labels(target.book, told.strategy, name).set(value)
            for band in told.bands:
                self._band_cost.labels(target.book, told.strategy, band.kind).set(band.cost)


class StandingCollector(Collector):
    """Makes gauges of how books stand when somebody asks.

    Args:
        registry: Where it is registered.

    Attributes:
        read: Returns how every book stands.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.read: Standings = dict
        registry.register(self)

    def describe(self) -> Iterable[Metric]:
        """Name the metrics without looking at a book."""
        return _standing_families()

    def collect(self) -> Iterable[Metric]:
        """Look at every book."""
        held, off_target, used, orders = families = _standing_families()
        for book, standing in self.read().items():
            held.add_metric([book], standing.held_vega)
            off_target.add_metric([book], standing.is_off_target)
            orders.add_metric([book], standing.open_orders)
            if standing.budget_used is not None:
                used.add_metric([book], standing.budget_used)
        return families


def _standing_families() -> tuple[GaugeMetricFamily, ...]:
    return (
        GaugeMetricFamily(
            "hedge_held_vega_dollars",
            "Vega of the position alone, without open orders, currency per vol point.",
            labels=["book"],
        ),
        GaugeMetricFamily(
            "hedge_off_target",
            "1 for a book whose position misses its target for longer than an order lives.",
            labels=["book"],
        ),
        GaugeMetricFamily(
            "hedge_budget_used_ratio",
            "Share of the year's cost budget that is used; books without one have none.",
            labels=["book"],
        ),
        GaugeMetricFamily(
            "hedge_open_orders", "Orders of a book that may still trade.", labels=["book"]
        ),
    )
