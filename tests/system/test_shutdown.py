"""SIGTERM and Ctrl-C: whoever is told to stop stops soon, and leaves nothing behind."""

import os
import signal
from pathlib import Path

import psutil
import pytest
from fakes.eventually import eventually_sync
from fakes.installation import SERVICES, Disturbance, Installation
from fakes.outcome import Run
from fakes.programs import hedgestat

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

EXITS = dict.fromkeys(SERVICES, 0) | {"feed": 130}
"""A stopped service has done its part; a stopped replay has not."""


@pytest.mark.timeout(240)
def test_sigterm_in_mid_replay_ends_each_service_in_good_order_and_its_successor_goes_on(
    history: Path, undisturbed: Run, tmp_path: Path
) -> None:
    with Installation(tmp_path, history) as installation:

        def terminate(name: str) -> None:
            program = installation.programs[name]
            program.send(signal.SIGTERM)
            assert program.ended(within_s=5) == EXITS[name]

        def disturbance(name: str) -> Disturbance:
            share = (tuple(EXITS).index(name) + 1) / (len(EXITS) + 1)
            return undisturbed.come_to(share), lambda: terminate(name)

        reached = installation.replay(*map(disturbance, EXITS), within_s=180.0)
        assert 0 < reached[0] < reached[-1] < undisturbed.length
        assert not any("Traceback" in each.log for each in installation.programs.values())
        assert installation.outcome() == undisturbed.outcome


def test_ctrl_c_of_the_demo_leaves_no_process_and_no_directory_and_it_can_be_run_again(
    tmp_path: Path,
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    environment = {"TMPDIR": str(scratch), "COLUMNS": "200"}
    demo = hedgestat("demo", name="demo", directory=tmp_path, environment=environment)
    demo.start()
    try:
        eventually_sync(lambda: "ORDER" in demo.log, within_s=30)
        family = psutil.Process(demo.pid).children(recursive=True)
        assert len(family) >= 2, "a broker and a store"
        assert list(scratch.iterdir())
        os.killpg(demo.pid, signal.SIGINT)
        assert demo.ended(within_s=10) == 130, demo.log
    finally:
        demo.kill()
    assert "Traceback" not in demo.log
    assert not [process for process in family if process.is_running()]
    assert not list(scratch.iterdir())

    days = ["--from", "2018-01-02", "--to", "2018-02-09"]
    again = hedgestat("demo", *days, name="again", directory=tmp_path, environment=environment)
    again.start()
    assert again.ended(within_s=30) == 0, again.log
    assert "February 2018: HER" in again.log
    assert not list(scratch.iterdir())
