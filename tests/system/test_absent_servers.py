"""Servers that are not there yet: said in a line, tried again at growing intervals, and used."""

import contextlib
import json
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest
from fakes.eventually import eventually_sync
from fakes.installation import Installation
from fakes.outcome import Run

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

SAYS = {
    "redis": {"event": "lease_waits", "stage": "signals"},
    "mosquitto": {"event": "bus_trouble", "service": "ingest"},
}
"""What one part of one service says each time that it tries in vain."""


def parsed(log: str) -> Iterator[dict[str, str]]:
    """The lines of a log; the auditor writes there too, and now and then into another's line."""
    for line in log.splitlines():
        with contextlib.suppress(json.JSONDecodeError):
            yield json.loads(line)


@pytest.mark.parametrize("absent", SAYS)
def test_a_server_that_is_absent_at_the_start_is_waited_for(
    absent: str, history: Path, undisturbed: Run, tmp_path: Path
) -> None:
    with Installation(tmp_path, history, ["up"]) as installation:
        up, server = installation.services["up"], installation.servers[absent]
        up.kill()
        server.kill()
        up.exits.clear()
        up.start()

        def tries() -> list[float]:
            return [
                datetime.fromisoformat(line["timestamp"]).timestamp()
                for line in parsed(up.log)
                if SAYS[absent].items() <= line.items()
            ]

        eventually_sync(lambda: len(tries()) >= 6, within_s=30)
        pauses = [later - earlier for earlier, later in pairwise(tries())]
        # A process that starts for the first time compiles meanwhile, and one pause is longer.
        assert pauses[4] > 2 * min(pauses[:3]), pauses
        assert f"127.0.0.1:{server.port}" in up.log or "Connection refused" in up.log
        server.start()
        installation.replay()
        assert up.exits == []
        assert "Traceback" not in up.log
        assert installation.outcome() == undisturbed.outcome
