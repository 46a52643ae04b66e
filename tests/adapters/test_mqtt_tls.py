"""Over TLS, with our own certificate and a password: the bytes take another way through paho."""

import asyncio
import subprocess
from pathlib import Path

import msgspec
import pytest
from fakes.eventually import eventually
from fakes.servers import MosquittoServer

from shared.adapters.bus import BusEvent, Subscription
from shared.adapters.connections import MqttSettings
from shared.adapters.mqtt import MqttBus

pytestmark = pytest.mark.server


def write_certificate(directory: Path, name: str) -> None:
    """A self-signed certificate for 127.0.0.1, its own authority, and its key."""
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-nodes", "-days", "2", "-subj", f"/CN={name}"),
            *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", f"{name}.key", "-out", f"{name}.pem"),
        ],
        check=True,
        capture_output=True,
        cwd=directory,
    )


@pytest.fixture
def server(tmp_path: Path) -> MosquittoServer:
    """A broker that wants TLS, a certificate of the client, a name and a password."""
    for name in ("server", "client"):
        write_certificate(tmp_path, name)
    options = [
        f"cafile {tmp_path}/client.pem",
        f"certfile {tmp_path}/server.pem",
        f"keyfile {tmp_path}/server.key",
        "require_certificate true",
        f"password_file {tmp_path}/users",
    ]
    users = ["mosquitto_passwd", "-c", "-b", "users", "ingest", "right"]
    subprocess.run(users, check=True, cwd=tmp_path)
    (tmp_path / "password").write_text("right\n")
    return MosquittoServer(tmp_path, options="\n".join(options))


def settings_for(server: MosquittoServer) -> MqttSettings:
    return MqttSettings(
        url=f"mqtts://127.0.0.1:{server.port}",
        username="ingest",
        password_file=f"{server.directory}/password",
        ca_file=f"{server.directory}/server.pem",
        client_certificate_file=f"{server.directory}/client.pem",
        client_key_file=f"{server.directory}/client.key",
        connect_timeout_s=2.0,
    )


async def test_many_and_large_messages_arrive_in_order(server: MosquittoServer) -> None:
    with server:
        async with MqttBus(
            settings_for(server), client_id="both", subscriptions=[Subscription("t/#")]
        ) as bus:
            await bus.connected.wait()
            sizes = [0, 1, 200_000, 3, 17_000, 1_000_000, 5] * 3
            for size in sizes:
                await bus.publish("t/a", b"x" * size, timeout=10)
            await bus.publish("t/a", b"x" * 15_000, qos=0)  # nothing follows that would wake us
            received: list[int] = []
            async with asyncio.timeout(5):
                while len(received) <= len(sizes):
                    received += [len(message.payload) for message in await bus.next_batch(100)]
            assert received == [*sizes, 15_000]


@pytest.mark.filterwarnings(  # paho leaves the socket of a failed handshake to the collector
    "ignore:Exception ignored in. <ssl.SSLSocket:pytest.PytestUnraisableExceptionWarning"
)
@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"password_file": "server.pem"}, "Not authorized"),
        ({"ca_file": "client.pem"}, "not signed by an authority in ca_file"),
    ],
)
async def test_nobody_is_talked_to_without_the_right_papers(
    server: MosquittoServer, wrong: dict[str, str], why: str
) -> None:
    files = {field: f"{server.directory}/{name}" for field, name in wrong.items()}
    settings = msgspec.structs.replace(settings_for(server), **files)
    events: list[BusEvent] = []
    with server:
        async with MqttBus(settings, client_id="stranger", on_event=events.append) as bus:
            await eventually(lambda: len(events) >= 1)
            assert not bus.connected.is_set()
    assert events[0].name == "connect_failed"
    assert why in events[0].reason
