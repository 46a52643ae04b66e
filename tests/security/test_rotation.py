"""New passwords and new certificates, while services run: none of them is restarted."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.eventually import eventually
from fakes.secured import SERVERS, SecuredServers
from msgspec.structs import replace

from shared.adapters.bus import BusEvent, BusUnavailable
from shared.adapters.certificates import make_certificates
from shared.adapters.clock import SystemClock
from shared.adapters.connections import MqttSettings
from shared.adapters.logins import rotate_logins
from shared.adapters.mqtt import MqttBus
from shared.adapters.redis_store import RedisStore
from shared.adapters.store import StoreTrouble
from shared.wire import topics

pytestmark = pytest.mark.server


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[SecuredServers]:
    with SecuredServers(tmp_path) as running:
        yield running


def rotate(servers: SecuredServers, identity: str) -> None:
    """As the README says: new papers to owner and servers; the broker reads them when told to."""
    rotate_logins(servers.logins, [identity])
    servers.deal_out()
    servers.broker.hang_up()
    servers.orders.kill()
    servers.orders.start()


def old_login(servers: SecuredServers, directory: Path) -> MqttSettings:
    """The broker with the password that the hedger has until now."""
    (directory / "old").write_text(servers.password("hedger", "mqtt"))
    return replace(servers.mqtt("hedger"), password_file=str(directory / "old"))


async def works(bus: MqttBus) -> bool:
    try:
        await bus.publish(topics.status("hedger"), b"{}")
    except BusUnavailable:
        return False
    return True


async def test_a_rotated_login_works_on_without_a_restart_and_the_old_one_does_not(
    servers: SecuredServers, tmp_path: Path
) -> None:
    old = old_login(servers, tmp_path)
    async with (
        MqttBus(servers.mqtt("hedger"), client_id="test-hedger", session_expiry_s=0) as bus,
        RedisStore(servers.redis("orders", "hedger")) as store,
    ):
        await bus.connected.wait()
        epoch = await store.take_lease("hedger")
        rotate(servers, "hedger")

        async def leads_on() -> bool:
            try:
                return await store.take_lease("hedger") > epoch
            except StoreTrouble:
                return False

        async with asyncio.timeout(20):
            while not await works(bus):
                await bus.connected.wait()
            while not await leads_on():
                pass
    events: list[BusEvent] = []
    async with MqttBus(old, client_id="test-old", on_event=events.append):
        await eventually(lambda: bool(events))
    assert "not let in" in events[0].reason


async def test_a_renewed_certificate_is_shown_once_the_broker_is_told(
    servers: SecuredServers,
) -> None:
    before = servers.broker.serial_number()
    for server in SERVERS:
        (servers.certificates / server / "server.pem").unlink()
    now_ns = SystemClock().now_ns()
    assert len(make_certificates(servers.certificates, SERVERS, (), now_ns)) == len(SERVERS)
    servers.deal_out()
    servers.broker.hang_up()
    await eventually(lambda: servers.broker.serial_number() != before)
    servers.orders.kill()
    servers.orders.start()
    async with RedisStore(servers.redis("orders", "hedger")) as store:
        assert await store.leader("hedger") is None
