"""Broker and stores: do they answer, let us in, keep what they are given, and know the time?"""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from redis import exceptions
from redis.asyncio import Redis

from shared.adapters.bus import BusEvent, BusUnavailable, PublishRefused, Subscription
from shared.adapters.clock import Clock
from shared.adapters.connections import RedisSettings, redacted
from shared.adapters.examination.findings import Finding
from shared.adapters.mqtt import MqttBus
from shared.adapters.redis_client import connect
from shared.adapters.settings import Settings
from shared.domain.instants import MILLISECOND, SECOND
from shared.wire.access import SELF_TEST

PATIENCE_S: Final = 5.0
SKEW_TOLERATED_NS: Final = 100 * MILLISECOND
OPERATOR: Final = "operator"
"""Whose login this is, where each has its own: it may examine, and try what it finds."""
_ALLOW_US: Final = "allow this user to write and read hedge/v1/# in the broker's access list"


async def examine_broker(settings: Settings) -> Finding:
    """Send a message round as the operator: connected, allowed to publish and to subscribe."""
    subject = f"broker {redacted(settings.mqtt.url)}"
    troubles: list[str] = []

    def heard(event: BusEvent) -> None:
        if event.name != "connected":
            troubles.append(f"{event.name} {event.reason}".strip())

    name = f"hedgestat-doctor-{secrets.token_hex(4)}"
    try:
        async with (
            asyncio.timeout(PATIENCE_S),
            MqttBus(
                settings.mqtt.of(OPERATOR),
                client_id=name,
                subscriptions=[Subscription(SELF_TEST)],
                clean_start=True,
                session_expiry_s=0,
                on_event=heard,
            ) as bus,
        ):
            await bus.connected.wait()
            await bus.publish(SELF_TEST, name.encode())
            while True:
                if any(each.payload == name.encode() for each in await bus.next_batch(100)):
                    return Finding(subject, is_well=True, seen="MQTT 5, a message went round")
    except TimeoutError:
        seen = troubles[-1] if troubles else f"no answer within {PATIENCE_S:g} s"
        is_denied = seen.startswith("subscription_refused")
        remedy = "start the broker, or correct [mqtt] url; a password belongs in password_file"
        return Finding(subject, is_well=False, seen=seen, remedy=_ALLOW_US if is_denied else remedy)
    except (PublishRefused, BusUnavailable) as error:
        return Finding(subject, is_well=False, seen=str(error), remedy=_ALLOW_US)


async def examine_store(role: str, settings: RedisSettings, clock: Clock) -> AsyncIterator[Finding]:
    """As the operator: connected, allowed to write, told to keep what it is given, of our time."""
    subject = f"store for {role} {redacted(settings.url)}"
    try:
        async with (
            asyncio.timeout(PATIENCE_S),
            contextlib.aclosing(connect(settings.of(OPERATOR), most_connections=1)) as client,
        ):
            yield await _can_write(subject, client)
            yield await _is_durable(subject, role, client)
            yield await _is_of_our_time(subject, client, clock)
    except (exceptions.RedisError, OSError, TimeoutError) as error:
        seen = redacted(str(error)) or type(error).__name__
        remedy = f"start the server, or correct [redis] {role}; have the login of {OPERATOR} here"
        yield Finding(subject, is_well=False, seen=seen, remedy=remedy)


async def _can_write(subject: str, client: Redis) -> Finding:
    key = f"hedge:v1:{{doctor}}:{secrets.token_hex(4)}"
    try:
        await client.set(key, b"", ex=10)
        await client.delete(key)
    except exceptions.ResponseError as error:
        remedy = "give this user write access to hedge:v1:*, and the server room to write"
        return Finding(subject, is_well=False, seen=str(error), remedy=remedy)
    return Finding(subject, is_well=True, seen="reachable and writable")


async def _is_durable(subject: str, role: str, client: Redis) -> Finding:
    wanted = {"orders": ("always",), "market": ("always", "everysec")}[role]
    subject = f"{subject}: durability"
    try:
        found = await client.config_get("appendonly", "appendfsync", "maxmemory-policy")
    except exceptions.ResponseError:
        return Finding(subject, is_well=True, seen="not told (CONFIG is not allowed): look there")
    on, fsync = _text(found, "appendonly"), _text(found, "appendfsync")
    policy = _text(found, "maxmemory-policy")
    seen = f"appendonly {on}, appendfsync {fsync}, maxmemory-policy {policy}"
    if on == "yes" and fsync in wanted and policy == "noeviction":
        return Finding(subject, is_well=True, seen=seen)
    remedy = f"set appendonly yes, appendfsync {wanted[0]}, maxmemory-policy noeviction"
    return Finding(subject, is_well=False, seen=seen, remedy=remedy)


def _text(found: Mapping[Any, Any], name: str) -> str:
    value = found.get(name, found.get(name.encode(), "?"))
    return value.decode() if isinstance(value, bytes) else str(value)


async def _is_of_our_time(subject: str, client: Redis, clock: Clock) -> Finding:
    before_ns = clock.now_ns()
    seconds, microseconds = await client.time()
    after_ns = clock.now_ns()
    skew_ns = (seconds * SECOND + microseconds * 1_000) - (before_ns + after_ns) // 2
    tolerated_ns = SKEW_TOLERATED_NS + (after_ns - before_ns)
    seen = f"{skew_ns / MILLISECOND:+.1f} ms from ours"
    if abs(skew_ns) <= tolerated_ns:
        return Finding(f"{subject}: clock", is_well=True, seen=seen)
    remedy = "run chrony or another NTP client on both machines"
    return Finding(f"{subject}: clock", is_well=False, seen=seen, remedy=remedy)
