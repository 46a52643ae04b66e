"""Our bus beside plain aiomqtt and plain paho: messages a second, and latency.

    python tests/bench/mqtt.py [messages]

A second process writes ready-made MQTT 5 packets to the broker, faster than any client here reads.
Latency is from just before that write until the consumer holds the message, at 1,000 a second.
"""

import asyncio
import contextlib
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import aiomqtt
import paho.mqtt.client as paho
from fakes.servers import IotcoreServer, MosquittoServer
from paho.mqtt.enums import CallbackAPIVersion

from shared.adapters.bus import Subscription
from shared.adapters.connections import MqttSettings
from shared.adapters.mqtt import MqttBus

PAYLOAD_BYTES = 150
LATENCY_MESSAGES = 2_000
TOPIC = b"bench/ticks"

Journeys = list[tuple[int, int]]  # instants of writing and of arrival, ns
Consumer = Callable[[int, int, int, Callable[[], object]], Awaitable[Journeys]]


def publish_raw(port: int, qos: int, count: int, interval_ns: int) -> None:
    """Write `count` packets, each with the instant it was written at, 20 unacknowledged at most."""
    burst = 1 if interval_ns else 20
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(b"\x10\x10\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x03pub")
        connection.recv(1024)
        for start in range(0, count, burst):
            due = time.perf_counter_ns() + interval_ns
            connection.sendall(b"".join(packet(qos, start + index + 1) for index in range(burst)))
            if qos:
                for _ in range(burst):
                    connection.recv(connection.recv(2, socket.MSG_WAITALL)[1], socket.MSG_WAITALL)
            if interval_ns:
                time.sleep(max(0, due - time.perf_counter_ns()) / 1e9)
        connection.sendall(b"\xe0\x00")
        connection.recv(1)


def packet(qos: int, number: int) -> bytes:
    message_id = struct.pack("!H", number % 65_535 + 1) if qos else b""
    payload = struct.pack("!q", time.perf_counter_ns()).ljust(PAYLOAD_BYTES, b".")
    body = struct.pack("!H", len(TOPIC)) + TOPIC + message_id + b"\x00" + payload
    return struct.pack("!BBB", 0x30 | qos << 1, 0x80 | len(body) & 0x7F, len(body) >> 7) + body


async def hedgestat(port: int, qos: int, count: int, ready: Callable[[], object]) -> Journeys:
    journeys: Journeys = []
    subscription = Subscription("bench/#", 1 if qos else 0)
    settings = MqttSettings(url=f"mqtt://127.0.0.1:{port}")
    async with MqttBus(settings, client_id="ours", subscriptions=[subscription]) as bus:
        await bus.connected.wait()
        ready()
        while len(journeys) < count:
            for message in await bus.next_batch(1_000):
                journeys.append(journey(message.payload))
                message.ack()
    return journeys


async def plain_aiomqtt(port: int, qos: int, count: int, ready: Callable[[], object]) -> Journeys:
    journeys: Journeys = []
    version = aiomqtt.ProtocolVersion.V5
    async with aiomqtt.Client("127.0.0.1", port, identifier="aiomqtt", protocol=version) as client:
        await client.subscribe("bench/#", qos)
        ready()
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            journeys.append(journey(message.payload))
            if len(journeys) == count:
                break
    return journeys


async def plain_paho(port: int, qos: int, count: int, ready: Callable[[], object]) -> Journeys:
    journeys: Journeys = []
    client = paho.Client(CallbackAPIVersion.VERSION2, "paho", protocol=paho.MQTTv5)

    def on_connect(*_: object) -> None:
        client.subscribe("bench/#", qos)

    def on_subscribe(*_: object) -> None:
        ready()

    def on_message(_client: paho.Client, _userdata: object, message: paho.MQTTMessage) -> None:
        journeys.append(journey(message.payload))

    client.on_connect, client.on_subscribe, client.on_message = on_connect, on_subscribe, on_message
    client.connect("127.0.0.1", port)
    while len(journeys) < count:
        client.loop()
    client.disconnect()
    return journeys


def journey(payload: bytes | bytearray) -> tuple[int, int]:
    return struct.unpack_from("!q", payload)[0], time.perf_counter_ns()


def run(consumer: Consumer, port: int, qos: int, count: int, interval_ns: int = 0) -> Journeys:
    publishers: list[subprocess.Popen[bytes]] = []

    def ready() -> None:
        numbers = (str(number) for number in (port, qos, count, interval_ns))
        publishers.append(subprocess.Popen([sys.executable, __file__, "publish", *numbers]))

    async def consume() -> Journeys:
        async with asyncio.timeout(120):
            return await consumer(port, qos, count, ready)

    journeys = asyncio.run(consume())
    for publisher in publishers:
        publisher.wait()
    return journeys


def table(broker: str, port: int, qos: int, count: int) -> None:
    consumers: list[tuple[str, Consumer]] = [
        ("plain aiomqtt", plain_aiomqtt),
        ("plain paho", plain_paho),
        ("hedgestat", hedgestat),
    ]
    peer = 0.0
    for name, consumer in consumers:
        journeys = run(consumer, port, qos, count)
        rate = count / ((journeys[-1][1] - journeys[0][0]) / 1e9)
        peer = peer or rate
        paced = run(consumer, port, qos, LATENCY_MESSAGES, interval_ns=1_000_000)
        latencies = [arrived - written for written, arrived in paced]
        percentiles = statistics.quantiles(latencies, n=100)
        p50, p99 = percentiles[49] / 1e3, percentiles[98] / 1e3
        figures = f"{rate:10,.0f} {rate / peer:7.2f} {p50:8.0f} {p99:8.0f}"
        print(f"{broker:10} {qos:3} {name:14} {figures}", flush=True)  # noqa: T201 - its purpose


def main(count: int) -> None:
    columns = f"{'broker':10} QoS {'subscriber':14} {'messages/s':>10}   ratio   p50 µs   p99 µs"
    print(f"{count:,} messages of {PAYLOAD_BYTES} bytes", columns, sep="\n")  # noqa: T201 - likewise
    for kind in (MosquittoServer, IotcoreServer):
        for qos in (0, 1):
            with contextlib.ExitStack() as stack:
                directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
                server = stack.enter_context(kind(directory))
                table(kind.__name__.removesuffix("Server").lower(), server.port, qos, count)


if __name__ == "__main__":
    if sys.argv[1:2] == ["publish"]:
        publish_raw(*(int(argument) for argument in sys.argv[2:]))
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else 40_000)
