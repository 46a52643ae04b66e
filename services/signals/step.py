"""From journal entries to the signal log: pure."""

from collections.abc import Sequence

import msgspec

from shared.adapters.store import Entry
from shared.domain.events import ClockAdvanced, Tick
from shared.domain.market.signals import SignalMonitor, SignalMonitorState
from shared.domain.policies import SignalPolicy
from shared.domain.sessions import SessionCalendar
from shared.domain.signals_observed import HedgerInput, Signal, SignalsObserved
from shared.domain.tick_block import TickBlock
from shared.runtime.ledger import StepOutput
from shared.wire import keys
from shared.wire.journal import JournalEntry, decode_entry, encode_log
from shared.wire.times import format_instant


class SignalsStep:
    """The signals stage's step.

    Args:
        policy: Which signals, computed how.
        calendar: When the market is open.
        state: Where to go on from; `None` at first.
        reached: Up to this journal entry nothing is written for people: it was, before a crash.
    """

    def __init__(
        self,
        policy: SignalPolicy,
        calendar: SessionCalendar,
        state: bytes | None,
        *,
        reached: int = 0,
    ) -> None:
        self._reached = reached
        if state is None:
            self._monitor = SignalMonitor(policy, calendar)
        else:
            decoded = msgspec.msgpack.decode(state, type=SignalMonitorState)
            self._monitor = SignalMonitor.resume(policy, calendar, decoded)
        self.latest: SignalsObserved | None = None
        self._written: dict[str, Signal] = {}

    def receive(self, entries: Sequence[Entry]) -> StepOutput:
        """Take a batch of journal entries; each that says something gives one log entry."""
        rows = []
        for entry in entries:
            observed = self._observe(decode_entry(entry.payload))
            if observed:
                rows.append(encode_log(observed))
                self._note_latest(observed)
        if not rows or self.latest is None or entries[-1].index <= self._reached:
            return StepOutput({keys.signal_log(): rows} if rows else {})
        return StepOutput({keys.signal_log(): rows}, {keys.signals(): self._changed(self.latest)})

    def snapshot(self) -> bytes:
        """Return the state from which an equal step can be made."""
        return msgspec.msgpack.encode(self._monitor.snapshot())

    def _observe(self, entry: JournalEntry) -> list[HedgerInput]:
        observed: list[HedgerInput] = []
        index = entry.first_index
        for item in entry.items:
            if isinstance(item, TickBlock):
                observed.extend(self._monitor.receive_block(item, index))
                index += len(item)
            else:
                observed.extend(self._monitor.receive(item, index))
                index += 1
        return observed

    def _changed(self, latest: SignalsObserved) -> dict[str, str]:
        """Write what differs from the last commit; the first of a process is everything."""
        changed = {
            name: signal
            for name, signal in latest.signals.items()
            if self._written.get(name) != signal
        }
        self._written |= changed
        return {name: readable(signal) for name, signal in changed.items()}

    def _note_latest(self, observed: Sequence[HedgerInput]) -> None:
        for item in reversed(observed):
            if isinstance(item, SignalsObserved):
                self.latest = item
                return


def compile_ahead(policy: SignalPolicy, calendar: SessionCalendar) -> None:
    """Take a few ticks for nothing, so that nothing is compiled while a lease is held."""
    monitor = SignalMonitor(policy, calendar)
    opened_ns = int(calendar.open_ns[-1])
    symbols = (policy.vix_symbol, policy.index_symbol, *policy.correlation_basket)
    ticks = [Tick(symbol=symbol, event_ns=opened_ns, price=1.0) for symbol in symbols]
    monitor.receive_block(TickBlock.of(ticks), 0)
    monitor.receive(ClockAdvanced(event_ns=opened_ns), len(ticks))


def readable(signal: Signal) -> str:
    """Write a signal for people: value, unit, event time, quality, and how full its window is."""
    value = "-" if signal.value is None else f"{signal.value:.10g}"
    event_time = format_instant(signal.event_ns) if signal.event_ns else "-"
    filled = f" {signal.have}/{signal.need}" if signal.have < signal.need else ""
    state = f" {signal.state}" if signal.state else ""
    return f"{value} {signal.unit} {event_time} {signal.quality.value}{filled}{state}"
