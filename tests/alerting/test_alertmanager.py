"""Real Alertmanager under the deployed configuration: who is told, and one cause is one page."""

import json
import subprocess
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from fakes.alerting_servers import DEPLOY, DeployedAlertmanager, Webhook
from fakes.eventually import eventually_sync

pytestmark = pytest.mark.server

CONFIGURATION = DEPLOY / "alertmanager.yml"


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with Webhook() as server:
        yield server


@pytest.fixture
def manager(tmp_path: Path, webhook: Webhook) -> Iterator[DeployedAlertmanager]:
    with DeployedAlertmanager(tmp_path / "alertmanager", webhook.address) as server:
        yield server


def raise_alerts(manager: DeployedAlertmanager, *alerts: dict[str, str]) -> None:
    body = [{"labels": labels, "annotations": {"summary": "drill"}} for labels in alerts]
    ask(manager, "POST", json.dumps(body))


def suppressed(manager: DeployedAlertmanager) -> set[str]:
    alerts: list[dict[str, Any]] = json.loads(ask(manager, "GET"))
    return {each["labels"]["alertname"] for each in alerts if each["status"]["inhibitedBy"]}


def ask(manager: DeployedAlertmanager, method: str, body: str | None = None) -> bytes:
    connection = HTTPConnection("127.0.0.1", manager.port, timeout=5)
    connection.request(method, "/api/v2/alerts", body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    text = response.read()
    connection.close()
    assert response.status == 200, text
    return text


def test_amtool_takes_the_configuration() -> None:
    done = subprocess.run(
        ["amtool", "check-config", CONFIGURATION], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        (["alertname=HedgeOffTarget", "severity=critical", "book=overlay"], "page"),
        (["alertname=HedgeStageLag", "severity=warning"], "desk"),
        (["alertname=HedgeTriggerFired", "severity=info"], "desk"),
        (["alertname=HedgeWatchdog", "severity=none"], "deadman"),
    ],
)
def test_who_is_told_goes_by_severity(labels: list[str], receiver: str) -> None:
    words = ["amtool", "config", "routes", "test", f"--config.file={CONFIGURATION}", *labels]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == receiver


def test_a_page_is_posted_at_once_with_the_token(
    manager: DeployedAlertmanager, webhook: Webhook
) -> None:
    began_s = time.perf_counter()
    raise_alerts(manager, {"alertname": "HedgeStopped", "severity": "critical", "book": "overlay"})
    eventually_sync(lambda: bool(webhook.firing("HedgeStopped")))
    (told,) = webhook.firing("HedgeStopped")
    assert told.path == "/page"
    assert told.at_s - began_s < 5


HALTED = {"alertname": "HedgeTradingHalted", "severity": "critical", "scope": "all"}
CAUSES = [
    (HALTED, [("HedgeOffTarget", "overlay"), ("HedgeStopped", "overlay")]),
    ({"alertname": "HedgeMarketHalted", "severity": "critical"}, [("HedgeVixStale", "")]),
    ({"alertname": "HedgeStoreUnreachable", "severity": "critical"}, [("HedgeNobodyLeads", "")]),
    (
        {"alertname": "HedgeOffTarget", "severity": "critical", "book": "overlay"},
        [("HedgeOrdersWithheld", "overlay")],
    ),
]


@pytest.mark.parametrize(
    ("cause", "effects"), CAUSES, ids=[each["alertname"] for each, _ in CAUSES]
)
def test_one_cause_is_one_page(
    manager: DeployedAlertmanager,
    webhook: Webhook,
    cause: dict[str, str],
    effects: list[tuple[str, str]],
) -> None:
    raise_alerts(manager, cause)
    eventually_sync(lambda: bool(webhook.firing(cause["alertname"])))
    names = {name for name, _ in effects}
    follow = [{"alertname": name, "severity": "critical", "book": book} for name, book in effects]
    other = {"alertname": "HedgeDiskFull", "severity": "critical", "instance": "gateway"}
    raise_alerts(manager, *follow, other)
    eventually_sync(lambda: bool(webhook.firing("HedgeDiskFull")))
    assert suppressed(manager) == names
    assert {each.name for each in webhook.told} == {cause["alertname"], "HedgeDiskFull"}


def test_another_book_is_paged_for_while_one_is_off_its_target(
    manager: DeployedAlertmanager, webhook: Webhook
) -> None:
    off = {"alertname": "HedgeOffTarget", "severity": "critical", "book": "overlay"}
    raise_alerts(manager, off)
    eventually_sync(lambda: bool(webhook.firing("HedgeOffTarget")))
    raise_alerts(manager, off | {"alertname": "HedgeOrdersWithheld", "book": "other"})
    eventually_sync(lambda: bool(webhook.firing("HedgeOrdersWithheld")))
