"""Trigger to commit: `python tests/bench/order_path.py`.

Real Mosquitto and Redis on loopback, fsync after every commit of orders; the four services as
`hedgestat up` runs them. Five times a second a tick is a VIX jump that orders. Measured is the time
from that tick's `event_time` to the arrival, at an independent subscriber, of the gateway's signed
acknowledgement: sent once the order is in its record, so the commit lies before it.

The floor is what no design can do without, measured in the same run: one round trip of MQTT, one
commit to Redis with fsync, one commit to SQLite with fsync.
"""

import argparse
import asyncio
import contextlib
import sqlite3
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parents[1]))

import msgspec
import numpy as np
from bench.latency import HERE, hedgestat, running
from bench.workload import live
from fakes.servers import MosquittoServer, RedisServer
from rich.console import Console
from rich.table import Table

from shared.adapters.bus import Subscription
from shared.adapters.clock import SystemClock
from shared.adapters.connections import MqttSettings, RedisSettings
from shared.adapters.mqtt import MqttBus
from shared.adapters.redis_store import RedisStore
from shared.domain.orders import Order
from shared.runtime.ledger import Ledger, StepOutput
from shared.wire import codec, keys, topics
from shared.wire.messages import AckMessage
from shared.wire.seal import split

LIMITS_MS: Final = (5, 50)
SETTLING_S: Final = 2.0
FLOOR_TIMES: Final = 300
clock = SystemClock()


async def acknowledged(
    broker: str, services: list[list[str]], publisher: list[str]
) -> dict[str, int]:
    """When the acknowledgement of each order arrived, by id, in ns."""
    arrived: dict[str, int] = {}
    async with MqttBus(
        MqttSettings(url=broker),
        client_id="subscriber",
        subscriptions=[Subscription(topics.ACKS)],
        clean_start=True,
    ) as bus:
        await bus.connected.wait()
        async with asyncio.TaskGroup() as tasks:
            listening = tasks.create_task(_listen(bus, arrived))
            with running(*services):
                await asyncio.sleep(5.0)  # imports, compiled code, leases
                feed = await asyncio.create_subprocess_exec(sys.executable, *publisher)
                await feed.wait()
                await asyncio.sleep(1.0)
            listening.cancel()
    return arrived


async def _listen(bus: MqttBus, arrived: dict[str, int]) -> None:
    async for message in bus.messages():
        arrived_ns = clock.now_ns()
        answer = codec.decode(AckMessage, split(message.payload).body)
        if answer.status == "accepted":
            arrived.setdefault(answer.order_id, arrived_ns)
        message.ack()


def path_ms(arrived: dict[str, int], record: Path) -> dict[str, list[float]]:
    """Milliseconds from the tick of every order after the first seconds, to two points."""
    with contextlib.closing(sqlite3.connect(record)) as connection:
        rows = connection.execute("SELECT content, received_ns FROM orders ORDER BY number")
        orders = [
            (msgspec.msgpack.decode(content, type=Order), received_ns)
            for content, received_ns in rows
        ]
    begun_ns = orders[0][0].event_ns + SETTLING_S * 1e9 if orders else 0
    counted = [
        (order.event_ns, received_ns, arrived[order.order_id])
        for order, received_ns in orders
        if order.order_id in arrived and order.event_ns > begun_ns
    ]
    return {
        "tick to the gateway's judgement": [(at - event) / 1e6 for event, at, _ in counted],
        "tick to its acknowledgement": [(at - event) / 1e6 for event, _, at in counted],
    }


async def _timed(what: Callable[[int], Awaitable[None]]) -> list[float]:
    taken = []
    for number in range(FLOOR_TIMES):
        begun_ns = clock.now_ns()
        await what(number)
        taken.append((clock.now_ns() - begun_ns) / 1e6)
    return taken


async def floor_ms(broker: str, redis: str, directory: Path) -> dict[str, list[float]]:
    """Milliseconds of each part of the floor."""
    subscription = Subscription("floor", 1)
    with contextlib.closing(sqlite3.connect(directory / "floor.sqlite")) as record:
        record.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE t (x)")
        async with (
            MqttBus(
                MqttSettings(url=broker), client_id="floor", subscriptions=[subscription]
            ) as bus,
            RedisStore(RedisSettings(url=redis)) as store,
        ):
            await bus.connected.wait()
            ledger = Ledger(store, "floor")
            await ledger.open()

            async def round_trip(_: int) -> None:
                await bus.publish("floor", b"x" * 800, qos=1)
                for message in await bus.next_batch(1):
                    message.ack()

            async def commit(number: int) -> None:
                row = b"%d" % number * 200
                await ledger.commit(StepOutput({keys.outbox("floor"): [row]}), state=b"x" * 5_000)

            async def insert(number: int) -> None:
                with record:
                    record.execute("INSERT INTO t VALUES (?)", (b"%d" % number * 200,))

            return {
                "MQTT round trip, QoS 1": await _timed(round_trip),
                "Redis commit, fsync": await _timed(commit),
                "SQLite commit, fsync": await _timed(insert),
            }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=45.0, help="of ticks [45]")
    parser.add_argument("--rate", type=int, default=100, help="ticks a second [100]")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        with (
            MosquittoServer(directory / "broker") as broker,
            RedisServer(directory / "orders", appendfsync="always") as orders,
            RedisServer(directory / "market") as market,
        ):
            publisher = [
                *(str(HERE / "publisher.py"), str(broker.port), "--rate", str(options.rate)),
                *("--seconds", str(options.seconds)),
            ]
            config = live(directory, mqtt=broker.url, orders=orders.url, market=market.url)
            services = hedgestat(config, processes=False)
            arrived = asyncio.run(acknowledged(broker.url, services, publisher))
            path = path_ms(arrived, directory / "gateway.sqlite")
            parts = asyncio.run(floor_ms(broker.url, orders.url, directory))
    table = Table("what", "times", "p50 ms", "p90", "p99", "max", "limit")
    rows = {**parts, "the floor: their sum": [], **path}
    taken = path["tick to its acknowledgement"]
    floor = sum(float(np.percentile(part, 50)) for part in parts.values())
    for what, values in rows.items():
        if not values:
            table.add_row(what, "", f"{floor:.2f}")
            continue
        figures = (f"{value:.2f}" for value in (*np.percentile(values, [50, 90, 99]), max(values)))
        limit = "≤ {} / {}".format(*LIMITS_MS) if values is taken else ""
        table.add_row(what, str(len(values)), *figures, limit)
    Console(width=120).print(table)
    ratio = float(np.percentile(taken, 50)) / floor if taken else float("nan")
    Console().print(f"ratio of the medians: {ratio:.1f}")


if __name__ == "__main__":
    main()
