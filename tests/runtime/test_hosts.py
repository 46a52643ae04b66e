"""By which names a process lets itself be asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from starlette.types import Message, Scope

from shared.runtime.health import Health
from shared.runtime.hosts import host_name, is_address, is_loopback
from shared.runtime.http import operations_app


async def status(host: str | None, *hosts: str) -> int:
    """What `/healthz` answers to who asks by a name."""
    app = operations_app(Health(), CollectorRegistry(), hosts=hosts)
    headers = [] if host is None else [(b"host", host.encode())]
    scope: Scope = {
        "type": "http",
        "method": "GET",
        "path": "/healthz",
        "query_string": b"",
        "headers": headers,
    }
    told: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        told.append(message)

    await app(scope, receive, send)
    return int(told[0]["status"])


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1:8081", "10.0.0.7", "[::1]:8081", "ingest:8081", "a.b:1"]
)
async def test_an_address_a_containers_name_and_a_configured_one_are_answered(host: str) -> None:
    assert await status(host, "a.b") == 200


@pytest.mark.parametrize(
    "host", ["evil.com", "localhost.evil.com", "127.0.0.1.evil.com", "2130706433", "", "a b", None]
)
async def test_a_name_that_somebody_could_point_at_us_is_not(host: str | None) -> None:
    assert await status(host, "a.b") == 400


def test_only_names_of_this_machine_are_loopback() -> None:
    ours = ("localhost", "localhost:1", "127.0.0.1:8088", "127.3.2.1", "[::1]:2")
    assert all(is_loopback(host) for host in ours)
    others = ("10.0.0.1", "example.com", "localhost.com", "", "[::2]", "127.0.0.1.com")
    assert not any(is_loopback(host) for host in others)


@given(st.text(max_size=40))
def test_any_text_is_a_host_or_none(text: str) -> None:
    name = host_name(text)
    assert name == name.lower()
    is_loopback(text)
    is_address(name)
