"""From a login on the page to a gateway that is halted, on real servers; no way leads back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.request import urlopen

import msgspec
import pytest
from fakes.eventually import eventually
from fakes.live_gateway import LiveGateway, clock
from fakes.pages import CHEAP, Answer, Browser
from prometheus_client.parser import text_string_to_metric_families

from services.dashboard.security import HEADERS
from shared.adapters.bus import Bus
from shared.adapters.operators import write_operators
from shared.wire import topics
from shared.wire.messages import TradingCommandMessage

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]

RESUME = ("resume", "--reason", "drill is over", "--operator", "ann")


@asynccontextmanager
async def desk(directory: Path) -> AsyncIterator[tuple[LiveGateway, Bus, Browser]]:
    """A gateway that trades, and a page on which ann is logged in."""
    gateway = LiveGateway(directory, others=["dashboard"])
    write_operators(directory / "operators", {"ann": CHEAP})
    with gateway.installation:
        async with gateway.played() as bus:
            assert (await gateway.first_answer(bus)).status == "accepted"
            browser = Browser(await port_of(gateway, "dashboard"))
            await eventually(lambda: page_is_up(gateway), within_s=60)
            await until_in(browser)
            yield gateway, bus, browser


def page_is_up(gateway: LiveGateway) -> bool:
    log = gateway.installation.services["dashboard"].log
    return '"bus_connected"' in log


async def until_in(browser: Browser) -> None:
    """Log in once the page's own application is shown."""
    async with asyncio.timeout(60):
        while (answer := await browser.log_in()).status == 404:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.1)
    assert answer.status == 200


async def port_of(gateway: LiveGateway, service: str) -> int:
    def url() -> str:
        lines = gateway.installation.services[service].log.splitlines()
        said = [msgspec.json.decode(line) for line in lines if line.startswith("{")]
        return next((each["url"] for each in said if each["event"] == "operations_page"), "")

    await eventually(lambda: url() != "", within_s=60)
    return int(url().partition("127.0.0.1:")[2].partition("/")[0])


def count(port: int, metric: str, **labels: str) -> float:
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        families = list(text_string_to_metric_families(answer.read().decode()))
    samples = [sample for family in families for sample in family.samples]
    return sum(
        sample.value
        for sample in samples
        if sample.name == metric and labels.items() <= sample.labels.items()
    )


async def counted(port: int, metric: str, at_least: float, **labels: str) -> None:
    async with asyncio.timeout(20):
        while await asyncio.to_thread(count, port, metric, **labels) < at_least:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.1)


async def shown(browser: Browser, scope: str, state: str) -> dict[str, str]:
    """Wait until the page says so of a scope; answers what it says."""
    async with asyncio.timeout(20):
        while True:
            answer = await browser.ask("GET", "/api/v1/state")
            for each in answer.json["health"]["trading"]:
                if (each["scope"], each["state"]) == (scope, state):
                    return dict(each)
            await asyncio.sleep(0.1)


async def answered(gateway: LiveGateway, bus: Bus, status: str) -> str:
    """Send an order and see what it is answered; returns why."""
    order = gateway.next_order()
    await gateway.send(bus, order)
    await eventually(
        lambda: any(ack.order_id == order.order_id for ack in gateway.acks), within_s=20
    )
    [ack] = [ack for ack in gateway.acks if ack.order_id == order.order_id]
    assert ack.status == status
    return ack.reason


async def test_a_halt_from_the_page_stops_the_gateway_and_only_a_terminal_lets_it_go_on(
    tmp_path: Path,
) -> None:
    async with desk(tmp_path) as (gateway, bus, browser):
        await answered(gateway, bus, "accepted")

        asked_ns = clock.now_ns()
        halt = await browser.act("halt", scope="all", confirmation="all", reason="wrong marks")
        assert halt.status == 202
        await eventually(lambda: last(gateway) == ("halted", "desk", "ann"))
        confirmed_ns = next(at for at, each in gateway.states if each.authority == "desk")
        print(f"halted and told {(confirmed_ns - asked_ns) / 1e6:.0f} ms after the click")  # noqa: T201
        assert confirmed_ns - asked_ns < 2e9
        reason = await answered(gateway, bus, "refused")
        assert reason.startswith("halted")
        said = await shown(browser, "all", "halted")
        assert (said["authority"], said["operator"], said["reason"]) == (
            "desk",
            "ann",
            "wrong marks",
        )
        assert said["since"] == halt.json["issued_at"]
        log = gateway.installation.services["gateway"].log
        assert '"by": "ann"' in log or '"by":"ann"' in log

        await resume_with_the_pages_key(gateway, bus)
        assert (await answered(gateway, bus, "refused")).startswith("halted")
        for action in ("resume", "active"):
            assert (await browser.act(action, scope="all", confirmation="all")).status == 404
        assert (await browser.act("reduce", scope="all", confirmation="all")).status == 202
        await counted(
            await port_of(gateway, "gateway"),
            "hedge_gateway_commands_refused_total",
            1,
            reason="not_stricter",
        )
        assert (await answered(gateway, bus, "refused")).startswith("halted")

        gateway.installation.kill("gateway")
        await shown(browser, "all", "halted")
        assert (await resumed(gateway)).startswith("0 Confirmed")
        await shown(browser, "all", "active")
        await answered(gateway, bus, "accepted")


async def resume_with_the_pages_key(gateway: LiveGateway, bus: Bus) -> None:
    """As who has stolen it would: on each topic, and at the socket; refused and counted."""
    port = await port_of(gateway, "gateway")
    for topic in (topics.RESUME, topics.HALT):
        for scope in ("all", "overlay"):
            message = TradingCommandMessage(
                scope=scope, state="active", reason="", operator="eve", issued_at=clock.now_ns()
            )
            await bus.publish(topic, gateway.keyring.seal("desk", topic, message))
    metric = "hedge_gateway_commands_refused_total"
    await counted(port, metric, 2, reason="not_entitled")
    await counted(port, metric, 2, reason="wrong_topic")
    ingest = await port_of(gateway, "ingest")
    await counted(ingest, "hedge_commands_refused_total", 4)


async def resumed(gateway: LiveGateway) -> str:
    return await asyncio.to_thread(gateway.hedgestat, *RESUME)


def last(gateway: LiveGateway) -> tuple[str, str, str]:
    return next(
        (
            (each.state, each.authority, each.operator)
            for _, each in reversed(gateway.states)
            if each.scope == "all"
        ),
        ("", "", ""),
    )


FILES = ("/", "/assets/app.js", "/assets/app.css", "/assets/plotly.min.js", "/assets/../login.py")
OPERATIONS = ("/healthz", "/readyz", "/metrics")
PLAIN = frozenset(("/healthz", "/metrics", *FILES[:4]))


async def test_every_route_that_is_served_has_the_headers_and_says_what_it_is(
    tmp_path: Path,
) -> None:
    async with desk(tmp_path) as (_, _, browser):
        described = (await browser.ask("GET", "/api/v1/openapi.json")).json["paths"]
        assert {"/api/v1/state", "/api/v1/stream", "/api/v1/actions/halt"} <= set(described)
        assert not [path for path in described if "resume" in path]
        paths = [path.replace("{book}", "overlay") for path in described]
        for path in (*paths, *FILES, *OPERATIONS):
            answer = await browser.head(path)
            for name, text in HEADERS.items():
                assert answer.headers.get_all(name) == [text], path
            assert "access-control-allow-origin" not in answer.headers
            assert answer.headers["cache-control"], path
            if path == "/api/v1/stream":
                assert answer.headers["content-type"].startswith("text/event-stream")
            elif path not in PLAIN:
                assert answer.headers["content-type"] == "application/json", path
            elsewhere = await browser.ask("GET", path, headers={"host": "evil.example.com"})
            assert (elsewhere.status, elsewhere.error) == (400, "wrong_host"), path


async def test_a_rebalance_from_the_page_is_journalled_in_the_name_of_who_is_logged_in(
    tmp_path: Path,
) -> None:
    async with desk(tmp_path) as (gateway, _, browser):
        answer = await browser.act("rebalance", reason="index review")
        assert answer.status == 202
        ingest = await port_of(gateway, "ingest")
        await counted(ingest, "hedge_commands_total", 1)
        assert await asyncio.to_thread(count, ingest, "hedge_commands_refused_total") == 0


async def test_of_forged_requests_none_reaches_the_broker_and_a_dead_broker_is_told(
    tmp_path: Path,
) -> None:
    async with desk(tmp_path) as (gateway, _, browser):
        told = len(gateway.states)
        stranger = Browser(browser.port)
        refusals: list[Answer] = []
        for _ in range(50):
            refusals += [
                await stranger.act("halt"),
                await browser.act("halt", {"x-csrf-token": "x"}),
                await browser.act("halt", {"origin": "http://evil.example.com"}),
                await browser.act("halt", {"host": "evil.example.com"}),
            ]
        assert {each.status for each in refusals} == {400, 401, 403}
        metric = "hedge_page_requests_refused_total"
        assert await asyncio.to_thread(count, browser.port, metric) >= 200
        assert len(gateway.states) == told

        gateway.installation.mosquitto.kill()
        away = await browser.act("halt")
        assert (away.status, away.error) == (503, "broker_away")
        gateway.installation.mosquitto.start()
        async with asyncio.timeout(30):
            while (await browser.act("halt")).status != 202:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.2)
        await eventually(
            lambda: any(each.authority == "desk" for _, each in gateway.states), within_s=20
        )
