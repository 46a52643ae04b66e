"""Page, Prometheus and Alertmanager, as doctor finds them; all of them real."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest
from fakes.eventually import eventually_sync
from fakes.findings import collected, faults
from fakes.servers import RedisServer, free_port
from fakes.watchers import AlertmanagerServer, PrometheusServer, metrics_page
from prometheus_client import CollectorRegistry
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shared.adapters.examination.watchers import (
    examine_alertmanager,
    examine_page,
    examine_prometheus,
)
from shared.runtime.health import Health
from shared.runtime.http import bind, operations_app, serve

pytestmark = pytest.mark.server
RULES: Final = """
groups:
  - name: hedge
    interval: 200ms
    rules:
      - { alert: Always, expr: vector(1) }
      - { alert: Never, expr: vector(0) > 1 }
"""
FAULTY: Final = """
groups:
  - name: hedge
    interval: 200ms
    rules: [{ alert: Twins, expr: up * on(job) up }]
"""


@pytest.fixture
def target() -> Iterator[str]:
    with metrics_page(CollectorRegistry()) as page:
        yield page


@pytest.fixture
def alertmanager(tmp_path: Path) -> Iterator[AlertmanagerServer]:
    with AlertmanagerServer(tmp_path / "alertmanager") as server:
        yield server


def rules(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "rules.yml"
    path.write_text(text)
    return path


async def test_a_prometheus_that_asks_knows_and_tells_is_well(
    tmp_path: Path, target: str, alertmanager: AlertmanagerServer
) -> None:
    prometheus = PrometheusServer(
        tmp_path / "prometheus",
        {"hedger": target, "ingest": target},
        rules=(rules(tmp_path, RULES),),
        alertmanager=f"127.0.0.1:{alertmanager.port}",
    )
    with prometheus:
        eventually_sync(lambda: len(prometheus.query("up == 1")) == 2)
        eventually_sync(lambda: prometheus.query('ALERTS{alertstate="firing"}') != [])
        findings = await collected(examine_prometheus(prometheus.url, ["hedger", "ingest"]))
    assert faults(findings) == []
    told = {each.subject.rpartition(": ")[2]: each.seen for each in findings}
    assert told["targets"] == "all 2 are up"
    assert told["rules"] == "2 are loaded; firing: Always"
    assert f"127.0.0.1:{alertmanager.port}" in told["Alertmanager"]


async def test_services_it_does_not_ask_or_that_are_down_are_named(
    tmp_path: Path, target: str
) -> None:
    closed = f"127.0.0.1:{free_port()}"
    with PrometheusServer(tmp_path, {"hedger": target, "ingest": closed}) as prometheus:
        eventually_sync(lambda: len(prometheus.query("up")) == 2)
        missing = faults(await collected(examine_prometheus(prometheus.url, ["signals", "ingest"])))
        down = faults(await collected(examine_prometheus(prometheus.url, ["ingest"])))
    assert missing[0].endswith("targets: it does not ask signals")
    assert "targets: down: ingest (" in down[0]
    assert "refused" in down[0]
    assert down[1].endswith("rules: none are loaded")
    assert down[2].endswith("Alertmanager: there is none")


async def test_a_rule_that_fails_is_named(tmp_path: Path, target: str) -> None:
    prometheus = PrometheusServer(
        tmp_path, {"hedger": target, "ingest": target}, rules=(rules(tmp_path, FAULTY),)
    )
    failed = "prometheus_rule_evaluation_failures_total"
    with prometheus:
        eventually_sync(lambda: _counted(prometheus, failed) > 0)
        told = faults(await collected(examine_prometheus(prometheus.url, ["hedger"])))
    assert told[0].endswith("rules: fail: Twins")


def _counted(prometheus: PrometheusServer, metric: str) -> float:
    page = prometheus.get("/metrics").decode()
    values = [line.split()[-1] for line in page.splitlines() if line.startswith(metric)]
    return sum(map(float, values))


async def test_an_alertmanager_says_its_version_and_whom_it_tells(
    alertmanager: AlertmanagerServer,
) -> None:
    (finding,) = await collected(examine_alertmanager(alertmanager.url))
    assert finding.is_well
    assert finding.seen.endswith("; tells nobody")


async def test_where_nobody_answers_and_where_somebody_else_does_is_a_fault(
    target: str, redis_server: RedisServer
) -> None:
    nobody, store = f"http://127.0.0.1:{free_port()}", f"http://127.0.0.1:{redis_server.port}"
    for url in (nobody, store, f"http://{target}", "ftp://elsewhere", "http://"):
        for examined in (
            examine_prometheus(url, ["hedger"]),
            examine_alertmanager(url),
            examine_page(url),
        ):
            (fault,) = faults(await collected(examined))
            assert url in fault


@asynccontextmanager
async def page(health: Health) -> AsyncIterator[str]:
    """A page with the checks of a process, on a free port."""

    async def home(_: Request) -> Response:
        return Response("page")

    listener = bind(port=0)
    async with asyncio.TaskGroup() as tasks:
        app = operations_app(health, CollectorRegistry(), [Route("/", home)])
        serving = tasks.create_task(serve(app, listener))
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        serving.cancel()


async def test_a_page_that_answers_with_fresh_data_is_well() -> None:
    health = Health("dashboard.data")
    health.passing("dashboard.data")
    async with page(health) as url:
        findings = await collected(examine_page(url))
    assert faults(findings) == []
    assert findings[1].seen == "all 1 checks pass"


async def test_a_page_that_shows_what_was_says_which_check_fails() -> None:
    async with page(Health("dashboard.data")) as url:
        findings = await collected(examine_page(url))
    assert faults(findings) == [f"page {url}: fresh: dashboard.data: not started"]
