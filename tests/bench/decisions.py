"""Journal to decision, ticks a second: `python tests/bench/decisions.py`.

A journal of batched entries (100 basket symbols, VIX and the index 1% of the ticks each, a clock
event each second of event time, closes before that fill every window) is laid into a real Redis;
then both stages run over it with `run_stage`, as their services do, in one process held to one
core. Every VIX and index print makes a snapshot of all signals, which every trigger of the book
judges. Redis runs on the other core.

The peer is the obvious toy (`toy.py`), fed the same ticks from memory: JSON, GET, rule, SET.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

import aiomqtt
import msgspec
import numpy as np
from bench.toy import Toy, parsed
from bench.workload import SYMBOLS, Market, configuration, journal, settings
from fakes.servers import MosquittoServer, RedisServer
from redis.asyncio import Redis
from rich.console import Console
from rich.table import Table

from services.hedger.step import HedgerStep
from services.signals.step import SignalsStep
from shared.adapters.calendars import session_calendar
from shared.adapters.connections import RedisSettings
from shared.adapters.redis_store import RedisStore
from shared.adapters.settings import Settings
from shared.adapters.store import Entry, StageRecord
from shared.domain.effects import Effect
from shared.domain.market.signals import SignalMonitor
from shared.domain.sessions import SessionCalendar
from shared.domain.signals_observed import HedgerInput, SignalsObserved
from shared.domain.tick_block import TickBlock
from shared.runtime.ledger import Ledger, StepOutput
from shared.runtime.stage import Committed, Step, run_stage
from shared.wire import keys
from shared.wire.journal import (
    JournalEntry,
    decode_entry,
    decode_log,
    encode_entry,
    encode_log,
)

LIMIT: Final = 200_000
TOY_TICKS: Final = 20_000
ENTRIES_A_COMMIT: Final = 50


class Timed:
    """A step that notes the processor time it takes."""

    def __init__(self, step: Step) -> None:
        self._step = step
        self.seconds = 0.0
        self.batches = 0

    def receive(self, entries: Sequence[Entry]) -> StepOutput:
        self.batches += 1
        with self._watch():
            return self._step.receive(entries)

    def snapshot(self) -> bytes:
        with self._watch():
            return self._step.snapshot()

    @contextmanager
    def _watch(self) -> Iterator[None]:
        begun = time.process_time()
        yield
        self.seconds += time.process_time() - begun


class Run(NamedTuple):
    """One run of both stages: its seconds, also of the processor, the steps, the decision log."""

    seconds: float
    processor: float
    signals: Timed
    hedger: Timed
    decisions: list[bytes]


async def lay_journal(store: RedisStore, payloads: Sequence[bytes]) -> None:
    """Append it as ingest does."""
    ledger = Ledger(store, "ingest")
    await ledger.open()
    for first in range(0, len(payloads), ENTRIES_A_COMMIT):
        rows = payloads[first : first + ENTRIES_A_COMMIT]
        await ledger.commit(StepOutput({keys.journal(): rows}), state=b"")


async def run_one(
    store: RedisStore, stage: str, source: str, make_step: Callable[[StageRecord], Step], last: int
) -> Timed:
    """Run a stage over the whole of its input, as its service does."""
    stop = asyncio.Event()
    steps: list[Timed] = []

    def make(record: StageRecord) -> Step:
        steps.append(Timed(make_step(record)))
        return steps[-1]

    async def until_caught_up(committed: Committed) -> None:
        if committed.cursors[source] == last:
            stop.set()

    await run_stage(store, stage, [source], make, stop=stop, after_commit=until_caught_up)
    return steps[-1]


async def run_stages(
    url: str, settings: Settings, calendar: SessionCalendar, payloads: Sequence[bytes], logged: int
) -> Run:
    """Run both stages at once."""
    async with RedisStore(RedisSettings(url=url)) as store, Redis.from_url(url) as client:
        await client.flushall()
        await lay_journal(store, payloads)
        begun, used = time.perf_counter(), time.process_time()
        async with asyncio.TaskGroup() as tasks:
            signals = tasks.create_task(
                run_one(
                    store,
                    "signals",
                    keys.journal(),
                    lambda record: SignalsStep(settings.signals, calendar, record.state),
                    len(payloads),
                )
            )
            hedger = tasks.create_task(
                run_one(
                    store,
                    "hedger",
                    keys.signal_log(),
                    lambda record: HedgerStep(
                        settings.books, calendar, settings.digest, record.state
                    ),
                    logged,
                )
            )
        seconds, used = time.perf_counter() - begun, time.process_time() - used
        last = (await store.extent(keys.decisions())).last
        decisions = await store.read({keys.decisions(): 0}, count=last + 1)
    return Run(
        seconds, used, signals.result(), hedger.result(), [entry.payload for entry in decisions]
    )


class Parts:
    """Processor seconds by part of the work, in one pass over the journal without a store.

    Attributes:
        seconds: By name.
        logged: Entries of the signal log.
        snapshots: Snapshots in them.
    """

    def __init__(
        self, settings: Settings, calendar: SessionCalendar, payloads: Sequence[bytes]
    ) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.logged = 0
        self.snapshots = 0
        self._begun = time.process_time()
        monitor = SignalMonitor(settings.signals, calendar)
        hedger = HedgerStep(settings.books, calendar, settings.digest, None)
        for payload in payloads:
            entry = decode_entry(payload)
            self._lap("journal decode")
            observed = observe(monitor, entry)
            self._lap("signals")
            log = encode_log(observed)
            self._lap("log encode")
            inputs = decode_log(log)
            self._lap("log decode")
            for item in inputs:
                for book in hedger.books.values():
                    book.receive(item)
            self._lap("hedger")
            self.logged += bool(observed)
            self.snapshots += sum(isinstance(item, SignalsObserved) for item in observed)

    def _lap(self, part: str) -> None:
        now = time.process_time()
        self.seconds[part] += now - self._begun
        self._begun = now


def observe(monitor: SignalMonitor, entry: JournalEntry) -> list[HedgerInput]:
    """Take a journal entry, as the signals step does."""
    observed: list[HedgerInput] = []
    index = entry.first_index
    for item in entry.items:
        if isinstance(item, TickBlock):
            observed += monitor.receive_block(item, index)
            index += len(item)
        else:
            observed += monitor.receive(item, index)
            index += 1
    return observed


async def run_toy(redis_url: str, port: int, calendar: SessionCalendar) -> float:
    """Ticks a second of the toy."""
    block = Market().ticks(int(calendar.open_ns[1_000]) + np.arange(TOY_TICKS) * 1_000_000)
    payloads = [
        json.dumps({"symbol": SYMBOLS[symbol], "event_time": instant, "price": price}).encode()
        for symbol, instant, price in zip(
            block.symbol.tolist(), block.event_ns.tolist(), block.price.tolist(), strict=True
        )
    ]
    async with Redis.from_url(redis_url) as redis, aiomqtt.Client("127.0.0.1", port) as client:
        toy = Toy(redis, client)
        begun = time.perf_counter()
        for payload in payloads:
            for tick in parsed(payload):
                await toy.receive(tick)
        return TOY_TICKS / (time.perf_counter() - begun)


def counts(decisions: Sequence[bytes]) -> Counter[str]:
    """Effects by kind."""
    decode = msgspec.msgpack.Decoder(Effect).decode
    return Counter(type(decode(payload)).__name__ for payload in decisions)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--entries", type=int, default=2_000, help="journal entries [2000]")
    parser.add_argument("--ticks", type=int, default=1_000, help="ticks in each entry [1000]")
    parser.add_argument(
        "--rate", type=int, default=1_000, help="ticks a second of event time [1000]"
    )
    parser.add_argument("--repeats", type=int, default=3, help="medians of so many runs [3]")
    parser.add_argument("--decisions", type=Path, help="write the decision log to this file")
    options = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    configured = settings(configuration())
    calendar = session_calendar("XNYS", date(1990, 1, 1), date(2026, 1, 1))
    total = options.entries * options.ticks
    payloads = [
        encode_entry(entry)
        for entry in journal(
            calendar,
            entries=options.entries,
            ticks_an_entry=options.ticks,
            ticks_a_second=options.rate,
        )
    ]
    parts = [Parts(configured, calendar, payloads) for _ in range(options.repeats)]
    with (
        tempfile.TemporaryDirectory() as directory,
        RedisServer(Path(directory) / "redis") as redis,
        MosquittoServer(Path(directory) / "mosquitto") as broker,
    ):
        toy = asyncio.run(run_toy(redis.url, broker.port, calendar))
        runs = [
            asyncio.run(run_stages(redis.url, configured, calendar, payloads, parts[0].logged))
            for _ in range(options.repeats)
        ]
    if options.decisions:
        options.decisions.write_bytes(b"\n".join(runs[0].decisions))
    report(total, parts, runs, toy)


def report(total: int, parts: Sequence[Parts], runs: Sequence[Run], toy: float) -> None:
    """Print the table."""
    console = Console(width=110)
    rate = total / statistics.median(run.seconds for run in runs)
    table = Table("journal to decision", "ticks/s", "ratio", "limit", title="Decisions")
    table.add_row(
        "hedgestat, both stages, one core", f"{rate:,.0f}", f"{rate / toy:.0f}", f"≥ {LIMIT:,}"
    )
    table.add_row("the obvious toy", f"{toy:,.0f}", "1", "")
    console.print(table)
    split = Table("part", "s", "ns a tick", "µs a snapshot", title="Where the processor time goes")
    snapshots = parts[0].snapshots

    def row(name: str, seconds: float) -> None:
        split.add_row(
            name,
            f"{seconds:.3f}",
            f"{seconds / total * 1e9:,.0f}",
            f"{seconds / snapshots * 1e6:,.1f}",
        )

    for name in parts[0].seconds:
        row(name, statistics.median(part.seconds[name] for part in parts))
    row("signals step, whole", statistics.median(run.signals.seconds for run in runs))
    row("hedger step, whole", statistics.median(run.hedger.seconds for run in runs))
    row(
        "read, commit, loop",
        statistics.median(run.processor - run.signals.seconds - run.hedger.seconds for run in runs),
    )
    console.print(split)
    found = counts(runs[0].decisions)
    console.print(
        f"{total:,} ticks, {snapshots:,} snapshots, {runs[0].signals.batches} + "
        f"{runs[0].hedger.batches} commits; "
        + ", ".join(f"{name} {count:,}" for name, count in found.most_common())
    )


if __name__ == "__main__":
    main()
