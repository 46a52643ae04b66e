"""`hedgestat tail`: what is published is printed, one line a message."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from fakes.command import DEPLOY, HEDGESTAT, environment
from fakes.eventually import eventually_sync
from fakes.servers import MosquittoServer, free_port

from shared.wire.examples import EXAMPLES
from shared.wire.messages import AlertMessage, OrderMessage

ALERT = next(message for message in EXAMPLES if isinstance(message, AlertMessage))
ORDER = next(message for message in EXAMPLES if isinstance(message, OrderMessage))
TOPIC = "hedge/v1/books/overlay/orders"

pytestmark = pytest.mark.server


class Tail:
    """A running `hedgestat tail`, and what it has printed."""

    def __init__(self, directory: Path, url: str, what: str = "orders") -> None:
        self._files = directory / "out", directory / "err"
        with self._files[0].open("w") as out, self._files[1].open("w") as err:
            self.process = subprocess.Popen(
                [HEDGESTAT, "tail", what, "-c", str(DEPLOY / "hedges.toml")],
                env=environment(HEDGESTAT_MQTT_URL=url),
                stdout=out,
                stderr=err,
            )

    @property
    def out(self) -> list[str]:
        return self._files[0].read_text().splitlines()

    @property
    def err(self) -> list[str]:
        return self._files[1].read_text().splitlines()


@contextmanager
def tail(directory: Path, url: str, what: str = "orders") -> Iterator[Tail]:
    running = Tail(directory, url, what)
    try:
        yield running
    finally:
        running.process.kill()
        running.process.wait()


def publish(server: MosquittoServer, payload: bytes, topic: str = TOPIC) -> None:
    """As any client does; retained, so that who comes late hears it too."""
    command = ["mosquitto_pub", "-p", str(server.port), "-r", "-t", topic, "-s"]
    subprocess.run(command, input=payload, check=True, timeout=20)


def test_an_order_is_one_line(tmp_path: Path, mosquitto_server: MosquittoServer) -> None:
    publish(mosquitto_server, msgspec.json.encode(ORDER))
    with tail(tmp_path, mosquitto_server.url) as running:
        eventually_sync(lambda: bool(running.out), within_s=30)
        assert len(running.out) == 1
        assert "ORDER    buy 400 varswap_3m -> 1,000, limit 24.20" in running.out[0]
        publish(mosquitto_server, b'{"order_id": 7}')
        eventually_sync(lambda: len(running.out) == 2)
        assert running.out[1].startswith(f"malformed {TOPIC}: ")
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(timeout=20) == 0
        assert running.err == []


def test_alerts_are_printed_but_not_the_dead_mans_switch(
    tmp_path: Path, mosquitto_server: MosquittoServer
) -> None:
    alive = msgspec.structs.replace(ALERT, what="monitor_alive")
    publish(mosquitto_server, msgspec.json.encode(alive), "hedge/v1/alerts/info")
    publish(mosquitto_server, msgspec.json.encode(ALERT), "hedge/v1/alerts/warning")
    with tail(tmp_path, mosquitto_server.url, "alerts") as running:
        eventually_sync(lambda: bool(running.out), within_s=30)
        publish(mosquitto_server, msgspec.json.encode(alive), "hedge/v1/alerts/info")
        publish(mosquitto_server, msgspec.json.encode(ALERT), "hedge/v1/alerts/warning")
        eventually_sync(lambda: len(running.out) == 2)
        assert all(ALERT.what in line for line in running.out)


def test_a_broker_that_is_away_is_said_once_on_stderr_and_waited_for(tmp_path: Path) -> None:
    server = MosquittoServer(tmp_path / "mosquitto")
    with tail(tmp_path, server.url) as running:
        eventually_sync(lambda: bool(running.err), within_s=30)
        with server:
            publish(server, msgspec.json.encode(ORDER))
            eventually_sync(lambda: bool(running.out))
        assert len(running.err) <= 2
        assert "connect_failed" in running.err[0]
        assert "trying again" in running.err[0]


def test_a_port_of_nobody_is_no_traceback(tmp_path: Path) -> None:
    with tail(tmp_path, f"mqtt://127.0.0.1:{free_port()}") as running:
        eventually_sync(lambda: bool(running.err), within_s=30)
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(timeout=20) == 0
        assert "Traceback" not in "\n".join(running.err)
