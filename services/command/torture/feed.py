"""The market of a campaign: VIX that jumps between two levels, and everything else that comes."""

import asyncio
import random
from typing import Final

import msgspec

from services.command.torture.configuration import CALM, SHAKEN, SPREAD
from shared.adapters.bus import Bus, BusUnavailable, PublishRefused
from shared.adapters.clock import Clock
from shared.wire import topics

_TOLD_EVERY_S: Final = 0.25
"""How often a price is told that stands still: each tick is looked at by every book, twice."""


class Feed:
    """Publishes ticks, and what no ingest should take.

    Args:
        bus: Of its own.
        clock: For the time of ticks.
        chance: Of the sweep.
        pause_s: Between two jumps of VIX.
    """

    def __init__(self, bus: Bus, clock: Clock, chance: random.Random, pause_s: float) -> None:
        self._bus = bus
        self._clock = clock
        self._chance = chance
        self._is_shaken = False
        self._vix = CALM
        self.pause_s = pause_s
        """Between two jumps, at least."""
        self.jumps = 0
        """How often VIX has jumped, as far as the broker knows."""
        self._index = 2_700.0
        self._told_s: dict[str, float] = {}
        self.jumps_on = True
        """Whether VIX jumps; else it stands still."""
        self.is_held = False
        """Likewise, for a moment."""
        self.is_silent = False
        """Whether nothing at all is published."""

    async def run(self) -> None:
        """Publish until cancelled; VIX jumps while `jumps_on`."""
        while True:
            is_jump = self.jumps_on and not self.is_held
            if is_jump:
                self._is_shaken = not self._is_shaken
                level = SHAKEN if self._is_shaken else CALM
                self._vix = level + self._chance.uniform(-SPREAD, SPREAD)
            ticks = [] if self.is_silent else self._ticks(is_jump=is_jump)
            if ticks and await self._has_published(ticks):
                self.jumps += is_jump
            await asyncio.sleep(self.pause_s)

    def _ticks(self, *, is_jump: bool) -> list[dict[str, object]]:
        """VIX when it jumps, and what was not told for a while."""
        self._index *= 1 + self._chance.gauss(0, 1e-4)
        now_ns, now_s = self._clock.now_ns(), self._clock.monotonic_s()
        prices = {
            symbol: price
            for symbol, price in {"SPX": self._index, "VIX": self._vix}.items()
            if (is_jump and symbol == "VIX")
            or now_s >= self._told_s.get(symbol, -_TOLD_EVERY_S) + _TOLD_EVERY_S
        }
        self._told_s.update(dict.fromkeys(prices, now_s))
        return [
            {"symbol": symbol, "event_time": now_ns, "price": price, "source": "torture"}
            for symbol, price in prices.items()
        ]

    async def _has_published(self, ticks: list[dict[str, object]]) -> bool:
        try:
            await self._bus.publish(topics.TICKS, msgspec.json.encode(ticks), qos=0)
        except (BusUnavailable, PublishRefused):
            return False  # the market does not wait for us
        return True
