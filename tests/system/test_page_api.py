"""The page of `hedgestat up` in mid-replay: it has numbers, tells changes, and comes back."""

import contextlib
import json
import os
import re
import signal
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

import psutil
import pytest
from fakes.eventually import eventually_sync
from fakes.installation import Installation

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]


class Page:
    """The page of an installation, as a client sees it."""

    def __init__(self, installation: Installation) -> None:
        self.program = installation.services["up"]
        eventually_sync(lambda: '"page"' in self.program.log, within_s=60)
        found = re.search(r'"url": "(http://[0-9.:]+)/", "event": "page"', self.program.log)
        assert found is not None
        self.url = found[1]

    def get(self, path: str) -> Any:  # noqa: ANN401 - any JSON
        """Ask; `None` when nobody answers."""
        try:
            with urlopen(self.url + path, timeout=15) as answer:  # noqa: S310 - our own
                return json.load(answer)
        except HTTPError as refusal:
            with refusal:
                return json.load(refusal)
        except (URLError, ConnectionError, TimeoutError):
            return None

    def checks(self) -> dict[str, str]:
        """Reasons of the checks that fail."""
        found = (self.get("/readyz") or {"checks": {"page": {"ready": False, "reason": "away"}}})[
            "checks"
        ]
        return {name: check["reason"] for name, check in found.items() if not check["ready"]}

    def events(self, seen: str = "") -> Iterator[tuple[str, str, Any]]:
        """Listen: id, name and data of each event."""
        where = urlsplit(self.url)
        with closing(HTTPConnection(where.hostname or "", where.port, timeout=20)) as connection:
            headers = {"Last-Event-ID": seen} if seen else {}
            connection.request("GET", "/api/v1/stream?book=overlay", headers=headers)
            yield from _events(connection.getresponse())

    def processes(self) -> list[int]:
        """Those that serve it now."""
        found = []
        for child in psutil.Process(self.program.pid).children():
            with contextlib.suppress(psutil.Error):
                if "dashboard" in child.cmdline():
                    found.append(child.pid)
        return found


def _events(response: HTTPResponse) -> Iterator[tuple[str, str, Any]]:
    fields: dict[str, str] = {}
    for line in response:
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name:
            fields[name] = value
        elif "data" in fields:
            yield fields["id"], fields["event"], json.loads(fields["data"])
            fields = {}


@pytest.fixture(scope="module")
def installation(history: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with Installation(tmp_path_factory.mktemp("page"), history, ["up"]) as found:
        yield found


@pytest.fixture(scope="module")
def page(installation: Installation) -> Page:
    return Page(installation)


def test_in_mid_replay_the_state_has_numbers_and_the_stream_tells_changes(
    installation: Installation, page: Page
) -> None:
    eventually_sync(lambda: not page.checks().keys() - {"monitor.data"}, within_s=60)
    installation.feed.start()
    eventually_sync(
        lambda: page.get("/api/v1/state")["books"][0]["target_vega"] is not None, within_s=60
    )
    state = page.get("/api/v1/state")
    assert state["health"]["ready"], state["health"]["checks"]
    assert state["market"]["signals"]["vix"]["value"] > 0
    assert {each["service"] for each in state["health"]["services"]} >= {"hedger", "gateway"}
    assert all(each["holder"] for each in state["health"]["services"][:3])
    instants, first, seen = set[str](), "", ""
    for number, name, data in page.events():
        first = first or name
        if name == "market":
            instants.add(data["event_time"])
        if len(instants) == 3:
            seen = number
            break
    assert first == "state"
    resumed = next(name for _, name, _ in page.events(seen))
    assert resumed != "state"


def test_what_the_page_shows_is_what_was_done(installation: Installation, page: Page) -> None:
    eventually_sync(lambda: not installation.feed.is_running, within_s=120)
    assert installation.feed.exits == [0]
    eventually_sync(
        lambda: (
            {each["order_id"] for each in page.get("/api/v1/orders?limit=1000")}
            == {each["order_id"] for each in installation.witness.orders}
        ),
        within_s=20,
    )
    orders = page.get("/api/v1/orders?limit=1000")
    assert orders
    for order in orders:
        assert order["acknowledgement"]["status"] == "accepted"
        assert order["why"].endswith(".")
        assert order["trigger"] in order["why"] or order["reason"] in order["why"]
    filled = [order for order in orders if order["status"] == "filled"]
    held = sum(order["filled"] for order in orders)
    eventually_sync(
        lambda: page.get("/api/v1/books/overlay")["summary"]["current_vega"] == held, within_s=10
    )
    assert filled
    assert page.get("/api/v1/books/overlay")["target"]["decision"] >= len(orders)


def test_a_page_that_was_killed_comes_back_at_its_address_with_its_history(page: Page) -> None:
    before = page.get("/api/v1/signals/history?points=5000")["series"]["vix"]
    seen, _, _ = next(page.events())
    (victim,) = page.processes()
    os.kill(victim, signal.SIGKILL)
    eventually_sync(lambda: page.processes() not in ([], [victim]), within_s=30)
    assert page.get("/api/v1/signals/history?points=5000")["series"]["vix"] == before
    assert page.get("/api/v1/state")["market"]["signals"]["vix"]["value"] == before[-1][1]
    _, name, _ = next(page.events(seen))
    assert name == "state"


@pytest.mark.parametrize(
    ("server", "check"), [("redis", "monitor.store.orders"), ("mosquitto", "monitor.bus")]
)
def test_it_says_what_is_away_and_that_it_is_there_again(
    installation: Installation, page: Page, server: str, check: str
) -> None:
    victim = installation.servers[server]
    victim.kill()
    eventually_sync(lambda: check in page.checks(), within_s=20)
    assert page.get("/api/v1/state")["market"]["signals"]["vix"]["value"] > 0
    victim.start()
    eventually_sync(lambda: check not in page.checks(), within_s=30)
    leases = {"monitor.lease.ingest", "monitor.lease.signals", "monitor.lease.hedger"}
    eventually_sync(lambda: not leases & page.checks().keys(), within_s=60)
