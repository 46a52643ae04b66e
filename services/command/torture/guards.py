"""What stood in the way of harm, counted: from the services' pages of metrics."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

_PATIENCE_S: Final = 0.5
_EVERY_S: Final = 1.0


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


async def follow(pages: Mapping[str, int], tally: Tally) -> None:
    """Read pages of metrics, each at its port, into a tally until cancelled."""
    while True:
        for process, port in pages.items():
            tally.take(process, await scrape(port))
        await asyncio.sleep(_EVERY_S)


SWEEP_GUARDS: Final = (
    "hedge_audit_sweeps_total",
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
        )
    ),
    'hedge_gateway_commands_refused_total{reason="unknown_key"}',
    'hedge_answers_refused_total{reason="unknown_key"}',
    *(
        f'hedge_rejects_total{{reason="{reason}"}}'
        for reason in ("malformed", "unknown_symbol", "future", "late", "crossed", "not_positive")
    ),
)
"""Guards that sweeps are expected to see at work: one that never fired has shown nothing."""

_REASONS: Final[Mapping[str, tuple[str, ...]]] = {
    'hedge_orders_refused_total{{reason="{}"}}': (
        "retained",
        "wrong_environment",
        "misnamed",
        "misstated",
        "config_digest",
        "unknown_leg",
        "reducing",
        "stale_mark",
        "max_price_deviation",
        "max_order_vega",
        "max_order_notional",
        "max_position_vega",
        "max_orders_per_day",
        "max_daily_turnover",
        "max_daily_loss",
        "max_orders_per_minute",
        "max_repeats",
        "duplicate",
    ),
    'hedge_gateway_commands_refused_total{{reason="{}"}}': (
        "malformed",
        "retained",
        "bad_signature",
        "wrong_environment",
        "unknown_scope",
        "wrong_topic",
        "replayed",
        "too_old",
        "from_the_future",
        "not_stricter",
        "not_entitled",
    ),
    'hedge_commands_refused_total{{reason="{}"}}': (
        "unsigned",
        "unknown_key",
        "bad_signature",
        "wrong_environment",
        "wrong_state",
        "unknown_book",
        "stale_command",
    ),
    'hedge_answers_refused_total{{reason="{}"}}': (
        "malformed",
        "bad_signature",
        "wrong_environment",
    ),
    'hedge_gateway_dead_man_total{{state="{}"}}': ("reducing", "halted"),
    'hedge_audit_mismatches_total{{kind="{}"}}': ("forged",),
    'hedge_audit_halts_total{{path="{}"}}': ("local", "bus"),
}
PROVOKED_GUARDS: Final = tuple(
    sample.format(reason) for sample, reasons in _REASONS.items() for reason in reasons
)
"""Guards that the provocations provoke."""

STORE_GUARDS: Final = ('hedge_gateway_commands_refused_total{reason="epoch_regress"}',)
"""Guards against a store that went back, as it does in the other scenarios."""


def never_fired(counts: Mapping[str, int], expected: Sequence[str]) -> list[str]:
    """Name the guards that a campaign has shown nothing about."""
    return [name for name in expected if not counts.get(name)]
