"""From the journal to the orders that should be in the gateway's record: pure.

The domain decides here once more, from the journal alone: neither the signal log nor the hedger's
state nor its decision log is looked at. What is shared is the domain; the shells are different
code, in another process, so that a fault of theirs, or of whoever got hold of them, shows.
"""

from collections.abc import Iterator, Sequence
from hashlib import blake2b

import msgspec
from msgspec import Struct

from shared.adapters.store import Entry
from shared.domain.effects import OrderDecided
from shared.domain.events import ExecutionReported, ExposureMeasured
from shared.domain.hedging.book import HedgeBook, HedgeBookState
from shared.domain.market.signals import SignalMonitor, SignalMonitorState
from shared.domain.orders import Order
from shared.domain.policies import BookPolicy, SignalPolicy
from shared.domain.sessions import SessionCalendar
from shared.domain.signals_observed import HedgerInput
from shared.domain.tick_block import TickBlock
from shared.runtime.ledger import StepOutput
from shared.wire import keys
from shared.wire.journal import decode_entry


class ExpectedOrder(Struct, frozen=True, array_like=True):
    """An order that should be in the record.

    Attributes:
        order_id: Its id.
        content: Digest of all its fields.
        event_ns: When it was decided.
    """

    order_id: str
    content: bytes
    event_ns: int


class FoldState(Struct, frozen=True):
    """What a restarted fold goes on from."""

    monitor: SignalMonitorState
    books: dict[str, HedgeBookState]


_encode = msgspec.msgpack.Encoder().encode
_decode_state = msgspec.msgpack.Decoder(FoldState).decode
decode_expected = msgspec.msgpack.Decoder(ExpectedOrder).decode


def expected_of(order: Order) -> ExpectedOrder:
    """Say what is to be expected of an order."""
    content = blake2b(_encode(order), digest_size=16).digest()
    return ExpectedOrder(order.order_id, content, order.event_ns)


class Fold:
    """The auditor's step: journal in, expected orders out.

    Args:
        signals: Which signals, computed how.
        books: The books.
        calendar: When the market is open.
        config_digest: Stands in every order.
        state: Where to go on from; `None` at first.
    """

    def __init__(
        self,
        signals: SignalPolicy,
        books: Sequence[BookPolicy],
        calendar: SessionCalendar,
        config_digest: str,
        state: bytes | None,
    ) -> None:
        known = None if state is None else _decode_state(state)
        if known is None:
            self._monitor = SignalMonitor(signals, calendar)
        else:
            self._monitor = SignalMonitor.resume(signals, calendar, known.monitor)
        states = {} if known is None else known.books
        self._books = {
            policy.name: HedgeBook(policy, calendar, config_digest, states.get(policy.name))
            for policy in books
        }

    def receive(self, entries: Sequence[Entry]) -> StepOutput:
        """Take a batch of the journal."""
        rows = [
            _encode(expected_of(order))
            for entry in entries
            for event in self._observed(entry)
            for order in self._decided(event)
        ]
        return StepOutput({keys.expected(): rows} if rows else {})

    def snapshot(self) -> bytes:
        """Return the state from which an equal fold can be made."""
        books = {name: book.snapshot() for name, book in self._books.items()}
        return _encode(FoldState(self._monitor.snapshot(), books))

    def _observed(self, entry: Entry) -> Iterator[HedgerInput]:
        journalled = decode_entry(entry.payload)
        number = journalled.first_index
        for item in journalled.items:
            if isinstance(item, TickBlock):
                yield from self._monitor.receive_block(item, number)
                number += len(item)
            else:
                yield from self._monitor.receive(item, number)
                number += 1

    def _decided(self, event: HedgerInput) -> Iterator[Order]:
        for name, book in self._books.items():
            if isinstance(event, ExecutionReported | ExposureMeasured):
                concerns = event.book == name
            else:
                concerns = getattr(event, "scope", name) in {"all", name}
            if concerns:
                for effect in book.receive(event):
                    if isinstance(effect, OrderDecided):
                        yield effect.order
