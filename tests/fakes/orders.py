"""Orders, and a gateway that keeps each once."""

import asyncio
from collections import Counter
from typing import Any, Literal

from fakes.bus import FakeBus
from msgspec import structs

from shared.adapters.bus import BusUnavailable
from shared.domain.orders import Order, order_id
from shared.wire import codec, topics
from shared.wire.announcements import order_from
from shared.wire.messages import AckMessage, OrderMessage

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
    valid_until_ns=10**18,
    trigger="vix_move",
    reason="VIX 22 from 18",
)


def make_order(decision: int = 1, **fields: Any) -> Order:  # noqa: ANN401 - any of its fields
    return structs.replace(
        _FIRST, decision=decision, order_id=order_id("overlay", decision, "swap"), **fields
    )


class Desk:
    """The other end of the orders topic: takes each once, and answers each time.

    Attributes:
        taken: How often each order arrived.
        epochs: Under which each arrived.
        orders: By id.
        status_of_new: What a new one is told.
        quiet: While set, it answers nothing.
    """

    def __init__(self, bus: FakeBus) -> None:
        self._bus = bus
        self.taken: Counter[str] = Counter()
        self.epochs: list[int] = []
        self.quiet = False
        self.status_of_new: Status = "accepted"
        self.orders: dict[str, Order] = {}

    async def run(self) -> None:
        async for message in self._bus.messages():
            wire = codec.decode(OrderMessage, message.payload)
            order = order_from(wire)
            self.epochs.append(wire.epoch)
            self.taken[order.order_id] += 1
            known = self.orders.setdefault(order.order_id, order)
            assert known == order, "the same id must be the same order"
            message.ack()
            if not self.quiet:
                again = self.taken[order.order_id] > 1
                status: Status = "duplicate" if again else self.status_of_new
                await self.answer(order.order_id, status, wire.epoch)

    async def answer(self, name: str, status: Status, epoch: int) -> None:
        answer = AckMessage(order_id=name, status=status, epoch=epoch)
        try:
            await self._bus.publish(topics.acks("overlay"), codec.encode(answer))
        except BusUnavailable:
            await asyncio.sleep(0)
