"""What a book trades: legs, options that decay, and ladders of listed ones."""

from pathlib import Path

import pytest
from fakes.configurations import SOUND, check_fault, faults_of, load, only_fault, spoilt

from shared.domain.strategy_policies import ListedLegPolicy


@pytest.mark.parametrize(
    ("old", "new", "key", "problem", "remedy"),
    [
        (
            "max_vega = 2000",
            "max_vega = 2000\nweight = 0.5",
            "legs",
            "sum to 0.5, not 1",
            "sum to 1",
        ),
        ('maturity = "90 days"', "", "maturity", "is missing", "90 days"),
        ('"variance_swap"', '"varianceswap"', "instrument", "is not one of", "'variance_swap'"),
        ('"variance_swap"', '"bond"', "instrument", "is not one of", "another"),
        ('"variance_swap"', '"put"', "vega_per_unit", "is missing", "vol point"),
    ],
)
def test_numbers_of_a_leg_are_checked(  # noqa: PLR0913, PLR0917 - one row of the table
    tmp_path: Path, old: str, new: str, key: str, problem: str, remedy: str
) -> None:
    check_fault(only_fault(tmp_path, spoilt(old, new)), key, problem, remedy)


def test_without_legs_there_are_no_orders(tmp_path: Path) -> None:
    start, end = SOUND.index("[[books.legs]]"), SOUND.index("[books.limits]")
    assert "there is no leg" in only_fault(tmp_path, SOUND[:start] + SOUND[end:]).problem


OPTION = """[[books.legs]]
name = "call"
instrument = "vix_call"
symbol = "VX1"
maturity = "30 days"
max_vega = 2000
weight = 0.5
vega_per_unit = 0.1
"""
WITH_OPTION = (
    SOUND.replace("max_vega = 2000\n", "max_vega = 2000\nweight = 0.5\n", 1).replace(
        "[symbols.SPX]", "[symbols.SPX]\n[symbols.VX1]"
    )
    + OPTION
)


def test_an_option_that_decays_fast_needs_an_opt_in(tmp_path: Path) -> None:
    assert "hedge-decay guard" in only_fault(tmp_path, WITH_OPTION).problem
    settings = load(tmp_path, WITH_OPTION + "allow_under_90_days = true\n")
    call = settings.books[0].legs[1]
    assert (call.maturity_days, call.multiplier, call.vega_per_unit) == (30, 100, 0.1)
    assert settings.signals.mark_symbols == ("SPX", "VIX", "VX1")


LADDER = SOUND.replace(
    'instrument = "variance_swap"\nsymbol = "VIX"',
    'instrument = "put"\nsymbols = ["SPXW270319P05000000", "SPXW270618P05000000"]\n'
    'vega_per_unit = 9.5\nroll_before = "100 days"',
)


def test_a_ladder_is_a_leg_for_each_option_and_rolls(tmp_path: Path) -> None:
    (book,) = load(tmp_path, LADDER).books
    first, second = book.legs
    assert isinstance(first, ListedLegPolicy)
    assert isinstance(second, ListedLegPolicy)
    assert (first.name, first.symbol) == ("spxw270319p05000000", "SPXW270319P05000000")
    assert (first.ladder, first.roll_days, first.weight) == ("varswap", 100, 1)
    assert first.expiry_ns < second.expiry_ns


@pytest.mark.parametrize(
    ("old", "new", "key", "problem"),
    [
        ('roll_before = "100 days"', 'roll_before = "30 days"', "roll_before", "decays fast"),
        ('"SPXW270618P05000000"', '"SPXW270319P05000000"', "legs", "two of them trade one option"),
        ('"SPXW270618P05000000"', '"SPXW270618P"', "legs", "varswap: "),
        ("symbols = [", 'symbol = "VIX"\nsymbols = [', "symbol", "stands beside symbols"),
        ('"put"', '"vix_future"', "symbols", "is not rolled here"),
    ],
)
def test_what_is_wrong_with_a_ladder_is_told(
    tmp_path: Path, old: str, new: str, key: str, problem: str
) -> None:
    assert old in LADDER
    faults = faults_of(tmp_path, LADDER.replace(old, new, 1))
    told = [(fault.key.split(".")[-1], fault.problem) for fault in faults]
    assert any(name == key and problem in text for name, text in told), told


def test_a_ladder_of_nothing_is_no_leg(tmp_path: Path) -> None:
    symbols = '["SPXW270319P05000000", "SPXW270618P05000000"]'
    assert "is empty" in only_fault(tmp_path, LADDER.replace(symbols, "[]")).problem
