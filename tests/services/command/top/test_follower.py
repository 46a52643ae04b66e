"""The picture follows a real server's stream: changes, another book, a restart, nonsense."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest
from fakes import views
from fakes.dashboard import ScriptedDashboard
from fakes.eventually import eventually
from fakes.servers import free_port
from msgspec import structs

from services.command.top.connection import Server, ServerAway, ServerRefused
from services.command.top.follower import Follower
from services.command.top.picture import Misunderstood, Picture, after, begin
from shared.adapters.clock import SystemClock

BOOKS = {name: views.book(name) for name in ("overlay", "tail_fund")}


@asynccontextmanager
async def following(url: str, book: str = "") -> AsyncIterator[Follower]:
    follower = Follower(Server.at(url), SystemClock(), lambda: None, book)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(follower.run())
        yield follower
        task.cancel()


async def test_it_begins_with_the_first_book_and_takes_each_change() -> None:
    with ScriptedDashboard(views.state(), BOOKS) as dashboard:
        async with following(dashboard.url) as follower:
            await eventually(lambda: has_book(follower, "overlay"))
            assert follower.trouble == ""
            dashboard.say("books", [views.summary("tail_fund", orders_waiting=7)])
            dashboard.say("orders", [views.order(9)])
            dashboard.say("alerts", [views.alert(9)])
            dashboard.say("market", views.market(silent=("VIX",)))
            dashboard.say("health", views.health(data_age_s=99.0))
            dashboard.say("invented_later", {"what": "ever"})
            dashboard.say("book", views.book("overlay", target=None))
            await eventually(lambda: picture(follower).book == views.book("overlay", target=None))
            state = picture(follower).state
            assert [each.orders_waiting for each in state.books] == [1, 7]
            assert [each.decision for each in state.orders] == [9, 3, 2, 1]
            assert [each.number for each in state.alerts] == [9, 2, 1]
            assert state.market.silent == ("VIX",)
            assert state.health.data_age_s == 99.0


async def test_another_book_is_asked_for_once_the_choice_has_settled() -> None:
    with ScriptedDashboard(views.state(), BOOKS) as dashboard:
        async with following(dashboard.url, "overlay") as follower:
            await eventually(lambda: has_book(follower, "overlay"))
            for name in ("tail_fund", "overlay", "tail_fund", "tail_fund"):
                follower.choose(name)
            await eventually(lambda: has_book(follower, "tail_fund"))
            assert dashboard.asked == [
                "/api/v1/stream?book=overlay",
                "/api/v1/stream?book=tail_fund",
            ]


async def test_a_server_that_restarts_is_found_again() -> None:
    port = free_port()
    first = ScriptedDashboard(views.state(), BOOKS, port)
    async with following(first.url) as follower:
        await eventually(lambda: "Connect" in follower.trouble)
        assert follower.picture is None
        with first:
            await eventually(lambda: has_book(follower, "overlay"))
        await eventually(lambda: follower.trouble != "")
        assert has_book(follower, "overlay"), "what was told stays in sight"
        with ScriptedDashboard(views.state(version="0.2.0"), BOOKS, port):
            await eventually(lambda: picture(follower).state.version == "0.2.0")
            assert follower.trouble == ""


@pytest.mark.parametrize("nonsense", [b"{", b"[]", b'{"event_time":1}', b"[" * 100_000])
async def test_nonsense_is_trouble_and_the_next_connection_begins_anew(nonsense: bytes) -> None:
    troubles: list[str] = []
    with ScriptedDashboard(views.state(), BOOKS) as dashboard:
        async with following(dashboard.url, "overlay") as follower:
            await eventually(lambda: has_book(follower, "overlay"))
            dashboard.say("market", nonsense)
            await eventually(lambda: note(troubles, follower.trouble) > 0)
            await eventually(lambda: follower.trouble == "")
    assert dashboard.asked == ["/api/v1/stream?book=overlay"] * 2


async def test_a_book_that_there_is_not_is_said() -> None:
    with ScriptedDashboard(views.state(), BOOKS) as dashboard:
        async with following(dashboard.url, "none") as follower:
            await eventually(lambda: "no book 'none'" in follower.trouble)


async def test_what_is_no_dashboard_is_said() -> None:
    with (
        ScriptedDashboard(views.state(), BOOKS) as dashboard,
        pytest.raises(ServerRefused, match="HTTP 404: is this a hedgestat dashboard"),
    ):
        await Server.at(f"{dashboard.url}/elsewhere").fetch("/api/v1/state")


async def test_a_server_that_speaks_no_http_is_away() -> None:
    async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"220 smtp ready\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(shout, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ServerAway, match="broke off"):
            await Server.at(f"http://127.0.0.1:{port}").fetch("/")


async def test_a_connection_that_falls_silent_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.command.top.connection._SILENCE_S", 0.05)

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ServerAway, match="silent for"):
            await Server.at(f"http://127.0.0.1:{port}").fetch("/")


@pytest.mark.parametrize("url", ["mqtt://x", "http://", "127.0.0.1:8088", "http://a:b@c"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="is no http"):
        Server.at(url)


def test_an_address_is_read() -> None:
    server = Server.at("https://[::1]/hedge/")
    assert (server.host, server.port, server.path) == ("::1", 443, "/hedge")
    assert server.is_encrypted
    assert Server.at("http://hedge").port == 80


def test_texts_are_made_harmless_where_they_come_in() -> None:
    told = begin(msgspec.json.encode(views.state(version="\x1b[31mx" + "y" * 9_000)), 0)
    assert told.state.version.startswith("\N{REPLACEMENT CHARACTER}[31mxy")
    assert len(told.state.version) == 2_000


def test_orders_of_instants_that_are_none_are_the_oldest() -> None:
    told = begin(msgspec.json.encode(views.state()), 0)
    odd = json.dumps([msgspec.to_builtins(views.order(4, decided_time="yesterday"))]).encode()
    orders = after(told, "orders", odd, 0).state.orders
    assert [each.decision for each in orders] == [3, 2, 1, 4]


def test_an_unknown_status_is_misunderstood() -> None:
    told = begin(msgspec.json.encode(views.state()), 0)
    order = msgspec.to_builtins(views.order()) | {"status": "lost"}
    with pytest.raises(Misunderstood, match="lost"):
        after(told, "orders", json.dumps([order]).encode(), 0)


def test_the_age_of_data_grows_from_the_last_word_on_health() -> None:
    told = begin(msgspec.json.encode(views.state()), 0)
    assert told.data_age_s(2_000_000_000) == pytest.approx(2.4)
    later = after(told, "health", msgspec.json.encode(views.health()), 1_000_000_000)
    assert later.data_age_s(2_000_000_000) == pytest.approx(1.4)
    never = structs.replace(told.state.health, data_age_s=None)
    silent = after(told, "health", msgspec.json.encode(never), 0)
    assert silent.data_age_s(2_000_000_000) is None


def note(troubles: list[str], trouble: str) -> int:
    if trouble:
        troubles.append(trouble)
    return len(troubles)


def has_book(follower: Follower, name: str) -> bool:
    told = follower.picture
    return told is not None and told.book is not None and told.book.summary.book == name


def picture(follower: Follower) -> Picture:
    assert follower.picture is not None
    return follower.picture
