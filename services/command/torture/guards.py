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


SWEEP_GUARDS: Final = (
    'hedge_gateway_orders_total{status="duplicate"}',
    *(
        f'hedge_orders_refused_total{{reason="{reason}"}}'
        for reason in (
            "bad_signature",
            "unknown_key",
            "malformed",
            "wrong_book",
            "conflict",
            "superseded",
            "expired",
            "halted",
            "misnamed",
            "misstated",
            "config_digest",
            "unknown_leg",
            "max_order_vega",
            "max_price_deviation",
        )
    ),
    'hedge_gateway_commands_refused_total{reason="unknown_key"}',
    'hedge_answers_refused_total{reason="unknown_key"}',
    *(
        f'hedge_rejects_total{{reason="{reason}"}}'
        for reason in ("malformed", "unknown_symbol", "future", "late", "crossed", "not_positive")
    ),
)
"""Guards that a campaign is expected to see at work: one that never fired has shown nothing."""


def never_fired(counts: Mapping[str, int]) -> list[str]:
    """Name the guards that a campaign has shown nothing about."""
    return [name for name in SWEEP_GUARDS if not counts.get(name)]
