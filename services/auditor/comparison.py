"""What is in the gateway's record against what should be: pure.

Theory of operation. The record is read from its first row to its last, again and again; each time
is a *sweep*. Three things can be wrong with it:

- *altered*: a row's content is not that of the order with its id, or its signature does not fit;
- *forged*: a row that no journal explains. It was read at some time; what it could have been
  decided from stood in the journal by then. Once all of that is folded, nothing can excuse it;
- *missing*: an order that a sweep did not find. At once if an earlier sweep had found it. Else it
  may be on its way; but the hedger tells up to when all that it decided is delivered, and an order
  from before that has a grace, and one whole sweep, to be found.

Each finding is told once.
"""

from collections.abc import Callable, Iterator
from hashlib import blake2b
from typing import Literal

import msgspec
from msgspec import Struct

from services.auditor.fold import ExpectedOrder, expected_of
from shared.adapters.record import RecordedOrder
from shared.domain.orders import Order

Kind = Literal["forged", "missing", "altered"]


class Finding(Struct, frozen=True):
    """Something is wrong with the record.

    Attributes:
        kind: What.
        order_id: With which order.
        detail: The same for a person.
    """

    kind: Kind
    order_id: str
    detail: str


class NotAsSigned(Exception):  # noqa: N818 - reads as what it is
    """A row does not hold what the monitor signed; the text says what is wrong with it."""


class _Suspect(Struct, frozen=True):
    row: RecordedOrder
    order: Order
    journalled: int


class Comparison:
    """Compares, sweep by sweep.

    Args:
        read: Reads the order in a row, or raises `NotAsSigned`.
        grace_s: How long an order may be on its way after the hedger called it delivered.
    """

    def __init__(self, read: Callable[[RecordedOrder], Order], grace_s: float) -> None:
        self._read = read
        self._grace_s = grace_s
        self._expected: dict[str, ExpectedOrder] = {}
        self._unclaimed: dict[str, ExpectedOrder] = {}
        self._claimed_s: dict[str, float] = {}
        self._judged: dict[int, bytes] = {}
        self._suspects: dict[str, _Suspect] = {}
        self._found: set[str] = set()
        self._seen: set[str] = set()
        self._sweep_began_s = 0.0
        self._told: set[tuple[Kind, str]] = set()

    @property
    def expected(self) -> int:
        """How many orders should be in the record."""
        return len(self._expected)

    @property
    def rows(self) -> int:
        """How many rows the last whole sweep has found."""
        return len(self._found)

    def expect(self, order: ExpectedOrder) -> None:
        """Note an order that should be there."""
        self._expected[order.order_id] = order
        self._unclaimed[order.order_id] = order

    def claim(self, settled_ns: int, now_s: float) -> None:
        """Note that the hedger calls all that it decided up to an instant delivered."""
        claimed = [each for each in self._unclaimed.values() if each.event_ns <= settled_ns]
        for order in claimed:
            del self._unclaimed[order.order_id]
            self._claimed_s[order.order_id] = now_s

    def begin_sweep(self, now_s: float) -> None:
        """Begin to read the record from its first row on."""
        self._seen = set()
        self._sweep_began_s = now_s

    def see(self, row: RecordedOrder, journalled: int) -> Iterator[Finding]:
        """Take a row.

        Args:
            row: As the gateway tells it.
            journalled: The journal's last entry, looked up after the row was read.
        """
        self._seen.add(row.order_id)
        suspect = self._suspects.get(row.order_id)
        if self._judged.get(row.number) == _digest(row) or (suspect and suspect.row == row):
            return  # the very same as in an earlier sweep
        try:
            order = self._read(row)
        except NotAsSigned as reason:
            yield from self._tell("altered", row.order_id, str(reason))
            return
        self._suspects[row.order_id] = _Suspect(row, order, journalled)

    def judge(self, folded: int) -> Iterator[Finding]:
        """Judge the rows that came of what is folded by now, up to that entry of the journal."""
        for order_id, suspect in list(self._suspects.items()):
            expected = self._expected.get(order_id)
            if expected is None and folded < suspect.journalled:
                continue
            del self._suspects[order_id]
            if expected is None:
                yield from self._tell("forged", order_id, "no journal explains it")
            elif expected != expected_of(suspect.order):
                yield from self._tell("altered", order_id, "its content is another")
            else:
                self._judged[suspect.row.number] = _digest(suspect.row)

    def end_sweep(self) -> Iterator[Finding]:
        """Take note that the last row was read."""
        for order_id in self._found - self._seen:
            yield from self._tell("missing", order_id, "it was in the record before")
        due_s = self._sweep_began_s - self._grace_s
        for order_id, claimed_s in list(self._claimed_s.items()):
            if order_id in self._seen:
                del self._claimed_s[order_id]
            elif claimed_s <= due_s:
                del self._claimed_s[order_id]
                yield from self._tell("missing", order_id, "the hedger calls it delivered")
        self._found = self._seen

    def _tell(self, kind: Kind, order_id: str, detail: str) -> Iterator[Finding]:
        if (kind, order_id) not in self._told:
            self._told.add((kind, order_id))
            yield Finding(kind, order_id, detail)


def _digest(row: RecordedOrder) -> bytes:
    return blake2b(_encode(row), digest_size=16).digest()


_encode = msgspec.msgpack.Encoder().encode
