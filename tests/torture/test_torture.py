"""The campaign on real servers: the CI tier, and the longer one that waits for `--campaigns`."""

import re
import signal
from pathlib import Path

import pytest
from fakes.eventually import eventually_sync
from fakes.programs import hedgestat

pytestmark = [pytest.mark.system]


def tortured(directory: Path, *words: str, within_s: float) -> str:
    """Run a campaign that must end well; what it printed: seeds and figures."""
    program = hedgestat(
        "torture", *words, "--keep", str(directory / "kept"), name="torture", directory=directory
    )
    program.start()
    try:
        assert program.ended(within_s=within_s) == 0, program.log
    finally:
        program.kill()
    print(program.log)  # noqa: T201 - for whoever runs it with -s
    return program.log


def counted(log: str) -> tuple[int, int, int]:
    """Orders, kills and violations, as a campaign's last words have them."""
    [figures] = re.findall(
        r"^([\d,]+) orders, ([\d,]+) kills, ([\d,]+) violations$", log, re.MULTILINE
    )
    orders, kills, violations = (int(figure.replace(",", "")) for figure in figures)
    return orders, kills, violations


@pytest.mark.timeout(1000)
def test_of_50_000_orders_none_is_doubled_or_wrong_after_300_kills_with_every_guard_provoked(
    tmp_path: Path,
) -> None:
    dense = ("--sweeps", "2", "--orders", "25000", "--kills", "110")
    log = tortured(tmp_path, *dense, "--minutes", "1", "--scenarios", "provocations", within_s=980)
    orders, kills, violations = counted(log)
    assert orders >= 50_000
    assert kills >= 300
    assert violations == 0


@pytest.mark.campaign
@pytest.mark.timeout(900)
def test_a_campaign_with_every_scenario_violates_nothing(tmp_path: Path) -> None:
    assert "violations" in tortured(tmp_path, "--minutes", "5", within_s=880)


@pytest.mark.timeout(120)
def test_ctrl_c_ends_a_campaign_with_130_and_leaves_what_there_is(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    words = ("torture", "--minutes", "5", "--keep", str(kept))
    program = hedgestat(*words, name="torture", directory=tmp_path)
    program.start()
    try:
        eventually_sync(lambda: any(kept.rglob("gateway-1.log")), within_s=60)
        program.send(signal.SIGINT)
        assert program.ended(within_s=40) == 130, program.log
    finally:
        program.kill()
    assert str(kept) in program.log
