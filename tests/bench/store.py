"""Commits a second and their latency, beside a plain XADD of the same payload.

`python tests/bench/store.py`: a table with one row per server and fsync setting. The ratio is
commit to XADD, both awaited one by one over one connection: what the record, the counters and the
checks cost. The last column is a whole stage (read, step, commit) in input entries a second.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import numpy as np
from redis.asyncio import Redis

sys.path.insert(0, str(Path(__file__).parents[1]))

from fakes.servers import RedisServer, ValkeyServer

from shared.adapters.connections import RedisSettings
from shared.adapters.embedded import Fsync
from shared.adapters.redis_store import RedisStore
from shared.adapters.store import Entry, StageRecord
from shared.runtime.ledger import Ledger, StepOutput
from shared.runtime.stage import Committed, StagePolicy, entries_behind, run_stage
from shared.wire import keys

SECONDS = 2.0
PAYLOAD = bytes(1_000)
STATE = bytes(4_000)
INPUT = keys.journal()
ENTRIES = 20_000


class Echo:
    """A step that says one entry for each it hears."""

    def __init__(self, _: StageRecord) -> None:
        self.state = STATE

    def receive(self, entries: Sequence[Entry]) -> StepOutput:
        return StepOutput({keys.signal_log("echo"): [entry.payload for entry in entries]})

    def snapshot(self) -> bytes:
        return self.state


async def timed(act: Callable[[int], Awaitable[object]]) -> np.ndarray:
    """Repeat an act for some seconds; return how long each took, in milliseconds."""
    taken_ns = []
    begun_ns = time.perf_counter_ns()
    number = 0
    while time.perf_counter_ns() - begun_ns < SECONDS * 1e9:
        number += 1
        before_ns = time.perf_counter_ns()
        await act(number)
        taken_ns.append(time.perf_counter_ns() - before_ns)
    return np.array(taken_ns) / 1e6


async def commits(store: RedisStore) -> np.ndarray:
    """Time commits of a state, a cursor, one entry and ten readable fields."""
    ledger = Ledger(store, "signals")
    await ledger.open()
    readable = {
        keys.signals(): {f"signal {n}": "21.5 points 2026-01-02T15:04:05Z" for n in range(10)}
    }
    output = StepOutput({keys.signal_log(): [PAYLOAD]}, readable)
    return await timed(lambda n: ledger.commit(output, cursors={INPUT: n}, state=STATE))


async def plain_appends(url: str) -> np.ndarray:
    """Time XADD alone."""
    async with Redis.from_url(url, protocol=2) as client:
        return await timed(lambda _: client.xadd("plain", {"payload": PAYLOAD}))


async def stage_rate(store: RedisStore) -> float:
    """Return how many entries a second a stage takes that has nothing to compute."""
    ledger = Ledger(store, "ingest")
    await ledger.open()
    for _ in range(ENTRIES // 500):
        await ledger.commit(StepOutput({INPUT: [PAYLOAD] * 500}), state=b"")
    stop = asyncio.Event()

    async def until_caught_up(committed: Committed) -> None:
        if not any((await entries_behind(store, committed.cursors)).values()):
            stop.set()

    begun = time.perf_counter()
    await run_stage(
        store,
        "echo",
        [INPUT],
        Echo,
        stop=stop,
        policy=StagePolicy(max_entries=500),
        after_commit=until_caught_up,
    )
    return ENTRIES / (time.perf_counter() - begun)


async def row(server: RedisServer, name: str) -> str:
    """Measure one server."""
    async with RedisStore(RedisSettings(url=server.url)) as store:
        plain = await plain_appends(server.url)
        taken = await commits(store)
        entries = await stage_rate(store)
    p50, p99 = np.percentile(taken, [50, 99])
    plain_p50, plain_p99 = np.percentile(plain, [50, 99])
    return (
        f"{name:<18} {len(taken) / SECONDS:>9,.0f} {p50:>8.3f} {p99:>8.3f} "
        f"{len(plain) / SECONDS:>9,.0f} {plain_p50:>8.3f} {plain_p99:>8.3f} "
        f"{p50 / plain_p50:>7.2f} {entries:>12,.0f}"
    )


def main() -> None:
    """Print the table."""
    tell = sys.stdout.write
    tell(f"{'':<18} {'commit/s':>9} {'p50 ms':>8} {'p99 ms':>8} {'XADD/s':>9} {'p50 ms':>8} "
          f"{'p99 ms':>8} {'ratio':>7} {'entries/s':>12}\n")  # fmt: skip
    fsyncs: tuple[Fsync, ...] = ("everysec", "always")
    for kind in (RedisServer, ValkeyServer):
        for fsync in fsyncs:
            with (
                tempfile.TemporaryDirectory() as directory,
                kind(Path(directory), appendfsync=fsync) as server,
            ):
                tell(asyncio.run(row(server, f"{kind.__name__[:6]} {fsync}")) + "\n")


if __name__ == "__main__":
    main()
