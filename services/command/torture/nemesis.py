"""Breaks things, one after the other, as a seed says."""

import asyncio
import random
import signal
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final

from services.command.torture.links import Link, Mood
from services.command.torture.place import Place, Victim
from services.command.torture.programs import Program

_PAUSE_S: Final = (0.05, 0.5)
_NOW_AND_THEN_S: Final = (9.0, 14.0)
_STORM_S: Final = 8.0
_LULL_S: Final = 5.0
"""Storms and lulls take turns: without lulls nothing comes to be that a storm could spoil."""
_FREEZE_S: Final = (0.1, 2.5)
_MOOD_S: Final = (0.2, 2.5)
_MOODS: Final[tuple[Mood, ...]] = ("slow", "deaf", "forgetful")
_WEIGHTS: Final = {"kill": 7, "freeze": 1.5, "link": 1.5}


class Nemesis:
    """Hurts a place until told to stop.

    Args:
        place: Which.
        chance: Of the sweep.

    Attributes:
        done: What was done, by kind and victim.
    """

    def __init__(self, place: Place, chance: random.Random) -> None:
        self._place = place
        self._chance = chance
        self.done: Counter[str] = Counter()

    async def run(self, until_s: float) -> None:
        """Break things, in storms, until a time of the loop's; then let all be well again."""
        loop = asyncio.get_running_loop()
        faults: dict[str, Callable[[], Awaitable[None]]] = {
            "kill": self._kill,
            "freeze": self._freeze,
            "link": self._disturb,
        }
        lull_at_s = loop.time() + _STORM_S
        async with asyncio.TaskGroup() as tasks:
            while loop.time() < until_s:
                if loop.time() > lull_at_s:
                    await asyncio.sleep(min(_LULL_S, until_s - loop.time()))
                    lull_at_s = loop.time() + _STORM_S
                [kind] = self._chance.choices(list(faults), list(_WEIGHTS.values()))
                tasks.create_task(_awaited(faults[kind]()))
                await asyncio.sleep(self._chance.uniform(*_PAUSE_S))

    async def now_and_then(self, until_s: float) -> None:
        """Kill something every few seconds until a time of the loop's."""
        loop = asyncio.get_running_loop()
        while (left_s := until_s - loop.time()) > 0:
            await asyncio.sleep(min(left_s, self._chance.uniform(*_NOW_AND_THEN_S)))
            await self._kill()

    async def _kill(self) -> None:
        victim = self._chance.choice([each for each in self._place.victims if each.of.is_running])
        self.done[f"kill {_kind(victim)}"] += 1
        victim.of.send(signal.SIGKILL)

    async def _freeze(self) -> None:
        victim = self._chance.choice([each for each in self._place.victims if each.of.is_running])
        self.done[f"freeze {_kind(victim)}"] += 1
        victim.of.send(signal.SIGSTOP)
        await asyncio.sleep(self._chance.uniform(*_FREEZE_S))
        victim.of.send(signal.SIGCONT)  # if it was killed meanwhile: its successor does not mind

    async def _disturb(self) -> None:
        link: Link = self._chance.choice(list(self._place.links.values()))
        mood = self._chance.choice((*_MOODS, None))
        self.done[f"{mood or 'cut'} link"] += 1
        if mood is None:
            link.cut()
            return
        link.mood = mood
        await asyncio.sleep(self._chance.uniform(*_MOOD_S))
        link.mood = "well"


async def _awaited(fault: Awaitable[None]) -> None:
    await fault


def _kind(victim: Victim) -> str:
    return victim.of.plan.service if isinstance(victim.of, Program) else victim.name
