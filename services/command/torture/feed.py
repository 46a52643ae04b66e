"""The market of a campaign: VIX that jumps between two levels, and everything else that comes."""

import asyncio
import random

import msgspec

from services.command.torture.configuration import CALM, SHAKEN
from shared.adapters.bus import Bus, BusUnavailable, PublishRefused
from shared.adapters.clock import Clock
from shared.wire import topics


class Feed:
    """Publishes ticks, and what no ingest should take.

    Args:
        bus: Of its own.
        clock: For the time of ticks.
        chance: Of the sweep.
        jump_s: Between two jumps of VIX.
    """

    def __init__(self, bus: Bus, clock: Clock, chance: random.Random, jump_s: float) -> None:
        self._bus = bus
        self._clock = clock
        self._chance = chance
        self._jump_s = jump_s
        self._vix = CALM
        self.jumps = 0
        """How often VIX has jumped."""
        self._index = 2_700.0
        self.jumps_on = True
        """Whether VIX jumps; else it stands still."""
        self.is_held = False
        """Likewise, for a moment."""
        self.is_silent = False
        """Whether nothing at all is published."""

    async def run(self) -> None:
        """Publish until cancelled; VIX jumps while `jumps_on`."""
        while True:
            if self.jumps_on and not self.is_held:
                self._vix = CALM + SHAKEN - self._vix
                self.jumps += 1
            if not self.is_silent:
                await self._publish(self._ticks())
            await asyncio.sleep(self._jump_s)

    def _ticks(self) -> list[dict[str, object]]:
        self._index *= 1 + self._chance.gauss(0, 1e-4)
        now_ns = self._clock.now_ns()
        prices = {"SPX": self._index, "VIX": self._vix}
        return [
            {"symbol": symbol, "event_time": now_ns, "price": price, "source": "torture"}
            for symbol, price in prices.items()
        ]

    async def _publish(self, ticks: list[dict[str, object]]) -> None:
        try:
            await self._bus.publish(topics.TICKS, msgspec.json.encode(ticks), qos=0)
        except (BusUnavailable, PublishRefused):
            return  # the market does not wait for us
