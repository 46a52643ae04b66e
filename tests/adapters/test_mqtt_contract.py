"""What a service may rely on from the bus: the same suite for the fake and for real brokers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack
from pathlib import Path
from socket import IPPROTO_TCP, SHUT_RDWR, TCP_NODELAY, socket
from typing import Any

import pytest
from fakes.bus import FakeBroker, FakeBus
from fakes.eventually import eventually
from fakes.servers import IotcoreServer, MosquittoServer

from shared.adapters.bus import (
    Bus,
    BusEvent,
    BusUnavailable,
    Message,
    Publication,
    PublishRefused,
    Subscription,
    Will,
)
from shared.adapters.connections import MqttSettings
from shared.adapters.mqtt import MqttBus
from shared.wire.codec import JSON
from shared.wire.seal import SEALED, Sealed, join

EVERYTHING = (Subscription("t/#"),)
ACL = "topic readwrite #\ntopic deny denied\n"


class FakeWorld:
    """A broker in memory, and buses on it."""

    name = "fake"

    def __init__(self) -> None:
        self.broker = FakeBroker(denied=["denied"])

    def bus(self, client_id: str, **options: Any) -> AbstractAsyncContextManager[Bus]:  # noqa: ANN401 - as MqttBus
        return FakeBus(self.broker, client_id=client_id, **options)

    def kill(self) -> None:
        self.broker.kill()

    def start(self) -> None:
        self.broker.start()

    def freeze(self) -> None:
        self.broker.freeze()

    def thaw(self) -> None:
        self.broker.thaw()

    def cut(self, bus: Bus) -> None:
        assert isinstance(bus, FakeBus)
        bus.cut()

    async def pass_time(self, seconds: float) -> None:
        self.broker.pass_time(seconds)


class RealWorld:
    """A broker that listens on loopback, and buses connected to it."""

    def __init__(self, server: MosquittoServer | IotcoreServer) -> None:
        self.name = type(server).__name__.removesuffix("Server").lower()
        self.server = server
        self.kill = server.kill
        self.start = server.start
        self.freeze = server.freeze
        self.thaw = server.thaw

    def bus(self, client_id: str, **options: Any) -> AbstractAsyncContextManager[Bus]:  # noqa: ANN401 - as MqttBus
        return MqttBus(MqttSettings(url=self.server.url), client_id=client_id, **options)

    def cut(self, bus: Bus) -> None:
        tcp_socket(bus).shutdown(SHUT_RDWR)

    async def pass_time(self, seconds: float) -> None:
        await asyncio.sleep(seconds)  # a real broker has its own clock


World = FakeWorld | RealWorld


@pytest.fixture(
    params=[
        "fake",
        pytest.param("mosquitto", marks=pytest.mark.server),
        pytest.param("iotcore", marks=pytest.mark.server),
    ]
)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with ExitStack() as stack:
        if request.param == "fake":
            yield FakeWorld()
        elif request.param == "mosquitto":
            yield RealWorld(stack.enter_context(MosquittoServer(tmp_path, acl=ACL)))
        else:
            yield RealWorld(stack.enter_context(IotcoreServer(tmp_path)))


@pytest.fixture
async def publisher(world: World) -> AsyncIterator[Bus]:
    async with world.bus("publisher") as bus:
        await bus.connected.wait()
        yield bus


def not_on(world: World, name: str, why: str) -> None:
    if world.name == name:
        pytest.skip(f"{name}: {why}")


def tcp_socket(bus: Bus) -> socket:
    assert isinstance(bus, MqttBus)
    connection = bus._connection  # noqa: SLF001 - only here does a test look under the adapter
    assert connection is not None
    assert connection.socket is not None
    return connection.socket._socket  # noqa: SLF001 - likewise


async def take(bus: Bus, count: int) -> list[Message]:
    """The next `count` messages, acknowledged."""
    taken: list[Message] = []
    async with asyncio.timeout(10):
        while len(taken) < count:
            batch = await bus.next_batch(count - len(taken))
            for message in batch:
                message.ack()
            taken += batch
    return taken


async def nothing_comes(bus: Bus) -> bool:
    """Whether the bus has nothing for us, as of a message that we send ourselves behind it."""
    await bus.publish("t/probe", b"probe")
    return [message.topic for message in await take(bus, 1)] == ["t/probe"]


async def publish_until_taken(bus: Bus, topic: str, payload: bytes) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                return await bus.publish(topic, payload)
            except BusUnavailable:
                await bus.connected.wait()


def payloads(messages: Sequence[Message]) -> list[bytes]:
    return [message.payload for message in messages]


async def test_a_message_arrives_as_it_was_sent(world: World, publisher: Bus) -> None:
    async with world.bus("subscriber", subscriptions=EVERYTHING) as subscriber:
        await subscriber.connected.wait()
        await publisher.publish("t/a", b"\x00\xff", content_type="application/x-test")

        (message,) = await take(subscriber, 1)
        assert (message.topic, message.payload) == ("t/a", b"\x00\xff")
        assert (message.qos, message.retain) == (1, False)
        assert message.content_type == "application/x-test"


async def test_what_is_sealed_says_so_and_the_rest_is_json(world: World, publisher: Bus) -> None:
    async with world.bus("subscriber", subscriptions=EVERYTHING) as subscriber:
        await subscriber.connected.wait()
        await publisher.publish("t/a", b"{}")
        await publisher.publish("t/a", join(Sealed(b"{}", bytes(64))))
        plain, sealed = await take(subscriber, 2)
        assert (plain.content_type, sealed.content_type) == (JSON, SEALED)


@pytest.mark.parametrize("qos", [0, 1])
async def test_messages_of_a_topic_keep_their_order(world: World, publisher: Bus, qos: int) -> None:
    async with world.bus("subscriber", subscriptions=EVERYTHING) as subscriber:
        await subscriber.connected.wait()
        sent = [str(number).encode() for number in range(500)]
        async with asyncio.TaskGroup() as group:
            for payload in sent:
                group.create_task(publisher.publish("t/a", payload, qos=qos))  # type: ignore[arg-type]
            received = group.create_task(take(subscriber, len(sent)))
        assert payloads(received.result()) == sent


async def test_what_is_published_together_arrives_in_its_order(
    world: World, publisher: Bus
) -> None:
    async with world.bus("subscriber", subscriptions=EVERYTHING) as subscriber:
        await subscriber.connected.wait()
        sent = [Publication("t/a", str(number).encode()) for number in range(300)]
        async with asyncio.TaskGroup() as group:
            received = group.create_task(take(subscriber, len(sent)))
            assert await publisher.publish_all(sent) == [None] * len(sent)
        assert payloads(received.result()) == [each.payload for each in sent]
        await publisher.publish_all([Publication("t/kept", b"1", retain=True)])
        async with world.bus("latecomer", subscriptions=EVERYTHING) as latecomer:
            assert [each.payload for each in await take(latecomer, 1)] == [b"1"]


async def test_only_what_a_filter_matches_arrives(world: World, publisher: Bus) -> None:
    filters = [Subscription("books/+/orders"), Subscription("control/#")]
    async with world.bus("subscriber", subscriptions=filters) as subscriber:
        await subscriber.connected.wait()
        for topic in ("books/a/acks", "books/a/b/orders", "books/a/orders", "control/halt/a"):
            await publisher.publish(topic, b"")
        assert [message.topic for message in await take(subscriber, 2)] == [
            "books/a/orders",
            "control/halt/a",
        ]


async def test_the_last_known_value_meets_a_latecomer_and_is_marked_as_such(
    world: World, publisher: Bus
) -> None:
    await publisher.publish("t/state", b"old", retain=True)
    await publisher.publish("t/state", b"new", retain=True)
    async with world.bus("latecomer", subscriptions=EVERYTHING) as latecomer:
        (kept,) = await take(latecomer, 1)
        assert (kept.payload, kept.retain) == (b"new", True)

        await publisher.publish("t/state", b"newer", retain=True)
        (news,) = await take(latecomer, 1)
        if world.name != "iotcore":  # marks news as retained, too
            assert (news.payload, news.retain) == (b"newer", False)


async def test_an_empty_payload_forgets_the_last_known_value(world: World, publisher: Bus) -> None:
    await publisher.publish("t/state", b"old", retain=True)
    await publisher.publish("t/state", b"", retain=True)
    async with world.bus("latecomer", subscriptions=EVERYTHING) as latecomer:
        await latecomer.connected.wait()
        assert await nothing_comes(latecomer)


async def test_what_was_not_acknowledged_comes_again(world: World, publisher: Bus) -> None:
    async with world.bus("subscriber", subscriptions=EVERYTHING) as subscriber:
        await subscriber.connected.wait()
        for payload in (b"1", b"2", b"3"):
            await publisher.publish("t/a", payload)
        first, *_ = [await subscriber.next_batch(1) for _ in range(3)]
        first[0].ack()
        await subscriber.publish("t/b", b"")  # goes behind the ack on the same connection
        await subscriber.next_batch(1)

        world.cut(subscriber)
        assert payloads(await take(subscriber, 3)) == [b"2", b"3", b""]


async def test_what_was_acknowledged_does_not_come_again(world: World, publisher: Bus) -> None:
    async with world.bus("subscriber", subscriptions=EVERYTHING) as subscriber:
        await subscriber.connected.wait()
        await publisher.publish("t/a", b"1")
        await take(subscriber, 1)
        assert await nothing_comes(subscriber)

        world.cut(subscriber)
        await eventually(lambda: subscriber.reconnects == 1)
        await subscriber.connected.wait()
        assert await nothing_comes(subscriber)


async def test_what_is_sent_while_we_are_away_waits_for_us(world: World, publisher: Bus) -> None:
    async with world.bus("subscriber", subscriptions=EVERYTHING) as subscriber:
        await subscriber.connected.wait()
    await publisher.publish("t/a", b"1")
    async with world.bus("subscriber", subscriptions=EVERYTHING) as subscriber:
        assert payloads(await take(subscriber, 1)) == [b"1"]


async def test_a_clean_start_forgets_what_waited(world: World, publisher: Bus) -> None:
    async with world.bus("subscriber", subscriptions=EVERYTHING) as subscriber:
        await subscriber.connected.wait()
    await publisher.publish("t/a", b"1")
    async with world.bus("subscriber", subscriptions=EVERYTHING, clean_start=True) as subscriber:
        await subscriber.connected.wait()
        assert await nothing_comes(subscriber)


async def test_a_clean_start_is_clean_only_once(world: World, publisher: Bus) -> None:
    not_on(world, "iotcore", "keeps no session that began clean")
    async with world.bus("subscriber", subscriptions=EVERYTHING, clean_start=True) as subscriber:
        await subscriber.connected.wait()
        await publisher.publish("t/a", b"1")
        await subscriber.next_batch(1)

        world.cut(subscriber)
        assert payloads(await take(subscriber, 1)) == [b"1"]


async def test_an_acknowledgement_for_a_lost_connection_is_ignored(
    world: World, publisher: Bus
) -> None:
    async with world.bus("subscriber", subscriptions=EVERYTHING) as subscriber:
        await subscriber.connected.wait()
        await publisher.publish("t/a", b"1")
        (stale,) = await subscriber.next_batch(10)
        world.cut(subscriber)
        (again,) = await subscriber.next_batch(10)

        stale.ack()
        await subscriber.connected.wait()
        world.cut(subscriber)
        assert payloads(await take(subscriber, 1)) == [again.payload] == [b"1"]


async def test_a_broker_killed_fails_what_is_published_at_once_and_is_found_again(
    world: World, publisher: Bus
) -> None:
    async with world.bus("subscriber", subscriptions=EVERYTHING) as subscriber:
        await subscriber.connected.wait()
        world.freeze()
        async with asyncio.TaskGroup() as group:
            in_flight = group.create_task(fails(publisher.publish("t/a", b"1", timeout=30)))
            await asyncio.sleep(0)
            world.kill()
        assert in_flight.result() < 5
        await eventually(lambda: not publisher.connected.is_set())
        assert await fails(publisher.publish("t/a", b"2", timeout=30)) < 1

        world.start()
        await publisher.connected.wait()
        await eventually(lambda: subscriber.reconnects == 1 and subscriber.connected.is_set())
        await publish_until_taken(publisher, "t/a", b"3")
        assert payloads(await take(subscriber, 1)) == [b"3"]
        assert publisher.reconnects == 1


async def fails(publishing: Awaitable[None]) -> float:
    """How long it took to raise BusUnavailable, in seconds."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    with pytest.raises(BusUnavailable):
        await publishing
    return loop.time() - started


async def test_a_broker_that_does_not_answer_is_unavailable(world: World, publisher: Bus) -> None:
    world.freeze()
    assert 0.1 < await fails(publisher.publish("t/a", b"1", timeout=0.2)) < 2
    world.thaw()
    await publish_until_taken(publisher, "t/a", b"2")


async def test_of_what_is_published_together_each_is_told_what_became_of_it(
    world: World, publisher: Bus
) -> None:
    world.freeze()
    both = [Publication("t/a", b"1"), Publication("t/a", b"2")]
    outcomes = await publisher.publish_all(both, timeout=0.2)
    assert [type(each) for each in outcomes] == [BusUnavailable] * 2
    world.kill()
    await eventually(lambda: not publisher.connected.is_set())
    outcomes = await publisher.publish_all(both)
    assert [type(each) for each in outcomes] == [BusUnavailable] * 2


async def test_publishing_before_the_first_connect_is_unavailable(world: World) -> None:
    world.kill()
    async with world.bus("early") as bus:
        assert not bus.connected.is_set()
        with pytest.raises(BusUnavailable):
            await bus.publish("t/a", b"1")
        world.start()
        await bus.connected.wait()
        await bus.publish("t/a", b"1")


async def test_the_will_is_published_when_we_vanish_and_when_we_leave(world: World) -> None:
    status = {"will": Will("t/status", b"offline"), "birth": Will("t/status", b"online")}
    async with world.bus("watcher", subscriptions=EVERYTHING) as watcher:
        await watcher.connected.wait()
        async with world.bus("mortal", **status) as mortal:
            assert payloads(await take(watcher, 1)) == [b"online"]
            await mortal.connected.wait()
            world.cut(mortal)
            assert payloads(await take(watcher, 2)) == [b"offline", b"online"]
        assert payloads(await take(watcher, 1)) == [b"offline"]


async def test_a_last_word_takes_the_place_of_the_will_when_we_leave_and_not_when_we_vanish(
    world: World,
) -> None:
    not_on(world, "fake", "it has a will alone")
    async with world.bus("watcher", subscriptions=EVERYTHING) as watcher:
        await watcher.connected.wait()
        async with world.bus("mortal", will=Will("t/status", b"offline")) as mortal:
            assert isinstance(mortal, MqttBus)
            await mortal.connected.wait()
            mortal.leave_with(Will("t/status", b"finished"))
            world.cut(mortal)
            assert payloads(await take(watcher, 1)) == [b"offline"]
            await mortal.connected.wait()
            mortal.leave_with(Will("t/status", b"finished"))
        assert payloads(await take(watcher, 1)) == [b"finished"]


async def test_a_message_that_has_expired_is_not_delivered(world: World, publisher: Bus) -> None:
    async with world.bus("subscriber", subscriptions=EVERYTHING) as subscriber:
        await subscriber.connected.wait()
    await publisher.publish("t/a", b"stale", expiry_s=1)
    await publisher.publish("t/a", b"fresh", expiry_s=600)
    await world.pass_time(2.5)
    async with world.bus("subscriber", subscriptions=EVERYTHING) as subscriber:
        assert payloads(await take(subscriber, 1)) == [b"fresh"]


@pytest.mark.parametrize("size", [0, 1, 127, 16_384, 1_000_000])
async def test_payloads_of_any_size_arrive(world: World, publisher: Bus, size: int) -> None:
    async with world.bus("subscriber", subscriptions=EVERYTHING) as subscriber:
        await subscriber.connected.wait()
        await publisher.publish("t/a", b"x" * size, timeout=10)
        assert len((await take(subscriber, 1))[0].payload) == size


async def test_a_refused_publish_says_so(world: World) -> None:
    not_on(world, "iotcore", "has no access control")
    events: list[BusEvent] = []
    async with world.bus("publisher", on_event=events.append) as publisher:
        await publisher.connected.wait()
        with pytest.raises(PublishRefused) as refusal:
            await publisher.publish("denied", b"1")
        assert (refusal.value.topic, refusal.value.reason_code) == ("denied", 0x87)
        assert [(event.name, event.topic) for event in events] == [
            ("connected", ""),
            ("publish_refused", "denied"),
        ]
        await publish_until_taken(publisher, "t/a", b"1")  # Mosquitto hangs up after a refusal


async def test_one_that_is_refused_is_told_from_those_before_it(world: World) -> None:
    not_on(world, "iotcore", "has no access control")
    events: list[BusEvent] = []
    async with world.bus("publisher", on_event=events.append) as publisher:
        await publisher.connected.wait()
        first, refused = await publisher.publish_all(
            [Publication("t/a", b"1"), Publication("denied", b"2")]
        )
        assert first is None
        assert isinstance(refused, PublishRefused)
        assert (refused.topic, refused.reason_code) == ("denied", 0x87)
        assert [each.topic for each in events if each.name == "publish_refused"] == ["denied"]


async def test_a_refused_subscription_is_not_connected_and_is_told(world: World) -> None:
    not_on(world, "iotcore", "has no access control")
    not_on(world, "mosquitto", "checks an acl_file only when it delivers")
    events: list[BusEvent] = []
    denied = [Subscription("denied")]
    async with world.bus("subscriber", subscriptions=denied, on_event=events.append) as bus:
        await eventually(lambda: len(events) >= 2)
        assert not bus.connected.is_set()
    assert {(event.name, event.topic) for event in events} == {("subscription_refused", "denied")}


async def test_a_batch_is_no_larger_than_asked_and_waits_only_for_its_linger(
    world: World, publisher: Bus
) -> None:
    async with world.bus("subscriber", subscriptions=EVERYTHING) as subscriber:
        await subscriber.connected.wait()
        for number in range(5):
            await publisher.publish("t/a", str(number).encode())
        async with asyncio.timeout(10):
            first = await subscriber.next_batch(3, linger_s=9)
            rest = await subscriber.next_batch(3, linger_s=0.3)
        assert payloads(first) == [b"0", b"1", b"2"]
        assert payloads(rest) == [b"3", b"4"]


async def test_iterating_survives_a_reconnect(world: World, publisher: Bus) -> None:
    async with world.bus("subscriber", subscriptions=EVERYTHING) as subscriber:
        await subscriber.connected.wait()
        await publisher.publish("t/a", b"before")
        is_cut = False
        async with asyncio.timeout(10):
            async for message in subscriber.messages():
                message.ack()
                if message.payload == b"after":
                    break
                if not is_cut:
                    is_cut = True
                    world.cut(subscriber)
                    await publisher.publish("t/a", b"after")
        await eventually(lambda: subscriber.reconnects == 1)


async def test_a_bus_can_be_entered_again_but_not_twice_at_once(world: World) -> None:
    bus = world.bus("one")
    async with bus as entered:
        await entered.connected.wait()
        with pytest.raises(RuntimeError, match="entered"):
            await bus.__aenter__()
    async with bus as entered:
        await entered.connected.wait()
        await entered.publish("t/a", b"1")


async def test_an_error_in_the_block_leaves_as_itself(world: World) -> None:
    async def fail() -> None:
        async with world.bus("one") as bus:
            await bus.connected.wait()
            raise LookupError

    with pytest.raises(LookupError):
        await fail()


async def test_a_service_that_is_cancelled_ends_as_cancelled_and_is_forgotten(
    world: World,
) -> None:
    entered = asyncio.Event()

    async def serve() -> None:
        async with world.bus("one", subscriptions=EVERYTHING) as bus:
            await bus.connected.wait()
            entered.set()
            await bus.next_batch(1)

    async with asyncio.TaskGroup() as group:
        service = group.create_task(serve())
        await entered.wait()
        service.cancel()
    assert service.cancelled()


async def test_more_than_can_be_written_at_once_waits_for_room(
    world: World, publisher: Bus
) -> None:
    async with world.bus("subscriber", subscriptions=EVERYTHING) as subscriber:
        await subscriber.connected.wait()
        for number in range(3_000):
            await publisher.publish("t/a", str(number).encode(), qos=0)
        received = payloads(await take(subscriber, 3_000))
    assert received == [str(number).encode() for number in range(3_000)]


async def test_cancelling_while_connecting_leaves_nothing_behind(world: World) -> None:
    world.freeze()
    for _ in range(3):
        async with world.bus("one"):
            await asyncio.sleep(0)
    world.thaw()
    async with world.bus("one") as bus:
        await bus.connected.wait()
        await bus.publish("t/a", b"1")


async def test_small_packets_are_not_held_back(world: World, publisher: Bus) -> None:
    not_on(world, "fake", "has no socket")
    assert tcp_socket(publisher).getsockopt(IPPROTO_TCP, TCP_NODELAY)
