"""The adapter over a broker that says exactly what a test wants: answers real ones seldom give."""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from fakes.eventually import eventually
from fakes.servers import IotcoreServer, MosquittoServer

from shared.adapters.bus import (
    BusEvent,
    BusUnavailable,
    Publication,
    PublishRefused,
    QualityOfService,
    Subscription,
)
from shared.adapters.connections import MqttSettings
from shared.adapters.mqtt import MqttBus

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK = 0x10, 0x20, 0x30, 0x40, 0x80, 0x90
RECEIVE_MAXIMUM, MAXIMUM_PACKET_SIZE = 0x21, 0x27


@dataclass
class ScriptedBroker:
    """Answers CONNECT and SUBSCRIBE as told, and PUBLISH only when `acknowledge` is called."""

    connack_reason: int = 0
    connack_properties: bytes = b""
    suback_reason: int = 1
    port: int = 0
    connects: list[bytes] = field(default_factory=list)
    subscribes: list[bytes] = field(default_factory=list)
    published: list[int] = field(default_factory=list)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        try:
            while True:
                await self._answer(*await self._packet(reader), writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _packet(self, reader: asyncio.StreamReader) -> tuple[int, bytes]:
        kind, length = await reader.readexactly(2)
        if length & 0x80:
            length = length & 0x7F | (await reader.readexactly(1))[0] << 7
        return kind & 0xF0, await reader.readexactly(length)

    async def _answer(self, kind: int, body: bytes, writer: asyncio.StreamWriter) -> None:
        if kind == CONNECT:
            self.connects.append(body)
            properties = self.connack_properties
            answer = bytes([0, self.connack_reason, len(properties)]) + properties
            writer.write(bytes([CONNACK, len(answer)]) + answer)
        elif kind == SUBSCRIBE:
            self.subscribes.append(body)
            topics = body.count(b"/")  # each of ours has one
            reasons = bytes([self.suback_reason]) * topics
            writer.write(bytes([SUBACK, 3 + topics]) + body[:2] + b"\0" + reasons)
        elif kind == PUBLISH:
            topic_length = int.from_bytes(body[:2], "big")
            self.published.append(int.from_bytes(body[2 + topic_length :][:2], "big"))

    def acknowledge(self, reason: int = 0) -> None:
        message_id = self.published.pop(0)
        self.send(bytes([PUBACK, 4]) + message_id.to_bytes(2, "big") + bytes([reason, 0]))

    def send(self, packet: bytes) -> None:
        self.writers[-1].write(packet)

    def unread(self) -> bytes:
        """What lies at the socket and the loop has not looked at."""
        with socket.socket(
            fileno=os.dup(self.writers[-1].get_extra_info("socket").fileno())
        ) as end:
            return end.recv(65_536, socket.MSG_PEEK)

    def bus(self, *subscriptions: Subscription, events: list[BusEvent] | None = None) -> MqttBus:
        return MqttBus(
            MqttSettings(url=f"mqtt://127.0.0.1:{self.port}", connect_timeout_s=1.0),
            client_id="tested",
            subscriptions=subscriptions,
            on_event=([] if events is None else events).append,
        )


@asynccontextmanager
async def listening(broker: ScriptedBroker) -> AsyncIterator[ScriptedBroker]:
    server = await asyncio.start_server(broker.serve, "127.0.0.1", 0)
    broker.port = server.sockets[0].getsockname()[1]
    async with server:
        yield broker


def names(events: Sequence[BusEvent]) -> list[str]:
    return [event.name for event in events]


async def test_a_refused_subscription_is_told_and_tried_again() -> None:
    events: list[BusEvent] = []
    async with (
        listening(ScriptedBroker(suback_reason=0x87)) as broker,
        broker.bus(Subscription("control/#"), events=events) as bus,
    ):
        await eventually(lambda: len(events) >= 1)
        assert (events[0].name, events[0].topic) == ("subscription_refused", "control/#")
        assert "Not authorized" in events[0].reason

        broker.suback_reason = 1
        await bus.connected.wait()


async def test_all_is_subscribed_to_with_one_packet() -> None:
    wanted = [Subscription("control/#"), Subscription("ticks/+", 0), Subscription("acks/+")]
    async with listening(ScriptedBroker()) as broker, broker.bus(*wanted) as bus:
        await bus.connected.wait()
        (packet,) = broker.subscribes
        assert [each.topic for each in wanted if each.topic.encode() in packet] == [
            "control/#",
            "ticks/+",
            "acks/+",
        ]


async def test_a_refused_connect_is_told_and_tried_again() -> None:
    events: list[BusEvent] = []
    async with (
        listening(ScriptedBroker(connack_reason=0x86)) as broker,
        broker.bus(events=events) as bus,
    ):
        await eventually(lambda: len(events) >= 1)
        assert events[0].name == "connect_failed"
        assert "Bad user name or password" in events[0].reason

        broker.connack_reason = 0
        await bus.connected.wait()


async def test_no_more_is_in_flight_than_the_broker_takes() -> None:
    two = bytes([RECEIVE_MAXIMUM, 0, 2])
    async with listening(ScriptedBroker(connack_properties=two)) as broker, broker.bus() as bus:
        await bus.connected.wait()
        async with asyncio.TaskGroup() as group:
            for _ in range(3):
                group.create_task(bus.publish("t/a", b""))
            await eventually(lambda: len(broker.published) == 2)
            broker.acknowledge()
            await eventually(lambda: len(broker.published) == 2)
            broker.acknowledge()
            broker.acknowledge()


async def test_what_is_published_together_takes_one_write_and_no_more_places_than_there_are() -> (
    None
):
    two = bytes([RECEIVE_MAXIMUM, 0, 2])
    async with listening(ScriptedBroker(connack_properties=two)) as broker, broker.bus() as bus:
        await bus.connected.wait()
        publications = [Publication("t/a", b"one"), Publication("t/a", b"two")]
        publishing = bus.publish_all([*publications, Publication("t/a", b"three")])
        async with asyncio.TaskGroup() as group:
            done = group.create_task(publishing)
            await asyncio.sleep(0)
            arrived = broker.unread()
            assert b"one" in arrived
            assert b"two" in arrived
            assert b"three" not in arrived
            await eventually(lambda: len(broker.published) == 2)
            broker.acknowledge()
            await eventually(lambda: len(broker.published) == 2)
            broker.acknowledge(reason=0x87)
            broker.acknowledge()
        assert [type(each) for each in done.result()] == [type(None), PublishRefused, type(None)]


async def test_what_is_published_together_fails_together_when_the_connection_breaks() -> None:
    limit = bytes([MAXIMUM_PACKET_SIZE]) + (4_000).to_bytes(4, "big")
    async with (
        asyncio.timeout(5),
        listening(ScriptedBroker(connack_properties=limit)) as broker,
        broker.bus() as bus,
    ):
        await bus.connected.wait()
        break_off_writing(bus)
        sizes = (1, 10_000, 1)
        outcomes = await bus.publish_all([Publication("t/a", b"x" * size) for size in sizes])
        assert [type(each) for each in outcomes] == [BusUnavailable, PublishRefused, BusUnavailable]
        assert await bus.connected.wait()


async def test_what_waits_for_a_place_in_flight_fails_with_the_connection() -> None:
    one = bytes([RECEIVE_MAXIMUM, 0, 1])
    async with listening(ScriptedBroker(connack_properties=one)) as broker, broker.bus() as bus:
        await bus.connected.wait()
        failures: list[str] = []

        async def publish() -> None:
            with pytest.raises(BusUnavailable) as failure:
                await bus.publish("t/a", b"", timeout=30)
            failures.append(str(failure.value))

        async with asyncio.timeout(5), asyncio.TaskGroup() as group:
            for _ in range(5):
                group.create_task(publish())
            await eventually(lambda: len(broker.published) == 1)
            broker.writers[-1].close()
        assert len(failures) == 5


async def test_a_publish_the_broker_calls_too_large_is_not_sent() -> None:
    limit = bytes([MAXIMUM_PACKET_SIZE]) + (4_000).to_bytes(4, "big")
    async with listening(ScriptedBroker(connack_properties=limit)) as broker, broker.bus() as bus:
        await bus.connected.wait()
        with pytest.raises(PublishRefused, match="too large") as refusal:
            await bus.publish("t/a", b"x" * 4_000)
        assert refusal.value.reason_code == 0x95
        assert bus.connected.is_set()


@pytest.mark.parametrize("qos", [0, 1])
async def test_a_publish_is_on_the_socket_without_a_turn_of_the_loop(qos: QualityOfService) -> None:
    async with listening(ScriptedBroker()) as broker, broker.bus() as bus:
        await bus.connected.wait()
        publishing = bus.publish("t/a", b"at once", qos=qos)
        with contextlib.suppress(StopIteration):  # QoS 0 is done, QoS 1 waits for its PUBACK
            publishing.send(None)
        assert b"at once" in broker.unread()
        publishing.close()


@pytest.mark.parametrize("qos", [0, 1])
async def test_a_connection_that_breaks_in_a_write_fails_it_and_what_waits(
    qos: QualityOfService,
) -> None:
    events: list[BusEvent] = []
    async with (
        asyncio.timeout(5),
        listening(ScriptedBroker()) as broker,
        broker.bus(events=events) as bus,
    ):
        await bus.connected.wait()
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(failure_of(bus.publish("t/a", b"", timeout=30)))
            await eventually(lambda: len(broker.published) == 1)
            break_off_writing(bus)
            publishing = bus.publish("t/a", b"", qos=qos, timeout=30)
            with pytest.raises(BusUnavailable, match="lost"):  # at once
                publishing.send(None)
            assert not bus.connected.is_set()
        assert "lost" in waiting.result()
        await bus.connected.wait()
    assert names(events) == ["connected", "disconnected", "connected"]


async def failure_of(publishing: Coroutine[Any, Any, None]) -> str:
    with pytest.raises(BusUnavailable) as failure:
        await publishing
    return str(failure.value)


def break_off_writing(bus: MqttBus) -> None:
    """The next write fails, before any reader has heard of it."""
    connection = bus._connection  # noqa: SLF001 - only here does a test look under the adapter
    assert connection is not None
    assert connection.socket is not None
    connection.socket._socket.shutdown(socket.SHUT_WR)  # noqa: SLF001 - likewise


async def test_a_loop_of_publishes_that_never_waits_lets_others_go_on() -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with listening(ScriptedBroker()) as broker, broker.bus() as bus:
        await bus.connected.wait()
        async with asyncio.TaskGroup() as group:
            counting = group.create_task(count())
            for _ in range(2_500):
                await bus.publish("t/a", b"", qos=0)
            counting.cancel()
    assert turns >= 2


async def test_an_answer_after_the_time_out_is_not_taken_for_the_next_one() -> None:
    async with listening(ScriptedBroker()) as broker, broker.bus() as bus:
        await bus.connected.wait()
        with pytest.raises(BusUnavailable, match="no answer"):
            await bus.publish("t/a", b"", timeout=0.05)
        async with asyncio.TaskGroup() as group:
            second = group.create_task(bus.publish("t/a", b""))
            await eventually(lambda: len(broker.published) == 2)
            broker.acknowledge(reason=0x87)
            await asyncio.sleep(0)
            assert not second.done()
            broker.acknowledge()


async def test_garbage_ends_the_connection_and_not_the_bus() -> None:
    events: list[BusEvent] = []
    async with listening(ScriptedBroker()) as broker, broker.bus(events=events) as bus:
        await bus.connected.wait()
        broker.send(bytes([PUBLISH, 1, 0]))
        await eventually(lambda: bus.reconnects == 1)
        await bus.connected.wait()
    assert names(events) == ["connected", "disconnected", "connected"]


async def test_a_topic_that_is_no_text_is_dropped_and_told() -> None:
    events: list[BusEvent] = []
    async with listening(ScriptedBroker()) as broker, broker.bus(events=events) as bus:
        await bus.connected.wait()
        broker.send(bytes([PUBLISH, 4, 0, 1, 0xFF, 0]))
        broker.send(bytes([PUBLISH, 5, 0, 1, ord("t"), 0, ord("x")]))
        (message,) = await bus.next_batch(10)
        assert (message.topic, message.payload) == ("t", b"x")
    assert names(events) == ["connected", "malformed_topic"]


async def test_a_password_file_that_cannot_be_read_is_told(tmp_path: object) -> None:
    events: list[BusEvent] = []
    settings = MqttSettings(password_file=f"{tmp_path}/absent", username="ingest")
    async with MqttBus(settings, client_id="tested", on_event=events.append):
        await eventually(lambda: len(events) >= 1)
    assert events[0].name == "connect_failed"
    assert "absent" in events[0].reason


@pytest.mark.server
async def test_a_consumer_that_falls_behind_holds_the_broker_back_and_loses_nothing(
    mosquitto_server: MosquittoServer,
) -> None:
    settings = MqttSettings(url=mosquitto_server.url)
    subscriptions = [Subscription("t/#", 0)]
    slow = MqttBus(settings, client_id="slow", subscriptions=subscriptions, max_waiting=10)
    async with MqttBus(settings, client_id="fast", subscriptions=subscriptions) as fast, slow:
        await fast.connected.wait()
        await slow.connected.wait()
        for number in range(1_000):
            await fast.publish("t/a", number.to_bytes(2, "big") * 10_000, qos=0)
        taken = 0
        while taken < 1_000:
            taken += len(await fast.next_batch(1_000))
        assert 10 <= len(slow._inbox) < 100  # noqa: SLF001 - not to be seen from outside

        received = [await slow.next_batch(7)]
        while sum(map(len, received)) < 1_000:
            received.append(await slow.next_batch(7))
    numbers = [int.from_bytes(each.payload[:2], "big") for batch in received for each in batch]
    assert numbers == list(range(1_000))


@pytest.mark.server
async def test_a_session_that_rumqttd_no_longer_answers_is_abandoned(
    iotcore_server: IotcoreServer,
) -> None:
    settings = MqttSettings(
        url=iotcore_server.url, connect_timeout_s=0.5, abandon_stuck_session=True
    )
    subscriptions = [Subscription("t/#")]
    async with MqttBus(settings, client_id="publisher") as publisher:
        await publisher.connected.wait()
        async with MqttBus(settings, client_id="stuck", subscriptions=subscriptions) as bus:
            await bus.connected.wait()
            for _ in range(150):
                await publisher.publish("t/a", b"")
            await bus.next_batch(100)
        async with (
            asyncio.timeout(10),
            MqttBus(settings, client_id="stuck", subscriptions=subscriptions) as bus,
        ):
            await bus.connected.wait()
