"""`hedgestat up` and `run`: a service that cannot go on says why, once, and ends with 1."""

import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from fakes.command import DEPLOY, hedgestat
from fakes.servers import MosquittoServer, RedisServer

pytestmark = pytest.mark.server


def critical(ended: subprocess.CompletedProcess[str]) -> Sequence[str]:
    """Reasons of critical lines; the log is JSON where it is no terminal."""
    lines = [msgspec.json.decode(line) for line in ended.stdout.splitlines()]
    return [line["reason"] for line in lines if line["level"] == "critical"]


@pytest.mark.parametrize("command", [["up"], ["run", "hedger"]])
def test_nothing_is_decided_on_a_store_of_orders_that_forgets(
    tmp_path: Path, mosquitto_server: MosquittoServer, redis_server: RedisServer, command: list[str]
) -> None:
    assert redis_server.appendfsync == "everysec"
    configuration = tmp_path / "hedges.toml"
    text = (DEPLOY / "hedges.toml").read_text()
    configuration.write_text(text.replace("hedger = 8083", "hedger = 0"))
    variables = {
        "HEDGESTAT_MQTT_URL": mosquitto_server.url,
        "HEDGESTAT_REDIS_URL": redis_server.url,
    }
    arguments = [*command, "-c", str(configuration)]
    ended = hedgestat(*arguments, directory=tmp_path, variables=variables)
    assert ended.returncode == 1
    (reason,) = critical(ended)
    assert "[redis] orders does not keep every commit it confirms" in reason
    assert "appendfsync always" in reason
    assert "Traceback" not in ended.stdout + ended.stderr


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        configuration = tmp_path / "hedges.toml"
        text = (DEPLOY / "hedges.toml").read_text()
        configuration.write_text(text.replace("gateway = 8084", f"gateway = {port}"))
        ended = hedgestat("run", "gateway", "-c", str(configuration), directory=tmp_path)
    assert ended.returncode == 1
    (reason,) = critical(ended)
    assert f"cannot serve on 127.0.0.1:{port}" in reason
