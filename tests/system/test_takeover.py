"""Two of one service at once: the newer one takes over, and nothing is done twice."""

from pathlib import Path

import pytest
from fakes.eventually import eventually_sync
from fakes.installation import Installation
from fakes.outcome import Run

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]


@pytest.mark.parametrize("name", ["ingest", "signals", "hedger"])
def test_the_older_of_two_ends_with_a_reason_and_no_order_is_doubled(
    name: str, history: Path, undisturbed: Run, tmp_path: Path
) -> None:
    with Installation(tmp_path, history) as installation:
        older = installation.services[name]

        def take_over() -> None:
            installation.feed.kill()  # until the newer one is there; then it goes on
            newer = installation.services[name] = installation.another(name)
            newer.start()
            eventually_sync(lambda: "bus_connected" in newer.log)

        [reached] = installation.replay((undisturbed.half_way, take_over))
        assert 0 < reached < undisturbed.length
        assert older.ended(within_s=10) == 1
        assert f"{name}: another process runs this stage" in older.log
        assert "Traceback" not in older.log
        assert installation.services[name].exits == []
        assert installation.outcome() == undisturbed.outcome
