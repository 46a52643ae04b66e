"""The world outside: a short wild market with bad prints, and operators with commands."""

import asyncio
from math import exp
from typing import Final

from services.command.simulation.loop import VirtualClock
from services.command.simulation.weather import Weather
from shared.adapters.memory.broker import MemoryBroker, Published
from shared.domain.instants import SECOND
from shared.wire import codec, topics
from shared.wire.messages import TickMessage

_SOURCE: Final = "exchange"
_NEVER: Final = float("inf")


class Market:
    """Prints until told otherwise.

    Args:
        broker: Where it publishes; from there on messages are lost like any others.
        clock: Of the market.
        weather: What is drawn from.
    """

    def __init__(self, broker: MemoryBroker, clock: VirtualClock, weather: Weather) -> None:
        self._broker = broker
        self._clock = clock
        self._weather = weather
        self._vix = weather.between(12.0, 30.0)
        self._spx = 5000.0
        self._sequence = 0
        self._wildness = weather.between(0.02, 0.08)
        self._pause_s = weather.between(0.12, 0.3)
        self.is_silent = False
        """Whether nothing prints for now."""

    @property
    def vix(self) -> float:
        """The level that was printed last, or is to be."""
        return round(self._vix, 2)

    async def run(self) -> None:
        """Print until cancelled."""
        while True:
            await asyncio.sleep(self._weather.between(0.0, 2 * self._pause_s))
            self._move()
            if not self.is_silent:
                self._print()

    def _move(self) -> None:
        shock = self._weather.between(-self._wildness, self._wildness)
        if self._weather.chance(0.05):
            shock += self._weather.between(-0.2, 0.2)
        self._vix = min(max(self._vix * exp(shock), 9.0), 80.0)
        self._spx *= exp(-shock / 10)

    def _print(self) -> None:
        vix, spx = self.vix, round(self._spx, 2)
        if not self._weather.chance(0.06):
            self.publish(
                topics.TICKS,
                codec.encode_all([self._tick("VIX", price=vix), self._tick("SPX", price=spx)]),
            )
            return
        match self._weather.one_of(
            ("spike", "crossed", "late", "future", "foreign", "garbage", "again")
        ):
            case "spike":
                self._send(self._tick("VIX", price=round(3 * vix, 2)))
            case "crossed":
                self._send(self._tick("VIX", bid=vix + 1.0, ask=vix))
            case "late":
                self._send(self._tick("VIX", price=vix, age_ns=5 * SECOND))
            case "future":
                self._send(self._tick("VIX", price=vix, age_ns=-60 * SECOND))
            case "foreign":
                self._send(self._tick("XYZ", price=vix))
            case "garbage":
                self.publish(topics.ticks("VIX"), b'{"symbol": "VIX", "price": NaN')
            case _:
                self._sequence -= 1
                self._send(self._tick("VIX", price=vix))

    def _send(self, tick: TickMessage) -> None:
        self.publish(topics.ticks(tick.symbol), codec.encode(tick))

    def _tick(
        self,
        symbol: str,
        *,
        price: float | None = None,
        bid: float | None = None,
        ask: float | None = None,
        age_ns: int = 0,
    ) -> TickMessage:
        self._sequence += 1
        return TickMessage(
            symbol=symbol,
            event_time=self._clock.now_ns() - age_ns,
            price=price,
            bid=bid,
            ask=ask,
            source=_SOURCE,
            sequence=max(1, self._sequence),
        )

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish as anybody with a login may."""
        if self._broker.is_up.is_set():
            self._broker.publish(Published(topic, payload, 1, retain, "application/json", _NEVER))
