"""All of hedgestat, each service with its own login and no other, under TLS and access lists.

That the lists grant enough: with one right less a service fails, and no order is filled. And that
what all of them wrote, said and showed meanwhile holds none of their secrets.
"""

import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Final, Self
from urllib.error import HTTPError
from urllib.request import urlopen

import psutil
import pytest
from fakes.eventually import eventually_sync
from fakes.installation import DEMO, FREE_PORTS
from fakes.keys import write_keys
from fakes.programs import Program, hedgestat
from fakes.recorded import write_history
from fakes.secured import SecuredServers

from shared.wire.access import NAMES

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]

SERVICES: Final = ("ingest", "signals", "hedger", "gateway", "exposure", "auditor", "dashboard")
MAKER: Final = """
[[books]]
name = "maker"
strategy = "delta"
limits = { max_order_delta = 20_000, max_position_delta = 20_000, \
max_order_notional = 200_000_000, max_orders_per_day = 500, max_orders_per_minute = 300, \
max_daily_turnover = 10_000_000_000, max_daily_loss = 100_000_000, max_price_deviation = "60%", \
max_repeats = 300, repeat_window = "1 min", duplicate_window = "1 ms" }

[[books.positions]]
symbol = "SPX"
quantity = 100

[books.delta]
underlying = "SPX"
band = "fixed"
half_width = 10
cost = 0
order_cost = 50
risk_aversion = 1e-4

[[books.legs]]
name = "shares"
instrument = "underlying"
symbol = "SPX"
"""
"""A book that acts on its measured Greeks: exposure measures, ingest journals, the hedger acts."""
REFUSALS: Final = re.compile(
    r"NOPERM|permission|Not authorized|not let in|publish_refused|notice_refused"
    r"|subscription_refused|store_unsafe|certificate"
)


class SecuredInstallation:
    """Servers, a process for each service, and one who hears all; a context manager."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.servers = SecuredServers(directory / "servers")
        self.servers.admit("witness")
        self.configuration = directory / "hedgestat.toml"
        self.configuration.write_text(DEMO + MAKER + FREE_PORTS)
        write_keys(directory / "keys")
        self.programs = {name: self.program(name, "run", name) for name in SERVICES}
        self.witness = Program("witness", self._witness_command(), directory)

    def program(self, name: str, *words: str, identities: tuple[str, ...] = ()) -> Program:
        """A command with the login of its own name, or those of others."""
        return hedgestat(
            *words,
            *("-c", str(self.configuration)),
            name=name,
            directory=self.directory,
            environment=self.servers.environment(*(identities or (name,))),
        )

    def run(self, *words: str, allowed: tuple[int, ...] = (0,)) -> str:
        """What a command of a person prints, to its end."""
        program = self.program(f"person-{words[0]}", *words, identities=("operator", "reader"))
        program.start()
        assert program.ended(within_s=60) in allowed, program.log
        self.programs[program.name] = program
        return program.log

    def secrets(self) -> list[str]:
        """Every password, and every line of a private key."""
        keys = [*self.directory.glob("keys/private/*"), *self.directory.rglob("*.key")]
        lines = {line for path in keys for line in path.read_text().splitlines()}
        return [
            *self.servers.passwords(),
            *(line for line in lines if line and not line.startswith("-----")),
        ]

    def processes(self) -> list[psutil.Process]:
        """Of every program and server that runs, and of their children."""
        running = [each.pid for each in self.programs.values() if each.is_running]
        servers = (self.servers.broker, self.servers.orders, self.servers.market)
        roots = [psutil.Process(pid) for pid in (*running, *(each.pid for each in servers))]
        return [each for root in roots for each in (root, *root.children(recursive=True))]

    def _witness_command(self) -> list[str]:
        where = ["-h", "127.0.0.1", "-p", str(self.servers.broker.port)]
        who = ["--cafile", self.servers.ca_file, "-u", "witness", "-P", "witness", "-V", "5"]
        return ["mosquitto_sub", *where, *who, "-t", "#", "-F", "%t %p"]

    def __enter__(self) -> Self:
        self.servers.__enter__()
        for program in (self.witness, *self.programs.values()):
            program.start()
        return self

    def __exit__(self, *_: object) -> None:
        for program in (self.witness, *self.programs.values()):
            program.kill()
        self.servers.__exit__()
        for name, program in self.programs.items():
            print(f"--- {name}, ended with {program.exits}\n{program.log[-3000:]}")  # noqa: T201
        for server in (self.servers.broker, self.servers.orders, self.servers.market):
            print(f"--- {server.directory.name}\n{server.log[-1500:]}")  # noqa: T201


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredInstallation]:
    """A replay of some months, to its end; the services run on."""
    directory = tmp_path_factory.mktemp("secured")
    history = write_history(directory / "history", date(2015, 7, 1), date(2015, 9, 30))
    with SecuredInstallation(directory) as installed:
        feed = installed.programs["feed"] = installed.program("feed", "replay", str(history))
        feed.start()
        assert feed.ended(within_s=120) == 0, feed.log
        yield installed


def said(installation: SecuredInstallation, topic: str) -> int:
    """How many messages were heard of a topic's kind."""
    return len(re.findall(rf"(?m)^hedge/v1/{topic} ", installation.witness.log))


def test_orders_come_out_and_are_filled(installation: SecuredInstallation) -> None:
    assert said(installation, "books/overlay/orders") > 10
    assert said(installation, "books/overlay/acks") > 10
    assert installation.witness.log.count('"kind":"fill"') > 10


def test_exposure_is_measured_and_the_page_shows_it(installation: SecuredInstallation) -> None:
    assert said(installation, "books/maker/measurements") > 10
    assert said(installation, "books/maker/exposure") > 0
    with urlopen(page(installation, "dashboard") + "/api/v1/state") as answer:  # noqa: S310 - ours
        state = json.load(answer)
    assert "overlay" in json.dumps(state)


def test_every_service_is_there_and_none_was_refused_anything(
    installation: SecuredInstallation,
) -> None:
    for name in SERVICES:
        program = installation.programs[name]
        assert program.is_running
        assert program.exits == []
        assert not [line for line in program.log.splitlines() if REFUSALS.search(line)]


def test_people_look_and_command_with_their_own_logins(installation: SecuredInstallation) -> None:
    assert "overlay" in installation.run("status")
    told = installation.run("halt", "overlay", "--reason", "a test")
    assert "Confirmed by the gateway" in told
    assert "Confirmed" in installation.run("resume", "overlay", "--reason", "a test")
    assert "SPX" in installation.run("exposure", "maker")
    assert "entries of the journal" in installation.run("journal", "export", "run.parquet")
    doctor = installation.run("doctor", "--running", allowed=(0, 1))
    assert "appendfsync always" in doctor
    failed = [line for line in doctor.splitlines() if line.startswith("FAIL")]
    assert not [line for line in failed if not line.startswith("FAIL clock")], "a test's machine"


def page(installation: SecuredInstallation, service: str) -> str:
    """Where a service's page is."""
    found = re.search(r"http://127\.0\.0\.1:\d+", installation.programs[service].log)
    assert found, installation.programs[service].log
    return found[0]


def asked(url: str) -> str:
    """What a page says, well or not."""
    try:
        with urlopen(url) as answer:  # noqa: S310 - ours
            return str(answer.read().decode())
    except HTTPError as refusal:
        return refusal.read().decode()


def test_no_secret_is_in_any_log_page_message_or_command_line(
    installation: SecuredInstallation,
) -> None:
    shown = {
        path.name: path.read_text(errors="replace") for path in installation.directory.glob("*.log")
    }
    for server in (
        installation.servers.broker,
        installation.servers.orders,
        installation.servers.market,
    ):
        shown[server.directory.name] = server.log
    for service in SERVICES:
        for path in ("metrics", "readyz", "healthz"):
            shown[f"{service}/{path}"] = asked(f"{page(installation, service)}/{path}")
    for process in installation.processes():
        shown[f"command line of {process.pid}"] = " ".join(process.cmdline())
    assert len(shown) > 40
    assert len(installation.secrets()) > 2 * len(NAMES)
    found = {
        name for name, text in shown.items() for secret in installation.secrets() if secret in text
    }
    assert found == set()


def test_nothing_listens_beyond_loopback(installation: SecuredInstallation) -> None:
    listening = {
        connection.laddr
        for process in installation.processes()
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert len(listening) >= len(SERVICES) + 3
    assert {address.ip for address in listening} <= {"127.0.0.1", "::1"}


def test_a_service_without_its_own_login_does_not_start(installation: SecuredInstallation) -> None:
    program = installation.program("hedger-as-reader", "run", "hedger", identities=("reader",))
    program.start()
    assert program.ended(within_s=30) == 1
    assert "hedger/redis" in program.log


def test_a_service_with_the_login_of_one_who_only_reads_never_leads(
    installation: SecuredInstallation,
) -> None:
    logins = installation.servers.logins / "reader"
    environment = installation.servers.environment("reader") | {
        "HEDGESTAT_MQTT_USERNAME": "reader",
        "HEDGESTAT_MQTT_PASSWORD_FILE": str(logins / "mqtt"),
        "HEDGESTAT_REDIS_USERNAME": "reader",
        "HEDGESTAT_REDIS_PASSWORD_FILE": str(logins / "redis"),
    }
    words = ["run", "signals", "-c", str(installation.configuration)]
    program = hedgestat(
        *words, name="impostor", directory=installation.directory, environment=environment
    )
    installation.programs["signals"].kill()
    program.start()
    try:
        eventually_sync(lambda: "no permissions" in program.log, within_s=30)
        assert '"leading"' not in program.log
    finally:
        program.kill()
        installation.programs["signals"].start()
