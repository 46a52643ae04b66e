"""Every identity and every topic, on a real broker: what the table grants and nothing else."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Final

import pytest
from fakes.eventually import eventually
from fakes.secured import SecuredServers

from shared.adapters.bus import BusEvent, PublishRefused, Subscription, Will
from shared.adapters.mqtt import MqttBus
from shared.wire import topics
from shared.wire.access import IDENTITIES, NAMES, Identity
from shared.wire.asyncapi import CHANNELS

pytestmark = pytest.mark.server

WITNESS: Final = "witness"
STRANGE: Final = ("hedge/v1", "hedge/v1/orders", "hedge/v2/ticks", "elsewhere", "hedge/v1/control")


def instances(topic: str) -> list[str]:
    """Topics that a filter of the contract stands for: of anybody, and of each of our own."""
    head, plus, rest = topic.partition("+")
    if not plus:
        return [topic]
    levels = ["anything", *NAMES, "gateway-control", "doctor"] if "books" not in head else ["book"]
    return [f"{head}{level}{rest}".replace("+", "more") for level in levels]


TOPICS: Final = tuple(
    dict.fromkeys([*(each for channel in CHANNELS for each in instances(channel.topic)), *STRANGE])
)


def matches(pattern: str, topic: str) -> bool:
    """Whether a filter with `+` and `#` takes a topic."""
    wanted, levels = pattern.split("/"), topic.split("/")
    if wanted[-1] == "#":
        wanted, levels = wanted[:-1], levels[: len(wanted) - 1]
    return len(wanted) == len(levels) and all(
        each in {"+", level} for each, level in zip(wanted, levels, strict=True)
    )


def granted(patterns: tuple[str, ...]) -> set[str]:
    """What filters come to."""
    return {topic for topic in TOPICS if any(matches(each, topic) for each in patterns)}


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredServers]:
    prepared = SecuredServers(tmp_path_factory.mktemp("secured"))
    prepared.admit(WITNESS)
    with prepared.broker:
        yield prepared


@asynccontextmanager
async def connected(
    servers: SecuredServers, identity: str, *subscriptions: str
) -> AsyncIterator[MqttBus]:
    bus = MqttBus(
        servers.mqtt(identity),
        client_id=f"test-{identity}",
        subscriptions=[Subscription(topic, 0) for topic in subscriptions],
        clean_start=True,
        session_expiry_s=0,
    )
    async with bus, asyncio.timeout(20):
        await bus.connected.wait()
        yield bus


async def may_publish(bus: MqttBus, topic: str, *, retain: bool = False) -> bool:
    try:
        await bus.publish(topic, topic.encode(), retain=retain)
    except PublishRefused:
        return False
    return True


async def arrived(bus: MqttBus) -> list[str]:
    """Topics of all that the broker has sent until now: its answer comes after them."""
    await may_publish(bus, "nobody/may/say/this")
    try:
        async with asyncio.timeout(0.2):
            return [message.topic for message in await bus.next_batch(10_000)]
    except TimeoutError:
        return []


@pytest.mark.parametrize("identity", IDENTITIES, ids=NAMES)
async def test_an_identity_publishes_what_the_table_says_and_nothing_else(
    servers: SecuredServers, identity: Identity
) -> None:
    async with connected(servers, identity.name) as bus:
        allowed = {topic for topic in TOPICS if await may_publish(bus, topic)}
    assert allowed == granted(identity.publishes)


@pytest.mark.parametrize("identity", IDENTITIES, ids=NAMES)
async def test_an_identity_is_sent_what_the_table_says_and_nothing_else_live_or_retained(
    servers: SecuredServers, identity: Identity
) -> None:
    async with connected(servers, WITNESS) as witness:
        for topic in TOPICS:
            assert await may_publish(witness, topic, retain=True)
        async with connected(servers, identity.name, "#") as bus:
            retained = await arrived(bus)
            for topic in TOPICS:
                await may_publish(witness, topic)
            live = await arrived(bus)
    assert set(retained) == granted(identity.subscribes)
    assert sorted(live) == sorted(granted(identity.subscribes))


async def test_the_witness_may_do_everything(servers: SecuredServers) -> None:
    async with connected(servers, WITNESS, "#") as bus:
        assert {topic for topic in TOPICS if await may_publish(bus, topic)} == set(TOPICS)
        assert set(await arrived(bus)) >= set(TOPICS)


def sayers(topic: str) -> set[str]:
    return {each.name for each in IDENTITIES if topic in granted(each.publishes)}


def hearers(topic: str) -> set[str]:
    return {each.name for each in IDENTITIES if topic in granted(each.subscribes)}


def test_who_can_make_the_gateway_act_is_written_here_once_more() -> None:
    assert sayers(topics.orders("book")) == {"hedger"}
    assert sayers(topics.acks("book")) == sayers(topics.executions("book")) == {"gateway"}
    assert sayers(topics.trading("anything")) == sayers(topics.GATEWAY_STATE) == {"gateway"}
    assert sayers(topics.RESUME) == {"operator"}
    assert sayers(topics.HALT) == {"operator", "auditor", "dashboard"}
    assert sayers(topics.REBALANCE) == {"operator", "dashboard"}
    assert sayers(topics.epochs("hedger")) == sayers(topics.heartbeats("hedger")) == {"hedger"}
    assert sayers(topics.CLOCK) == sayers(topics.TICKS) == {"feed"}
    assert not sayers(topics.epochs("anything")) | set().union(*map(sayers, STRANGE))
    assert not {each for each in IDENTITIES if each.name == "reader" and each.publishes}


def test_what_steers_us_is_heard_by_those_it_is_for() -> None:
    assert hearers(topics.RESUME) == hearers(topics.HALT) == {"ingest", "gateway"}
    assert hearers(topics.ticks("anything")) == {"ingest"}
    assert hearers(topics.positions("book")) == hearers(topics.measurements("book")) == {"ingest"}
    assert hearers(topics.orders("book")) == {"gateway", "dashboard", "reader"}
    assert not hearers("elsewhere")


@pytest.mark.parametrize("identity", NAMES)
async def test_a_status_is_said_by_its_own_service_alone(
    servers: SecuredServers, identity: str
) -> None:
    async with connected(servers, identity) as bus:
        others = [topics.status(name) for name in NAMES if name != identity]
        assert not [topic for topic in others if await may_publish(bus, topic)]


async def test_a_last_will_is_held_to_the_same_list(servers: SecuredServers) -> None:
    events: list[BusEvent] = []
    bus = MqttBus(
        servers.mqtt("reader"),
        client_id="test-will",
        will=Will(topics.orders("book"), b"forged"),
        on_event=events.append,
    )
    async with connected(servers, WITNESS, topics.ORDERS) as witness:
        await arrived(witness)  # what was retained
        async with bus:
            await eventually(lambda: bool(events))
        assert await arrived(witness) == []


async def test_nobody_ends_a_connection_by_taking_its_name(servers: SecuredServers) -> None:
    async with connected(servers, "ingest") as ingest:
        for identity in ("reader", "feed"):
            taker = MqttBus(servers.mqtt(identity), client_id="test-ingest", session_expiry_s=0)
            async with taker, asyncio.timeout(10):
                await taker.connected.wait()
                assert await may_publish(ingest, topics.REJECTS)
        assert ingest.connected.is_set()
        assert ingest.reconnects == 0


def test_no_two_logins_make_the_same_client_id_of_a_name(servers: SecuredServers) -> None:
    made = {servers.mqtt(identity).client_id("hedgestat-ingest") for identity in NAMES}
    assert len(made) == len(NAMES)
    again = servers.mqtt("ingest").client_id("hedgestat-ingest")
    assert again in made, "a restart must find its session"
    assert servers.password("ingest", "mqtt") not in again
