"""Leases, the gateway's word, and who is there: on a real broker and a real store."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest
from fakes.command import DEPLOY
from fakes.findings import collected, faults
from fakes.keys import make_keyring, write_keys
from fakes.servers import MosquittoServer, RedisServer, free_port

from shared.adapters.code_version import code_version
from shared.adapters.control_socket import Answer, GatewayStatus, NotDone, Request, serve_control
from shared.adapters.examination.running import (
    examine_gateway,
    examine_leases,
    examine_versions,
    keyring_of,
)
from shared.adapters.mqtt import MqttBus
from shared.adapters.redis_store import RedisStore
from shared.adapters.settings import Settings, load_settings
from shared.domain.trading import TradingState
from shared.runtime.site import VERSION
from shared.wire import codec, topics
from shared.wire.messages import StatusMessage, TradingStateMessage
from shared.wire.times import format_instant

pytestmark = pytest.mark.server
NOW: Final = format_instant(1_700_000_000_000_000_000)


def configured(tmp_path: Path, **environment: str) -> Settings:
    """The configuration, with the gateway's directory in the test's."""
    text = (DEPLOY / "hedges.toml").read_text()
    path = tmp_path / "hedges.toml"
    path.write_text(text.replace('"gateway.sqlite"', f'"{tmp_path}/gateway.sqlite"'))
    return load_settings(path, environment)


@pytest.fixture
def settings(
    tmp_path: Path, mosquitto_server: MosquittoServer, redis_server: RedisServer
) -> Settings:
    return configured(
        tmp_path,
        HEDGESTAT_MQTT_URL=mosquitto_server.url,
        HEDGESTAT_REDIS_URL=f"{redis_server.url}/0",
    )


async def lend(settings: Settings, stage: str, digest: str) -> None:
    async with RedisStore(settings.redis.orders) as store:
        assert await store.acquire(stage, f"host-of-{stage}", 60_000, digest=digest)


async def test_who_leads_is_named_with_its_epoch(settings: Settings) -> None:
    await lend(settings, "hedger", f"{code_version()} {settings.digest}")
    (finding,) = await collected(examine_leases(settings, ["hedger"]))
    assert finding.is_well
    assert finding.seen == "host-of-hedger leads, epoch 1"


async def test_a_stage_that_nobody_leads_is_a_fault(settings: Settings) -> None:
    findings = await collected(examine_leases(settings, ["ingest", "hedger"]))
    assert faults(findings) == ["lease of ingest: nobody leads", "lease of hedger: nobody leads"]
    assert "hedgestat run ingest" in findings[0].remedy


@pytest.mark.parametrize(
    ("digest", "differs"), [("0.0.9+other SAME", "code"), (f"{code_version()} other", "configu")]
)
async def test_a_leader_that_means_something_else_is_a_fault(
    settings: Settings, digest: str, differs: str
) -> None:
    await lend(settings, "signals", digest.replace("SAME", settings.digest))
    findings = await collected(examine_leases(settings, ["signals"]))
    (fault,) = faults(findings)
    assert f"with another {differs}" in fault


async def test_a_store_that_does_not_answer_is_a_fault_and_no_crash(tmp_path: Path) -> None:
    nowhere = configured(tmp_path, HEDGESTAT_REDIS_URL=f"redis://127.0.0.1:{free_port()}/0")
    assert len(faults(await collected(examine_leases(nowhere, ["hedger"])))) == 1


# --- the gateway ------------------------------------------------------------------------------


@asynccontextmanager
async def gateway_at(settings: Settings, answer: Answer) -> AsyncIterator[None]:
    """One that answers everything in the same way."""

    async def handle(_: Request) -> Answer:
        return answer

    path = settings.gateway.socket_path
    assert path is not None
    async with serve_control(path, handle):
        yield


def status(heard_s: float | None, trouble: dict[str, str] | None = None) -> GatewayStatus:
    return GatewayStatus(
        scopes={"all": TradingState.ACTIVE},
        orders=(),
        epoch=7,
        answered=3,
        heard_s=heard_s,
        trouble=trouble or {},
    )


async def test_a_gateway_that_hears_the_hedger_is_well(settings: Settings) -> None:
    async with gateway_at(settings, status(0.4)):
        (finding,) = await collected(examine_gateway(settings, None))
    assert finding.seen == "heard 0.4 s ago, epoch 7"


@pytest.mark.parametrize(("heard_s", "seen"), [(None, "never heard"), (11.0, "last heard 11 s")])
async def test_one_that_does_not_hear_it_is_a_fault(
    settings: Settings, heard_s: float | None, seen: str
) -> None:
    async with gateway_at(settings, status(heard_s, {"gateway.bus": "disconnected"})):
        handshake, health = faults(await collected(examine_gateway(settings, None)))
    assert seen in handshake
    assert health == "gateway: health: gateway.bus: disconnected"


async def test_a_socket_where_nobody_answers_is_a_fault(settings: Settings) -> None:
    path = settings.gateway.socket_path
    assert path is not None
    path.touch()
    (fault,) = faults(await collected(examine_gateway(settings, None)))
    assert fault.startswith("gateway: socket")
    async with gateway_at(settings, NotDone("no")):
        (fault,) = faults(await collected(examine_gateway(settings, None)))
    assert fault == "gateway: socket: no"


async def keep(settings: Settings, topic: str, payload: bytes) -> None:
    """Have the broker keep a message."""
    async with MqttBus(settings.mqtt, client_id="test") as bus:
        await bus.connected.wait()
        await bus.publish(topic, payload, retain=True)


def halted(scope: str) -> TradingStateMessage:
    return TradingStateMessage(
        scope=scope, state="halted", authority="operator", operator="ann", reason="drill", since=NOW
    )


async def test_the_gateways_signed_word_is_read(settings: Settings) -> None:
    keyring = make_keyring()
    for scope in ("overlay", "all"):
        topic = topics.trading(scope)
        await keep(settings, topic, keyring.seal("gateway", topic, halted(scope)))
    (finding,) = await collected(examine_gateway(settings, keyring))
    assert finding.is_well
    assert finding.seen == "all halted, overlay halted"


async def test_a_word_that_is_not_the_gateways_is_a_fault(settings: Settings) -> None:
    topic = topics.trading("all")
    await keep(settings, topic, make_keyring().seal("gateway", topic, halted("all")))
    (fault,) = faults(await collected(examine_gateway(settings, make_keyring())))
    assert "not the gateway's word" in fault


async def test_no_word_of_it_and_no_broker_are_faults(settings: Settings, tmp_path: Path) -> None:
    (fault,) = faults(await collected(examine_gateway(settings, make_keyring())))
    assert fault == "gateway: trading: the broker keeps no word of it"
    nowhere = configured(tmp_path, HEDGESTAT_MQTT_URL=f"mqtt://127.0.0.1:{free_port()}")
    (fault,) = faults(await collected(examine_gateway(nowhere, make_keyring())))
    assert fault == "gateway: trading: no answer"


def test_keys_that_others_can_write_are_no_keyring(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    write_keys(keys)
    settings = configured(tmp_path, HEDGESTAT_KEYS=str(keys))
    found = keyring_of(settings)
    assert found is not None
    assert found.can_sign("monitor")
    next((keys / "trusted").glob("monitor-*.pem")).chmod(0o666)
    assert keyring_of(settings) is None


# --- who is there -----------------------------------------------------------------------------


async def there(settings: Settings, service: str, **others: str) -> None:
    said = {"state": "online", "version": VERSION, "config_digest": settings.digest} | others
    message = StatusMessage(service=service, **said)  # type: ignore[arg-type] # `state` is one of two
    await keep(settings, topics.status(service), codec.encode(message))


async def test_services_that_are_there_under_this_configuration_are_well(
    settings: Settings,
) -> None:
    await there(settings, "ingest")
    (finding,) = await collected(examine_versions(settings, ["ingest"]))
    assert finding.is_well
    assert finding.seen == f"{VERSION}, under this configuration"


async def test_those_that_are_not_or_mean_something_else_are_faults(settings: Settings) -> None:
    await there(settings, "ingest", state="offline")
    await there(settings, "hedger", config_digest="other")
    await there(settings, "gateway", version="0.0.9")
    expected = ["ingest", "signals", "hedger", "gateway"]
    assert faults(await collected(examine_versions(settings, expected))) == [
        "service ingest: offline",
        "service signals: never seen",
        f"service hedger: {VERSION}, under another configuration",
        f"versions: 0.0.9 and {VERSION} at once",
    ]
