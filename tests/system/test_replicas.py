"""Two hedgers on real servers: never two that act, and a leader that wakes too late is refused."""

import json
from pathlib import Path
from typing import Final

import pytest
from fakes.eventually import eventually_sync
from fakes.installation import Installation
from fakes.outcome import Run
from fakes.programs import Program
from fakes.replicas import (
    Replicas,
    freeze,
    is_frozen,
    percentile,
    stands_by,
    thaw,
)

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]

LEAST_FROZEN: Final = 10
STAGES: Final = {"ingest", "signals", "hedger"}


def events(program: Program, name: str) -> list[dict[str, str]]:
    """What a program has logged under a name."""
    lines = [line for line in program.log.splitlines() if f'"event": "{name}"' in line]
    return [json.loads(line) for line in lines]


@pytest.mark.campaign
def test_a_leader_frozen_between_its_last_check_and_the_sending_is_refused_when_it_wakes(
    history: Path, undisturbed: Run, tmp_path: Path
) -> None:
    with Installation(tmp_path, history) as installation:
        noted = tmp_path / "frozen"
        noted.mkdir()
        installation.make_freezing("hedger", noted)
        replicas = Replicas(installation, "hedger")
        rounds = 0

        def stale() -> int:
            taken = events(installation.services["gateway"], "order_taken")
            return sum(each["status"] == "superseded" for each in taken)

        def wake_once_the_other_is_about_to_send() -> None:
            nonlocal rounds
            first = next(filter(is_frozen, replicas.programs), None)
            if first is None:
                return
            second, refused = replicas.other(first), stale()
            eventually_sync(lambda: is_frozen(second))
            thaw(first)
            eventually_sync(lambda: stale() > refused)
            thaw(second)
            rounds += 1

        installation.replay(every_time=wake_once_the_other_is_about_to_send, within_s=150)
        print(f"{rounds} leaders frozen, {stale()} stale sendings refused")  # noqa: T201
        assert stale() >= rounds >= LEAST_FROZEN
        assert not any("Traceback" in program.log for program in replicas.programs)
        outcome = installation.outcome()
        assert len(outcome.accepted) == len(set(outcome.accepted))
        assert outcome == undisturbed.outcome


@pytest.mark.campaign
def test_of_two_machines_one_dies_in_mid_replay_and_the_other_decides_the_same(
    history: Path, undisturbed: Run, tmp_path: Path
) -> None:
    with Installation(tmp_path, history, services=("up",)) as installation:
        first = installation.services["up"]
        eventually_sync(lambda: len(events(first, "leading")) >= len(STAGES), within_s=30)
        second = installation.another("up", "up", "--without", "gateway")
        installation.services["up-2"] = second
        second.start()
        eventually_sync(lambda: len(events(second, "standing_by")) >= len(STAGES), within_s=30)
        [reached] = installation.replay((undisturbed.half_way, first.kill), within_s=120)
        assert 0 < reached < undisturbed.length
        assert {each["stage"] for each in events(second, "leading")} >= STAGES
        assert installation.outcome() == undisturbed.outcome


@pytest.mark.parametrize("rounds", [10, pytest.param(25, marks=pytest.mark.campaign)])
def test_the_other_leads_within_two_seconds_of_a_leader_freezing(
    history: Path, tmp_path: Path, rounds: int
) -> None:
    with Installation(tmp_path, history) as installation:
        replicas = Replicas(installation, "hedger")
        took_s = []
        for _ in range(rounds):
            frozen, seconds = replicas.replace(freeze)
            took_s.append(seconds)
            thaw(frozen)
            eventually_sync(lambda: stands_by(frozen))  # noqa: B023 - awaited here
        p50, p99 = percentile(took_s, 0.5), percentile(took_s, 0.99)
        print(f"{rounds} take-overs: p50 {p50:.2f} s, p99 {p99:.2f} s")  # noqa: T201
        assert p99 <= 2.0
