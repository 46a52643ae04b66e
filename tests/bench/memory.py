"""Memory over a long replay: `python tests/bench/memory.py`.

`hedgestat up` runs against a real Mosquitto and Redis, configured as the demo is, and the demo's
five years of history are replayed to it from here. After each simulated quarter its resident
memory is read, and the store's. The slope is fitted from the end of the first year on, when
windows are full and code is compiled: it should be next to nothing a year for the services. The
store keeps decisions for ever; what it holds of the journal and the log is bounded by retention.
"""

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from subprocess import Popen
from typing import Any, Final, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import psutil
from fakes.keys import write_keys
from fakes.servers import MosquittoServer, RedisServer
from redis import Redis
from rich.console import Console
from rich.table import Table

from services.feed.__main__ import run as run_feed
from services.feed.pacing import NumberedStep
from services.feed.service import FeedPolicy
from shared.adapters.history.packaged import packaged_history
from shared.adapters.history.replay import replay_steps
from shared.adapters.history.sessions import checked
from shared.adapters.settings import load_settings
from shared.domain.instants import SECOND
from shared.runtime.site import Site

CONFIGURATION: Final = Path(__file__).parents[2] / "deploy" / "demo.toml"
MEGABYTE: Final = 1024 * 1024


class Sample(NamedTuple):
    """Resident megabytes at a simulated instant, counted in years."""

    year: float
    services: float
    store: float


class Watch:
    """Reads memory when a simulated quarter is over."""

    def __init__(self, process: psutil.Process, redis: Redis) -> None:
        self._process = process
        self._redis = redis
        self._quarter = -1
        self.samples: list[Sample] = []

    def on_step(self, step: NumberedStep) -> None:
        day = datetime.fromtimestamp(step.clock.event_ns / SECOND, tz=UTC).date()
        quarter = day.year * 4 + (day.month - 1) // 3
        if quarter != self._quarter:
            self._quarter = quarter
            self.sample(quarter / 4)

    def sample(self, year: float) -> None:
        """Read both."""
        memory: Any = self._redis.info("memory")
        rss = self._process.memory_info().rss
        self.samples.append(Sample(year, rss / MEGABYTE, memory["used_memory"] / MEGABYTE))


@contextmanager
def hedgestat(environment: dict[str, str], directory: Path) -> Iterator[psutil.Process]:
    """Run all services in one process."""
    config = directory / "hedgestat.toml"
    write_keys(directory / "keys")
    config.write_text(CONFIGURATION.read_text() + '[logs]\nlevel = "warning"\n')
    command = [sys.executable, "-m", "services", "up", "-c", str(config)]
    process = Popen(command, env=os.environ | environment, cwd=directory)
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(10)


def replay(first: date, last: date) -> list[Sample]:
    """Replay these days; returns what was read meanwhile."""
    with (
        tempfile.TemporaryDirectory() as name,
        MosquittoServer(Path(name) / "broker") as broker,
        RedisServer(Path(name) / "redis", appendfsync="always") as redis,
    ):
        environment = {"HEDGESTAT_MQTT_URL": broker.url, "HEDGESTAT_REDIS_URL": redis.url}
        settings = load_settings(CONFIGURATION, environment)
        site = Site(settings=settings, instance="-bench")
        wanted = settings.calendar
        history = checked(packaged_history(), wanted.name, wanted.overrides)
        known = [series for series in history if series.symbol in settings.intake.symbols]
        steps = list(replay_steps(known, site.calendar(), first, last))
        with hedgestat(environment, Path(name)) as process:
            watch = Watch(process, Redis.from_url(redis.url))
            asyncio.run(run_feed(site, steps, FeedPolicy(source="bench"), watch.on_step))
            watch.sample(last.year + last.timetuple().tm_yday / 366)
    return watch.samples


def slope(samples: Sequence[Sample], column: int) -> float:
    """Megabytes a simulated year, after the first."""
    late = [sample for sample in samples if sample.year >= samples[0].year + 1]
    if len(late) < 2:
        return float("nan")
    years = [sample.year for sample in late]
    return float(np.polyfit(years, [sample[column] for sample in late], 1)[0])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--from", dest="first", type=date.fromisoformat, default=date(2014, 1, 3))
    parser.add_argument("--to", dest="last", type=date.fromisoformat, default=date(2018, 12, 31))
    options = parser.parse_args()
    samples = replay(options.first, options.last)
    table = Table("simulated", "services MB", "store MB", title="Memory")
    for sample in samples:
        if sample.year % 1 == 0 or sample in {samples[0], samples[-1]}:
            table.add_row(f"{sample.year:.2f}", f"{sample.services:.1f}", f"{sample.store:.1f}")
    table.add_section()
    table.add_row("slope a year", f"{slope(samples, 1):+.2f}", f"{slope(samples, 2):+.2f}")
    table.add_row("limit", "≤ 1", "")
    Console(width=80).print(table)


if __name__ == "__main__":
    main()
