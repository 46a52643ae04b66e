"""All of hedgestat, each service with its own login and no other, under TLS and access lists.

That the lists grant enough: with one right less a service fails, and no order is filled.
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Final, Self

import pytest
from fakes.installation import DEMO, FREE_PORTS
from fakes.keys import write_keys
from fakes.programs import Program, hedgestat
from fakes.recorded import write_history
from fakes.secured import SecuredServers

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

SERVICES: Final = ("ingest", "signals", "hedger", "gateway", "exposure", "auditor")
HOLDING: Final = """
[[books.positions]]
symbol = "SPX"
quantity = 100
"""


class SecuredInstallation:
    """Servers and a process for each service; a context manager."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.servers = SecuredServers(directory / "servers")
        self.configuration = directory / "hedgestat.toml"
        text = DEMO.replace("[books.orders]", f"{HOLDING}\n[books.orders]")
        self.configuration.write_text(text + FREE_PORTS)
        write_keys(directory / "keys")
        self.programs = {name: self.program(name, "run", name) for name in SERVICES}

    def program(self, name: str, *words: str, identity: str = "") -> Program:
        """A command with the login of one identity."""
        return hedgestat(
            *words,
            *("-c", str(self.configuration)),
            name=name,
            directory=self.directory,
            environment=self.servers.environment(identity or name),
        )

    def __enter__(self) -> Self:
        self.servers.__enter__()
        for program in self.programs.values():
            program.start()
        return self

    def __exit__(self, *_: object) -> None:
        for program in self.programs.values():
            program.kill()
        self.servers.__exit__()
        for name, program in self.programs.items():
            print(f"--- {name}, ended with {program.exits}\n{program.log[-3000:]}")  # noqa: T201
        for server in (self.servers.broker, self.servers.orders, self.servers.market):
            print(f"--- {server.directory.name}\n{server.log[-1500:]}")  # noqa: T201


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredInstallation]:
    """A replay of some months, to its end."""
    directory = tmp_path_factory.mktemp("secured")
    history = write_history(directory / "history", date(2015, 7, 1), date(2015, 9, 30))
    with SecuredInstallation(directory) as installed:
        feed = installed.programs["feed"] = installed.program("feed", "replay", str(history))
        feed.start()
        assert feed.ended(within_s=90) == 0, feed.log
        yield installed


def test_orders_come_out_and_are_filled(installation: SecuredInstallation) -> None:
    gateway = installation.programs["gateway"].log
    assert gateway.count('"event": "order_taken"') > 10
