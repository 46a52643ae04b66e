"""Orders, and a gateway that keeps each once."""

import contextlib
from collections import Counter
from typing import Any, Literal, TypeVar

from fakes.bus import FakeBus
from msgspec import structs

from shared.adapters.bus import BusUnavailable, Message
from shared.adapters.keyring import Keyring
from shared.domain.orders import Order, order_id
from shared.wire import topics
from shared.wire.announcements import order_from
from shared.wire.messages import (
    AckMessage,
    EpochAnswerMessage,
    EpochMessage,
    HeartbeatMessage,
    OrderMessage,
    SealedMessage,
)

HEARD = (topics.ORDERS, topics.EPOCHS, topics.HEARTBEATS)
Kind = TypeVar("Kind", bound=SealedMessage)
Status = Literal["accepted", "duplicate", "refused", "superseded"]

_FIRST = Order(
    order_id=order_id("overlay", 1, "swap"),
    book="overlay",
    decision=1,
    leg="swap",
    instrument="variance_swap",
    symbol="VIX",
    side="buy",
    quantity=400.0,
    target_quantity=1000.0,
    vega=400.0,
    reference_price=22.0,
    limit_price=24.2,
    notional=8800.0,
    currency="USD",
    event_ns=10,
    journal_index=0,
    valid_until_ns=10**18,
    trigger="vix_move",
    reason="VIX 22 from 18",
)


def make_order(decision: int = 1, **fields: Any) -> Order:  # noqa: ANN401 - any of its fields
    return structs.replace(
        _FIRST, decision=decision, order_id=order_id("overlay", decision, "swap"), **fields
    )


class Desk:
    """The gateway's end of orders and epochs: takes each order once, and answers each time.

    Attributes:
        taken: How often each order arrived.
        epochs: Under which each arrived.
        orders: By id.
        beats: Epochs of the heartbeats that arrived.
        told: Epochs that it was told of, in order.
        high_water: It accepts epochs from here on; below, orders are superseded.
        status_of_new: What a new order is told.
        quiet: While set, it answers no order.
        silent: While set, it answers no epoch.
    """

    def __init__(self, bus: FakeBus, keyring: Keyring) -> None:
        self._bus = bus
        self._keyring = keyring
        self.taken: Counter[str] = Counter()
        self.epochs: list[int] = []
        self.beats: list[int] = []
        self.told: list[int] = []
        self.high_water = 0
        self.quiet = False
        self.silent = False
        self.status_of_new: Status = "accepted"
        self.orders: dict[str, Order] = {}

    async def run(self) -> None:
        async for message in self._bus.messages():
            message.ack()
            if message.topic == topics.heartbeats("hedger"):
                self.beats.append(self._open(message, HeartbeatMessage).epoch)
            elif message.topic == topics.epochs("hedger"):
                await self._take_epoch(self._open(message, EpochMessage).epoch)
            else:
                await self._take(self._open(message, OrderMessage))

    async def answer(self, name: str, status: Status, epoch: int) -> None:
        answer = AckMessage(order_id=name, status=status, epoch=epoch)
        await self._publish(topics.acks("overlay"), answer)

    async def _take_epoch(self, epoch: int) -> None:
        self.told.append(epoch)
        if self.silent:
            return
        accepted = epoch >= self.high_water
        self.high_water = max(self.high_water, epoch)
        answer = EpochAnswerMessage(
            service="hedger", epoch=epoch, accepted=accepted, high_water=self.high_water
        )
        await self._publish(topics.epoch_answers("hedger"), answer)

    async def _take(self, wire: OrderMessage) -> None:
        order = order_from(wire)
        self.epochs.append(wire.epoch)
        self.taken[order.order_id] += 1
        known = self.orders.setdefault(order.order_id, order)
        assert known == order, "the same id must be the same order"
        if not self.quiet:
            again = self.taken[order.order_id] > 1
            status: Status = "duplicate" if again else self.status_of_new
            await self.answer(order.order_id, status, wire.epoch)

    def _open(self, message: Message, kind: type[Kind]) -> Kind:
        return self._keyring.open("monitor", message.topic, message.payload, kind)

    async def _publish(self, topic: str, message: SealedMessage) -> None:
        with contextlib.suppress(BusUnavailable):
            await self._bus.publish(topic, self._keyring.seal("gateway", topic, message))
