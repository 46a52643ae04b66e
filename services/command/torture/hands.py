"""People around a campaign: operators who halt and resume, and a stranger with the broker's login.

The stranger has the monitor's key too, for part of what it does: what a leader that was superseded
would send. Of all this the gateway may take nothing, nor even write it down, for else the auditor
had something to find; each is counted, so that a guard that was never tried is seen. What somebody
with the key can have written down is tried by `provocations`.
"""

import asyncio
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec
from msgspec import structs

from services.command.torture.judgement import STRANGE, Halt
from shared.adapters.bus import Bus, BusUnavailable, PublishRefused
from shared.adapters.clock import Clock
from shared.adapters.control_socket import (
    GatewayRefused,
    GatewayUnreachable,
    command_locally,
    halt_locally,
)
from shared.adapters.keyring import Keyring
from shared.domain.instants import SECOND
from shared.domain.orders import Order, order_id
from shared.wire import codec, topics
from shared.wire.announcements import order_from, order_message
from shared.wire.messages import AckMessage, OrderMessage, TradingCommandMessage
from shared.wire.seal import split
from shared.wire.times import format_instant

_EVERY_S: Final = 0.15
_HALT_EVERY_S: Final = 3.0
_HALTED_S: Final = 0.7
_AGAIN_S: Final = 0.3
_OPERATOR: Final = "torture"
_REMEMBERED: Final = 200
SUBSCRIPTIONS: Final = (topics.ORDERS, topics.ACKS)
"""Of the stranger."""


class Operator:
    """Halts one book after the other at the gateway's own door, and resumes it.

    Args:
        socket: The gateway's door.
        keyring: With the operator's key.
        books: Names of the books.
        clock: For when a command was given.
        chance: Of the sweep.

    Attributes:
        halts: The times in which nothing may have been accepted.
    """

    def __init__(
        self, socket: Path, keyring: Keyring, books: list[str], clock: Clock, chance: random.Random
    ) -> None:
        self.halts: list[Halt] = []
        self._socket = socket
        self._keyring = keyring
        self._books = books
        self._clock = clock
        self._chance = chance

    async def run(self) -> None:
        """Halt and resume until cancelled; whom it has halted it resumes."""
        while True:
            book = self._chance.choice(self._books)
            try:
                await self._halt(book)
                await asyncio.sleep(_HALTED_S)
            finally:
                await asyncio.shield(self._resume(book))
            await asyncio.sleep(_HALT_EVERY_S)

    async def _halt(self, book: str) -> None:
        with suppress(GatewayUnreachable, GatewayRefused):
            await halt_locally(self._socket, book, "halted", _OPERATOR, "to see it hold")
            now_ns = self._clock.now_ns()
            self.halts.append(Halt(scope=book, from_ns=now_ns, to_ns=now_ns))

    async def _resume(self, book: str) -> None:
        self._close(book)
        while True:
            try:
                await self.resume(book)
            except (GatewayUnreachable, GatewayRefused):
                await asyncio.sleep(_AGAIN_S)
            else:
                return

    async def resume(self, scope: str) -> None:
        """Give one signed command to go on.

        Raises:
            GatewayUnreachable: The gateway is not there.
            GatewayRefused: It does not believe us.
        """
        message = TradingCommandMessage(
            scope=scope,
            state="active",
            reason="seen to hold",
            operator=_OPERATOR,
            issued_at=format_instant(self._clock.now_ns()),
        )
        sealed = self._keyring.seal("operator", topics.RESUME, message)
        await command_locally(self._socket, topics.RESUME, sealed)

    def _close(self, book: str) -> None:
        if self.halts and self.halts[-1].scope == book:
            self.halts[-1] = structs.replace(self.halts[-1], to_ns=self._clock.now_ns())


class Stranger:
    """Sends what nobody should believe.

    Args:
        bus: Subscribed to `SUBSCRIPTIONS`.
        keyring: The real keys.
        books: Names of the books.
        clock: For times on what it makes up.
        chance: Of the sweep.
    """

    def __init__(
        self, bus: Bus, keyring: Keyring, books: list[str], clock: Clock, chance: random.Random
    ) -> None:
        self._bus = bus
        self._keyring = keyring
        self._forger = Keyring.generate(keyring.environment)
        self._books = books
        self._clock = clock
        self._chance = chance
        self._sent: dict[str, tuple[str, bytes, OrderMessage]] = {}
        self._seen: tuple[str, bytes, OrderMessage] | None = None
        self._number = STRANGE

    async def run(self) -> None:
        """Listen, and send, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen())
            tasks.create_task(self._send())

    async def _listen(self) -> None:
        """Remember an order that was answered: of one that was not, ours could come first."""
        async for message in self._bus.messages():
            with suppress(ValueError):
                body = split(message.payload).body
                if message.topic.endswith("/orders"):
                    wire = codec.decode(OrderMessage, body)
                    self._sent[wire.order_id] = message.topic, message.payload, wire
                elif (answer := codec.decode(AckMessage, body)).status == "accepted":
                    self._seen = self._sent.pop(answer.order_id, self._seen)
                    while len(self._sent) > _REMEMBERED:
                        del self._sent[next(iter(self._sent))]
            message.ack()

    async def _send(self) -> None:
        ways: list[Callable[[Order, OrderMessage], Iterator[tuple[str, bytes]]]] = [
            self._altered,
            self._forged,
            self._elsewhere,
            self._junk,
        ]
        while True:
            await asyncio.sleep(_EVERY_S)
            if self._seen is None:
                continue
            wire = self._seen[2]
            for topic, payload in self._chance.choice(ways)(order_from(wire), wire):
                with suppress(BusUnavailable, PublishRefused):
                    await self._bus.publish(topic, payload, qos=0)

    def _altered(self, order: Order, wire: OrderMessage) -> Iterator[tuple[str, bytes]]:
        """What went by, once more; with a bit turned over; on another's topic."""
        assert self._seen is not None  # noqa: S101 - looked at by the caller
        topic, payload, _ = self._seen
        yield topic, payload
        at = self._chance.randrange(len(payload))
        yield topic, payload[:at] + bytes([payload[at] ^ 1]) + payload[at + 1 :]
        yield topics.orders(self._other(order.book)), payload
        yield topic, payload.partition(b"\n")[0]
        del wire

    def _forged(self, order: Order, wire: OrderMessage) -> Iterator[tuple[str, bytes]]:
        """Signed by keys that nobody trusts."""
        topic = topics.orders(order.book)
        yield topic, self._forger.seal("monitor", topic, wire)
        answer = AckMessage(order_id=order.order_id, status="accepted", epoch=wire.epoch)
        topic = topics.acks(order.book)
        yield topic, self._forger.seal("gateway", topic, answer)
        halt = TradingCommandMessage(
            scope="all",
            state="halted",
            reason="forged",
            operator="stranger",
            issued_at=format_instant(self._clock.now_ns()),
        )
        yield topics.HALT, self._forger.seal("operator", topics.HALT, halt)

    def _elsewhere(self, order: Order, wire: OrderMessage) -> Iterator[tuple[str, bytes]]:
        """Signed with the right key for another book, or by a leader long superseded."""
        topic = topics.orders(self._other(order.book))
        yield topic, self._keyring.seal("monitor", topic, wire)
        yield self._sealed(self._renamed(order), epoch=0)
        changed = structs.replace(order, quantity=2 * order.quantity)
        yield self._sealed(changed, epoch=wire.epoch)

    def _junk(self, order: Order, wire: OrderMessage) -> Iterator[tuple[str, bytes]]:
        """A tick that is none."""
        del order, wire
        yield topics.TICKS, self._chance.choice(junk(self._clock.now_ns()))

    def _sealed(self, order: Order, *, epoch: int) -> tuple[str, bytes]:
        topic = topics.orders(order.book)
        message = order_message(order, epoch=epoch, sequence=1)
        return topic, self._keyring.seal("monitor", topic, message)

    def _renamed(self, order: Order) -> Order:
        self._number += 1
        name = order_id(order.book, self._number, order.leg)
        return structs.replace(order, order_id=name, decision=self._number)

    def _other(self, book: str) -> str:
        return self._books[(self._books.index(book) + 1) % len(self._books)]


def junk(now_ns: int) -> list[bytes]:
    """Make ticks that are none, each wrong in another way."""
    good = {"symbol": "SPX", "event_time": now_ns, "price": 2700.0, "source": "stranger"}
    ticks: list[dict[str, object]] = [
        {**good, "symbol": "NONE"},
        {**good, "event_time": now_ns + 3_600 * SECOND},
        {**good, "event_time": now_ns - 3_600 * SECOND},
        {**good, "price": 9_999.0},
        {**good, "price": None, "bid": 2701.0, "ask": 2699.0},
        {**good, "price": -1.0},
    ]
    cut_off = b'[{"symbol": "VIX", "price": NaN'
    return [*(msgspec.json.encode([tick]) for tick in ticks), cut_off]
