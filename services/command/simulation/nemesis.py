"""Draws what happens to whole servers and processes: killed, frozen, cut off, made to forget."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final

from msgspec import Struct

from services.command.simulation.loop import Process, VirtualLoop
from services.command.simulation.market import Market
from services.command.simulation.place import SimulatedSite, Surroundings
from shared.domain.gatekeeping.dead_man import HALTED_S

_DRAWS_A_SECOND: Final = 10
_LONGEST_DOWN_S: Final = 2.0
_MOST_STEPS: Final = 100
_LONGEST_FROZEN_S: Final = 4.0
_LONGEST_FORGOTTEN_S: Final = 1.5
_LONGEST_SILENCE_S: Final = 4.5


class Life(Struct):
    """A process and what it was given."""

    process: Process
    site: SimulatedSite
    task: asyncio.Task[None] | None = None

    def cut(self) -> None:
        """Break its connections to the broker."""
        for bus in self.site.buses:
            if bus.connected.is_set():
                bus.cut()


class Nemesis:
    """What befalls servers and processes.

    Args:
        loop: Freezes processes.
        around: The servers.
        lives: The processes as they are now, by name.
        market: What prints.
    """

    def __init__(
        self, loop: VirtualLoop, around: Surroundings, lives: Mapping[str, Life], market: Market
    ) -> None:
        self._loop = loop
        self._market = market
        self._around = around
        self._weather = around.weather
        self._lives = lives

    async def run(self, tasks: asyncio.TaskGroup) -> None:
        """Draw, some times a second, until cancelled; what has begun ends in its own time."""
        befall: Mapping[str, Callable[[], Awaitable[None]]] = {
            "store_restarts": self._restart_store,
            "orders_forgotten_by_their_store": self._forget_orders,
            "orders_halted_by_key": self._halt_by_key,
            "broker_restarts_and_forgets": self._restart_broker,
            "broker_freezes": self._freeze_broker,
            "connection_cut": self._cut_connection,
            "process_killed": self._kill_one,
            "process_frozen": self._freeze_one,
            "hedgers_silenced": self._silence_hedgers,
            "market_silenced": self._silence_market,
        }
        while True:
            await asyncio.sleep(1 / _DRAWS_A_SECOND)
            for fault, carry_out in befall.items():
                if self._weather.strikes(fault):
                    tasks.create_task(_awaited(carry_out()), name=fault)

    # --- servers ---------------------------------------------------------------------------------

    async def _restart_store(self) -> None:
        server = self._weather.one_of((self._around.market, self._around.orders))
        server.kill()
        await self._pause(_LONGEST_DOWN_S)
        server.start()

    async def _forget_orders(self) -> None:
        """Fail over to a replica that had not heard of the last second: what it misses is lost."""
        server = self._around.orders
        saved = server.store.save()
        await self._pause(_LONGEST_FORGOTTEN_S)
        server.kill()
        server.store.restore(saved)
        await self._pause(_LONGEST_DOWN_S)
        server.start()

    async def _halt_by_key(self) -> None:
        halted = self._around.orders.store.halted
        halted.add("hedger")
        await self._pause(_LONGEST_DOWN_S)
        halted.discard("hedger")

    async def _restart_broker(self) -> None:
        self._around.broker.kill()
        await self._pause(_LONGEST_DOWN_S)
        self._around.broker.start()

    async def _freeze_broker(self) -> None:
        self._around.broker.freeze()
        await self._pause(_LONGEST_FROZEN_S)
        self._around.broker.thaw()

    # --- processes -------------------------------------------------------------------------------

    async def _cut_connection(self) -> None:
        self._one().cut()

    async def _kill_one(self) -> None:
        """Kill a process at an await of its own, wherever it then stands."""
        process, steps = self._one().process, round(self._weather.between(1, _MOST_STEPS))
        kill = partial(self._around.kill, process, f"after {steps} steps")
        self._loop.after_steps(process, steps, kill)

    async def _freeze_one(self) -> None:
        process = self._one().process
        if process.is_alive and not process.is_frozen:
            self._weather.note(f"{process.name} freezes")
            self._loop.freeze(process)
            await self._pause(_LONGEST_FROZEN_S)
            self._loop.thaw(process)

    async def _silence_hedgers(self) -> None:
        """Freeze all of them, for longer than the gateway waits for a sign of life."""
        processes = [
            life.process
            for name, life in sorted(self._lives.items())
            if name.startswith("hedger") and life.process.is_alive and not life.process.is_frozen
        ]
        for process in processes:
            self._loop.freeze(process)
        await asyncio.sleep(self._weather.between(HALTED_S, _LONGEST_SILENCE_S))
        for process in processes:
            self._loop.thaw(process)

    async def _silence_market(self) -> None:
        self._market.is_silent = True
        await self._pause(_LONGEST_SILENCE_S)
        self._market.is_silent = False

    def _one(self) -> Life:
        return self._lives[self._weather.one_of(sorted(self._lives))]

    async def _pause(self, longest_s: float) -> None:
        await asyncio.sleep(self._weather.between(0.0, longest_s))


async def _awaited(happening: Awaitable[None]) -> None:
    await happening
