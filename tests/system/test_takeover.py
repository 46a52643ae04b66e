"""Two of one service at once: one leads, the other takes over, and nothing is done twice."""

import signal
from pathlib import Path

import pytest
from fakes.installation import Installation
from fakes.outcome import Run
from fakes.programs import Program
from fakes.replicas import Replicas, freeze, thaw
from fakes.witness import Witness

pytestmark = [pytest.mark.system, pytest.mark.campaign, pytest.mark.timeout(180)]

LONGEST_S = {"frozen": 2.0, "stopped": 1.0, "killed": 2.0}
"""Until the other leads."""


@pytest.mark.parametrize("name", ["ingest", "signals", "hedger"])
def test_a_leader_frozen_stopped_or_killed_in_mid_replay_is_followed_and_decisions_are_the_same(
    name: str, history: Path, undisturbed: Run, tmp_path: Path
) -> None:
    took_s: dict[str, float] = {}

    def past(share: float, witness: Witness) -> bool:
        return witness.reached >= share * undisturbed.length

    def stop(program: Program) -> None:
        program.send(signal.SIGTERM)

    with Installation(tmp_path, history) as installation:
        replicas = Replicas(installation, name)

        def freeze_the_leader() -> None:
            frozen, took_s["frozen"] = replicas.replace(freeze)
            thaw(frozen)

        def stop_the_leader() -> None:
            stopped, took_s["stopped"] = replicas.replace(stop)
            assert stopped.ended(within_s=5) == 0

        def kill_the_leader() -> None:
            _, took_s["killed"] = replicas.replace(Program.kill)

        reached = installation.replay(
            (lambda witness: past(0.25, witness), freeze_the_leader),
            (lambda witness: past(0.5, witness), stop_the_leader),
            (lambda witness: past(0.75, witness), kill_the_leader),
        )
        print(f"{name}: the other led after", {how: f"{s:.2f} s" for how, s in took_s.items()})  # noqa: T201
        assert all(0 < at < undisturbed.length for at in reached)
        assert all(took_s[how] <= longest_s for how, longest_s in LONGEST_S.items())
        assert not any("Traceback" in program.log for program in replicas.programs)
        assert installation.outcome() == undisturbed.outcome
