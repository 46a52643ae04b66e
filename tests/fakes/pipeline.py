"""Messages in, decisions out: the steps of ingest, signals and hedger in one process, no servers.

What stands between them is what stands between them in production: bytes of the journal and of
the signal log. The wall clock is the caller's. An order is filled at once, at its reference price.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from fakes.messages import message
from msgspec import structs

from services.hedger.step import HedgerStep
from services.ingest.step import IngestPolicy, IngestState, IngestStep
from services.signals.step import SignalsStep
from shared.adapters.keyring import Keyring
from shared.adapters.store import Entry
from shared.domain.effects import AlertRaised, Effect, OrderDecided, TargetChanged
from shared.domain.instants import SECOND
from shared.domain.intake import Verdict
from shared.domain.orders import Order
from shared.domain.policies import BookPolicy, IntakePolicy, SignalPolicy
from shared.domain.sessions import SessionCalendar
from shared.domain.signals_observed import Quality, SignalsObserved
from shared.wire import keys, topics
from shared.wire.journal import encode_entry

INTERVAL = 15 * SECOND
"""VIX is published that often; so is everything here."""

Print = float | tuple[float, float]
"""A price, or bid and ask."""


class Pipeline:
    """One book between a feed and a venue.

    Attributes:
        now: The wall clock, ns.
        effects: Everything that the hedger decided, in order.
        ticks: Ticks by symbol and verdict.
        missing: Skipped sequence numbers by source.
    """

    def __init__(
        self,
        intake: IntakePolicy,
        signals: SignalPolicy,
        book: BookPolicy,
        calendar: SessionCalendar,
    ) -> None:
        policy = IngestPolicy(
            intake=intake,
            books=frozenset({book.name}),
            clock_from_feed=False,
            clock_interval_ns=INTERVAL,
        )
        self.calendar = calendar
        self.now = 0
        self.effects: list[Effect] = []
        self.ticks: Counter[tuple[str, Verdict]] = Counter()
        self.missing: Counter[str] = Counter()
        self._ingest = IngestStep(policy, IngestState(), Keyring.generate("paper"))
        self._signals = SignalsStep(signals, calendar, None)
        self._hedger = HedgerStep([book], calendar, "digest", None)
        self._entries: Counter[str] = Counter()
        self._sequence = 0

    # --- what a test says --------------------------------------------------------------------

    def at(self, now: int) -> None:
        """Let it be another time; nothing has happened since."""
        self.now = now

    def skip(self, numbers: int) -> None:
        """So many ticks of the feed are lost on the way."""
        self._sequence += numbers

    def round(self, prints: Mapping[str, Print | None], *, behind_ns: int = 0) -> None:
        """An interval later these print, in this order; `None` prints nothing. The clock ticks."""
        self.now += INTERVAL
        said = {symbol: level for symbol, level in prints.items() if level is not None}
        ticks = [self._tick(symbol, level, behind_ns) for symbol, level in said.items()]
        self.deliver([message("hedge/v1/ticks", ticks)] if ticks else [])

    def deliver(self, messages: list[Any]) -> None:
        """Deliver messages as they are; what comes of them is filled, and told again."""
        taken = self._ingest.receive(messages, self.now)
        self.ticks.update(taken.ticks)
        self.missing.update(taken.missing)
        entry = self._ingest.entry(taken, self.now)
        if entry is None:
            return
        journal = self._numbered(keys.journal(), encode_entry(entry))
        logged = self._signals.receive([journal]).entries.get(keys.signal_log(), ())
        for row in logged:
            self._hedger.receive([self._numbered(keys.signal_log(), row)])
            effects = list(self._hedger.effects)
            self.effects += effects
            filled = [self._fill(each.order) for each in effects if isinstance(each, OrderDecided)]
            if filled:
                self.deliver(filled)

    # --- what a test asks --------------------------------------------------------------------

    @property
    def orders(self) -> list[Order]:
        """All orders so far."""
        return [each.order for each in self.effects if isinstance(each, OrderDecided)]

    @property
    def alerts(self) -> list[tuple[str, str]]:
        """What was told to a person, and about what."""
        found = [each for each in self.effects if isinstance(each, AlertRaised)]
        return [(each.what, each.where) for each in found]

    @property
    def target(self) -> TargetChanged:
        """The last target."""
        return [each for each in self.effects if isinstance(each, TargetChanged)][-1]

    @property
    def observed(self) -> SignalsObserved:
        """The last signals."""
        latest = self._signals.latest
        assert latest is not None
        return latest

    def quality(self, signal: str) -> Quality:
        """Of a signal, now."""
        return self.observed.signals[signal].quality

    def position(self, leg: str) -> float:
        """What the book holds of a leg."""
        (book,) = self._hedger.books.values()
        return book.position(leg)

    def refused(self, symbol: str) -> dict[str, int]:
        """How many ticks of a symbol were refused, by reason."""
        return {
            verdict.name.lower(): count
            for (name, verdict), count in self.ticks.items()
            if name == symbol and verdict.is_refusal
        }

    # -----------------------------------------------------------------------------------------

    def _tick(self, symbol: str, level: Print, behind_ns: int) -> dict[str, Any]:
        self._sequence += 1
        bid, ask = level if isinstance(level, tuple) else (None, None)
        price = level if isinstance(level, float) else None
        return {
            "symbol": symbol,
            "event_time": self.now - behind_ns,
            **({"price": price} if price is not None else {"bid": bid, "ask": ask}),
            "source": "feed",
            "sequence": self._sequence,
        }

    def _fill(self, order: Order) -> Any:  # noqa: ANN401 - as `message` gives it
        report = {
            "order_id": order.order_id,
            "execution_id": f"{order.order_id}-1",
            "kind": "fill",
            "quantity": order.signed_quantity,
            "price": order.reference_price,
            "event_time": self.now,
        }
        return message(topics.executions(order.book), report)

    def _numbered(self, stream: str, payload: bytes) -> Entry:
        self._entries[stream] += 1
        return Entry(stream, self._entries[stream], payload)


def without_confirmation(intake: IntakePolicy) -> IntakePolicy:
    """The same edge, believing every jump at once."""
    believing = {
        name: structs.replace(symbol, confirmations=1) for name, symbol in intake.symbols.items()
    }
    return structs.replace(intake, symbols=believing)
