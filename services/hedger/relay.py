"""Carries orders from the hedger's outbox to the gateway, until the gateway has each on its disk.

The outbox is a stream that the hedger's commit appends to. The relay reads it, seals each row
under the present epoch, and removes it on the gateway's sealed acknowledgement; anybody else's is
counted and ignored. Rows whose commit is confirmed are also handed to it at once, which saves the
way through the store.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
import structlog

from shared.adapters.bus import Bus
from shared.adapters.clock import Clock
from shared.adapters.keyring import Keyring
from shared.adapters.store import Entry, Store, StoreTrouble
from shared.domain.orders import Order
from shared.runtime.backoff import delays_s
from shared.runtime.delivery import Delivery
from shared.runtime.lease import Term
from shared.runtime.ledger import LeaseLost
from shared.runtime.outbox import OutboxRow
from shared.wire import keys, topics
from shared.wire.announcements import order_message
from shared.wire.messages import AckMessage

log = structlog.get_logger()

_AT_ONCE: Final = 100
"""Rows read and sealed while nobody else has a turn: some 20 ms on a free core."""
_MOST_SENT: Final = 500
"""On their way at a time: a gateway that is slow is not sent thousands, again and again."""
_BLOCK_MS: Final = 1000
_decode_order = msgspec.msgpack.Decoder(Order).decode


class OrderRelay:
    """Sends orders and settles them.

    Args:
        bus: Where orders go.
        store: Where the outbox is.
        keyring: Seals orders as the monitor.
        term: Under which we lead: it is looked at before each sending.
        clock: For the pauses between sendings.
        on_sent: Told of each sending: the row, and `sent`, `refused` or `unavailable`.
        on_acknowledged: Told of orders that the gateway has answered for.
        on_superseded: Told when the gateway refuses our epoch: the order stays in the outbox, and
            we are out.
    """

    def __init__(  # noqa: PLR0913 - a composition of parts
        self,
        *,
        bus: Bus,
        store: Store,
        keyring: Keyring,
        term: Term,
        clock: Clock,
        on_sent: Callable[[OutboxRow, str], None],
        on_acknowledged: Callable[[Sequence[AckMessage]], None],
        on_superseded: Callable[[AckMessage], None],
    ) -> None:
        self._store = store
        self._keyring = keyring
        self._epoch = term.epoch
        self._on_acknowledged = on_acknowledged
        self._on_superseded = on_superseded
        self._delivery = Delivery(bus, clock, on_sent, term.check, most_sent=_MOST_SENT)
        self._sealed: dict[Entry, OutboxRow] = {}
        self._indices: dict[str, int] = {}
        self._answered: list[int] = []
        self._some_answered = asyncio.Event()
        self._seen = 0

    def seal_ahead(self, rows: Sequence[Entry]) -> None:
        """Seal rows of a commit on its way: signing takes its time, and the store is at work."""
        self._sealed = {row: self._seal(row) for row in rows[:_AT_ONCE]}

    def take_committed(self, rows: Sequence[Entry]) -> None:
        """Send rows at once whose commit is confirmed, unless earlier ones are not known yet.

        Of very many only the first: the others come from the stream, a hundred at a time.
        """
        if rows and rows[0].index == self._seen + 1:
            self._take(rows[:_AT_ONCE])

    def has_delivered(self, index: int) -> bool:
        """Whether every row up to an index of the outbox is acknowledged."""
        return self._seen >= index and not self._delivery.waiting

    @property
    def has_settled(self) -> bool:
        """Whether every row that is acknowledged is gone from the outbox."""
        return not self._answered

    @property
    def waiting(self) -> int:
        """Orders not yet acknowledged."""
        return self._delivery.waiting

    def longest_wait_s(self) -> float:
        """For how long the oldest of them waits, in seconds."""
        return self._delivery.longest_wait_s()

    async def run(self, accepted: asyncio.Event) -> None:
        """Relay until cancelled.

        Args:
            accepted: Set once the gateway has accepted our epoch; nothing is sent before.

        Raises:
            LeaseLost: The lease has run out.
        """
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._deliver(accepted), name="delivery")
            tasks.create_task(self._follow_outbox(), name="outbox")
            tasks.create_task(self._remove_answered(), name="answered")

    def receive(self, answers: Sequence[AckMessage]) -> None:
        """Take the gateway's answers for orders.

        Raises:
            LeaseLost: It has heard of a newer leader than us.
        """
        self._settle([answer for answer in answers if answer.status != "superseded"])
        for answer in answers:
            # else the answer to another's sending
            if answer.status == "superseded" and answer.epoch == self._epoch:
                self._on_superseded(answer)
                raise LeaseLost(
                    f"order {answer.order_id} was not taken: {answer.reason}", above=self._epoch
                )

    async def _deliver(self, accepted: asyncio.Event) -> None:
        await accepted.wait()
        await self._delivery.run()

    async def _follow_outbox(self) -> None:
        delays = delays_s()
        while True:
            try:
                await self._catch_up()
                while True:
                    await self._take_rows(block_ms=_BLOCK_MS)
                    delays = delays_s()
            except StoreTrouble as trouble:
                log.warning("outbox_waits", error=str(trouble))
                self._seen = 0  # it may have forgotten what was removed: what is there goes again
                await asyncio.sleep(next(delays))

    async def _catch_up(self) -> None:
        """Take what is there; rows that were settled before we came are gone."""
        last = (await self._store.extent(keys.outbox())).last
        while await self._take_rows(block_ms=None):
            pass
        self._seen = max(self._seen, last)

    async def _take_rows(self, block_ms: int | None) -> bool:
        entries = await self._store.read(
            {keys.outbox(): self._seen}, count=_AT_ONCE, block_ms=block_ms
        )
        self._take(entries)
        return bool(entries)

    def _take(self, rows: Sequence[Entry]) -> None:
        fresh = [row for row in rows if row.index > self._seen]
        if fresh:
            self._delivery.put([self._row(row) for row in fresh])
            self._seen = fresh[-1].index

    def _row(self, entry: Entry) -> OutboxRow:
        row = self._sealed.pop(entry, None) or self._seal(entry)
        self._indices[row.key] = entry.index
        return row

    def _seal(self, entry: Entry) -> OutboxRow:
        order = _decode_order(entry.payload)
        topic = topics.orders(order.book)
        message = order_message(order, epoch=self._epoch, sequence=entry.index)
        return OutboxRow(order.order_id, topic, self._keyring.seal("monitor", topic, message))

    def _settle(self, answers: Sequence[AckMessage]) -> None:
        """Let orders go; an answer that was heard before changes nothing."""
        settled = set(self._delivery.acknowledge(answer.order_id for answer in answers))
        if not settled:
            return
        self._answered += [self._indices.pop(order_id) for order_id in settled]
        self._some_answered.set()
        self._on_acknowledged(
            list({each.order_id: each for each in answers if each.order_id in settled}.values())
        )

    async def _remove_answered(self) -> None:
        """Remove the rows that were answered for, all that have come to be at a time.

        While the store is away they stay: another leader would send them again, and be answered.
        """
        delays = delays_s()
        while True:
            await self._some_answered.wait()
            self._some_answered.clear()
            indices = list(self._answered)
            try:
                await self._store.settle(keys.outbox(), indices)
            except StoreTrouble as trouble:
                log.warning("settle_failed", orders=len(indices), error=str(trouble))
                self._some_answered.set()
                await asyncio.sleep(next(delays))
            else:
                del self._answered[: len(indices)]
                delays = delays_s()
