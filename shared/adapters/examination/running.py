"""Do the services run: who leads, does the gateway answer, and do all mean the same?"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path
from typing import Final

from shared.adapters.bus import BusUnavailable, Message, Subscription
from shared.adapters.code_version import code_version
from shared.adapters.control_socket import GatewayRefused, GatewayUnreachable, gateway_status
from shared.adapters.examination.findings import Finding, well, wrong
from shared.adapters.keyring import Forged, KeyMissing, Keyring
from shared.adapters.mqtt import MqttBus
from shared.adapters.redis_store import RedisStore
from shared.adapters.settings import Settings
from shared.adapters.store import Leader, StoreTrouble
from shared.domain.trading import TradingState
from shared.wire import codec, topics
from shared.wire.access import READER
from shared.wire.codec import MalformedMessage
from shared.wire.messages import StatusMessage, TradingStateMessage

PATIENCE_S: Final = 5.0
RETAINED_S: Final = 1.0
"""What the broker keeps comes at once; after so long there is no more of it."""
SILENCE_S: Final = 10.0
"""Since its last heartbeat the hedger is hardly there."""
ORDERS_STAGES: Final = ("hedger",)


async def examine_leases(settings: Settings, stages: Sequence[str]) -> AsyncIterator[Finding]:
    """Is every stage led, by this code under this configuration?"""
    ours = f"{code_version()} {settings.digest}"
    for stage in stages:
        role = settings.redis.orders if stage in ORDERS_STAGES else settings.redis.market
        subject = f"lease of {stage}"
        try:
            async with asyncio.timeout(PATIENCE_S), RedisStore(role.of(READER)) as store:
                yield _lease(subject, stage, await store.leader(stage), ours)
        except (StoreTrouble, OSError, TimeoutError) as trouble:
            yield wrong(subject, str(trouble) or "no answer", "see the store above")


def _lease(subject: str, stage: str, leader: Leader | None, ours: str) -> Finding:
    if leader is None:
        remedy = f"start it: `hedgestat run {stage}`; its log says why it does not lead"
        return wrong(subject, "nobody leads", remedy)
    seen = f"{leader.holder} leads, epoch {leader.epoch}"
    if leader.digest == ours:
        return well(subject, seen)
    code, _, configuration = leader.digest.partition(" ")
    differs = "code" if code != code_version() else "configuration"
    remedy = f"start it again with this {differs}, or run doctor with its own"
    if not configuration:
        return well(subject, seen)
    return wrong(subject, f"{seen}, with another {differs} than this", remedy)


async def examine_gateway(settings: Settings, keyring: Keyring | None) -> AsyncIterator[Finding]:
    """Does the gateway answer: at its socket, where that is here, and by its signed word?"""
    path = settings.gateway.socket_path
    if path is not None and path.exists():
        try:
            status = await gateway_status(path)
        except (GatewayUnreachable, GatewayRefused) as silent:
            yield wrong("gateway: socket", str(silent), "start it: `hedgestat run gateway`")
        else:
            yield _heartbeat(status.heard_s, status.epoch)
            trouble = ", ".join(f"{name}: {reason}" for name, reason in status.trouble.items())
            if trouble:
                yield wrong("gateway: health", trouble, "its log says more")
    if keyring is not None:
        yield await _word(settings, keyring)


def _heartbeat(heard_s: float | None, epoch: int) -> Finding:
    subject = "gateway: handshake with the hedger"
    if heard_s is None or heard_s > SILENCE_S:
        seen = "never heard" if heard_s is None else f"last heard {heard_s:.0f} s ago"
        return wrong(subject, seen, "start the hedger; see that it has the monitor's key")
    return well(subject, f"heard {heard_s:.1f} s ago, epoch {epoch}")


async def _word(settings: Settings, keyring: Keyring) -> Finding:
    """What the broker keeps of the gateway's signed word on what may trade."""
    subject = "gateway: trading"
    states: dict[str, TradingState] = {}
    try:
        for message in await _retained(settings, topics.TRADING):
            said = keyring.open("gateway", message.topic, message.payload, TradingStateMessage)
            states[said.scope] = TradingState(said.state)
    except (Forged, MalformedMessage) as error:
        return wrong(subject, f"not the gateway's word: {error}", "find out who said it")
    except (BusUnavailable, TimeoutError) as error:
        return wrong(subject, str(error) or "no answer", "see the broker above")
    if not states:
        return wrong(subject, "the broker keeps no word of it", "start it, with its key")
    return well(subject, ", ".join(f"{each} {states[each].value}" for each in sorted(states)))


async def examine_versions(settings: Settings, expected: Iterable[str]) -> AsyncIterator[Finding]:
    """Is every service there, and under this configuration?"""
    told: dict[str, StatusMessage] = {}
    try:
        for message in await _retained(settings, topics.STATUS):
            said = codec.decode(StatusMessage, message.payload)
            told[said.service] = said
    except (BusUnavailable, MalformedMessage, TimeoutError) as error:
        yield wrong("services", str(error) or "no answer", "see the broker above")
        return
    for service in expected:
        yield _status(service, told.get(service), settings.digest)
    versions = {said.version for said in told.values() if said.state == "online"}
    if len(versions) > 1:
        seen = " and ".join(sorted(versions))
        yield wrong("versions", f"{seen} at once", "bring all services to one version")


def _status(service: str, said: StatusMessage | None, digest: str) -> Finding:
    subject, start = f"service {service}", f"start it: `hedgestat run {service}`"
    if said is None or said.state == "offline":
        return wrong(subject, "never seen" if said is None else "offline", start)
    if said.config_digest != digest:
        remedy = "start it again with this configuration, or run doctor with its own"
        return wrong(subject, f"{said.version}, under another configuration", remedy)
    return well(subject, f"{said.version}, under this configuration")


async def _retained(settings: Settings, topic: str) -> list[Message]:
    """What the broker keeps under a topic.

    Raises:
        TimeoutError: It does not answer.
        BusUnavailable: It went away.
    """
    kept: list[Message] = []
    bus = MqttBus(
        settings.mqtt.of(READER),
        client_id=f"hedgestat-doctor-{secrets.token_hex(4)}",
        subscriptions=[Subscription(topic)],
        clean_start=True,
        session_expiry_s=0,
    )
    async with bus:
        async with asyncio.timeout(PATIENCE_S):
            await bus.connected.wait()
        try:
            async with asyncio.timeout(RETAINED_S):
                async for message in bus.messages():
                    message.ack()
                    kept.append(message)
        except TimeoutError:
            return kept
    return kept


def keyring_of(settings: Settings) -> Keyring | None:
    """Return the keys that are here; what is wrong with them is said by `examine_keys`."""
    try:
        return Keyring.load(Path(settings.keys.directory), settings.trading.environment)
    except KeyMissing:
        return None
