"""`hedgestat up` runs the auditor beside itself: it comes, comes again, and goes with it."""

import signal
from pathlib import Path

import psutil
import pytest
from fakes.eventually import eventually_sync
from fakes.installation import Installation

pytestmark = [pytest.mark.system, pytest.mark.campaign, pytest.mark.timeout(120)]


def auditors(pid: int) -> list[psutil.Process]:
    """Children of a process that run the auditor."""
    return [child for child in psutil.Process(pid).children() if "auditor" in words_of(child)]


def words_of(process: psutil.Process) -> list[str]:
    """Its command line; empty when it has ended, also when nobody has asked how."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_auditor_is_started_again_and_ends_with_the_others(
    history: Path, tmp_path: Path, number: signal.Signals
) -> None:
    with Installation(tmp_path, history, ["up"]) as installation:
        program = installation.services["up"]
        eventually_sync(lambda: len(auditors(program.pid)) == 1, within_s=30)
        (first,) = auditors(program.pid)
        first.kill()
        eventually_sync(lambda: auditors(program.pid) not in ([], [first]), within_s=30)
        eventually_sync(lambda: _leads(program.log), within_s=60)
        (second,) = auditors(program.pid)
        program.send(number)
        assert program.ended(within_s=10) == (0 if number == signal.SIGTERM else -9)
        eventually_sync(lambda: not words_of(second), within_s=10)
        assert "Traceback" not in program.log


def _leads(log: str) -> bool:
    """Whether an auditor has come to lead."""
    return any('"auditor"' in line and '"leading"' in line for line in log.splitlines())
