"""Whether anybody keeps this machine's clock right."""

import sys

import pytest

from shared.adapters.examination.clocks import examine_clock, is_synchronized


def test_a_clock_that_nobody_keeps_right_is_a_fault_with_a_remedy() -> None:
    finding = examine_clock(lambda: False)
    assert not finding.is_well
    assert "NTP" in finding.remedy


@pytest.mark.parametrize("told", [True, None])
def test_one_that_is_kept_right_or_of_which_nothing_is_known_is_none(told: bool | None) -> None:  # noqa: FBT001 - an answer
    assert examine_clock(lambda: told).is_well


@pytest.mark.skipif(sys.platform != "linux", reason="others do not tell")
def test_linux_tells() -> None:
    assert is_synchronized() in {True, False}
