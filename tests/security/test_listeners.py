"""What a machine offers to others by default: nothing."""

import socket
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Final

import psutil
import pytest
from fakes.eventually import eventually_sync
from fakes.keys import write_keys
from fakes.programs import Program, hedgestat
from fakes.recorded import write_history
from fakes.servers import MosquittoServer, RedisServer

DEPLOY: Final = Path(__file__).parents[2] / "deploy"
LOOPBACK: Final = {"127.0.0.1", "::1"}


pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]


@pytest.fixture
def variables(tmp_path: Path) -> Iterator[dict[str, str]]:
    with (
        MosquittoServer(tmp_path / "mosquitto") as broker,
        RedisServer(tmp_path / "redis", appendfsync="always") as store,
    ):
        yield {"HEDGESTAT_MQTT_URL": broker.url, "HEDGESTAT_REDIS_URL": f"{store.url}/0"}


def sockets(program: Program) -> set[tuple[str, int]]:
    """Where a program and its children take connections or packets."""
    root = psutil.Process(program.pid)
    found: set[tuple[str, int]] = set()
    for process in (root, *root.children(recursive=True)):
        for each in process.net_connections(kind="inet"):
            if each.status == psutil.CONN_LISTEN or each.type is socket.SOCK_DGRAM:
                found.add((each.laddr.ip, each.laddr.port))
    return found


def test_up_as_configured_by_default_listens_on_loopback_alone(
    variables: dict[str, str], tmp_path: Path
) -> None:
    write_keys(tmp_path / "keys")
    configuration = tmp_path / "hedges.toml"
    configuration.write_text((DEPLOY / "hedges.toml").read_text())
    words = ["up", "-c", str(configuration)]
    program = hedgestat(*words, name="up", directory=tmp_path, environment=variables)
    program.start()
    try:
        eventually_sync(lambda: program.log.count('"service_started"') >= 6, within_s=60)
        eventually_sync(lambda: len(sockets(program)) >= 3, within_s=60)
        found = sockets(program)
    finally:
        program.kill()
    assert {address for address, _ in found} <= LOOPBACK


def test_the_demo_with_its_own_broker_and_store_listens_on_loopback_alone(tmp_path: Path) -> None:
    history = write_history(tmp_path / "history", date(2015, 1, 2), date(2015, 12, 31))
    words = ["demo", "--history", str(history), "--from", "2015-01-02", "--hold"]
    program = hedgestat(*words, name="demo", directory=tmp_path)
    program.start()
    try:
        eventually_sync(lambda: program.is_running and len(sockets(program)) >= 3, within_s=90)
        found = sockets(program)
    finally:
        program.kill()
    assert {address for address, _ in found} <= LOOPBACK
