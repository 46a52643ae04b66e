"""What was decided and is not yet acknowledged: resent, with growing pauses, until it is.

A broker's acknowledgement proves nothing (promises F1): a row leaves only when the *application*
at the other end has it. A protocol core: tell it (`put`, `acknowledge`), ask it (`due`,
`next_deadline`), no IO.
"""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 30.0


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
    since_s: float
    send_at_s: float
    pause_s: float = FIRST_PAUSE_S


class Outbox:
    """Rows in the order they were put."""

    def __init__(self) -> None:
        self._pending: dict[str, _Pending] = {}

    def __len__(self) -> int:
        return len(self._pending)

    def put(self, rows: Iterable[OutboxRow], now_s: float) -> None:
        """Take rows on; one already here is left as it is."""
        for row in rows:
            self._pending.setdefault(row.key, _Pending(row, now_s, now_s))

    def acknowledge(self, keys: Iterable[str]) -> list[str]:
        """Let rows go; answers those that were here."""
        return [key for key in keys if self._pending.pop(key, None) is not None]

    def replace(self, rows: Iterable[OutboxRow], now_s: float) -> None:
        """Hold just these rows: what the store holds after a reconnect."""
        kept = {row.key: row for row in rows}
        self._pending = {key: held for key, held in self._pending.items() if key in kept}
        self.put(kept.values(), now_s)

    def due(self, now_s: float) -> list[OutboxRow]:
        """Rows to send now, oldest first; asking counts as sending."""
        rows = []
        for pending in self._pending.values():
            if pending.send_at_s <= now_s:
                pending.send_at_s = now_s + pending.pause_s
                pending.pause_s = min(2 * pending.pause_s, LONGEST_PAUSE_S)
                rows.append(pending.row)
        return rows

    def oldest_s(self) -> float | None:
        """When the row that has waited longest was put."""
        return min((held.since_s for held in self._pending.values()), default=None)

    def next_deadline(self) -> float | None:
        """When a row is next due."""
        return min((held.send_at_s for held in self._pending.values()), default=None)
