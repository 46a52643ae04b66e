"""Kill -9 in mid-replay: whoever it hits, the run goes on by itself and decides the same."""

from pathlib import Path

import pytest
from fakes.installation import Installation
from fakes.outcome import Run

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

VICTIMS = ("redis", "mosquitto", "ingest", "signals", "hedger", "gateway", "feed")


@pytest.mark.parametrize("victim", VICTIMS)
def test_killed_twice_in_mid_replay_the_run_goes_on_and_decides_the_same(
    victim: str, history: Path, undisturbed: Run, tmp_path: Path
) -> None:
    with Installation(tmp_path, history) as installation:
        strikes = [undisturbed.length * share for share in (0.25, 0.6)]
        reached = installation.replay(
            *((strike, lambda: installation.kill(victim)) for strike in strikes)
        )
        outcome = installation.outcome()
    assert 0 < reached[0] < reached[1] < undisturbed.length
    assert outcome == undisturbed.outcome
