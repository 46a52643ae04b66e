"""Carrying an outbox to the bus, until every row is acknowledged by the other end."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from shared.adapters.bus import Bus, NotPublished, Publication, PublishRefused
from shared.adapters.clock import Clock
from shared.runtime.outbox import Outbox, OutboxRow

_IDLE_S: Final = 60.0
_LOOK_S: Final = 0.25
"""While something waits, for a connection that is a new one."""
_AT_ONCE: Final = 64
"""Rows that leave together: what is put meanwhile waits until the broker has them."""


def _ignore() -> None:
    """Send whatever is due."""


class Delivery:
    """The shell around an `Outbox`.

    Args:
        bus: Where rows go.
        clock: For the pauses between sendings.
        on_sent: Told of each sending that the broker took, and of each that it did not.
        check: Asked just before some leave; raises when we may not send any more.
        most_sent: See `Outbox`.
    """

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        on_sent: Callable[[OutboxRow, str], None],
        check: Callable[[], None] = _ignore,
        *,
        most_sent: int | None = None,
    ) -> None:
        self._check = check
        self._bus = bus
        self._clock = clock
        self._on_sent = on_sent
        self._outbox = Outbox(most_sent)
        self._wake = asyncio.Event()

    @property
    def waiting(self) -> int:
        """Rows not yet acknowledged."""
        return len(self._outbox)

    def longest_wait_s(self) -> float:
        """For how long the oldest row has waited, in seconds; 0 when none does."""
        oldest_s = self._outbox.oldest_s()
        return 0.0 if oldest_s is None else self._clock.monotonic_s() - oldest_s

    def put(self, rows: Iterable[OutboxRow]) -> None:
        """Take rows on and send them at once."""
        self._outbox.put(rows, self._clock.monotonic_s())
        self._wake.set()

    def replace(self, rows: Iterable[OutboxRow]) -> None:
        """Hold just these rows: what the store holds after a restart."""
        self._outbox.replace(rows, self._clock.monotonic_s())
        self._wake.set()

    def acknowledge(self, keys: Iterable[str]) -> list[str]:
        """Let rows go; answers those that were waiting."""
        gone = self._outbox.acknowledge(keys)
        if gone:
            self._wake.set()  # others may have waited for their room
        return gone

    async def run(self) -> None:
        """Send what is due until cancelled: over a new connection, all that waits."""
        connection = -1
        while True:
            await self._bus.connected.wait()
            if connection != self._bus.reconnects:
                connection = self._bus.reconnects
                self._outbox.hurry(self._clock.monotonic_s())
            due = self._outbox.due(self._clock.monotonic_s())
            for first in range(0, len(due), _AT_ONCE):
                await self._send(due[first : first + _AT_ONCE])
            await self._until_something_is_due()

    async def _until_something_is_due(self) -> None:
        deadline_s = self._outbox.next_deadline()
        pause_s = _IDLE_S
        if deadline_s is not None:
            pause_s = min(_LOOK_S, max(0.0, deadline_s - self._clock.monotonic_s()))
        try:
            async with asyncio.timeout(pause_s):
                await self._wake.wait()
        except TimeoutError:
            return
        self._wake.clear()

    async def _send(self, rows: Sequence[OutboxRow]) -> None:
        self._check()
        outcomes = await self._bus.publish_all(
            [Publication(row.topic, row.payload) for row in rows]
        )
        for row, outcome in zip(rows, outcomes, strict=True):
            self._on_sent(row, _named(outcome))


def _named(outcome: NotPublished | None) -> str:
    if outcome is None:
        return "sent"
    return "refused" if isinstance(outcome, PublishRefused) else "unavailable"
