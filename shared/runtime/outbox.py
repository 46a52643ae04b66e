"""What was decided and is not yet acknowledged: resent, with growing pauses, until it is.

A broker's acknowledgement proves nothing (promises F1): a row leaves only when the *application*
at the other end has it. A protocol core: tell it (`put`, `acknowledge`), ask it (`due`,
`next_deadline`), no IO.

Whoever learns that the other end may be back has everything sent at once (`hurry`): what was on its
way over a connection that broke may be lost, and need not wait out a pause that has grown.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from itertools import count
from typing import Final

from msgspec import Struct

FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 2.0
"""So what waits for the other end is there within seconds once that is well again."""


class OutboxRow(Struct, frozen=True):
    """One message that must arrive.

    Attributes:
        key: What the acknowledgement will name.
        topic: Where to.
        payload: The bytes, the same at every sending.
    """

    key: str
    topic: str
    payload: bytes


class _Pending(Struct):
    row: OutboxRow
    number: int
    since_s: float
    send_at_s: float
    pause_s: float = FIRST_PAUSE_S
    is_held: bool = False


class Outbox:
    """Rows in the order they were put.

    What is asked of it costs the same however many rows wait: they are in a heap by when they are
    due. An entry of the heap whose row was let go, or put anew, is passed over.

    Args:
        most_sent: So many rows may be on their way at a time, the oldest: for an other end that
            knows a row it has seen before only among its last few.
    """

    def __init__(self, most_sent: int | None = None) -> None:
        self._most_sent = most_sent
        self._sent = 0
        self._held: deque[_Pending] = deque()
        self._pending: dict[str, _Pending] = {}
        self._schedule: list[tuple[float, int, _Pending]] = []
        self._numbers = count()

    def __len__(self) -> int:
        return len(self._pending)

    def put(self, rows: Iterable[OutboxRow], now_s: float) -> None:
        """Take rows on; one already here is left as it is."""
        for row in rows:
            if row.key not in self._pending:
                self._pending[row.key] = pending = _Pending(row, next(self._numbers), now_s, now_s)
                pending.is_held = True
                self._held.append(pending)
        self._release()

    def acknowledge(self, keys: Iterable[str]) -> list[str]:
        """Let rows go; answers those that were here."""
        gone = [pending for key in keys if (pending := self._pending.pop(key, None)) is not None]
        self._sent -= sum(not pending.is_held for pending in gone)
        self._release()
        return [pending.row.key for pending in gone]

    def replace(self, rows: Iterable[OutboxRow], now_s: float) -> None:
        """Hold just these rows: what the store holds after a reconnect."""
        kept = {row.key: row for row in rows}
        self.acknowledge([key for key in self._pending if key not in kept])
        self.put(kept.values(), now_s)

    def due(self, now_s: float) -> list[OutboxRow]:
        """Rows to send now, oldest first; asking counts as sending."""
        due = sorted(self._take_due(now_s), key=lambda pending: pending.number)
        for pending in due:
            pending.send_at_s = now_s + pending.pause_s
            pending.pause_s = min(2 * pending.pause_s, LONGEST_PAUSE_S)
            self._plan(pending)
        return [pending.row for pending in due]

    def hurry(self, now_s: float) -> None:
        """Have all be due now that may be on its way, and its pauses begin anew."""
        self._schedule.clear()
        for pending in self._pending.values():
            if not pending.is_held:
                pending.send_at_s, pending.pause_s = now_s, FIRST_PAUSE_S
                self._plan(pending)

    def oldest_s(self) -> float | None:
        """When the row that has waited longest was put."""
        return next((held.since_s for held in self._pending.values()), None)

    def next_deadline(self) -> float | None:
        """When a row is next due."""
        self._forget_gone()
        return self._schedule[0][0] if self._schedule else None

    def _release(self) -> None:
        """Let rows be sent that were held back, as many as there is room for."""
        while self._held and (self._most_sent is None or self._sent < self._most_sent):
            pending = self._held.popleft()
            if self._holds(pending):
                pending.is_held = False
                self._sent += 1
                self._plan(pending)

    def _plan(self, pending: _Pending) -> None:
        heappush(self._schedule, (pending.send_at_s, pending.number, pending))

    def _take_due(self, now_s: float) -> Iterator[_Pending]:
        self._forget_gone()
        while self._schedule and self._schedule[0][0] <= now_s:
            yield heappop(self._schedule)[2]
            self._forget_gone()

    def _forget_gone(self) -> None:
        while self._schedule and not self._holds(self._schedule[0][2]):
            heappop(self._schedule)

    def _holds(self, pending: _Pending) -> bool:
        return self._pending.get(pending.row.key) is pending
