"""Orders in bulk: `python tests/bench/bulk.py`.

Real Mosquitto and Redis on loopback, fsync after every commit of orders; each service in a process
of its own. VIX jumps to and fro, and at each jump every book orders. A jump waits until all orders
but those of the last few jumps are answered, so nothing is measured but what is sustained. Counted
are orders that the gateway has signed for, and the processor time of each process.

Processor time an order, not orders a second, is what compares runs on a machine that others use.
"""

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parents[1]))

import msgspec
from bench.latency import SERVICES, hedgestat, running
from bench.workload import live
from fakes.servers import MosquittoServer, RedisServer
from rich.console import Console
from rich.table import Table

from shared.adapters.bus import Subscription
from shared.adapters.clock import SystemClock
from shared.adapters.connections import MqttSettings
from shared.adapters.mqtt import MqttBus
from shared.wire import codec, topics
from shared.wire.messages import AckMessage
from shared.wire.seal import split

LIMIT: Final = 500
IN_FLIGHT: Final = "max_inflight_messages 1000"  # as deploy/mosquitto.conf
LEVELS: Final = (18.0, 21.0)
WARM_UP_S: Final = 4.0
PATIENCE_S: Final = 5.0
STARTS_WITHIN_S: Final = 120.0
clock = SystemClock()


class Crowd:
    """The market of many books, and who counts their orders.

    Attributes:
        accepted: Orders that the gateway has signed for.
        refused: Orders that it has refused.
        again: Answers to orders that it had answered before.
        late: How often orders of a jump did not all come in time.
    """

    def __init__(self, bus: MqttBus, books: int, ahead: int) -> None:
        self.accepted = 0
        self.refused = 0
        self.again = 0
        self.late = 0
        self._bus = bus
        self._books = books
        self._most_owed = ahead * books
        self._jumps = 0
        self._owed = 0
        self._answered: set[str] = set()
        self._news = asyncio.Event()

    async def listen(self) -> None:
        """Count answers."""
        while True:
            for message in await self._bus.next_batch(1_000):
                self._count(codec.decode(AckMessage, split(message.payload).body))
            self._news.set()

    def _count(self, answer: AckMessage) -> None:
        if answer.order_id in self._answered:
            self.again += 1
            return
        self._answered.add(answer.order_id)
        self._owed -= 1
        self.accepted += answer.status in {"accepted", "duplicate"}
        self.refused += answer.status == "refused"

    async def first_answer(self) -> None:
        """Jump until the services are there and every book is answered."""
        async with asyncio.timeout(STARTS_WITHIN_S):
            while self.accepted < self._books:
                await self._jump()
                await asyncio.sleep(1.0)
        self._owed = 0

    async def jump_for(self, seconds: float) -> None:
        """Jump again and again; what is not answered in time is not waited for."""
        until_s = clock.monotonic_s() + seconds
        while clock.monotonic_s() < until_s:
            await self._jump()
            try:
                async with asyncio.timeout(PATIENCE_S):
                    while self._owed > self._most_owed:
                        self._news.clear()
                        await self._news.wait()
            except TimeoutError:
                self.late += 1
                self._owed = 0

    async def _jump(self) -> None:
        self._jumps += 1
        self._owed += self._books
        now_ns = clock.now_ns()
        prices = {"SPX": 2_700.0, "VIX": LEVELS[self._jumps % 2]}
        ticks = [
            {"symbol": symbol, "event_time": now_ns, "price": price, "source": "bench"}
            for symbol, price in prices.items()
        ]
        await self._bus.publish(topics.TICKS, msgspec.json.encode(ticks), qos=0)


def processor_s(pids: Mapping[str, int]) -> dict[str, float]:
    """Processor seconds of processes so far, by name."""
    ticks = os.sysconf("SC_CLK_TCK")
    used = {}
    for name, pid in pids.items():
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        used[name] = (int(fields[11]) + int(fields[12])) / ticks
    return used


async def measure(
    crowd: Crowd, pids: Mapping[str, int], seconds: float
) -> tuple[int, float, dict[str, float]]:
    """Orders, seconds, and processor seconds of each process."""
    await crowd.first_answer()
    await crowd.jump_for(WARM_UP_S)
    before, begun_s, used = crowd.accepted, clock.monotonic_s(), processor_s(pids)
    crowd.late = 0
    await crowd.jump_for(seconds)
    took_s = clock.monotonic_s() - begun_s
    now = processor_s(pids)
    return crowd.accepted - before, took_s, {name: now[name] - used[name] for name in pids}


async def run(
    config: Path, broker: str, servers: Mapping[str, int], options: argparse.Namespace
) -> None:
    """Play the market and print."""
    async with (
        MqttBus(
            MqttSettings(url=broker),
            client_id="subscriber",
            subscriptions=[Subscription(topics.ACKS, qos=0)],
            clean_start=True,
        ) as bus,
        asyncio.TaskGroup() as tasks,
    ):
        await bus.connected.wait()
        crowd = Crowd(bus, options.books, options.ahead)
        listening = tasks.create_task(crowd.listen())
        with running(*hedgestat(config, processes=True)) as started:
            pids = {**dict(zip(SERVICES, started, strict=True)), **servers}
            if options.pids:
                Console().print(pids)
            orders, seconds, used = await measure(crowd, pids, options.seconds)
        listening.cancel()
    table = Table("process", "s of processor", "ms an order")
    for name, spent in {**used, "all": sum(used.values())}.items():
        table.add_row(name, f"{spent:.1f}", f"{1000 * spent / max(orders, 1):.2f}")
    Console().print(table)
    rate = orders / seconds
    Console().print(
        f"{orders:,} orders of {options.books} books in {seconds:.1f} s: {rate:,.0f} orders/s "
        f"(wanted ≥ {LIMIT}); {crowd.refused} refused, {crowd.again} answered again, "
        f"{crowd.late} jumps not all answered"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=20.0, help="[20]")
    parser.add_argument("--books", type=int, default=60, help="[60]")
    parser.add_argument("--ahead", type=int, default=3, help="jumps that are not waited for [3]")
    parser.add_argument("--pids", action="store_true", help="print the processes, for a profiler")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        with (
            MosquittoServer(directory / "broker", options=IN_FLIGHT) as broker,
            RedisServer(directory / "orders", appendfsync="always") as orders,
            RedisServer(directory / "market") as market,
        ):
            where = {"mqtt": broker.url, "orders": orders.url, "market": market.url}
            config = live(directory, **where, books=options.books)
            servers = {"mosquitto": broker.pid, "redis orders": orders.pid}
            servers["redis market"] = market.pid
            asyncio.run(run(config, broker.url, servers, options))


if __name__ == "__main__":
    main()
