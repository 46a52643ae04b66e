"""Who is not what it says, server or client, is not talked to; and the reason is said in words."""

import os
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

import psutil
import pytest
from fakes.eventually import eventually
from fakes.secured import SecuredServers
from fakes.servers import MosquittoServer, RedisServer
from msgspec.structs import replace

from shared.adapters.bus import BusEvent
from shared.adapters.certificates import (
    Authority,
    issue,
    new_authority,
    read_authority,
    write_certificate,
    write_private,
)
from shared.adapters.clock import SystemClock
from shared.adapters.connections import ConnectionSettings, MqttSettings, RedisSettings
from shared.adapters.mqtt import MqttBus
from shared.adapters.redis_store import RedisStore
from shared.adapters.store import StoreTrouble

pytestmark = [
    pytest.mark.server,
    pytest.mark.filterwarnings(  # paho leaves the socket of a failed handshake to the collector
        "ignore:Exception ignored in. <s:pytest.PytestUnraisableExceptionWarning"
    ),
]

Kind = Literal["broker", "store"]
KINDS: Final[tuple[Kind, ...]] = ("broker", "store")
NOW: Final = SystemClock().now_ns()
HERE: Final = ("127.0.0.1", "localhost")
DAY_NS: Final = 86_400 * 10**9


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[SecuredServers]:
    """Not started: a test may change their papers before it starts them."""
    made = SecuredServers(tmp_path)
    yield made
    made.__exit__()


def start(servers: SecuredServers, kind: Kind) -> None:
    (servers.broker if kind == "broker" else servers.orders).start()


def give_papers(
    servers: SecuredServers,
    authority: Authority,
    names: tuple[str, ...],
    days: int,
    begins: int = NOW,
) -> None:
    """Have the servers show another certificate than theirs."""
    certificate, key = issue(authority, names, begins, days)
    for server in (servers.broker, servers.orders):
        write_certificate(server.run / "server.pem", certificate)
        write_private(server.run / "server.key", key)
        server.is_ready = server.listens  # type: ignore[method-assign] # it cannot be believed


def settings(servers: SecuredServers, kind: Kind) -> ConnectionSettings:
    return servers.mqtt("hedger") if kind == "broker" else servers.redis("orders", "hedger")


async def trouble(wanted: ConnectionSettings) -> str:
    """Why we and the server did not come together; empty when we did."""
    if isinstance(wanted, MqttSettings):
        events: list[BusEvent] = []
        async with MqttBus(
            wanted, client_id="test", clean_start=True, session_expiry_s=0, on_event=events.append
        ):
            await eventually(lambda: bool(events))
        return "" if events[0].name == "connected" else f"{events[0].name}: {events[0].reason}"
    assert isinstance(wanted, RedisSettings)
    reason = ""
    async with RedisStore(wanted) as store:
        try:
            await store.leader("hedger")
        except StoreTrouble as refusal:
            reason = str(refusal)
    port = urlsplit(wanted.url).port
    await eventually(lambda: not talks_to(port))  # redis ends its TLS after it said so
    return reason


def talks_to(port: int | None) -> bool:
    """Whether a connection of this process to a port is open."""
    connections = psutil.Process().net_connections("tcp")
    return any(port in each.raddr for each in connections)


@pytest.mark.parametrize("kind", KINDS)
async def test_who_has_the_right_papers_is_let_in(servers: SecuredServers, kind: Kind) -> None:
    start(servers, kind)
    assert await trouble(settings(servers, kind)) == ""


def nobody(wanted: ConnectionSettings, _: Path) -> ConnectionSettings:
    return replace(wanted, username=None, password_file=None)


def guessing(wanted: ConnectionSettings, directory: Path) -> ConnectionSettings:
    (directory / "guess").write_text("guess")
    return replace(wanted, password_file=str(directory / "guess"))


def as_another(wanted: ConnectionSettings, _: Path) -> ConnectionSettings:
    return replace(wanted, username="operator")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (nobody, "nobody without a login is not let in"),
        (guessing, "user 'hedger' with the password {directory}/guess is not let in"),
        (as_another, "user 'operator' with the password {directory}/logins/hedger/"),
    ],
)
async def test_who_has_no_login_or_another_ones_password_is_not_let_in(
    servers: SecuredServers,
    tmp_path: Path,
    kind: Kind,
    change: Callable[[ConnectionSettings, Path], ConnectionSettings],
    said: str,
) -> None:
    start(servers, kind)
    reason = await trouble(change(settings(servers, kind), tmp_path))
    assert said.format(directory=tmp_path) in reason


CERTIFICATES: Final = {
    "another authority's": (HERE, 30, NOW, "not signed by an authority in ca_file"),
    "ended": (HERE, -1, NOW, "has expired"),
    "of tomorrow": (HERE, 30, NOW + DAY_NS, "not valid yet"),
    "another host's": (("broker.example.com",), 30, NOW, "is for another host name"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("which", CERTIFICATES)
async def test_a_server_with_the_wrong_certificate_is_not_talked_to(
    servers: SecuredServers, kind: Kind, which: str
) -> None:
    names, days, begins, said = CERTIFICATES[which]
    ours = read_authority(servers.certificates)
    authority = new_authority(NOW, "somebody") if which.startswith("another a") else ours
    give_papers(servers, authority, names, days, begins)
    start(servers, kind)
    reason = await trouble(settings(servers, kind))
    assert said in reason
    assert (
        servers.password("hedger", "mqtt")
        not in servers.broker.directory.joinpath("server.log").read_text()
        if kind == "broker"
        else True
    )


@pytest.mark.parametrize("kind", KINDS)
async def test_an_authority_of_the_system_does_not_count_where_ours_is_named(
    servers: SecuredServers, kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = new_authority(NOW, "the system's")
    write_certificate(tmp_path / "system.pem", system.certificate)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "system.pem"))
    give_papers(servers, system, HERE, 30)
    start(servers, kind)
    assert "not signed by an authority in ca_file" in await trouble(settings(servers, kind))
    without = replace(settings(servers, kind), ca_file=None)
    assert await trouble(without) == ""


@pytest.mark.parametrize("kind", KINDS)
async def test_a_server_that_speaks_no_tls_is_sent_no_password(tmp_path: Path, kind: Kind) -> None:
    server = (MosquittoServer if kind == "broker" else RedisServer)(tmp_path / "plain")
    wanted: ConnectionSettings = (
        MqttSettings(url=server.url.replace("mqtt:", "mqtts:"), connect_timeout_s=2)
        if kind == "broker"
        else RedisSettings(url=server.url.replace("redis:", "rediss:"), connect_timeout_s=2)
    )
    with server:
        reason = await trouble(wanted)
    assert "speak TLS at this port" in reason


@pytest.mark.parametrize("kind", KINDS)
async def test_a_client_that_speaks_no_tls_gets_nowhere(
    servers: SecuredServers, kind: Kind
) -> None:
    start(servers, kind)
    wanted = settings(servers, kind)
    assert "TLS?" in await trouble(replace(wanted, url=wanted.url.replace("s://", "://")))


async def test_a_broker_may_ask_for_a_certificate_of_the_client_too(
    servers: SecuredServers, tmp_path: Path
) -> None:
    servers.broker.require_certificate()
    servers.broker.is_ready = servers.broker.listens  # type: ignore[method-assign]
    servers.broker.start()
    assert await trouble(servers.mqtt("hedger"))
    answers = []
    for authority in (read_authority(servers.certificates), new_authority(NOW, "somebody")):
        certificate, key = issue(authority, ("hedger",), NOW)
        write_certificate(tmp_path / "client.pem", certificate)
        write_private(tmp_path / "client.key", key)
        own = replace(
            servers.mqtt("hedger"),
            client_certificate_file=str(tmp_path / "client.pem"),
            client_key_file=str(tmp_path / "client.key"),
        )
        answers.append(await trouble(own))
    assert answers[0] == ""
    assert answers[1]


def rewrite(wanted: ConnectionSettings, password: str) -> str:
    """Change a password file; returns what was there."""
    path = Path(str(wanted.password_file))
    before = path.read_text()
    path.write_text(password)
    return before


@pytest.mark.parametrize("kind", KINDS)
async def test_a_renewed_password_is_read_at_the_next_connection(
    servers: SecuredServers, kind: Kind
) -> None:
    start(servers, kind)
    wanted = settings(servers, kind)
    right = rewrite(wanted, "not yet\n")
    assert "not let in" in await trouble(wanted)
    rewrite(wanted, right)
    assert await trouble(wanted) == ""


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_nothing_older_than_tls_1_2_is_spoken(version: ssl.TLSVersion) -> None:
    context = MqttSettings(url="mqtts://host").tls_context()
    assert context.minimum_version > version
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED


def test_no_other_user_can_read_what_was_dealt_out(servers: SecuredServers) -> None:
    secrets = [
        *servers.logins.rglob("mqtt"),
        *servers.logins.rglob("redis"),
        *servers.directory.rglob("*.key"),
        *servers.logins.rglob("passwords"),
        *servers.logins.rglob("users.acl"),
    ]
    assert len(secrets) > 20
    files = [path for path in secrets if path.is_file()]
    assert not [path for path in files if path.stat().st_mode & 0o077]
    assert os.access(servers.ca_file, os.R_OK)
