"""A sound configuration to spoil, and what is then said of it."""

from pathlib import Path

import pytest

from shared.adapters.settings import Fault, FaultyConfiguration, Settings, load_settings

SOUND = """
[symbols.VIX]
[symbols.SPX]

[[books]]
name = "overlay"
rule = "option_a"
[books.portfolio]
value = 50_000_000
weights = { SPX = 1.0 }
[books.sizing]
base_vega = 1000
[books.triggers]
[books.triggers.fast]
[[books.legs]]
name = "varswap"
instrument = "variance_swap"
symbol = "VIX"
maturity = "90 days"
max_vega = 2000
[books.limits]
max_order_vega = 2000
max_order_notional = 150_000
max_position_vega = 2000
max_orders_per_day = 20
max_orders_per_minute = 4
max_daily_turnover = 1_000_000
max_daily_loss = 250_000
max_price_deviation = "15%"
max_repeats = 4
repeat_window = "10 min"
duplicate_window = "1 min"
"""


def load(directory: Path, text: str, environment: dict[str, str] | None = None) -> Settings:
    path = directory / "hedges.toml"
    path.write_text(text)
    return load_settings(path, environment or {})


def faults_of(
    directory: Path, text: str, environment: dict[str, str] | None = None
) -> tuple[Fault, ...]:
    with pytest.raises(FaultyConfiguration) as refusal:
        load(directory, text, environment)
    return refusal.value.faults


def only_fault(directory: Path, text: str) -> Fault:
    (fault,) = faults_of(directory, text)
    return fault


def check_fault(fault: Fault, key: str, problem: str, remedy: str) -> None:
    """A fault names its key and its line, and says what is wrong and what to write instead."""
    assert fault.key.split(".")[-1] == key
    assert problem in fault.problem
    assert remedy in fault.remedy
    assert fault.line > 0


def line_of(text: str, part: str) -> int:
    return next(n for n, line in enumerate(text.splitlines(), 1) if part in line)


def spoilt(old: str, new: str) -> str:
    """The sound configuration with one part of it replaced."""
    assert old in SOUND
    return SOUND.replace(old, new, 1)
