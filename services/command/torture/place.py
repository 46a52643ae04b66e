"""Servers, links and services of one sweep, and who starts again what has died."""

import asyncio
import random
from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Final, Self

from msgspec import Struct

from services.command.torture.configuration import BookLimits, write_configuration
from services.command.torture.links import Link
from services.command.torture.programs import Program, ProgramPlan
from services.command.torture.servers import Mosquitto, Redis, Server, free_port
from services.command.up import SERVICES
from shared.adapters.keyring import ROLES, write_key
from shared.adapters.settings import Settings, load_settings

STANDBYS: Final = ("ingest", "signals", "hedger")
"""Services that run twice: a leader and one that waits."""
_RUNNING: Final = (*SERVICES, "auditor")
_NONE_LIMITED: Final[Mapping[str, BookLimits]] = {}
_LOOK_S: Final = 0.05
_RESTART_S: Final = (0.0, 0.3)
_GIVES_UP_AFTER: Final = 8
"""Ends of one process by itself, in a row, within a sweep: it has stopped for a reason."""


class Victim(Struct, frozen=True):
    """Somebody that can be killed or frozen."""

    name: str
    of: Server | Program


class Place:
    """Everything of one sweep; an async context manager.

    Args:
        directory: For all they write.
        context: What services are forked from.
        books: How many.
        chance: Of the sweep.
        record: Where the gateway keeps its record; `None`: with everything else.
        limited: Further books, by name.
    """

    def __init__(  # noqa: PLR0913 - what a place is made of
        self,
        directory: Path,
        context: ForkServerContext,
        *,
        books: int,
        chance: random.Random,
        record: Path | None = None,
        limited: Mapping[str, BookLimits] = _NONE_LIMITED,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.orders = Redis("redis-orders", directory, fsync="always")
        self.market = Redis("redis-market", directory, fsync="everysec")
        self.broker = Mosquitto("mosquitto", directory)
        self.servers: dict[str, Server] = {
            each.name: each for each in (self.orders, self.market, self.broker)
        }
        self.configuration = write_configuration(
            directory, books=books, record=record, limited=limited
        )
        for role in ROLES:
            write_key(directory / "keys", role)
        self.links: dict[str, Link] = {}
        self.programs: dict[str, Program] = {}
        self.stopped: dict[str, str] = {}
        """Programs that ended by themselves too often, and what they said."""
        self.away: set[str] = set()
        """Programs and servers that are not to be started again for now."""
        self.ends: Counter[str] = Counter()
        """Ends by themselves, by service and reason."""
        self._own_ends: Counter[str] = Counter()
        self._context = context
        self._chance = chance
        self._due_s: dict[str, float] = {}

    @cached_property
    def settings(self) -> Settings:
        """As a program reads them that is linked to the servers without a proxy."""
        return load_settings(self.configuration, self._environment(None))

    @property
    def victims(self) -> list[Victim]:
        """Who may be hurt."""
        return [Victim(name, of) for name, of in self._all()]

    @property
    def pages(self) -> dict[str, int]:
        """Ports of metrics, by program."""
        return {name: program.plan.port for name, program in self.programs.items()}

    async def __aenter__(self) -> Self:
        for server in self.servers.values():
            server.start()
        for server in self.servers.values():
            await asyncio.to_thread(server.wait)
        for name, service in _processes():
            for server in self.servers.values():
                link = Link(f"{name}/{server.name}", server.port)
                await link.open()
                self.links[link.name] = link
            self.programs[name] = Program(self._plan(name, service), self._context)
        self.tend()
        return self

    async def __aexit__(self, *_: object) -> None:
        for program in self.programs.values():
            program.kill()
        for link in self.links.values():
            link.close()
        for server in self.servers.values():
            server.kill()

    def _plan(self, name: str, service: str) -> ProgramPlan:
        return ProgramPlan(
            name=name,
            service=service,
            configuration=self.configuration,
            environment=self._environment(name),
            log=self.directory / f"{name}.log",
            port=free_port(),
        )

    def _environment(self, name: str | None) -> Mapping[str, str]:
        ports = {
            server.name: server.port if name is None else self.links[f"{name}/{server.name}"].port
            for server in self.servers.values()
        }
        return {
            "HEDGESTAT_MQTT_URL": f"mqtt://127.0.0.1:{ports['mosquitto']}",
            "HEDGESTAT_REDIS_URL": f"redis://127.0.0.1:{ports['redis-orders']}/0",
            "HEDGESTAT_REDIS_MARKET_URL": f"redis://127.0.0.1:{ports['redis-market']}/0",
        }

    def tend(self) -> None:
        """Start again what has died, after a little while."""
        now_s = asyncio.get_running_loop().time()
        for name, of in self._all():
            if name in self.away or name in self.stopped or of.is_running:
                continue
            if isinstance(of, Program):
                self._note_end(of)
            due_s = self._due_s.setdefault(name, now_s + self._chance.uniform(*_RESTART_S))
            if name not in self.stopped and now_s >= due_s:
                del self._due_s[name]
                of.start()

    def _all(self) -> list[tuple[str, Server | Program]]:
        return [*self.servers.items(), *self.programs.items()]

    async def tending(self) -> None:
        """Tend until cancelled."""
        while True:
            self.tend()
            await asyncio.sleep(_LOOK_S)

    def _note_end(self, program: Program) -> None:
        """Note an end that was none of our doing; the reason is in its log."""
        if program.name in self._due_s or not program.exits:
            return
        if program.exits[-1] == -9:  # noqa: PLR2004 - killed by us
            self._own_ends[program.name] = 0
            return
        reason = last_line(program.plan.log)
        self.ends[f"{program.plan.service}: exit {program.exits[-1]}: {reason[:160]}"] += 1
        self._own_ends[program.name] += 1
        if self._own_ends[program.name] >= _GIVES_UP_AFTER:
            self.stopped[program.name] = reason


def _processes() -> list[tuple[str, str]]:
    """Name and service of every process."""
    return [
        (f"{service}-{number}", service)
        for service in _RUNNING
        for number in ((1, 2) if service in STANDBYS else (1,))
    ]


def lines_of(log: Path, event: str) -> list[str]:
    """Return what a program has logged of an event, whatever became of it since."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return [line for line in lines if f'"{event}"' in line]


def last_line(log: Path) -> str:
    """Return the last line that a program printed."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return lines[-1] if lines else ""
