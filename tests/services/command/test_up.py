"""`hedgestat up` and `run`: what cannot begin, or cannot go on, says why, once."""

import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from fakes.command import DEPLOY, hedgestat
from fakes.keys import write_keys
from fakes.servers import MosquittoServer, RedisServer
from typer.testing import CliRunner

from services.__main__ import app
from services.command.endings import Refused
from services.command.up import KEYS, check_keys
from shared.adapters.settings import load_settings
from shared.runtime.site import Site

pytestmark = pytest.mark.server

UP = ["ingest", "signals", "hedger", "gateway", "auditor", "dashboard"]
"""What runs under a configuration without positions."""


def critical(ended: subprocess.CompletedProcess[str]) -> Sequence[str]:
    """Reasons of critical lines; the log is JSON where it is no terminal."""
    lines = [msgspec.json.decode(line) for line in ended.stdout.splitlines()]
    return [line["reason"] for line in lines if line["level"] == "critical"]


@pytest.mark.parametrize("command", [["up"], ["run", "hedger"]])
def test_nothing_is_decided_on_a_store_of_orders_that_forgets(
    tmp_path: Path, mosquitto_server: MosquittoServer, redis_server: RedisServer, command: list[str]
) -> None:
    assert redis_server.appendfsync == "everysec"
    write_keys(tmp_path / "keys")
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
    write_keys(tmp_path / "keys")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        configuration = tmp_path / "hedges.toml"
        text = (DEPLOY / "hedges.toml").read_text()
        configuration.write_text(text.replace("gateway = 8084", f"gateway = {port}"))
        ended = hedgestat("run", "gateway", "-c", str(configuration), directory=tmp_path)
    assert ended.returncode == 1
    (reason,) = critical(ended)
    assert f"cannot serve on 127.0.0.1:{port}" in reason


@pytest.mark.parametrize(
    ("without", "reason"),
    [
        (
            ["venue"],
            "--without venue: there are ingest, signals, hedger, gateway, auditor, dashboard",
        ),
        (UP, "no service is left to run"),
    ],
)
def test_what_cannot_be_left_out_is_said(tmp_path: Path, without: list[str], reason: str) -> None:
    options = [word for name in without for word in ("--without", name)]
    assert refusal(tmp_path, "up", *options) == reason


# --- keys ---------------------------------------------------------------------------------------


def refusal(directory: Path, *command: str) -> str:
    """What a command says of its keys, in one line."""
    arguments = [*command, "-c", str(DEPLOY / "hedges.toml")]
    ended = CliRunner().invoke(app, arguments, env={"HEDGESTAT_KEYS": str(directory)})
    assert ended.exit_code == 2, ended.output
    (line,) = ended.stderr.splitlines()
    return line


@pytest.mark.parametrize("command", [["up"], *(["run", name] for name in KEYS)])
def test_nothing_starts_without_keys(tmp_path: Path, command: list[str]) -> None:
    remedy = f"no keys in {tmp_path}: make them with `hedgestat keys new`"
    assert refusal(tmp_path, *command) == remedy


@pytest.mark.parametrize(("service", "role"), [("hedger", "monitor"), ("gateway", "gateway")])
def test_a_service_that_signs_wants_its_own_key(tmp_path: Path, service: str, role: str) -> None:
    path = write_keys(tmp_path) / "private" / f"{role}.pem"
    path.chmod(0o640)
    assert refusal(tmp_path, "run", service) == f"{path} can be read by others: chmod 600 {path}"
    path.write_text("nonsense")
    path.chmod(0o600)
    assert f"{path} cannot be read: " in refusal(tmp_path, "run", service)
    path.unlink()
    assert refusal(tmp_path, "run", service) == f"{path} is not there: `hedgestat keys new {role}`"


@pytest.mark.parametrize(
    ("service", "role"),
    [(service, role) for service, needed in KEYS.items() for role in needed.believes],
)
def test_a_service_wants_to_know_whom_to_believe(tmp_path: Path, service: str, role: str) -> None:
    (trusted,) = (write_keys(tmp_path) / "trusted").glob(f"{role}-*.pem")
    trusted.unlink()
    assert f"no trusted key of role {role}: " in refusal(tmp_path, "run", service)


def test_no_service_minds_the_keys_of_others(tmp_path: Path) -> None:
    """Only `monitor.pem` is on the hedger's machine; the rest is what it believes."""
    directory = write_keys(tmp_path)
    for role in ("gateway", "operator", "auditor"):
        (directory / "private" / f"{role}.pem").unlink()
    site = Site(settings=load_settings(DEPLOY / "hedges.toml", {"HEDGESTAT_KEYS": str(directory)}))
    check_keys(site, ["ingest", "signals", "hedger"])
    with pytest.raises(Refused, match=r"private/gateway\.pem is not there"):
        check_keys(site, ["gateway"])
