"""Faults: all of them, each at its line."""

from pathlib import Path

import pytest
from fakes.configurations import SOUND, faults_of, line_of, load, only_fault

from shared.adapters.settings import FaultyConfiguration


def test_a_fault_stands_at_the_line_of_its_key_or_of_its_table(tmp_path: Path) -> None:
    wrong = SOUND.replace("base_vega = 1000", "base_vega = 1000\nfloor = 3")
    assert only_fault(tmp_path, wrong).line == line_of(wrong, "floor = 3")
    missing = SOUND.replace("base_vega = 1000\n", "")
    assert only_fault(tmp_path, missing).line == line_of(missing, "[books.sizing]")


def test_a_fault_reads_like_a_compiler_message(tmp_path: Path) -> None:
    with pytest.raises(FaultyConfiguration) as refusal:
        load(tmp_path, SOUND.replace("base_vega = 1000", "base_vega = -1"))
    assert str(refusal.value) == (
        f"{tmp_path / 'hedges.toml'}: line 12: books[0].sizing.base_vega: -1 is out of range; "
        "write a number more than 0"
    )


def test_every_fault_is_said_at_once_in_the_order_of_lines(tmp_path: Path) -> None:
    text = (
        SOUND.replace("base_vega = 1000", 'base_vega = "much"')
        .replace("max_order_vega = 2000", "max_order_vega = 0")
        .replace('symbol = "VIX"', 'symbol = "NDX"')
        .replace("[books.triggers]", "[books.triggers]\ncooldown = 15")
        + '[logs]\nlevle = "info"\n'
    )
    faults = faults_of(tmp_path, text)
    assert [fault.key for fault in faults] == [
        "symbols",
        "books[0].sizing.base_vega",
        "books[0].triggers.cooldown",
        "books[0].limits.max_order_vega",
        "logs.levle",
    ]
