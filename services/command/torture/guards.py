"""What stood in the way of harm, counted: from the services' pages of metrics."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Final

_PATIENCE_S: Final = 0.5


async def scrape(port: int) -> dict[str, float]:
    """Read the samples of a page of metrics; none when nobody answers at once."""
    try:
        async with asyncio.timeout(_PATIENCE_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(b"GET /metrics HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
                return _samples((await reader.read()).decode(errors="replace"))
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return {}


def _samples(page: str) -> dict[str, float]:
    samples = {}
    for line in page.partition("\r\n\r\n")[2].splitlines():
        name, _, value = line.rpartition(" ")
        if name and not name.startswith("#"):
            try:
                samples[name] = float(value)
            except ValueError:
                continue
    return samples


class Tally:
    """Sums counters over the lives of processes, each of which begins at 0.

    Attributes:
        counts: By sample, `name{labels}`, summed over processes and lives.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._last: dict[tuple[str, str], float] = {}

    def take(self, process: str, samples: Mapping[str, float]) -> None:
        """Take a page of one process."""
        for name, value in samples.items():
            if "_total" not in name:
                continue
            last = self._last.get((process, name), 0.0)
            self.counts[name] += int(value - last if value >= last else value)
            self._last[process, name] = value
