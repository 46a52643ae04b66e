"""The servers of docker-compose.yml, started by the very script that their container runs.

Paths of the container become paths of the test, and the listener a free port of loopback.
"""

import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import yaml
from fakes.servers import Server

ROOT = Path(__file__).parents[2]
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())[
    "services"
]

pytestmark = pytest.mark.server


def make_passwords(directory: Path) -> None:
    directory.mkdir(exist_ok=True)
    subprocess.run(["/bin/sh", ROOT / "deploy/passwords", directory], check=True)


class ContainersServer(Server):
    """What the entry point of a container of docker-compose.yml starts.

    Args:
        directory: Stands for the root of the container's file system.
        name: Of the container.
        configuration: Its name in `deploy/` and its path in the container.
        adaptation: Lines of the configuration to replace.
    """

    scheme = "tcp"

    def __init__(
        self, directory: Path, name: str, configuration: tuple[str, str], adaptation: dict[str, str]
    ) -> None:
        super().__init__(directory)
        self._name = name
        self._configuration = configuration
        self._adaptation = adaptation

    def command(self) -> list[str]:
        make_passwords(self.directory / "run")
        source, target = self._configuration
        text = (ROOT / "deploy" / source).read_text()
        for old, new in self._adaptation.items():
            assert old in text
            text = text.replace(old, new.format(port=self.port, directory=self.directory))
        (self.directory / source).write_text(text)
        script: str = SERVICES[self._name]["entrypoint"][2].replace("$$", "$")
        script = script.replace("/tmp/", f"{self.directory}/")  # noqa: S108 - the container's
        script = script.replace(target, str(self.directory / source))
        return ["/bin/sh", "-ec", script.replace("/run/hedgestat", f"{self.directory}/run")]

    def is_ready(self) -> bool:
        return self._says(b"", b"")

    def client(self, *command: str) -> str:
        """What a client of the broker prints that knows the password."""
        credentials = ["-p", str(self.port), "-u", "hedgestat", "-P", self.password("mqtt")]
        return subprocess.run(
            [*command, *credentials], capture_output=True, text=True, check=False, timeout=20
        ).stdout

    def password(self, name: str) -> str:
        """The generated one."""
        return (self.directory / "run" / name).read_text().strip()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[ContainersServer]:
    adaptation = {
        "listener 1883\n": "listener {port} 127.0.0.1\n"
        + ("user root\n" if os.geteuid() == 0 else ""),
        "/mosquitto/data/": "{directory}/",
        "/tmp/passwords\n": "{directory}/passwords\n",  # noqa: S108
    }
    configuration = ("mosquitto.conf", "/etc/mosquitto.conf")
    with ContainersServer(tmp_path / "broker", "mosquitto", configuration, adaptation) as server:
        yield server


@pytest.fixture(params=["orders", "market"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ContainersServer]:
    configuration = (f"redis-{request.param}.conf", "/etc/redis.conf")
    here = "appendonly yes\nport {port}\nbind 127.0.0.1\n"
    adaptation = {"appendonly yes\n": here}
    name = f"redis-{request.param}"
    with ContainersServer(tmp_path / "store", name, configuration, adaptation) as server:
        yield server


def test_the_broker_starts_without_a_complaint_about_its_configuration(
    broker: ContainersServer,
) -> None:
    assert "Error" not in broker.log
    assert "deprecated" not in broker.log


@pytest.mark.parametrize("credentials", [(), ("-u", "hedgestat"), ("-u", "a", "-P", "guess")])
def test_the_broker_lets_nobody_in_without_the_password(
    broker: ContainersServer, credentials: tuple[str, ...]
) -> None:
    command = ["mosquitto_pub", "-p", str(broker.port), "-t", "ticks", "-m", "{}", *credentials]
    attempt = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    assert "not authorised" in attempt.stderr.lower()


@pytest.mark.parametrize(("size", "kept"), [(1_048_576, True), (2_000_000, False)])
def test_the_broker_takes_what_ingest_takes_and_nothing_much_larger(
    broker: ContainersServer, tmp_path: Path, *, size: int, kept: bool
) -> None:
    message = tmp_path / "message"
    message.write_bytes(b"x" * size)
    broker.client("mosquitto_pub", "-r", "-q", "1", "-t", "ticks", "-f", str(message))
    broker.client("mosquitto_pub", "-r", "-q", "1", "-t", "z_end", "-m", "end")
    retained = [
        "-W",
        "10",
        "--retained-only",
        "-t",
        "ticks",
        "-t",
        "z_end",
        "-F",
        "%l",
        "-C",
        str(1 + kept),
    ]
    assert broker.client("mosquitto_sub", *retained).split() == [str(size)] * kept + ["3"]


def test_a_store_lets_nobody_in_without_the_password(store: ContainersServer) -> None:
    with redis.Redis(port=store.port, protocol=2) as stranger, pytest.raises(redis.RedisError):
        stranger.ping()
    with redis.Redis(port=store.port, protocol=2, password=store.password("redis")) as friend:
        assert friend.ping()


def test_a_store_writes_what_its_role_promises(store: ContainersServer) -> None:
    with redis.Redis(port=store.port, protocol=2, password=store.password("redis")) as client:
        options = client.config_get("*")
    orders = "redis-orders.conf" in {path.name for path in store.directory.iterdir()}
    assert options["appendfsync"] == ("always" if orders else "everysec")
    assert options["appendonly"] == "yes"
    assert options["no-appendfsync-on-rewrite"] == "no"
    assert options["maxmemory-policy"] == "noeviction"


def test_passwords_are_made_once_and_differ(tmp_path: Path) -> None:
    make_passwords(tmp_path)
    first = {path.name: path.read_text() for path in tmp_path.iterdir()}
    make_passwords(tmp_path)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == first
    assert set(first) == {"mqtt", "broker", "redis", "store"}
    assert first["mqtt"] == first["broker"] != first["redis"] == first["store"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}
    assert all(len(password.strip()) == 32 for password in first.values())


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
