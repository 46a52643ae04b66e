"""The event stream over a real server: changes alone, resumed, bounded, waiting for nobody."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fakes.eventually import eventually
from fakes.pictured_market import PicturedMarket
from fakes.served_page import ServedPage
from msgspec import structs

from services.dashboard import streams
from services.dashboard.rounds import EVERY_S
from shared.domain.instants import MINUTE
from shared.wire import codec, topics
from shared.wire.messages import AckMessage, AlertMessage, StatusMessage, TradingStateMessage


@pytest.fixture
async def page(tmp_path: Path) -> AsyncIterator[ServedPage]:
    market = PicturedMarket()
    market.vix(18.0)
    market.fill()
    market.vix(18.0, after=30 * MINUTE)
    async with ServedPage(tmp_path, market).serving() as served:
        yield served


async def test_first_comes_the_state_and_the_chosen_book_then_only_what_changed(
    page: ServedPage,
) -> None:
    async with page.stream("?book=overlay") as source:
        first = await source.event()
        assert (first.name, first.data["market"]["signals"]["vix"]["value"]) == ("state", 18.0)
        book = await source.event("book")
        assert book.data["summary"]["book"] == "overlay"
        page.market.vix(30.0, after=MINUTE)
        await page.sync()
        changed = await source.event("market")
        assert changed.data["signals"]["vix"]["value"] == 30.0
        assert int(changed.id.rpartition("-")[2]) > int(first.id.rpartition("-")[2])


async def test_an_order_and_its_line_are_told_when_they_change(page: ServedPage) -> None:
    async with page.stream() as source:
        await source.event("state")
        for _ in range(3):
            page.market.vix(30.0, after=MINUTE)
        await page.sync()
        (line,) = (await source.event("books")).data
        assert line["target_vega"] == 1800.0
        (order,) = (await source.event("orders")).data
        assert order["trigger"] == "fast_vix"


async def test_who_has_seen_it_is_told_only_what_came_since(page: ServedPage) -> None:
    async with page.stream() as source:
        seen = (await source.event("state")).id
    page.market.vix(30.0, after=MINUTE)
    await page.sync()
    await eventually(lambda: page.rounds.number > int(seen.rpartition("-")[2]))
    async with page.stream(last_event_id=seen) as source:
        names = {(await source.event()).name for _ in range(1)}
    assert "state" not in names


@pytest.mark.parametrize(
    "seen", ["other-3", "{boot}-0", "{boot}-99999", "{boot}-x", "-1", "{boot}", "{boot}-²"]
)
async def test_of_what_another_boot_told_nothing_counts(page: ServedPage, seen: str) -> None:
    encoded = seen.format(boot=page.rounds.boot)
    if not encoded.isascii():
        assert page.rounds.resumed(encoded) == 0
        return
    async with page.stream(last_event_id=encoded) as source:
        assert (await source.event()).name == "state"


async def test_what_is_heard_on_the_bus_is_told(page: ServedPage) -> None:
    alert = AlertMessage(
        book="overlay",
        event_time="2024-12-02T14:30:00Z",
        severity="critical",
        what="audit_mismatch",
        where="x",
        figures={},
        runbook="look",
    )
    status = StatusMessage(service="gateway", state="online", version="1", config_digest="d")
    async with page.stream() as source:
        await source.event("state")
        alive = structs.replace(alert, severity="info", what="monitor_alive")
        page.say(topics.alerts("info"), codec.encode(alive))
        page.say(topics.alerts("critical"), codec.encode(alert))
        (told,) = (await source.event("alerts")).data
        assert told["alert"]["what"] == "audit_mismatch"
        page.say(topics.status("gateway"), codec.encode(status))
        health = (await source.event("health")).data
        while health["checks"]["gateway"]:
            health = (await source.event("health")).data


async def test_what_the_gateway_did_not_sign_is_not_shown(page: ServedPage) -> None:
    order_id = page.market.orders[-1].order_id
    forged = AckMessage(order_id=order_id, status="refused", epoch=1)
    halted = TradingStateMessage(
        scope="all",
        state="halted",
        authority="operator",
        operator="eve",
        reason="x",
        since="2024-12-02T14:30:00Z",
    )
    page.say(topics.acks("overlay"), codec.encode(forged))
    topic = topics.trading("all")
    page.say(topic, page.keyring.seal("operator", topic, halted))
    page.say(topics.status("x"), b"{")
    await eventually(
        lambda: (
            sum(
                page.registry.get_sample_value(
                    "hedge_page_messages_refused_total", {"reason": reason}
                )
                or 0
                for reason in ("malformed", "unknown_key", "bad_signature")
            )
            == 3
        )
    )
    shown = page.page.picture.orders.view(order_id)
    assert shown is not None
    assert shown.acknowledgement is None
    assert page.page.picture.summary("overlay").state == "unknown"


async def test_no_more_than_four_rounds_a_second(page: ServedPage) -> None:
    async with page.stream() as source:
        await source.event("state")
        began, began_s = page.rounds.number, time.perf_counter()
        for step in range(40):
            page.market.vix(18.0 + step / 100, after=MINUTE)
            await page.sync()
            await asyncio.sleep(0.025)
        took_s = time.perf_counter() - began_s  # a busy machine takes longer
        assert 1 <= page.rounds.number - began <= took_s / EVERY_S + 1


async def test_one_more_than_may_is_refused(page: ServedPage) -> None:
    async with (
        page.stream() as one,
        page.stream() as two,
        page.stream() as three,
        page.stream() as four,
        page.stream() as five,
    ):
        for source in (one, two, three, four, five):
            await source.event("state")
        refused = await page.get("/api/v1/stream")
        assert (refused.status, refused.json["error"]) == (429, "too_many_streams")
    await eventually(lambda: page.count("hedge_page_clients") == 0)
    async with page.stream() as again:
        await again.event("state")


async def test_a_client_that_takes_nothing_is_dropped_and_holds_up_nobody(
    page: ServedPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "STUCK_S", 0.3)
    monkeypatch.setattr(streams, "PING_S", 0.1)
    monkeypatch.setattr(page.rounds, "whole", lambda _: b": " + b"x" * 20_000_000 + b"\n\n")
    with socket.create_connection(("127.0.0.1", page.port)) as stuck:
        stuck.sendall(b"GET /api/v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        await eventually(lambda: page.count("hedge_page_clients") == 1)
        await eventually(lambda: page.count("hedge_page_clients_dropped_total") == 1)
    await eventually(lambda: page.count("hedge_page_clients") == 0)


async def test_a_page_that_begins_while_the_feed_is_away_does_not_take_it_for_fresh(
    tmp_path: Path,
) -> None:
    market = PicturedMarket()
    market.vix(18.0)
    served = ServedPage(tmp_path, market)
    served.clock.advance(120.0)
    async with served.serving():
        health = (await served.get("/api/v1/state")).json["health"]
        assert health["data_age_s"] == pytest.approx(120.0, abs=1.0)
        assert "nothing has been journalled for 120 s" in health["checks"]["data"]


async def test_what_looks_as_before_is_not_told_again(page: ServedPage) -> None:
    page.rounds.turn()
    page.page.picture.changed |= {("market", ""), ("summary", "overlay")}
    number = page.rounds.number
    assert not page.rounds.turn()
    assert page.rounds.number == number


async def test_without_a_store_the_page_is_there_and_says_so_until_it_has_one(
    tmp_path: Path,
) -> None:
    market = PicturedMarket()
    market.vix(18.0)
    async with (
        ServedPage(tmp_path, market).serving(without_store=3) as served,
        served.stream() as source,
    ):
        first = (await source.event("state")).data
        assert first["health"]["checks"]["store.market"] == "the store is away"
        told = (await source.event("market")).data
        assert told["signals"]["vix"]["value"] == 18.0
