"""A desk as large as the page must bear: 50 books of 2,000 positions, 5,000 ticks/s, real servers.

Every service runs in a process of its own, so that each has its own processor time and metrics.
Run as a program this is the feed: `python tests/bench/page_site.py DIRECTORY PORT …` publishes
quotes of 10,000 options, and prints of the index and of VIX, one in a hundred each.
"""

import argparse
import contextlib
import itertools
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parents[1]))

import msgspec
import numpy as np
from bench.publisher import CONNECT, packet
from fakes.keys import write_keys
from fakes.servers import MosquittoServer, RedisServer, free_port

from services.command.generated_chain import Climate, GeneratedChain
from shared.adapters.catalogue import make_catalogue
from shared.adapters.clock import SystemClock
from shared.adapters.settings import load_settings
from shared.domain.instants import SECOND
from shared.wire import topics

SERVICES: Final = ("ingest", "signals", "hedger", "gateway", "exposure", "auditor", "dashboard")
BOOKS: Final = 50
POSITIONS: Final = 2_000
SYMBOLS: Final = 10_000
LEVEL: Final = 6_000.0
VOLATILITY: Final = 0.16
_WEEKS: Final = 20
_BATCH: Final = 50
clock = SystemClock()

_CONFIGURATION: Final = """
calendar = {{ name = "24/7" }}
[mqtt]
url = "{mqtt}"
[redis]
orders = "{orders}"
market = "{market}"
[gateway]
record = "{directory}/gateway.sqlite"
[trading]
arms_itself = true
[keys]
directory = "{keys}"
[http]
port = 0
ports = {ports}
[logs]
level = "warning"
[symbols]
VIX = {{ max_jump = 9.0 }}
SPX = {{ max_jump = 9.0 }}
[signals.smoothing]
half_life = "1 min"
[signals.regime]
hold = "30 s and 3 ticks"
[options]
refresh_rows = 500
roots = ["SPXW"]
rate = 0.02
dividend_yields = {{ SPX = 0.018 }}
"""
_BOOK: Final = """
[[books]]
name = "{name}"
rule = "option_a"
portfolio = {{ value = 50_000_000, weights = {{ SPX = 1.0 }} }}
sizing = {{ base_vega = 1000.0 }}
budget = {{ annual = 200_000_000 }}
positions_file = "{name}.csv"
[books.triggers]
vix_points = 1.0
hold = "10 s and 3 ticks"
cooldown = "30 s"
[[books.legs]]
name = "varswap"
instrument = "variance_swap"
symbol = "VIX"
maturity = "90 days"
max_vega = 4000
[books.limits]
max_order_vega = 4000
max_order_notional = 10_000_000
max_position_vega = 4000
max_orders_per_day = 1_000_000
max_orders_per_minute = 100000
max_daily_turnover = 1e12
max_daily_loss = 1e12
max_price_deviation = "90%"
max_repeats = 1_000_000
repeat_window = "10 min"
duplicate_window = "1 ms"
"""


class Site:
    """The desk: its configuration, its services, its feed.

    Args:
        directory: Of everything.
        broker: Where ticks come from.
        orders: The store of decisions.
        market: The store of journal and signals.
        books: How many.
        positions: Of each.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - all that it is made of
        self,
        directory: Path,
        broker: MosquittoServer,
        orders: RedisServer,
        market: RedisServer,
        books: int = BOOKS,
        positions: int = POSITIONS,
    ) -> None:
        self.directory = directory
        self.ports = {service: free_port() for service in SERVICES}
        self.path = directory / "page.toml"
        self.books = [f"book_{number:02d}" for number in range(books)]
        self._broker = broker
        self._stores = (f"{market.url}/0", f"{orders.url}/0")
        written = ", ".join(f"{name} = {port}" for name, port in self.ports.items())
        self._head = _CONFIGURATION.format(
            mqtt=broker.url,
            orders=f"{orders.url}/0",
            market=f"{market.url}/0",
            directory=directory,
            keys=write_keys(directory / "keys"),
            ports=f"{{ {written} }}",
        )
        symbols = write_chain(directory, self._head)
        for place, name in enumerate(self.books):
            self._write_positions(name, symbols, place, positions)
        self.path.write_text(self._head + "".join(_BOOK.format(name=name) for name in self.books))

    def _write_positions(self, name: str, symbols: list[str], place: int, count: int) -> None:
        """Hold every n-th option; the books overlap, as those of a desk do."""
        step = len(symbols) // count
        held = [symbols[(place + row * step) % len(symbols)] for row in range(count)]
        lines = [f"{symbol},{(place + row) % 7 - 3 or 9}" for row, symbol in enumerate(held)]
        (self.directory / f"{name}.csv").write_text("\n".join(["symbol,quantity", *lines]))

    @contextlib.contextmanager
    def services(self, names: tuple[str, ...] = SERVICES) -> Iterator[dict[str, int]]:
        """Run services until the block ends; their process ids."""
        with contextlib.ExitStack() as stack:
            yield {name: stack.enter_context(self._service(name)) for name in names}

    @contextlib.contextmanager
    def _service(self, name: str) -> Iterator[int]:
        with (self.directory / f"{name}.log").open("wb") as log:
            command = [sys.executable, "-m", "services", "run", name, "-c", str(self.path)]
            process = subprocess.Popen(command, cwd=self.directory, stdout=log, stderr=log)
        try:
            yield process.pid
        finally:
            process.terminate()
            process.wait(20)

    @contextlib.contextmanager
    def feed(self, rate: float) -> Iterator[int]:
        """Publish ticks at a rate until the block ends; the process id."""
        words = [__file__, str(self.directory), str(self._broker.port), "--rate", str(rate)]
        with self._program(words) as pid:
            yield pid

    @contextlib.contextmanager
    def writer(self) -> Iterator[int]:
        """Write what the stages would until the block ends; the process id."""
        program = str(Path(__file__).with_name("page_writer.py"))
        with self._program([program, *self._stores, *self.books]) as pid:
            yield pid

    @contextlib.contextmanager
    def _program(self, words: list[str]) -> Iterator[int]:
        process = subprocess.Popen([sys.executable, *words])
        try:
            yield process.pid
        finally:
            process.terminate()
            process.wait(20)

    def url(self, service: str, path: str = "") -> str:
        """Where a service answers."""
        return f"http://127.0.0.1:{self.ports[service]}{path}"

    def get(self, service: str, path: str) -> bytes:
        """Ask a service.

        Raises:
            OSError: It does not answer.
        """
        with urllib.request.urlopen(self.url(service, path), timeout=30) as answer:  # noqa: S310 - our own
            return bytes(answer.read())

    def wait(self, service: str, within_s: float = 120.0) -> None:
        """Wait until a service answers.

        Raises:
            TimeoutError: It did not.
        """
        deadline = clock.monotonic_s() + within_s
        while True:
            with contextlib.suppress(OSError):
                self.get(service, "/healthz")
                return
            if clock.monotonic_s() > deadline:
                log = (self.directory / f"{service}.log").read_text()[-2_000:]
                raise TimeoutError(f"{service} does not answer: {log}")
            time.sleep(0.2)


def write_chain(directory: Path, text: str) -> list[str]:
    """Write down what the feed quotes; answers the symbols."""
    path = directory / "chain.toml"
    path.write_text(text + _BOOK.format(name="any").replace('positions_file = "any.csv"', ""))
    chain = _chain(path)
    return [instrument.symbol for instrument in chain.instruments]


def _chain(path: Path) -> GeneratedChain:
    settings = load_settings(path, {})
    catalogue = make_catalogue(settings.instruments, settings.calendar)
    strikes = [float(strike) for strike in range(4750, 7250, 10)]
    return GeneratedChain(catalogue, "SPXW", expiries(), strikes, Climate())


def expiries() -> list[date]:
    """Twenty Fridays, the first a week away at least."""
    today = datetime.fromtimestamp(clock.now_ns() / SECOND, tz=UTC).date()
    friday = today + timedelta(days=(4 - today.weekday()) % 7 + 7)
    return [friday + timedelta(weeks=week) for week in range(_WEEKS)]


def ticks(path: Path) -> Iterator[dict[str, Any]]:
    """Yield ticks without end or instant: quotes in turn, and the two levels in between."""
    random = np.random.default_rng(1)
    vix = 18.0
    quotes = _chain(path).quotes(clock.now_ns(), LEVEL, VOLATILITY)
    for number, quote in enumerate(itertools.cycle(quotes)):
        yield {"symbol": quote.symbol, "bid": quote.bid, "ask": quote.ask}
        if number % 100 == 0:
            yield {"symbol": "SPX", "price": round(LEVEL + float(random.normal(0, 2)), 2)}
        elif number % 100 == 50:
            vix = min(max(vix * float(np.exp(random.normal(0, 3e-3))), 11.0), 45.0)
            yield {"symbol": "VIX", "price": round(vix, 2)}


def publish(directory: Path, port: int, rate: float) -> None:
    """Publish at a rate until terminated."""
    encode = msgspec.json.Encoder().encode
    source = ticks(directory / "chain.toml")
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(CONNECT)
        connection.recv(1024)
        begun_s = clock.monotonic_s()
        for number in itertools.count():
            time.sleep(max(0.0, begun_s + number * _BATCH / rate - clock.monotonic_s()))
            now_ns = clock.now_ns()
            those = [{**each, "event_time": now_ns} for each in itertools.islice(source, _BATCH)]
            connection.sendall(packet(topics.TICKS, encode(those)))


def main() -> None:
    """Feed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("directory", type=Path, help="with chain.toml")
    parser.add_argument("port", type=int, help="of the broker")
    parser.add_argument("--rate", type=float, default=5_000.0, help="ticks a second [5000]")
    options = parser.parse_args()
    publish(options.directory, options.port, options.rate)


if __name__ == "__main__":
    main()
