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

_PAUSE_S: Final = (0.05, 0.3)
_MOST_AT_ONCE: Final = 5
_SOON_S: Final = (0.0, 0.2)
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
        self._turn: list[Victim] = []

    @property
    def kills(self) -> int:
        """How often something was killed."""
        return sum(times for what, times in self.done.items() if what.startswith("kill"))

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

    async def in_turn(self, kills: int, until: Callable[[float], Awaitable[None]]) -> None:
        """Kill everybody in turn, a few at a time.

        Args:
            kills: How many.
            until: Waits for a share of what is to happen meanwhile, from 0 to 1.
        """
        done = 0
        while done < kills:
            await until((done + 1) / (kills + 1))
            for _ in range(min(self._chance.randint(1, _MOST_AT_ONCE), kills - done)):
                self._kill_one(self._next())
                done += 1
                await asyncio.sleep(self._chance.uniform(*_SOON_S))
        await until(1.0)

    def _next(self) -> Victim:
        """Whose turn it is: each comes once, in another order each time; who is dead has had it."""
        while True:
            if not self._turn:
                self._turn = self._place.victims
                self._chance.shuffle(self._turn)
            victim = self._turn.pop()
            if victim.of.is_running:
                return victim

    async def _kill(self) -> None:
        self._kill_one(
            self._chance.choice([each for each in self._place.victims if each.of.is_running])
        )

    def _kill_one(self, victim: Victim) -> None:
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
