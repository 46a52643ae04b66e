"""The servers of docker-compose.yml, as their files in `deploy/` configure them.

Paths of the container become paths of the test, and the listener a free port of loopback. Who may
do what there is in `tests/security`.
"""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import yaml
from fakes.secured import Role, SecuredServers

ROOT = Path(__file__).parents[2]
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())[
    "services"
]

pytestmark = pytest.mark.server


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[SecuredServers]:
    prepared = SecuredServers(tmp_path)
    prepared.admit("witness")
    with prepared:
        yield prepared


def client(servers: SecuredServers, *command: str) -> str:
    """What a client of the broker prints that may do everything."""
    where = ["-h", "127.0.0.1", "-p", str(servers.broker.port), "--cafile", servers.ca_file]
    who = ["-u", "witness", "-P", "witness", "-V", "5"]
    return subprocess.run(
        [*command, *where, *who], capture_output=True, text=True, check=False, timeout=20
    ).stdout


def test_containers_start_servers_with_these_files() -> None:
    mounts = {
        "mosquitto": (["mosquitto", "-c", "/etc/mosquitto.conf"], "mosquitto.conf"),
        "redis-orders": (["redis-server", "/etc/redis.conf"], "redis-orders.conf"),
        "redis-market": (["redis-server", "/etc/redis.conf"], "redis-market.conf"),
    }
    for name, (entrypoint, source) in mounts.items():
        assert SERVICES[name]["entrypoint"] == entrypoint
        assert f"./deploy/{source}:{entrypoint[-1]}:ro" in SERVICES[name]["volumes"]


def test_the_broker_starts_without_a_complaint_about_its_configuration(
    servers: SecuredServers,
) -> None:
    assert "Error:" not in servers.broker.log
    assert "deprecated" not in servers.broker.log


def test_what_listens_in_clear_is_the_brokers_own_loopback_alone() -> None:
    lines = (ROOT / "deploy/mosquitto.conf").read_text().splitlines()
    assert [line for line in lines if line.startswith(("listener", "port", "bind"))] == [
        "listener 8883",
        "listener 1883 127.0.0.1",
    ]
    for role in ("orders", "market"):
        lines = (ROOT / f"deploy/redis-{role}.conf").read_text().splitlines()
        assert "port 0" in lines
        assert "tls-port 6379" in lines


@pytest.mark.parametrize("login", [[], ["-u", "hedger"], ["-u", "hedger", "-P", "guess"]])
def test_the_broker_lets_nobody_in_without_the_password(
    servers: SecuredServers, login: list[str]
) -> None:
    where = ["-h", "127.0.0.1", "-p", str(servers.broker.port), "--cafile", servers.ca_file]
    command = ["mosquitto_pub", *where, "-t", "hedge/v1/ticks", "-m", "{}", *login]
    attempt = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    assert "not authorised" in attempt.stderr.lower()


@pytest.mark.parametrize(("size", "kept"), [(1_048_576, True), (2_000_000, False)])
def test_the_broker_takes_what_ingest_takes_and_nothing_much_larger(
    servers: SecuredServers, tmp_path: Path, *, size: int, kept: bool
) -> None:
    message = tmp_path / "message"
    message.write_bytes(b"x" * size)
    client(servers, "mosquitto_pub", "-r", "-q", "1", "-t", "ticks", "-f", str(message))
    client(servers, "mosquitto_pub", "-r", "-q", "1", "-t", "z_end", "-m", "end")
    topics = ["-t", "ticks", "-t", "z_end", "-F", "%l", "-C", str(1 + kept)]
    heard = client(servers, "mosquitto_sub", "-W", "10", "--retained-only", *topics)
    assert heard.split() == [str(size)] * kept + ["3"]


@pytest.mark.parametrize("role", ["orders", "market"])
def test_a_store_writes_what_its_role_promises(servers: SecuredServers, role: Role) -> None:
    with redis.Redis(
        port=(servers.orders if role == "orders" else servers.market).port,
        username="witness",
        password="witness",  # noqa: S106 - of a test
        ssl=True,
        ssl_ca_certs=servers.ca_file,
        protocol=2,
    ) as connection:
        options = connection.config_get("*")
    assert options["appendfsync"] == ("always" if role == "orders" else "everysec")
    assert options["appendonly"] == "yes"
    assert options["no-appendfsync-on-rewrite"] == "no"
    assert options["maxmemory-policy"] == "noeviction"
    assert options["port"] == "0"


def test_prometheus_takes_its_configuration() -> None:
    promtool = shutil.which("promtool")
    assert promtool is not None, "tests/run installs it"
    command = [promtool, "check", "config", str(ROOT / "deploy/prometheus.yml")]
    check = subprocess.run(command, capture_output=True, text=True, check=False)
    assert check.returncode == 0, check.stderr


def test_prometheus_asks_every_service_where_it_answers() -> None:
    configuration = yaml.safe_load((ROOT / "deploy/prometheus.yml").read_text())
    targets = {
        group["labels"]["service"]: group["targets"]
        for group in configuration["scrape_configs"][0]["static_configs"]
    }
    built = {name: service for name, service in SERVICES.items() if "build" in service}
    ours = {name: service["ports"] for name, service in built.items() if "ports" in service}
    assert targets == {
        name: [f"{name}:{port[0].rpartition(':')[2]}"] for name, port in ours.items()
    }
