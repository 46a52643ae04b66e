"""What an operator would check by hand before trusting a deployment, and what to do about it."""

import asyncio
import os
import secrets
import stat
from collections.abc import AsyncIterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from msgspec import Struct
from redis import exceptions
from redis.asyncio import Redis

from shared.adapters.bus import BusEvent, BusUnavailable, PublishRefused, Subscription
from shared.adapters.clock import Clock
from shared.adapters.connections import RedisSettings, redacted
from shared.adapters.key_files import KeyShown, list_keys
from shared.adapters.keyring import KeysNeeded
from shared.adapters.mqtt import MqttBus
from shared.adapters.redis_store import connect
from shared.adapters.settings import Settings
from shared.domain.instants import MILLISECOND, SECOND

PATIENCE_S: Final = 5.0
SKEW_TOLERATED_NS: Final = 100 * MILLISECOND
_SELF_TEST: Final = "hedge/v1/status/doctor"
_ALLOW_US: Final = "allow this user to write and read hedge/v1/# in the broker's access list"


class Finding(Struct, frozen=True):
    """The outcome of one check.

    Attributes:
        subject: What was looked at.
        is_well: Whether it is as it should be.
        seen: What was seen.
        remedy: What to do when it is not well; empty otherwise.
    """

    subject: str
    is_well: bool
    seen: str
    remedy: str = ""


async def examine_all(
    settings: Settings, needed: KeysNeeded, clock: Clock
) -> AsyncIterator[Finding]:
    """Check broker, both roles of the store, clock, keys and permissions, one after the other."""
    yield await examine_broker(settings)
    roles = {"orders": settings.redis.orders, "market": settings.redis.market}
    for role, where in roles.items():
        async for finding in examine_store(role, where, clock):
            yield finding
    for finding in (*examine_keys(settings, needed), *examine_files(settings)):
        yield finding


async def examine_broker(settings: Settings) -> Finding:
    """Send a message round: connected, allowed to publish, allowed to subscribe."""
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
                settings.mqtt,
                client_id=name,
                subscriptions=[Subscription(_SELF_TEST)],
                clean_start=True,
                session_expiry_s=0,
                on_event=heard,
            ) as bus,
        ):
            await bus.connected.wait()
            await bus.publish(_SELF_TEST, name.encode())
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
    """Connected, allowed to write, told to keep what it is given, and of our time."""
    subject = f"store for {role} {redacted(settings.url)}"
    client = connect(settings, most_connections=1)
    try:
        async with asyncio.timeout(PATIENCE_S):
            yield await _can_write(subject, client)
            yield await _is_durable(subject, role, client)
            yield await _is_of_our_time(subject, client, clock)
    except (exceptions.RedisError, OSError, TimeoutError) as error:
        seen = redacted(str(error)) or type(error).__name__
        remedy = f"start the server, or correct [redis] {role}"
        yield Finding(subject, is_well=False, seen=seen, remedy=remedy)
    finally:
        await client.aclose()


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


def examine_keys(settings: Settings, needed: KeysNeeded) -> list[Finding]:
    """Can what runs here sign, whom does it believe, and are its keys kept from others?"""
    directory = Path(settings.keys.directory)
    keys = list_keys(directory)
    if not keys:
        remedy = "`hedgestat keys new`, or copy them there"
        return [Finding("keys", is_well=False, seen=f"none in {directory}", remedy=remedy)]
    findings = [_key(key) for key in keys]
    signing = {key.role for key in keys if key.signs}
    trusted = {key.role for key in keys if key.is_trusted}
    for role in (role for role in needed.signs if role not in signing):
        remedy = f"`hedgestat keys new {role}`, or copy private/{role}.pem there"
        seen = f"no private key in {directory}"
        findings.append(Finding(f"key of {role}", is_well=False, seen=seen, remedy=remedy))
    for role in (role for role in needed.believes if role not in trusted):
        remedy = "copy trusted/ from where that key was made"
        seen = f"no trusted key in {directory}"
        findings.append(Finding(f"key of {role}", is_well=False, seen=seen, remedy=remedy))
    return findings


def _key(key: KeyShown) -> Finding:
    subject = f"key of {key.role} {key.key_id}".rstrip()
    if key.fault:
        seen, _, remedy = key.fault.rpartition(": ")
        return Finding(subject, is_well=False, seen=seen, remedy=remedy)
    uses = [word for word, is_so in (("signs", key.signs), ("is trusted", key.is_trusted)) if is_so]
    return Finding(subject, is_well=True, seen=" and ".join(uses))


def examine_files(settings: Settings) -> list[Finding]:
    """May we write where we must, and are secrets kept from others?"""
    findings = [_writable("gateway record", Path(settings.gateway.record).absolute().parent)]
    if settings.retention.archive is not None:
        findings.append(_writable("archive", Path(settings.retention.archive).absolute()))
        findings.append(_parquet())
    connections = (settings.mqtt, settings.redis.orders, settings.redis.market)
    secret_files = {each.password_file for each in connections if each.password_file}
    findings.extend(_private(Path(name)) for name in sorted(secret_files))
    return findings


def _parquet() -> Finding:
    subject = "archive: Parquet"
    if find_spec("pyarrow") is not None:
        return Finding(subject, is_well=True, seen="pyarrow is installed")
    remedy = 'pip install "hedgestat[archive]", or set archive = "off"'
    return Finding(subject, is_well=False, seen="pyarrow is not installed", remedy=remedy)


def _writable(subject: str, directory: Path) -> Finding:
    existing = next(path for path in (directory, *directory.parents) if path.exists())
    if os.access(existing, os.W_OK | os.X_OK):
        return Finding(subject, is_well=True, seen=f"{directory} can be written")
    remedy = f"let this user write there: chown, or another path; we are user {os.getuid()}"
    return Finding(subject, is_well=False, seen=f"{existing} cannot be written", remedy=remedy)


def _private(path: Path) -> Finding:
    subject = f"password file {path}"
    try:
        mode = path.stat().st_mode
    except OSError as error:
        return Finding(subject, is_well=False, seen=error.strerror or "?", remedy="name another")
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        seen = f"mode {stat.S_IMODE(mode):04o}: others can read it"
        return Finding(subject, is_well=False, seen=seen, remedy=f"chmod 600 {path}")
    return Finding(subject, is_well=True, seen="kept from others")
