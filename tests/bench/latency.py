"""Tick to order: `python tests/bench/latency.py`.

Real Mosquitto and Redis on loopback; ingest, signals, hedger and gateway as `hedgestat up` runs
them, all in one process, or with `--processes` each in its own. A publisher sends a steady stream
of ticks; five times a second one of them is a VIX jump that orders. Measured is the time from
that tick's `event_time`, stamped just before it is written to the socket, to the arrival of the
order at an independent subscriber: parse, journal commit, signals commit, hedger commit with
fsync, and three passages of the broker or the store in between.

The peer is the obvious toy (`toy.py`): one consumer that computes and publishes, nothing durable.
"""

import argparse
import asyncio
import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parents[1]))

import msgspec
import numpy as np
from bench import toy
from bench.workload import live
from fakes.servers import MosquittoServer, RedisServer
from rich.console import Console
from rich.table import Table

from shared.adapters.bus import Subscription
from shared.adapters.clock import SystemClock
from shared.adapters.connections import MqttSettings
from shared.adapters.embedded import Fsync
from shared.adapters.mqtt import MqttBus
from shared.wire import topics
from shared.wire.times import parse_instant

HERE: Final = Path(__file__).parent
SERVICES: Final = ("ingest", "signals", "hedger", "gateway")
LIMITS_MS: Final = {1_000: (5, 25), 10_000: (10, 50)}
SETTLING_S: Final = 2.0
BATCH: Final = {1_000: 1, 10_000: 10}
clock = SystemClock()


@contextlib.contextmanager
def running(*commands: Sequence[str]) -> Iterator[list[int]]:
    """Run programs until the block ends; their process ids."""
    processes = [subprocess.Popen([sys.executable, *command]) for command in commands]
    try:
        yield [process.pid for process in processes]
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(10)


def hedgestat(config: Path, *, processes: bool) -> list[list[str]]:
    """Command lines of the services."""
    if not processes:
        return [["-m", "services", "up", "-c", str(config)]]
    return [["-m", "services", "run", name, "-c", str(config)] for name in SERVICES]


async def latencies(
    port: int, topic: str, services: Sequence[Sequence[str]], publisher: Sequence[str]
) -> list[float]:
    """Milliseconds from tick to order, of every order after the first seconds."""
    arrivals: list[tuple[int, float]] = []
    settings = MqttSettings(url=f"mqtt://127.0.0.1:{port}")
    async with MqttBus(
        settings, client_id="subscriber", subscriptions=[Subscription(topic)], clean_start=True
    ) as bus:
        await bus.connected.wait()
        async with asyncio.TaskGroup() as tasks:
            listening = tasks.create_task(_listen(bus, arrivals))
            with running(*services):
                await asyncio.sleep(5.0)  # imports, compiled code, leases
                feed = await asyncio.create_subprocess_exec(sys.executable, *publisher)
                await feed.wait()
                await asyncio.sleep(1.0)
            listening.cancel()
    begun_ns = arrivals[0][0] if arrivals else 0
    return [ms for event_ns, ms in arrivals if event_ns > begun_ns + SETTLING_S * 1e9]


async def _listen(bus: MqttBus, arrivals: list[tuple[int, float]]) -> None:
    async for message in bus.messages():
        arrived_ns = clock.now_ns()
        order = message.payload.partition(b"\n")[0]  # the second line is its signature
        found = msgspec.json.decode(order)["event_time"]
        event_ns = found if isinstance(found, int) else parse_instant(found)
        arrivals.append((event_ns, (arrived_ns - event_ns) / 1e6))
        message.ack()


def measure(
    directory: Path, who: str, rate: int, seconds: float, *, processes: bool
) -> list[float]:
    """One row: `toy`, `orders` (fsync always for orders alone) or `always` (for all)."""
    market: Fsync = "always" if who == "always" else "everysec"
    with (
        MosquittoServer(directory / "broker") as broker,
        RedisServer(directory / "orders", appendfsync="always") as orders,
        RedisServer(directory / "market", appendfsync=market) as other,
    ):
        publisher = [
            *(str(HERE / "publisher.py"), str(broker.port)),
            *("--rate", str(rate), "--batch", str(BATCH[rate]), "--seconds", str(seconds)),
        ]
        if who == "toy":
            command = [str(HERE / "toy.py"), str(broker.port), other.url, "0.001"]
            return asyncio.run(latencies(broker.port, toy.ORDERS, [command], publisher))
        config = live(directory, mqtt=broker.url, orders=orders.url, market=other.url)
        services = hedgestat(config, processes=processes)
        return asyncio.run(latencies(broker.port, topics.ORDERS, services, publisher))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=45.0, help="of each row [45]")
    parser.add_argument("--rates", type=int, nargs="+", choices=BATCH, default=list(BATCH))
    rows = ("toy", "orders", "always")
    parser.add_argument("--rows", nargs="+", choices=rows, default=rows)
    parser.add_argument("--processes", action="store_true", help="each service in its own process")
    options = parser.parse_args()
    how = "four processes" if options.processes else "one process"
    names = {
        "toy": "the obvious toy, not durable",
        "orders": f"hedgestat, {how}, fsync of orders",
        "always": f"hedgestat, {how}, fsync of everything",
    }
    table = Table("ticks/s", "who", "orders", "p50 ms", "p90", "p99", "max", "ratio p50", "limit")
    for rate in options.rates:
        peer = 0.0
        for who in options.rows:
            with tempfile.TemporaryDirectory() as directory:
                taken = measure(
                    Path(directory), who, rate, options.seconds, processes=options.processes
                )
            p50, p90, p99 = np.percentile(taken, [50, 90, 99]) if taken else [np.nan] * 3
            peer = p50 if who == "toy" else peer
            limit = "" if who == "toy" else "≤ {} / {}".format(*LIMITS_MS[rate])
            ratio = f"{p50 / peer:.1f}" if peer else ""
            figures = (f"{value:.2f}" for value in (p50, p90, p99, max(taken, default=np.nan)))
            table.add_row(f"{rate:,}", names[who], str(len(taken)), *figures, ratio, limit)
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
