"""Things go wrong in many ways, and none of the words about it is a secret.

Every secret here is a canary: one word that stands in no other place. Programs are run that cannot
succeed; whatever they print, log, serve and show as their command line is searched for it.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.error import HTTPError
from urllib.request import urlopen

import psutil
import pytest
from fakes.eventually import eventually_sync
from fakes.installation import DEMO, FREE_PORTS
from fakes.keys import write_keys
from fakes.programs import Program, hedgestat
from fakes.secured import SecuredServers
from fakes.servers import free_port
from typer.testing import CliRunner

from services.__main__ import app
from shared.adapters.certificates import new_authority, write_certificate
from shared.adapters.clock import SystemClock

pytestmark = [pytest.mark.timeout(240)]

CANARY: Final = "Kanarienvogel"
AWKWARD: Final = f"{CANARY}/{CANARY}@{CANARY}:{CANARY}#{CANARY}?{CANARY}"
ENDING: Final = (("doctor",), ("status",), ("halt", "all"))
RUNNING: Final = (("run", "hedger"), ("run", "gateway"), ("tail",))
REFUSED: Final = (("check",), ("run", "hedger"))

PLACES: Final = {"mqtt": "HEDGESTAT_MQTT_URL", "redis": "HEDGESTAT_REDIS_URL"}


def urls(servers: SecuredServers) -> dict[str, dict[str, str]]:
    """Variables that cannot be right, by what is wrong with them."""
    broker, store, nobody = servers.broker.port, servers.orders.port, free_port()

    def both(rest: str, secure: str = "") -> dict[str, str]:
        return {name: f"{kind}{secure}://{rest}" for kind, name in PLACES.items()}

    def each(port: int, secure: str, login: str) -> dict[str, str]:
        return both(f"{login}@127.0.0.1:{port}", secure)

    return {
        "nobody there": each(nobody, "", f"hedger:{CANARY}"),
        "wrong password in the URL": {
            "HEDGESTAT_MQTT_URL": f"mqtts://hedger:{CANARY}@127.0.0.1:{broker}",
            "HEDGESTAT_REDIS_URL": f"rediss://hedger:{CANARY}@127.0.0.1:{store}",
        },
        "no TLS where there must be": {
            "HEDGESTAT_MQTT_URL": f"mqtt://hedger:{CANARY}@127.0.0.1:{broker}",
            "HEDGESTAT_REDIS_URL": f"redis://hedger:{CANARY}@127.0.0.1:{store}",
        },
        "a password that was not quoted": both(f"hedger:{AWKWARD}@127.0.0.1:{nobody}"),
        "no slashes": {name: f"{kind}:hedger:{CANARY}@h" for kind, name in PLACES.items()},
        "no colon": {name: f"{kind}//hedger:{CANARY}@h" for kind, name in PLACES.items()},
        "a password for a port": both(f"127.0.0.1:{CANARY}"),
        "half an address": both(f"[{CANARY}"),
        "in clear to elsewhere": both(f"hedger:{CANARY}@broker.example.com"),
        "as an option": both(f"127.0.0.1/?password={CANARY}"),
        "another scheme": dict.fromkeys(PLACES.values(), f"http://hedger:{CANARY}@h"),
        "no name for a host": both(f"hedger:{CANARY}@no.such.host.invalid", "s"),
    }


ACCEPTED: Final = (
    *("nobody there", "wrong password in the URL", "no TLS where there must be"),
    "no name for a host",
)
FAULTY: Final = (
    *("a password that was not quoted", "no slashes", "no colon", "a password for a port"),
    *("half an address", "in clear to elsewhere", "as an option", "another scheme"),
)
FILES: Final = (
    "wrong password",
    "another authority",
    "no password file",
    "a key for a password file",
)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredServers]:
    with SecuredServers(tmp_path_factory.mktemp("servers")) as made:
        yield made


def installed(directory: Path) -> Path:
    configuration = directory / "hedgestat.toml"
    configuration.write_text(DEMO + FREE_PORTS)
    write_keys(directory / "keys")
    return configuration


def files(servers: SecuredServers, directory: Path, which: str) -> dict[str, str]:
    """Variables that name files, of which one is wrong."""
    environment = servers.environment("hedger", "gateway", "operator", "reader")
    password = directory / CANARY.lower()
    password.write_text(f"{CANARY}\n")
    both = {"HEDGESTAT_MQTT_USERNAME": "hedger", "HEDGESTAT_REDIS_USERNAME": "hedger"}
    named = {f"HEDGESTAT_{kind}_PASSWORD_FILE": str(password) for kind in ("MQTT", "REDIS")}
    if which == "no password file":
        password.rename(directory / "elsewhere")
    if which == "another authority":
        authority = new_authority(SystemClock().now_ns())
        write_certificate(directory / "other.pem", authority.certificate)
        return environment | both | named | {"HEDGESTAT_CA_FILE": str(directory / "other.pem")}
    if which == "a key for a password file":
        return (
            environment
            | both
            | {name: str(directory / "keys/private/monitor.pem") for name in named}
        )
    return environment | both | named


def secrets(servers: SecuredServers, directory: Path) -> list[str]:
    keys = [path.read_text().splitlines() for path in directory.glob("keys/private/*")]
    lines = [line for key in keys for line in key if line and not line.startswith("-----")]
    return [CANARY, *servers.passwords(), *lines]


def seen_while_running(program: Program) -> list[str]:
    """Its command line and its pages, once it has one."""
    texts = [" ".join(psutil.Process(program.pid).cmdline())]
    if found := re.search(r"http://127\.0\.0\.1:\d+", program.log):
        for path in ("metrics", "readyz", "healthz", "nothing"):
            try:
                with urlopen(f"{found[0]}/{path}") as answer:  # noqa: S310 - ours
                    texts.append(answer.read().decode())
            except HTTPError as refusal:
                texts.append(refusal.read().decode())
    return texts


def programs(
    directory: Path, environment: dict[str, str], commands: tuple[tuple[str, ...], ...]
) -> list[Program]:
    """Commands with these variables, started at once."""
    configuration = str(installed(directory))
    made = [
        hedgestat(
            *words,
            *("-c", configuration),
            name="-".join(words),
            directory=directory,
            environment=environment,
        )
        for words in commands
    ]
    for program in made:
        program.start()
    return made


def everything_said(directory: Path, environment: dict[str, str]) -> str:
    """What programs say that cannot do their work; those that try for ever are ended."""
    ending, running = (programs(directory, environment, each) for each in (ENDING, RUNNING))
    texts = []
    try:
        for program in ending:
            program.ended(within_s=90)
        for program in running:
            eventually_sync(lambda: bool(program.log) or not program.is_running, within_s=60)  # noqa: B023 - awaited here
            if program.is_running:
                texts += seen_while_running(program)
    finally:
        for program in (*ending, *running):
            program.kill()
    logs = [program.log for program in (*ending, *running)]
    assert all(logs), "a program that fails says why"
    return "\n".join((*texts, *logs))


@pytest.mark.parametrize("which", ACCEPTED)
def test_a_url_that_does_not_work_is_told_without_its_password(
    servers: SecuredServers, tmp_path: Path, which: str
) -> None:
    environment = urls(servers)[which] | {"HEDGESTAT_CA_FILE": servers.ca_file}
    said = everything_said(tmp_path, environment)
    assert not [secret for secret in secrets(servers, tmp_path) if secret in said]


@pytest.mark.parametrize("which", FAULTY)
def test_a_url_that_cannot_work_is_refused_without_showing_its_password(
    servers: SecuredServers, tmp_path: Path, which: str
) -> None:
    for program in programs(tmp_path, urls(servers)[which], REFUSED):
        assert program.ended(within_s=60) == 2, program.log
        assert "_URL" in program.log or "mqtt" in program.log
        assert CANARY not in program.log


@pytest.mark.parametrize("which", FILES)
def test_a_file_that_is_wrong_is_named_and_not_shown(
    servers: SecuredServers, tmp_path: Path, which: str
) -> None:
    environment = files(servers, tmp_path, which)
    said = everything_said(tmp_path, environment)
    assert not [secret for secret in secrets(servers, tmp_path) if secret in said]
    for server in (servers.broker, servers.orders, servers.market):
        assert CANARY not in server.log


def test_a_password_in_the_configuration_is_refused_and_not_shown(
    tmp_path: Path,
) -> None:
    configuration = installed(tmp_path)
    for section in (
        f'[mqtt]\npassword = "{CANARY}"\n',
        f'[mqtt]\nurl = "mqtt://hedger:{CANARY}@127.0.0.1"\n',
        f'[redis]\norders = "redis://hedger:{AWKWARD}@127.0.0.1"\n',
        f'[mqtt]\npasword = "{CANARY}"\n',
        f"[mqtt]\nurl = mqtt://hedger:{CANARY}@127.0.0.1\n",
    ):
        configuration.write_text(DEMO + FREE_PORTS + section)
        told = CliRunner().invoke(app, ["check", "-c", str(configuration)])
        assert told.exit_code == 2, told.output
        assert CANARY not in told.output
