"""Health checks of docker-compose.yml and of Kubernetes, as they are written, on real servers."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from fakes.secured import SecuredServer, SecuredServers
from fakes.watchers import AlertmanagerServer, HttpServer, PrometheusServer

ROOT: Final = Path(__file__).parents[2]
SERVICES: Final[dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())[
    "services"
]
KUBERNETES: Final = list(yaml.safe_load_all((ROOT / "deploy/kubernetes/servers.yaml").read_text()))

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, SecuredServer]]:
    with SecuredServers(tmp_path_factory.mktemp("servers")) as running:
        each = (running.broker, running.orders, running.market)
        yield {server.directory.name: server for server in each}


def is_well(script: str, server: SecuredServer) -> bool:
    """Whether a check passes, with the test's port and papers in place of the container's."""
    for written, here in (
        ("-p 8883", f"-p {server.port}"),
        ("redis-cli ", f"redis-cli -p {server.port} "),
        ("/run/server/", f"{server.run}/"),
    ):
        script = script.replace(written, here)
    assert str(server.port) in script
    return subprocess.run(["/bin/sh", "-c", script], check=False, timeout=20).returncode == 0


def scripts(name: str) -> list[str]:
    """The checks of one server that are commands."""
    how, script = SERVICES[name]["healthcheck"]["test"]
    assert how == "CMD-SHELL"
    (container,) = (
        each["spec"]["template"]["spec"]["containers"][0]
        for each in KUBERNETES
        if each["metadata"]["name"] == name
    )
    probe = container["readinessProbe"].get("exec", {}).get("command")
    return [script.replace("$$", "$"), *([probe[-1]] if probe else [])]


@pytest.mark.parametrize("name", ["mosquitto", "redis-orders", "redis-market"])
def test_a_server_that_answers_is_well_without_a_password_and_one_that_does_not_is_not(
    servers: dict[str, SecuredServer], name: str
) -> None:
    for script in scripts(name):
        assert is_well(script, servers[name])
        servers[name].kill()
        assert not is_well(script, servers[name])
        servers[name].start()


@pytest.mark.parametrize("name", ["prometheus", "alertmanager"])
def test_a_watcher_is_asked_where_it_answers(name: str, tmp_path: Path) -> None:
    how, *_, url = SERVICES[name]["healthcheck"]["test"]
    assert how == "CMD"
    server: HttpServer = (
        PrometheusServer(tmp_path, {}) if name == "prometheus" else AlertmanagerServer(tmp_path)
    )
    with server:
        assert server.get("/" + url.split("/", 3)[3])
