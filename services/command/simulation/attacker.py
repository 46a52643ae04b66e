"""Somebody with full rights on the broker and, for part of what he tries, the monitor's key.

Without the key he can alter, repeat and misdirect what he sees; the seal stands before that. With
the key he is a hedger gone mad, and only the gateway's own controls stand between him and the
market (promises B, E1).
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct, structs

from services.command.simulation.loop import VirtualClock
from services.command.simulation.market import Market
from services.command.simulation.people import ELSEWHERE, STRANGERS, altered
from services.command.simulation.weather import Weather
from shared.adapters.keyring import Forged, Keyring
from shared.adapters.memory.broker import MemoryBroker
from shared.domain.instants import SECOND
from shared.domain.orders import Order, order_id
from shared.domain.policies import BookPolicy
from shared.wire import topics
from shared.wire.announcements import order_from, order_message
from shared.wire.codec import MalformedMessage
from shared.wire.messages import AckMessage, OrderMessage

FIRST_DECISION: Final = 1_000_000
"""Of his own orders: no book decides that often."""

_SMALL: Final = 3.0
_MOST_AT_ONCE: Final = 20


class Overheard(Struct, frozen=True):
    """A genuine order as it passed by."""

    topic: str
    payload: bytes
    order: Order
    epoch: int
    sequence: int


class Attacker:
    """Attacks orders and answers.

    Args:
        broker: Where he listens.
        market: By whose broker he speaks; its level prices what he sends.
        clock: Everybody's.
        weather: What is drawn from.
        keyring: The stolen keys.
        books: Whose orders he imitates.

    Attributes:
        plausible: Ids of his orders that no single control need refuse: only an auditor, who knows
            what was decided, tells them from our own.
    """

    def __init__(  # noqa: PLR0913 - a composition of parts
        self,
        *,
        broker: MemoryBroker,
        market: Market,
        clock: VirtualClock,
        weather: Weather,
        keyring: Keyring,
        books: tuple[BookPolicy, ...],
    ) -> None:
        self.plausible: set[str] = set()
        self._broker = broker
        self._market = market
        self._clock = clock
        self._weather = weather
        self._keyring = keyring
        self._books = books
        self._decision = FIRST_DECISION
        self._attacks: tuple[Callable[[Overheard], None], ...] = (
            self._forge,
            self._replay,
            self._misdirect,
            self._forge_answer,
            self._contradict,
            self._break_one_rule,
            self._break_one_rule,
            self._break_one_rule,
            self._flood,
            self._flood,
        )

    async def run(self) -> None:
        """Attack until cancelled."""
        while True:
            await asyncio.sleep(self._weather.between(0.1, 0.9))
            overheard = self._overhear()
            if overheard is not None:
                self._weather.one_of(self._attacks)(overheard)

    def _overhear(self) -> Overheard | None:
        """Pick one of the orders that have passed by."""
        passed = [
            each
            for each in self._broker.published
            if each.topic.endswith("/orders") and not each.retain
        ]
        if not passed:
            return None
        topic = self._weather.one_of(sorted({each.topic for each in passed}))
        heard = self._weather.one_of([each for each in passed if each.topic == topic][-20:])
        try:
            wire = self._keyring.open("monitor", heard.topic, heard.payload, OrderMessage)
        except Exception:  # noqa: BLE001 - one of his own
            return None
        return Overheard(heard.topic, heard.payload, order_from(wire), wire.epoch, wire.sequence)

    # --- without the key -------------------------------------------------------------------------

    def _forge(self, heard: Overheard) -> None:
        topic, order = heard.topic, self._own(heard, quantity=_SMALL)
        message = order_message(order, epoch=heard.epoch, sequence=heard.sequence)
        payload = self._weather.one_of(
            (
                STRANGERS.seal("monitor", topic, message),
                ELSEWHERE.seal("monitor", topic, message),
                altered(heard.payload),
                heard.payload.partition(b"\n")[0],
                self._keyring.seal("operator", topic, message),
            )
        )
        self._market.publish(topic, payload)

    def _replay(self, heard: Overheard) -> None:
        self._market.publish(heard.topic, heard.payload, retain=self._weather.chance(0.4))

    def _misdirect(self, heard: Overheard) -> None:
        """Send an order as another book's, with the seal it has or, stolen, with a fitting one."""
        others = [book.name for book in self._books if book.name != heard.order.book]
        topic = topics.orders(self._weather.one_of(others))
        message = order_message(heard.order, epoch=heard.epoch, sequence=heard.sequence)
        fitting = self._keyring.seal("monitor", topic, message)
        self._market.publish(topic, self._weather.one_of((heard.payload, fitting)))

    def _forge_answer(self, heard: Overheard) -> None:
        topic = topics.acks(heard.order.book)
        answer = AckMessage(order_id=heard.order.order_id, status="accepted", epoch=heard.epoch)
        payload = STRANGERS.seal("gateway", topic, answer)
        forgeries = (
            payload,
            payload.partition(b"\n")[0],
            ELSEWHERE.seal("gateway", topic, answer),
            altered(self._keyring.seal("gateway", topic, answer)),
        )
        self._market.publish(topic, self._weather.one_of(forgeries))

    # --- with the monitor's key ------------------------------------------------------------------

    def _contradict(self, heard: Overheard) -> None:
        """Send other contents under an id that the gateway has answered."""
        if self._is_answered(heard.order):
            self._send(heard, structs.replace(heard.order, reason="a correction"))

    def _break_one_rule(self, heard: Overheard) -> None:
        order = self._own(heard, quantity=_SMALL)
        book = self._book(order)
        beyond = 1.01 * book.limits.max_order_vega
        now_ns = self._clock.now_ns()
        changes: tuple[dict[str, Any], ...] = (
            {"leg": "none", "order_id": order_id(order.book, order.decision, "none")},
            {"symbol": "SPX"},
            {"config_digest": "0" * 64},
            {"valid_until_ns": now_ns - SECOND},
            {"notional": 1000 * order.notional},
            {"vega": 2 * order.vega},
            {"quantity": float("inf")},
            {"limit_price": 2 * order.limit_price},
            _size(beyond, order),
            _size(1.01 * book.limits.max_order_notional / order.reference_price, order),
        )
        self._send(heard, structs.replace(order, **self._weather.one_of(changes)))

    def _flood(self, heard: Overheard) -> None:
        """Send many orders, each within all limits: alike, to one side, or to and fro.

        The smallest come to what may be sent in a row or a minute, the larger to what may be held.
        """
        limits = self._book(heard.order).limits
        large = min(limits.max_order_vega, limits.max_order_notional / self._market.vix)
        size = self._weather.one_of((_SMALL, _SMALL, _SMALL, 0.3 * large, 0.9 * large))
        manner = self._weather.one_of(("alike", "one side", "to and fro"))
        count = round(self._weather.between(9, _MOST_AT_ONCE))
        for number in range(count):
            quantity = size if manner == "alike" else size * (1 - 0.001 * number)
            order = self._own(heard, quantity=quantity)
            if manner == "to and fro" and number % 2:
                order = structs.replace(order, **_size(-order.vega, order))
            self.plausible.add(order.order_id)
            self._send(heard, order)

    def _own(self, heard: Overheard, *, quantity: float) -> Order:
        """Make an order of the size that looks just like the hedger's."""
        self._decision += 1
        now_ns, price = self._clock.now_ns(), self._market.vix
        order = structs.replace(
            heard.order,
            order_id=order_id(heard.order.book, self._decision, heard.order.leg),
            decision=self._decision,
            reference_price=price,
            limit_price=price,
            event_ns=now_ns,
            valid_until_ns=now_ns + 2 * SECOND,
        )
        return structs.replace(order, **_size(quantity, order))

    def _send(self, heard: Overheard, order: Order) -> None:
        message = order_message(order, epoch=heard.epoch, sequence=heard.sequence)
        self._market.publish(heard.topic, self._keyring.seal("monitor", heard.topic, message))

    def _book(self, order: Order) -> BookPolicy:
        return next(book for book in self._books if book.name == order.book)

    def _is_answered(self, order: Order) -> bool:
        """Whether the gateway did, not he himself in its name."""
        topic = topics.acks(order.book)
        told = (each.payload for each in self._broker.published if each.topic == topic)
        return any(self._answered(topic, payload) == order.order_id for payload in told)

    def _answered(self, topic: str, payload: bytes) -> str | None:
        try:
            return self._keyring.open("gateway", topic, payload, AckMessage).order_id
        except (Forged, MalformedMessage):
            return None


def _size(vega: float, order: Order) -> dict[str, Any]:
    """State a size three times, in agreement; a variance swap's quantity is its vega."""
    return {
        "side": "buy" if vega > 0 else "sell",
        "quantity": abs(vega),
        "vega": vega,
        "notional": abs(vega) * order.reference_price,
    }
