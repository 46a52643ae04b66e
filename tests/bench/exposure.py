"""Exposure of a book of options: `python tests/bench/exposure.py`.

First what a tick of the underlying costs, on one core, without servers: every option of the book
valued anew (price and eight Greeks) and all positions added up by book, underlying and bucket.
Processor time, for other work on the machine is none of ours. The kernel alone, beside its peers,
is in `greeks.py`.

Then from tick to published exposure, with real Mosquitto and Redis on loopback and everything else
as `hedgestat up` runs it: 10,000 options, all quoted at the beginning; then a print of the index
every 100 ms, stamped just before it is written to the socket, until the exposure that holds it
(its youngest tick is that print) arrives at an independent subscriber.
"""

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parents[1]))

import msgspec
import numpy as np
from fakes.exposures import NOW, Market, columns, market, option
from fakes.keys import write_keys
from fakes.servers import MosquittoServer, RedisServer
from rich.console import Console
from rich.table import Table

from services.command.generated_chain import Climate, GeneratedChain
from shared.adapters.bus import Subscription
from shared.adapters.catalogue import make_catalogue
from shared.adapters.clock import SystemClock
from shared.adapters.connections import MqttSettings
from shared.adapters.mqtt import MqttBus
from shared.adapters.settings import load_settings
from shared.domain.exposure.aggregate import Portfolio
from shared.domain.exposure.revaluation import Revaluation
from shared.domain.exposure.terms import Terms
from shared.domain.instants import DAY, SECOND
from shared.wire import topics
from shared.wire.codec import decode
from shared.wire.messages import ExposureMessage
from shared.wire.times import parse_instant

SIZES: Final = (1_000, 10_000, 100_000, 1_000_000)
LIMIT_MS: Final = 10.0
ROUNDS: Final = 15
LIVE: Final = 10_000
VOLATILITY: Final = 0.16
clock = SystemClock()

CONFIGURATION: Final = """
calendar = { name = "24/7" }
http = { port = 0, ports = { exposure = 0, auditor = 0 } }

[symbols]
VIX = {}
SPX = {}

[options]
refresh_rows = 500
roots = ["SPXW"]
rate = 0.02
dividend_yields = { SPX = 0.018 }

[[books]]
name = "overlay"
rule = "option_a"
portfolio = { value = 50_000_000, weights = { SPX = 1.0 } }
sizing = { base_vega = 1000.0 }
limits = { max_order_vega = 2000, max_order_notional = 200_000, max_position_vega = 2000, \
max_orders_per_day = 5, max_orders_per_minute = 5, max_daily_turnover = 1_000_000, \
max_daily_loss = 1_000_000, max_price_deviation = "15%", max_repeats = 5, repeat_window = "1 min", \
duplicate_window = "1 ms" }
positions_file = "positions.csv"

[[books.legs]]
name = "swap"
instrument = "variance_swap"
symbol = "VIX"
maturity = "30 days"
max_vega = 2000
"""


def world(count: int) -> tuple[Revaluation, Portfolio, Market]:
    """A book of so many options, over two years of expiries."""
    generator = np.random.default_rng(1)
    strikes = generator.uniform(3000, 7000, count).tolist()
    terms = Terms()
    terms.extend(
        [
            option("put" if row % 2 else "call", strike, expiry_ns=NOW + (1 + row % 700) * DAY)
            for row, strike in enumerate(strikes)
        ]
    )
    revaluation = Revaluation(terms)
    revaluation.wanted[:] = True
    seen = market(count, level=5000.0)
    seen.volatility[:] = generator.uniform(0.1, 0.4, count)
    held = [("book", row, float(row % 7 - 3)) for row in range(count)]
    return revaluation, Portfolio(terms, columns(held), NOW), seen


def tick_ms(count: int) -> tuple[float, float]:
    """Median processor time, ms, of valuing and of adding up after a tick of the underlying."""
    revaluation, portfolio, seen = world(count)
    valued, added = [], []
    for _ in range(ROUNDS):
        seen.underlying += 1.0
        seen.level += 1.0
        began = time.process_time()
        revaluation.refresh(seen, NOW, everything=False)
        between = time.process_time()
        portfolio.sums(revaluation.values, revaluation.inputs, NOW)
        ended = time.process_time()
        valued.append(1e3 * (between - began))
        added.append(1e3 * (ended - between))
    return float(np.median(valued[1:])), float(np.median(added[1:]))


def print_ticks(console: Console) -> None:
    """Print what a tick costs, and how it grows."""
    table = Table("options", "value ms", "add up ms", "both ms", "ns an option", "growth", "limit")
    rows = [(count, *tick_ms(count)) for count in SIZES]
    growths = ["", *(f"{sum(b[1:]) / sum(a[1:]):.1f} x" for a, b in pairwise(rows))]
    for (count, valued, added), growth in zip(rows, growths, strict=True):
        both = valued + added
        limit = f"≤ {LIMIT_MS:g} ms" if count == 100_000 else ""
        figures = (f"{valued:.3f}", f"{added:.3f}", f"{both:.3f}", f"{1e6 * both / count:.1f}")
        table.add_row(f"{count:,}", *figures, growth, limit)
    slope = np.polyfit(np.log10(SIZES), np.log10([sum(row[1:]) for row in rows]), 1)[0]
    console.print(table)
    console.print(f"slope of cost in options, both on a log scale: {slope:.2f} (linear is 1)")


# --- tick to published -----------------------------------------------------------------------


class Live:
    """A running hedgestat with a book of 10,000 options."""

    def __init__(self, directory: Path, broker: MosquittoServer, store: RedisServer) -> None:
        write_keys(directory / "keys")
        self._port = broker.port
        self._directory = directory
        self.path = directory / "hedgestat.toml"
        text = f'{CONFIGURATION}\n[mqtt]\nurl = "{broker.url}"\n[redis]\norders = "{store.url}/0"\n'
        self.path.write_text(text)
        (directory / "positions.csv").write_text("symbol,quantity\n")
        settings = load_settings(self.path, {})
        catalogue = make_catalogue(settings.instruments, settings.calendar)
        today = datetime.fromtimestamp(clock.now_ns() / SECOND, tz=UTC).date()
        friday = today + timedelta(days=(4 - today.weekday()) % 7 + 7)
        expiries = [friday + timedelta(weeks=week) for week in range(20)]
        strikes = [float(strike) for strike in range(4750, 7250, 10)]
        self.chain = GeneratedChain(catalogue, "SPXW", expiries, strikes, Climate())
        lines = [f"{name},{row % 7 - 3 or 9}" for row, name in enumerate(self.chain.symbols)]
        (directory / "positions.csv").write_text("\n".join(["symbol,quantity", *lines]))

    def start(self) -> subprocess.Popen[bytes]:
        """Run `hedgestat up`."""
        with (self._directory / "log").open("wb") as log:
            command = [sys.executable, "-m", "services", "up", "-c", str(self.path)]
            return subprocess.Popen(command, cwd=self._directory, stdout=log, stderr=log)

    async def quote_all(self, bus: MqttBus) -> None:
        """Quote every option, a thousand a message."""
        now_ns = clock.now_ns()
        ticks = self.chain.quotes(now_ns, 6000.0, VOLATILITY)
        await self.print_index(bus, 6000.0)
        for first in range(0, len(ticks), 1000):
            rows = [
                {"symbol": tick.symbol, "event_time": now_ns, "bid": tick.bid, "ask": tick.ask}
                for tick in ticks[first : first + 1000]
            ]
            await bus.publish(topics.TICKS, msgspec.json.encode(rows))

    async def print_index(self, bus: MqttBus, level: float) -> int:
        """Print the index; answers the instant."""
        now_ns = clock.now_ns()
        tick: dict[str, Any] = {"symbol": "SPX", "event_time": now_ns, "price": level}
        await bus.publish(topics.TICKS, msgspec.json.encode([tick]))
        return now_ns


async def latencies(live: Live, url: str, prints: int) -> tuple[list[float], float]:
    """Milliseconds from print to published exposure, and the coverage at the end."""
    arrivals: dict[int, float] = {}
    coverage = 0.0
    heard = asyncio.Event()
    settings = MqttSettings(url=url)

    async def listen(bus: MqttBus) -> None:
        nonlocal coverage
        async for message in bus.messages():
            arrived_ns = clock.now_ns()
            message.ack()
            told = decode(ExposureMessage, message.payload)
            coverage = told.coverage
            if told.youngest_time is not None:
                arrivals.setdefault(parse_instant(told.youngest_time), arrived_ns)
            heard.set()

    subscription = [Subscription(topics.EXPOSURES, 0)]
    async with (
        MqttBus(settings, client_id="reader", subscriptions=subscription, clean_start=True) as bus,
        MqttBus(settings, client_id="writer", subscriptions=[], clean_start=True) as writer,
    ):
        await bus.connected.wait()
        await writer.connected.wait()
        async with asyncio.TaskGroup() as tasks:
            listening = tasks.create_task(listen(bus))
            await heard.wait()  # it runs, and knows no market
            await live.quote_all(writer)
            for _ in range(120):
                if coverage == 1.0:
                    break
                await asyncio.sleep(0.5)
            await asyncio.sleep(3.0)
            sent = []
            for number in range(prints):
                sent.append(await live.print_index(writer, 6000.0 + number % 50))
                await asyncio.sleep(0.1)
            await asyncio.sleep(2.0)
            listening.cancel()
    return [(arrivals[each] - each) / 1e6 for each in sent if each in arrivals], coverage


def print_latency(console: Console, prints: int) -> None:
    """Print how long it takes from tick to published exposure."""
    with (
        tempfile.TemporaryDirectory() as name,
        MosquittoServer(Path(name) / "broker") as broker,
        RedisServer(Path(name) / "store", appendfsync="always") as store,
    ):
        live = Live(Path(name), broker, store)
        process = live.start()
        try:
            taken, coverage = asyncio.run(latencies(live, broker.url, prints))
        finally:
            process.terminate()
            process.wait(15)
    table = Table("options", "coverage", "prints", "told", "p50 ms", "p90", "p99", "max", "limit")
    p50, p90, p99 = np.percentile(taken, [50, 90, 99]) if taken else [np.nan] * 3
    figures = (f"{value:.2f}" for value in (p50, p90, p99, max(taken, default=np.nan)))
    count = len(live.chain.instruments)
    counts = (f"{count:,}", f"{coverage:.1%}", str(prints), str(len(taken)))
    table.add_row(*counts, *figures, f"p50 ≤ {LIMIT_MS:g}")
    console.print(table)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--prints", type=int, default=300, help="of the index, live [300]")
    parser.add_argument("--only", choices=("ticks", "live"), help="one of the two parts")
    options = parser.parse_args()
    console = Console(width=120)
    if options.only != "live":
        print_ticks(console)
    if options.only != "ticks":
        print_latency(console, options.prints)


if __name__ == "__main__":
    main()
