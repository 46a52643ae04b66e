"""Everybody is killed in turn."""

import random
import signal
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from services.command.torture.nemesis import Nemesis
from services.command.torture.place import Place, Victim
from services.command.torture.servers import Redis


class Undying(Redis):
    """A server that runs whatever is done to it.

    Attributes:
        killed: By name, how often a server was.
    """

    killed: Counter[str]

    @property
    def is_running(self) -> bool:
        return True

    def send(self, number: signal.Signals) -> None:
        assert number is signal.SIGKILL
        self.killed[self.name] += 1


async def test_each_is_killed_as_often_as_any_other_and_each_time_once_it_is_due(
    tmp_path: Path,
) -> None:
    killed: Counter[str] = Counter()
    names = [f"server-{number}" for number in range(7)]
    servers = [Undying(name, tmp_path, fsync="always") for name in names]
    for server in servers:
        server.killed = killed

    def victims() -> list[Victim]:
        return [Victim(server.name, server) for server in servers]

    class Standing(SimpleNamespace):
        @property
        def victims(self) -> list[Victim]:
            return victims()

    waited: list[tuple[float, int]] = []

    async def until(share: float) -> None:
        waited.append((share, killed.total()))

    nemesis = Nemesis(cast("Place", Standing()), random.Random(3))  # noqa: S311 - to be repeated
    await nemesis.in_turn(21, until)
    assert nemesis.kills == 21
    assert killed == dict.fromkeys(names, 3)
    assert waited[-1] == (1.0, 21)
    assert all(share == (done + 1) / 22 for share, done in waited[:-1])
    assert len(waited) > 5
