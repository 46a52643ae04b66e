"""Kill -9 in mid-replay: whoever it hits, the run goes on by itself and decides the same."""

from pathlib import Path

import pytest
from fakes.installation import SERVERS, SERVICES, Disturbance, Installation
from fakes.outcome import Run

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

VICTIMS = (*SERVERS, *SERVICES, "feed")
ENDS: dict[str, list[int]] = {name: [] for name in SERVICES} | {"feed": [0]}
KILLED = {name: {name: [-9, -9, *exits]} for name, exits in ENDS.items()}


@pytest.mark.timeout(240)
def test_each_killed_in_its_turn_the_run_goes_on_and_decides_the_same(
    history: Path, undisturbed: Run, tmp_path: Path
) -> None:
    with Installation(tmp_path, history) as installation:

        def kill(victim: str) -> Disturbance:
            share = (VICTIMS.index(victim) + 1) / (len(VICTIMS) + 1)
            return undisturbed.come_to(share), lambda: installation.kill(victim)

        reached = installation.replay(*map(kill, VICTIMS), within_s=180.0)
        assert 0 < reached[0] < reached[-1] < undisturbed.length
        ends = {name: program.exits for name, program in installation.programs.items()}
        assert ends == {name: [-9, *exits] for name, exits in ENDS.items()}, (
            "it took others with it"
        )
        assert installation.outcome() == undisturbed.outcome


@pytest.mark.campaign
@pytest.mark.parametrize("victim", VICTIMS)
def test_killed_twice_in_mid_replay_the_run_goes_on_and_decides_the_same(
    victim: str, history: Path, undisturbed: Run, tmp_path: Path
) -> None:
    with Installation(tmp_path, history) as installation:

        def kill() -> None:
            installation.kill(victim)

        while_an_order_is_on_its_way = undisturbed.next_order_after(0.6)
        first, second = installation.replay(
            (lambda witness: witness.reached >= undisturbed.length / 4, kill),
            (while_an_order_is_on_its_way, kill),
        )
        assert 0 < first < second < undisturbed.length
        ends = {name: program.exits for name, program in installation.programs.items()}
        assert ends == ENDS | KILLED.get(victim, {}), "it took others with it"
        assert installation.outcome() == undisturbed.outcome
