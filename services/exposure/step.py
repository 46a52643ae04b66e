"""From journal entries to the exposure log: pure."""

from collections.abc import Callable, Mapping, Sequence

import msgspec
from msgspec import Struct

from shared.adapters.store import Entry
from shared.domain.effects import AlertRaised
from shared.domain.events import (
    ClockAdvanced,
    ExecutionReported,
    ExposureMeasured,
    PositionsReported,
)
from shared.domain.exposure.engine import ExposureEffect, ExposureMonitor, ExposureState
from shared.domain.exposure.observed import ExposureObserved
from shared.domain.tick_block import TickBlock
from shared.runtime.ledger import StepOutput
from shared.wire import keys
from shared.wire.announcements import alert_notice
from shared.wire.exposures import readable
from shared.wire.journal import JournalEntry, decode_entry
from shared.wire.notices import encode_notice

SERVICE = "exposure"
_GONE = "- - - gone"

_encode = msgspec.msgpack.Encoder().encode


class StepState(Struct, frozen=True):
    """What a restarted step goes on from.

    Attributes:
        monitor: Of the books.
        clock_ns: The last clock event taken.
        measured: How many measurements the journal had.
    """

    monitor: ExposureState
    clock_ns: int
    measured: int


class ExposureStep:
    """The exposure stage's step.

    Args:
        make: Makes the monitor, from its state or, at first, from `None`.
        state: Where to go on from; `None` at first.
        reached: Up to this journal entry nothing is written for people: it was, before a crash.

    Attributes:
        latest: The last exposure of every book.
        clock_ns: The last clock event taken.
        measured: How many measurements the journal had so far.
        observed: Of the last batch, for metrics.
    """

    def __init__(
        self,
        make: Callable[[ExposureState | None], ExposureMonitor],
        state: bytes | None,
        *,
        reached: int = 0,
    ) -> None:
        stored = None if state is None else msgspec.msgpack.decode(state, type=StepState)
        self._monitor = make(stored.monitor if stored else None)
        self._reached = reached
        self.latest: dict[str, ExposureObserved] = {}
        self.clock_ns = stored.clock_ns if stored else 0
        self.measured = stored.measured if stored else 0
        self.observed: list[ExposureObserved] = []
        self._written: dict[str, frozenset[str]] = {}

    @property
    def awaited(self) -> Mapping[str, ExposureMeasured]:
        """Measurements that the journal does not have yet, by book."""
        return self._monitor.awaited

    @property
    def wide_expiries(self) -> int:
        """How many expiries' models were told to miss their quotes."""
        return self._monitor.wide_expiries

    def receive(self, entries: Sequence[Entry]) -> StepOutput:
        """Take a batch of journal entries."""
        effects = [
            effect for entry in entries for effect in self._receive(decode_entry(entry.payload))
        ]
        self.observed = [each for each in effects if isinstance(each, ExposureObserved)]
        self.latest |= {each.book: each for each in self.observed}
        rows = {
            keys.exposure_log(): [_encode(each) for each in self.observed],
            keys.announcements(SERVICE): [
                encode_notice(alert_notice(each))
                for each in effects
                if isinstance(each, AlertRaised)
            ],
        }
        output = {stream: written for stream, written in rows.items() if written}
        if not self.observed or entries[-1].index <= self._reached:
            return StepOutput(output)
        books = {each.book for each in self.observed}
        return StepOutput(output, {keys.exposure(book): self._readable(book) for book in books})

    def snapshot(self) -> bytes:
        """Return the state from which an equal step can be made."""
        return _encode(StepState(self._monitor.snapshot(), self.clock_ns, self.measured))

    def _receive(self, entry: JournalEntry) -> list[ExposureEffect]:
        effects: list[ExposureEffect] = []
        for item in entry.items:
            match item:
                case TickBlock():
                    self._monitor.receive_block(item)
                case ClockAdvanced() | ExecutionReported() | PositionsReported():
                    effects += self._monitor.receive(item)
                case ExposureMeasured():
                    self.measured += 1
                    effects += self._monitor.receive(item)
                case _:
                    pass  # what operators want moves no Greek
            if isinstance(item, ClockAdvanced):
                self.clock_ns = item.event_ns
        effects += self._monitor.settle()
        return effects

    def _readable(self, book: str) -> dict[str, str]:
        """Write all of a book's figures; those that it had and has no more are gone."""
        fields = readable(self.latest[book])
        gone = self._written.get(book, frozenset()) - fields.keys()
        self._written[book] = frozenset(fields)
        return fields | dict.fromkeys(sorted(gone), _GONE)
