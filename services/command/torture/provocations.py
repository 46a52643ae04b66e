"""Every guard provoked, one after the other, by somebody who has stolen the monitor's key.

What he sends is refused for one reason each time, and each reason is to be seen. Part of it is
written down by the gateway; so the auditor, who is away until then, must find it, and halt.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from msgspec import structs

from services.command.torture.configuration import BookLimits
from services.command.torture.hands import junk
from services.command.torture.judgement import STRANGE
from shared.adapters.bus import Bus, BusUnavailable, PublishRefused
from shared.adapters.clock import Clock
from shared.adapters.keyring import Keyring
from shared.domain.instants import MINUTE, SECOND
from shared.domain.orders import Order, order_id
from shared.wire import codec, topics
from shared.wire.announcements import order_from, order_message
from shared.wire.messages import AckMessage, OrderMessage, TradingCommandMessage
from shared.wire.seal import split
from shared.wire.times import format_instant

LIMITED: Final[Mapping[str, BookLimits]] = {
    "minute": BookLimits(limits={"max_orders_per_minute": 12}),
    "repeats": BookLimits(limits={"max_repeats": 4, "repeat_window": '"10 s"'}),
    "day": BookLimits(limits={"max_orders_per_day": 12}),
    "turnover": BookLimits(limits={"max_daily_turnover": 100_000}),
    "loss": BookLimits(limits={"max_daily_loss": 1}),
    "notional": BookLimits(limits={"max_order_notional": 30_000}),
    "position": BookLimits(limits={"max_position_vega": 8_000}),
    "copies": BookLimits(limits={"duplicate_window": '"5 s"'}),
    "stale": BookLimits(stale_s=1.0),
}
"""Books that each have one limit within reach."""

SUBSCRIPTIONS: Final = (topics.ORDERS, topics.ACKS)
_MANY: Final = 14
"""Orders in a row that go beyond any limit of `LIMITED`."""
_SMALL: Final = 40.0
_EVERY_S: Final = 0.02
_VALID_NS: Final = 30 * SECOND
_OPERATOR: Final = "torture"


class Provoker:
    """Hears the orders that pass, and sends others like them.

    Args:
        bus: Subscribed to `SUBSCRIPTIONS`.
        keys: Directory of all keys.
        environment: For which they sign.
        clock: For the time on what he sends.

    Attributes:
        plausible: Ids of orders that no control need refuse: only an auditor tells them from ours.
    """

    def __init__(self, bus: Bus, keys: Path, environment: str, clock: Clock) -> None:
        self.plausible: set[str] = set()
        self._bus = bus
        self._clock = clock
        self._keyring = Keyring.load(keys, environment)
        self._elsewhere = Keyring.load(keys, "live")
        self._stranger = Keyring.generate(environment)
        self._passed: dict[str, tuple[OrderMessage, bytes]] = {}
        self._heard: dict[str, tuple[OrderMessage, bytes]] = {}
        self._number = STRANGE

    async def listen(self) -> None:
        """Remember the last order of each book that was answered, until cancelled."""
        async for message in self._bus.messages():
            with suppress(ValueError):
                body = split(message.payload).body
                if message.topic.endswith("/orders"):
                    wire = codec.decode(OrderMessage, body)
                    if wire.decision < STRANGE:  # else one of his own
                        self._passed[wire.order_id] = wire, message.payload
                else:
                    name = codec.decode(AckMessage, body).order_id
                    if heard := self._passed.pop(name, None):
                        self._heard[heard[0].book] = heard
            message.ack()

    def has_heard(self, books: Sequence[str]) -> bool:
        """Whether there is an order of each book to imitate."""
        return self._heard.keys() >= set(books)

    # --- orders -----------------------------------------------------------------------------------

    async def break_rules(self, book: str) -> None:
        """Send orders that each break one rule which every book has."""
        order = self._like(book)
        wrongs: tuple[dict[str, Any], ...] = (
            {"symbol": "SPX"},
            {"config_digest": "another"},
            {"valid_until_ns": self._clock.now_ns() - SECOND},
            {"notional": 1_000 * order.notional},
            {"limit_price": 10 * order.limit_price},
            _size(5_000.0, order),
        )
        for wrong in wrongs:
            await self._send(structs.replace(self._like(book), **wrong))
        name = order_id(book, order.decision, "none")
        await self._send(structs.replace(order, leg="none", order_id=name))

    async def break_limits(self) -> None:
        """Send more than each book of `LIMITED` may."""
        await self._send(self._like("notional", 2_500.0))
        for _ in range(4):  # the last is beyond what may be held, wherever the book stands
            await self._send_plausible(self._like("position", 3_900.0))
        copied = self._like("copies")
        await self._send_plausible(copied)
        name = self._like("copies")
        same = structs.replace(copied, order_id=name.order_id, decision=name.decision)
        await self._send_plausible(same)
        for number in range(_MANY):
            to_and_fro = _SMALL * (-1) ** number * (1 + number / 1_000)
            for book in ("minute", "day", "loss"):
                await self._send_plausible(self._like(book, to_and_fro))
            await self._send_plausible(self._like("turnover", 25 * to_and_fro))
            await self._send_plausible(self._like("repeats", abs(to_and_fro)))
        await asyncio.sleep(1.0)  # by then the venue has traded them, at a loss
        await self._send_plausible(self._like("loss", 10 * _SMALL))

    async def send_growing(self, book: str) -> None:
        """Send an order that makes a book's hedge larger."""
        await self._send_plausible(self._like(book))

    async def forge(self, book: str) -> None:
        """Send what the monitor has not sealed, or not for here."""
        wire, payload = self._heard[book]
        topic = topics.orders(book)
        order = order_from(wire)
        elsewhere = topics.orders(next(name for name in self._heard if name != book))
        old = order_message(self._like(book), epoch=0, sequence=1)
        changed = structs.replace(order, quantity=2 * order.quantity)
        conflict = order_message(changed, epoch=wire.epoch, sequence=1)
        for where, what in (
            (topic, self._stranger.seal("monitor", topic, wire)),
            (topic, self._elsewhere.seal("monitor", topic, wire)),
            (topic, _altered(payload)),
            (topic, payload.partition(b"\n")[0]),
            (elsewhere, self._keyring.seal("monitor", elsewhere, wire)),
            (topic, self._keyring.seal("monitor", topic, old)),
            (topic, self._keyring.seal("monitor", topic, conflict)),
            *self._answers(book, wire),
        ):
            await self._publish(where, what)

    def _answers(self, book: str, wire: OrderMessage) -> Iterator[tuple[str, bytes]]:
        topic = topics.acks(book)
        answer = AckMessage(order_id=wire.order_id, status="accepted", epoch=wire.epoch)
        sealed = self._keyring.seal("gateway", topic, answer)
        yield topic, self._stranger.seal("gateway", topic, answer)
        yield topic, self._elsewhere.seal("gateway", topic, answer)
        yield topic, _altered(sealed)
        yield topic, sealed.partition(b"\n")[0]

    async def leave(self, book: str, *, there: bool) -> None:
        """Leave an order and a command with the broker, for whoever subscribes; or take them away.

        Both were believed before: whoever is there already believes neither.
        """
        for topic, payload in (
            (topics.orders(book), self._heard[book][1]),
            (topics.RESUME, self._said("book_000", "active", topics.RESUME, age_ns=MINUTE // 2)),
        ):
            await self._publish(topic, payload if there else b"", retain=True)

    async def print_junk(self) -> None:
        """Print what is no price."""
        for tick in junk(self._clock.now_ns()):
            await self._publish(topics.TICKS, tick)

    # --- commands ---------------------------------------------------------------------------------

    async def command_wrongly(self) -> None:
        """Give commands that nobody may believe."""
        for topic, payload in self._commands():
            await self._publish(topic, payload)

    def _commands(self) -> Iterator[tuple[str, bytes]]:
        halt, resume = topics.HALT, topics.RESUME
        yield resume, self._said("all", "active", resume, age_ns=2 * MINUTE)
        good = self._said("book_000", "active", resume)
        yield resume, good
        yield resume, good
        yield resume, _altered(good)
        yield resume, good.partition(b"\n")[0]
        yield halt, self._said("all", "halted", halt, keyring=self._stranger)
        yield halt, self._said("all", "halted", halt, keyring=self._elsewhere)
        yield halt, self._said("nobody", "halted", halt)
        yield halt, self._said("all", "active", halt)
        yield resume, self._said("all", "active", resume, age_ns=-10 * SECOND)
        yield resume, self._said("all", "active", resume, role="auditor")
        yield resume, self._said("all", "active", resume, role="desk")

    def _said(  # noqa: PLR0913 - what can be wrong with a command
        self,
        scope: str,
        state: Any,  # noqa: ANN401 - one of three words
        topic: str,
        *,
        age_ns: int = 0,
        role: Any = "operator",  # noqa: ANN401 - likewise
        keyring: Keyring | None = None,
    ) -> bytes:
        command = TradingCommandMessage(
            scope=scope,
            state=state,
            reason="provoked",
            operator=_OPERATOR,
            issued_at=format_instant(self._clock.now_ns() - age_ns),
        )
        return (keyring or self._keyring).seal(role, topic, command)

    # --- how it is sent ---------------------------------------------------------------------------

    def _like(self, book: str, vega: float = _SMALL) -> Order:
        """An order of a size that looks just like the hedger's."""
        self._number += 1
        wire, _ = self._heard[book]
        order, now_ns = order_from(wire), self._clock.now_ns()
        fresh = structs.replace(
            order,
            order_id=order_id(book, self._number, order.leg),
            decision=self._number,
            event_ns=now_ns,
            valid_until_ns=now_ns + _VALID_NS,
        )
        return structs.replace(fresh, **_size(vega, fresh))

    async def _send_plausible(self, order: Order) -> None:
        self.plausible.add(order.order_id)
        await self._send(order)

    async def _send(self, order: Order) -> None:
        topic = topics.orders(order.book)
        message = order_message(order, epoch=self._heard[order.book][0].epoch, sequence=1)
        await self._publish(topic, self._keyring.seal("monitor", topic, message))

    async def _publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        with suppress(BusUnavailable, PublishRefused):
            await self._bus.publish(topic, payload, retain=retain)
        await asyncio.sleep(_EVERY_S)


def _size(vega: float, order: Order) -> dict[str, Any]:
    """State a size three times, in agreement; a variance swap's quantity is its vega."""
    return {
        "side": "buy" if vega > 0 else "sell",
        "quantity": abs(vega),
        "vega": vega,
        "notional": abs(vega) * order.reference_price,
    }


def _altered(payload: bytes) -> bytes:
    """Change a letter of what was signed, and leave it readable."""
    return payload.replace(b'"reason":"', b'"reason":"!', 1)
