"""What the page costs under load: `python tests/bench/page.py`.

Real Mosquitto and Redis, every service in a process of its own, 50 books of 2,000 positions over
10,000 options, 5,000 ticks/s. Then 20 open streams, each of another book, and what they cost the
dashboard; then one real page in Chromium without a window: how long it takes to load, what the
browser costs, how often each of its elements changes; and every service's metrics: how long a
scrape takes, how many series there are.

Where two cores do not bear them all, `--written` runs the dashboard alone, and one program writes
the logs that it reads, at the rates that the stages would have.
"""

import argparse
import asyncio
import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import psutil
from bench.page_site import BOOKS, POSITIONS, SERVICES, Site
from fakes.servers import MosquittoServer, RedisServer
from playwright.sync_api import Page, sync_playwright
from rich.console import Console
from rich.table import Table

from services.command.top.connection import Server
from services.command.top.server_sent_events import EventReader

CHROMIUM: Final = "/usr/bin/chromium"
STREAMS: Final = 20
SCRAPES: Final = 10
_OBSERVE: Final = """() => {
  window.seenChanges = new Map();
  new MutationObserver((records) => {
    const changed = new Set();
    for (const record of records) {
      changed.add(record.target.nodeType === 3 ? record.target.parentElement : record.target);
    }
    for (const each of changed) {
      if (each) window.seenChanges.set(each, (window.seenChanges.get(each) ?? 0) + 1);
    }
  }).observe(document.documentElement,
    {subtree: true, childList: true, characterData: true, attributes: true});
}"""
_COUNT: Final = """() => {
  const name = (each) => each.tagName.toLowerCase() + (each.id ? "#" + each.id : "") + "." +
    String(each.className?.baseVal ?? each.className).split(" ").join(".");
  const sorted = [...window.seenChanges.entries()].sort((a, b) => b[1] - a[1]);
  return {elements: sorted.length, most: sorted.slice(0, 5).map(([e, n]) => [name(e), n])};
}"""


class Load:
    """Processor time of processes over a while, in shares of one core.

    Args:
        pids: By name; children count with their parent.
    """

    def __init__(self, pids: dict[str, list[int]]) -> None:
        self._pids = pids
        self._begun_s = time.perf_counter()
        self._begun = {name: _cpu_s(those) for name, those in pids.items()}

    def shares(self) -> dict[str, float]:
        """The shares since it was made."""
        passed_s = time.perf_counter() - self._begun_s
        return {
            name: (_cpu_s(those) - self._begun[name]) / passed_s
            for name, those in self._pids.items()
        }


def _cpu_s(pids: list[int]) -> float:
    total = 0.0
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            parent = psutil.Process(pid)
            for each in (parent, *parent.children(recursive=True)):
                with contextlib.suppress(psutil.NoSuchProcess):
                    times = each.cpu_times()
                    total += times.user + times.system
    return total


# --- streams -------------------------------------------------------------------------------------


class Streamed:
    """What one stream brought.

    Attributes:
        bytes: Of all events.
        events: By name.
    """

    def __init__(self) -> None:
        self.bytes = 0
        self.events: dict[str, int] = {}

    async def follow(self, server: Server, book: str) -> None:
        """Read until cancelled."""
        reader = EventReader()
        async with server.stream(f"/api/v1/stream?book={book}") as pieces:
            async for piece in pieces:
                self.bytes += len(piece)
                for event in reader.feed(piece):
                    self.events[event.name] = self.events.get(event.name, 0) + 1


async def stream(
    site: Site, pids: dict[str, list[int]], count: int, seconds: float
) -> tuple[list[Streamed], dict[str, float]]:
    """Open streams, let them settle, and measure."""
    server = Server.at(site.url("dashboard"))
    async with asyncio.TaskGroup() as tasks:
        opened = [Streamed() for _ in range(count)]
        running = [
            tasks.create_task(each.follow(server, site.books[place % len(site.books)]))
            for place, each in enumerate(opened)
        ]
        await asyncio.sleep(3.0)
        for each in opened:
            each.bytes, each.events = 0, {}
        load = Load(pids)
        await asyncio.sleep(seconds)
        shares = load.shares()
        for task in running:
            task.cancel()
    return opened, shares


# --- the browser ---------------------------------------------------------------------------------


def browse(site: Site, pids: dict[str, list[int]], seconds: float) -> dict[str, Any]:
    """Open the page in Chromium, and measure it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        try:
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            return _measure_page(page, site, pids, seconds)
        finally:
            browser.close()


def _measure_page(
    page: Page, site: Site, pids: dict[str, list[int]], seconds: float
) -> dict[str, Any]:
    begun_s = time.perf_counter()
    page.goto(site.url("dashboard", f"/#{site.books[0]}"), wait_until="commit")
    page.locator(".tile").first.wait_for()
    shown_s = time.perf_counter() - begun_s
    page.wait_for_timeout(5_000)
    page.evaluate(_OBSERVE)
    load = Load({**pids, "chromium": _chromium()})
    page.wait_for_timeout(seconds * 1_000)
    shares = load.shares()
    found = page.evaluate(_COUNT)
    heap = page.evaluate("() => performance.memory?.usedJSHeapSize ?? 0")
    return {"shown_s": shown_s, "shares": shares, "heap": heap, **found}


def _chromium() -> list[int]:
    """The browser's first process; the others are its children."""
    children = psutil.Process().children(recursive=True)
    named = [each for each in children if "chrom" in each.name()]
    mine = {each.pid for each in named}
    return [each.pid for each in named if each.ppid() not in mine]


# --- metrics -------------------------------------------------------------------------------------


def scrape(site: Site, service: str) -> tuple[float, int, int]:
    """Slowest of ten scrapes in ms, series, bytes."""
    taken, body = [], b""
    for _ in range(SCRAPES):
        begun_s = time.perf_counter()
        with contextlib.suppress(OSError):  # no answer in 30 s stands as 30 s
            body = site.get(service, "/metrics")
        taken.append(1e3 * (time.perf_counter() - begun_s))
        time.sleep(0.1)
    series = sum(1 for line in body.splitlines() if line and not line.startswith(b"#"))
    return max(taken), series, len(body)


def entries(site: Site) -> dict[str, float]:
    """How many entries of each log the dashboard has read."""
    text = site.get("dashboard", "/metrics").decode()
    lines = [line for line in text.splitlines() if line.startswith("hedge_page_entries_total")]
    return {line.split('"')[1]: float(line.split()[-1]) for line in lines}


# --- all of it -----------------------------------------------------------------------------------


@contextlib.contextmanager
def desk(options: argparse.Namespace, directory: Path) -> Iterator[tuple[Site, dict[str, int]]]:
    """Servers, services and feed; the processes by name."""
    with (
        MosquittoServer(directory / "broker") as broker,
        RedisServer(directory / "orders", appendfsync="always") as orders,
        RedisServer(directory / "market", appendfsync="everysec") as market,
    ):
        site = Site(directory, broker, orders, market, options.books, options.positions)
        names = ("dashboard",) if options.written else SERVICES
        with site.services(names) as pids:
            for name in names:
                site.wait(name)
            with site.writer() if options.written else site.feed(options.rate) as feed:
                yield site, {**pids, "feed": feed}


def settle(site: Site, within_s: float) -> dict[str, Any]:
    """Wait until the books are told of, and say how the monitor fares."""
    deadline = time.perf_counter() + within_s
    state: dict[str, Any] = {}
    while time.perf_counter() < deadline:
        time.sleep(2.0)
        state = json.loads(site.get("dashboard", "/api/v1/state"))
        if any(book["target_vega"] for book in state["books"]):
            break
    return state


def report(site: Site, pids: dict[str, int], options: argparse.Namespace, console: Console) -> None:
    """Measure and print."""
    by_name = {name: [pid] for name, pid in pids.items()}
    state = settle(site, options.warm)
    behind = {each["service"]: each["behind"] for each in state["health"]["services"]}
    console.print(f"books {len(state['books'])}, orders {len(state['orders'])}, behind {behind}")
    time.sleep(5.0)
    _, idle = asyncio.run(stream(site, by_name, 0, options.seconds))
    before = entries(site), time.perf_counter()
    opened, busy = asyncio.run(stream(site, by_name, STREAMS, options.seconds))
    passed_s = time.perf_counter() - before[1]
    read = {name: (count - before[0][name]) / passed_s for name, count in entries(site).items()}
    table = Table("figure", "seen", "limit", title="Page")
    pages = busy["dashboard"] - idle["dashboard"]
    kilobytes = [each.bytes / 1e3 / options.seconds for each in opened]
    rounds = [max(each.events.values(), default=0) / options.seconds for each in opened]
    rates = ", ".join(f"{name} {rate:.0f}" for name, rate in read.items())
    table.add_row("log entries read, a second", rates, "")
    table.add_row("dashboard, no page open, of a core", f"{idle['dashboard']:.1%}", "")
    table.add_row(f"dashboard, {STREAMS} pages open", f"{busy['dashboard']:.1%}", "≤ 10%")
    table.add_row(f"… of that for {STREAMS} pages", f"{pages:.1%}", "")
    table.add_row("kB/s a page", f"{np.mean(kilobytes):.1f} (max {max(kilobytes):.1f})", "")
    table.add_row("events/s of the commonest name", f"{max(rounds):.1f}", "≤ 10")
    if not options.no_browser:
        _add_browser(table, browse(site, by_name, options.seconds), options.seconds)
    for service in (name for name in SERVICES if name in pids):
        slowest_ms, series, size = scrape(site, service)
        table.add_row(f"{service}: slowest scrape", f"{slowest_ms:.0f} ms", "≤ 100 ms")
        table.add_row(f"{service}: series", f"{series:,} ({size / 1e3:.0f} kB)", "≤ 5,000")
    console.print(table)
    shares = ", ".join(f"{name} {share:.0%}" for name, share in busy.items())
    console.print(f"of a core while {STREAMS} pages were open: {shares}; ")
    console.print(f"the machine: {psutil.cpu_percent(2.0):.0f}% of {psutil.cpu_count()} cores")


def _add_browser(table: Table, found: dict[str, Any], seconds: float) -> None:
    table.add_row("page shows figures after", f"{found['shown_s']:.2f} s", "< 2 s")
    table.add_row("browser, one page, of a core", f"{found['shares']['chromium']:.0%}", "≤ 30%")
    name, most = found["most"][0] if found["most"] else ("none", 0)
    busiest = f"{most / seconds:.1f} ({name}; {found['elements']} change)"
    table.add_row("updates/s of the busiest element", busiest, "≤ 10")
    table.add_row("script heap", f"{found['heap'] / 1e6:.0f} MB", "")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--books", type=int, default=BOOKS)
    parser.add_argument("--positions", type=int, default=POSITIONS, help="of each book")
    parser.add_argument("--rate", type=float, default=5_000.0, help="ticks a second [5000]")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each measurement [20]")
    parser.add_argument("--warm", type=float, default=60.0, help="longest warm-up, seconds [60]")
    parser.add_argument("--written", action="store_true", help="the dashboard alone: see above")
    parser.add_argument("--no-browser", action="store_true")
    parser.add_argument("--hold", action="store_true", help="stay up afterwards, for a profiler")
    options = parser.parse_args()
    console = Console(width=120)
    with tempfile.TemporaryDirectory() as name, desk(options, Path(name)) as (site, pids):
        report(site, pids, options, console)
        if options.hold:
            console.print(f"{site.url('dashboard')} {pids}; Ctrl-C ends it")
            with contextlib.suppress(KeyboardInterrupt):
                time.sleep(3_600)


if __name__ == "__main__":
    main()
