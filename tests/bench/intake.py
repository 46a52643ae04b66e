"""MQTT to journal: `python tests/bench/intake.py`.

A publisher writes a fixed number of ticks to a real Mosquitto as fast as it takes them, QoS 0;
ingest, run as `hedgestat run ingest` in its own process, validates, screens and commits them to a
real Redis. Afterwards the journal is read back: every tick must be in it, and the rate is from
the first write to the commit of the last tick. Messages of one JSON tick, and Arrow streams of
1,000.

The peer does what one writes first: a plain aiomqtt consumer, json.loads and one XADD a tick, no
validation. It takes the single ticks only.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

import aiomqtt
from bench.workload import live
from fakes.servers import MosquittoServer, RedisServer
from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from rich.console import Console
from rich.table import Table

from shared.adapters.clock import SystemClock
from shared.domain.tick_block import TickBlock
from shared.wire import keys, topics
from shared.wire.journal import decode_entry

HERE: Final = Path(__file__).parent
PEER: Final = "peer"
WARM: Final = 3_000
GIVE_UP_S: Final = 5.0
clock = SystemClock()


class Taken(NamedTuple):
    """What arrived: how many ticks, and when the last was committed (ns)."""

    ticks: int
    last_ns: int


class Kind(NamedTuple):
    """A way to send ticks: its name, the publisher's options, how many, and what is asked."""

    name: str
    options: tuple[str, ...]
    ticks: int
    limit: str


def publish(port: int, options: Sequence[str], count: int) -> int:
    """Publish; returns the instant of the first write."""
    command = [sys.executable, str(HERE / "publisher.py"), str(port), "--count", str(count)]
    done = subprocess.run([*command, *options], check=True, capture_output=True, text=True)
    return int(done.stdout)


def settled(taken: Callable[[], Taken], wanted: int) -> Taken:
    """Wait until all has arrived, or nothing more does."""
    found, changed_s = taken(), clock.monotonic_s()
    while found.ticks < wanted and clock.monotonic_s() < changed_s + GIVE_UP_S:
        time.sleep(0.1)
        before, found = found, taken()
        if found.ticks > before.ticks:
            changed_s = clock.monotonic_s()
    return found


class Journal:
    """Counts the ticks of a journal as it grows."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._after = "0"
        self._taken = Taken(0, 0)

    def taken(self) -> Taken:
        found: Any = self._redis.xrange(keys.journal(), f"({self._after}", "+")
        for identifier, fields in found:
            self._after = identifier.decode()
            entry = decode_entry(fields[b"payload"])
            count = sum(len(item) for item in entry.items if isinstance(item, TickBlock))
            if count:
                self._taken = Taken(self._taken.ticks + count, entry.received_ns)
        return self._taken


@contextmanager
def hedgestat(broker: MosquittoServer, redis: RedisServer, directory: Path) -> Iterator[Journal]:
    """Run ingest alone."""
    config = live(directory, mqtt=broker.url, orders=redis.url, market=redis.url)
    with _process([sys.executable, "-m", "services", "run", "ingest", "-c", str(config)]):
        yield Journal(Redis.from_url(redis.url))


class PeerStream:
    """Counts the entries of the peer's stream."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def taken(self) -> Taken:
        last: Any = self._redis.xrevrange(PEER, count=1)
        if not last:
            return Taken(0, 0)
        milliseconds = int(last[0][0].partition(b"-")[0])
        return Taken(self._redis.xlen(PEER), milliseconds * 1_000_000)


@contextmanager
def peer(broker: MosquittoServer, redis: RedisServer, _: Path) -> Iterator[PeerStream]:
    """Run the peer."""
    with _process([sys.executable, __file__, "--as-peer", str(broker.port), redis.url]):
        yield PeerStream(Redis.from_url(redis.url))


@contextmanager
def _process(command: Sequence[str]) -> Iterator[None]:
    process = subprocess.Popen(command)
    try:
        time.sleep(4.0)  # imports, compiled code, lease
        yield
    finally:
        process.terminate()
        process.wait(10)


async def run_peer(port: int, url: str) -> None:
    """Journal ticks the plain way until killed."""
    async with AsyncRedis.from_url(url) as redis, aiomqtt.Client("127.0.0.1", port) as client:
        await client.subscribe(topics.TICKS_OF_A_SYMBOL)
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            tick = json.loads(message.payload)
            await redis.xadd(PEER, {"symbol": tick["symbol"], "tick": message.payload})


def measure(kind: Kind, who: str) -> tuple[float, int]:
    """Ticks a second, and how many were lost."""
    with (
        tempfile.TemporaryDirectory() as name,
        MosquittoServer(Path(name) / "broker") as broker,
        RedisServer(
            Path(name) / "redis", appendfsync="always" if who == "fsync" else "everysec"
        ) as redis,
        (peer if who == "peer" else hedgestat)(broker, redis, Path(name)) as subject,
    ):
        publish(broker.port, kind.options, WARM)
        warm = settled(subject.taken, WARM).ticks
        begun_ns = publish(broker.port, kind.options, kind.ticks)
        found = settled(subject.taken, warm + kind.ticks)
        arrived = found.ticks - warm
        return arrived / ((found.last_ns - begun_ns) / 1e9), kind.ticks - arrived


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--singles", type=int, default=60_000, help="JSON ticks [60000]")
    parser.add_argument("--arrow", type=int, default=1_000_000, help="ticks in Arrow [1000000]")
    parser.add_argument("--repeats", type=int, default=3, help="medians of so many runs [3]")
    parser.add_argument("--as-peer", nargs=2, metavar=("PORT", "URL"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.as_peer:
        asyncio.run(run_peer(int(options.as_peer[0]), options.as_peer[1]))
        return
    singles = Kind("one JSON tick", (), options.singles, "≥ 15,000")
    arrow = Kind("Arrow, 1,000 ticks", ("--batch", "1000", "--arrow"), options.arrow, "≥ 300,000")
    names = {"peer": "plain aiomqtt + XADD", "hedgestat": "hedgestat", "fsync": "hedgestat, fsync"}
    table = Table("message", "who", "ticks/s", "ratio", "lost", "limit", title="MQTT to journal")
    plain = 0.0
    for kind, who in ((singles, "peer"), (singles, "hedgestat"), (singles, "fsync"),
                      (arrow, "hedgestat"), (arrow, "fsync")):  # fmt: skip
        runs = [measure(kind, who) for _ in range(options.repeats)]
        rate = statistics.median(rate for rate, _ in runs)
        plain = plain or rate
        lost = max(lost for _, lost in runs)
        limit = "" if who == "peer" else kind.limit
        table.add_row(
            kind.name, names[who], f"{rate:,.0f}", f"{rate / plain:.1f}", str(lost), limit
        )
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
