"""Symbols, intake and signals."""

from pathlib import Path

import pytest
from fakes.configurations import SOUND, check_fault, load, only_fault
from msgspec import UNSET

from shared.domain.instants import SECOND


@pytest.mark.parametrize(
    ("section", "key", "problem", "remedy"),
    [
        ("[broker]", "broker", "unknown key", "known here are"),
        ("[symbols.vix]", "vix", "cannot be a symbol", "A-Z"),
        ("[signals.correlation]\nbasket = [1]", "basket", "every", '"A"'),
        ('[signals]\nvix_frozen_after = "9 ticks"', "vix_frozen_after", "no time", "2 min"),
        ("[signals.regime]\nlow_below = 0.15", "low_below", "decimal", "15"),
        ("[signals.regime]\nlow_below = 1500", "low_below", "range", "250"),
        ("[signals.regime]\nlow_below = []", "low_below", "a list", "18"),
        ("[signals.regime]\nlow_below = 30", "high_above", "not above", "higher"),
        (
            "[signals.crash_intensity]\nalpha_per_day = 0.2",
            "alpha_per_day",
            "below beta",
            "smaller",
        ),
        (
            "[signals.term_structure]\nconstant_maturity = true",
            "constant_maturity",
            "not given",
            "expiries",
        ),
    ],
)
def test_a_section_about_the_market_is_checked(
    tmp_path: Path, section: str, key: str, problem: str, remedy: str
) -> None:
    check_fault(only_fault(tmp_path, f"{SOUND}{section}\n"), key, problem, remedy)


def test_constant_maturity_takes_expiries_with_their_zone(tmp_path: Path) -> None:
    table = SOUND + "[signals.term_structure]\nconstant_maturity = true\n"
    settings = load(
        tmp_path,
        table + "expiries = { VX1 = 2018-02-14T09:30:00-05:00, VX3 = 2018-04-18T13:30:00Z }\n",
    )
    assert settings.signals.term_structure.expiries["VX1"] == 1_518_618_600 * SECOND
    zoneless = "expiries = { VX1 = 2018-02-14T09:30:00, VX3 = 2018-04-18T13:30:00Z }\n"
    assert only_fault(tmp_path, table + zoneless).problem == "has no time zone"
    dateless = "expiries = { VX1 = 2018-02-14, VX3 = 2018-04-18T13:30:00Z }\n"
    assert only_fault(tmp_path, table + dateless).problem == "is a date, not an instant"


def test_signals_that_cost_are_asked_for_by_the_rules_that_read_them(tmp_path: Path) -> None:
    assert load(tmp_path, SOUND).signals.asked is UNSET
    text = SOUND.replace('"option_a"', '"veqtor_like"')
    assert load(tmp_path, text).signals.asked == ("index_return_5d", "vix_trend")
    fault = only_fault(tmp_path, SOUND.replace('"option_a"', '"vxth"'))
    assert fault.problem == "VX1 is used by signals.term_structure but not declared"
