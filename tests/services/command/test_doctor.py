"""`hedgestat doctor`: a line for what is well, a remedy for what is not, and an exit code."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.command import DEPLOY, hedgestat
from fakes.keys import write_keys
from fakes.servers import MosquittoServer, RedisServer, free_port

pytestmark = pytest.mark.server


def doctor(
    directory: Path, mqtt: str, redis: str, *services: str
) -> subprocess.CompletedProcess[str]:
    if not (directory / "keys").exists():
        write_keys(directory / "keys")
    variables = {"HEDGESTAT_MQTT_URL": mqtt, "HEDGESTAT_REDIS_URL": redis}
    words = ["doctor", *services, "-c", str(DEPLOY / "hedges.toml")]
    return hedgestat(*words, directory=directory, variables=variables)


def failures(output: str) -> list[str]:
    return [line for line in output.splitlines() if line.startswith("FAIL")]


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path / "redis", appendfsync="always") as server:
        yield server


def test_a_sound_installation_is_told_in_lines_that_are_all_ok(
    tmp_path: Path, mosquitto_server: MosquittoServer, redis: RedisServer
) -> None:
    told = doctor(tmp_path, mosquitto_server.url, redis.url)
    assert told.returncode == 0, told.stdout + told.stderr
    lines = told.stdout.splitlines()
    assert all(line.startswith("ok ") for line in lines)
    for subject in (
        "broker mqtt://",
        "store for orders",
        "store for market",
        "key of",
        "gateway record",
    ):
        assert any(subject in line for line in lines), subject


def test_where_nothing_runs_every_line_has_its_remedy(tmp_path: Path) -> None:
    told = doctor(tmp_path, f"mqtt://127.0.0.1:{free_port()}", f"redis://127.0.0.1:{free_port()}/0")
    assert told.returncode == 1
    assert len(failures(told.stdout)) == 3
    remedies = [line for line in told.stdout.splitlines() if line.startswith("     ->")]
    assert len(remedies) == 3
    assert "start the broker, or correct [mqtt] url" in remedies[0]
    assert "start the server, or correct [redis] orders" in remedies[1]
    assert not told.stderr


def test_a_store_that_forgets_is_named_with_what_to_set(
    tmp_path: Path, mosquitto_server: MosquittoServer
) -> None:
    with RedisServer(tmp_path / "redis", appendfsync="no") as redis:
        told = doctor(tmp_path, mosquitto_server.url, redis.url)
    assert told.returncode == 1
    assert len(failures(told.stdout)) == 2
    assert "appendfsync no" in failures(told.stdout)[0]
    assert "set appendonly yes, appendfsync always" in told.stdout


@pytest.mark.parametrize("allowed", ["topic read $SYS/#", "topic read hedge/v1/#"])
def test_a_broker_that_denies_us_is_named_with_what_to_allow(
    tmp_path: Path, redis: RedisServer, allowed: str
) -> None:
    with MosquittoServer(tmp_path / "mosquitto", acl=allowed) as broker:
        told = doctor(tmp_path, broker.url, redis.url)
    assert told.returncode == 1
    (failure,) = failures(told.stdout)
    assert "broker" in failure
    assert "allow this user to write and read hedge/v1/#" in told.stdout


def test_a_password_in_the_environment_is_not_shown(tmp_path: Path) -> None:
    url = f"redis://ingest:secret@127.0.0.1:{free_port()}/0"
    told = doctor(tmp_path, f"mqtt://ingest:secret@127.0.0.1:{free_port()}", url)
    assert "secret" not in told.stdout + told.stderr


def test_an_archive_is_looked_at_when_there_is_to_be_one(
    tmp_path: Path, mosquitto_server: MosquittoServer, redis: RedisServer
) -> None:
    text = (DEPLOY / "hedges.toml").read_text()
    configuration = tmp_path / "hedges.toml"
    configuration.write_text(text.replace('archive = "off"', f'archive = "{tmp_path}/archive"'))
    write_keys(tmp_path / "keys")
    variables = {"HEDGESTAT_MQTT_URL": mosquitto_server.url, "HEDGESTAT_REDIS_URL": redis.url}
    told = hedgestat("doctor", "-c", str(configuration), directory=tmp_path, variables=variables)
    assert told.returncode == 0
    assert f"ok   archive: {tmp_path}/archive can be written" in told.stdout
    assert "ok   archive: Parquet: pyarrow is installed" in told.stdout


def test_keys_that_are_missing_or_open_to_others_are_named(
    tmp_path: Path, mosquitto_server: MosquittoServer, redis: RedisServer
) -> None:
    keys = write_keys(tmp_path / "keys")
    (keys / "private/monitor.pem").unlink()
    (keys / "private/gateway.pem").chmod(0o644)
    told = doctor(tmp_path, mosquitto_server.url, redis.url)
    assert told.returncode == 1
    assert failures(told.stdout) == [
        "FAIL key of gateway: keys/private/gateway.pem can be read by others",
        "FAIL key of monitor: no private key in keys",
    ]
    assert "-> chmod 600 keys/private/gateway.pem" in told.stdout
    assert "-> `hedgestat keys new monitor`, or copy private/monitor.pem there" in told.stdout


def test_a_machine_of_one_service_needs_its_keys_alone(
    tmp_path: Path, mosquitto_server: MosquittoServer, redis: RedisServer
) -> None:
    keys = write_keys(tmp_path / "keys")
    for role in ("monitor", "operator", "auditor"):
        (keys / f"private/{role}.pem").unlink()
    assert doctor(tmp_path, mosquitto_server.url, redis.url, "gateway").returncode == 0
    assert doctor(tmp_path, mosquitto_server.url, redis.url, "hedger").returncode == 1


def test_an_operators_machine_needs_the_operators_key_alone(
    tmp_path: Path, mosquitto_server: MosquittoServer, redis: RedisServer
) -> None:
    keys = write_keys(tmp_path / "keys")
    for role in ("monitor", "gateway", "auditor"):
        (keys / f"private/{role}.pem").unlink()
    assert doctor(tmp_path, mosquitto_server.url, redis.url, "operator").returncode == 0
    (keys / "private/operator.pem").unlink()
    told = doctor(tmp_path, mosquitto_server.url, redis.url, "operator")
    assert failures(told.stdout) == ["FAIL key of operator: no private key in keys"]


def test_what_is_no_service_is_refused(tmp_path: Path) -> None:
    told = doctor(tmp_path, "mqtt://127.0.0.1", "redis://127.0.0.1", "trader")
    assert told.returncode == 2
    assert "'trader' is none of" in told.stderr
