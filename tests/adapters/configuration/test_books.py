"""Books, legs and triggers."""

from math import inf
from pathlib import Path

import pytest
from fakes.configurations import SOUND, faults_of, load, only_fault, spoilt

from shared.domain.policies import NavSharePolicy


@pytest.mark.parametrize(
    ("old", "new", "key", "problem", "remedy"),
    [
        ("base_vega = 1000", "base_vega = -1", "base_vega", "out of range", "more than 0"),
        (
            "base_vega = 1000",
            "base_vega = 1000\nfloor = -0.2",
            "floor",
            "out of range",
            "at least 0",
        ),
        ("base_vega = 1000", "base_vega = 1000\nfloor = 3", "floor", "above the cap", "not above"),
        (
            "weights = { SPX = 1.0 }",
            "weights = { SPX = 0.8, VIX = 0.3 }",
            "weights",
            "sum to 1.1",
            "cash",
        ),
        ("weights = { SPX = 1.0 }", "", "weights", "is missing", "SPX = 1.0"),
        (
            "max_vega = 2000",
            "max_vega = 2000\nweight = 0.5",
            "legs",
            "sum to 0.5, not 1",
            "sum to 1",
        ),
        ("max_orders_per_day = 20", "max_orders_per_day = 0", "max_orders_per_day", "range", "1"),
        ('"90 days"', '"90 min"\nx = 1', "x", "unknown key", "known here"),
        ('maturity = "90 days"', "", "maturity", "is missing", "90 days"),
        ('"variance_swap"', '"varianceswap"', "instrument", "is not one of", "'variance_swap'"),
        ('"variance_swap"', '"bond"', "instrument", "is not one of", "another"),
        ('"variance_swap"', '"put"', "vega_per_unit", "is missing", "vol point"),
        ('"varswap"', '"Var Swap"', "name", "cannot be the name of a leg", "a-z"),
        ('"overlay"', '"all"', "name", "means every book", "differently"),
        *(
            (line, "", line.partition(" ")[0], "is missing", "no default")
            for line in SOUND.partition("[books.limits]\n")[2].splitlines()
        ),
    ],
)
def test_numbers_of_a_book_are_checked(  # noqa: PLR0913, PLR0917 - one row of the table
    tmp_path: Path, old: str, new: str, key: str, problem: str, remedy: str
) -> None:
    fault = only_fault(tmp_path, spoilt(old, new))
    assert fault.key.split(".")[-1] == key
    assert problem in fault.problem
    assert remedy in fault.remedy
    assert fault.line > 0


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


def test_names_are_given_once(tmp_path: Path) -> None:
    twin_leg = WITH_OPTION.replace('"call"', '"varswap"') + "allow_under_90_days = true\n"
    assert "two legs are called 'varswap'" in only_fault(tmp_path, twin_leg).problem
    head, book = SOUND.split("[[books]]")
    twin_book = only_fault(tmp_path, f"{head}[[books]]{book}[[books]]{book}")
    assert "two books are called 'overlay'" in twin_book.problem


def test_without_symbols_or_books_there_is_nothing_to_do(tmp_path: Path) -> None:
    problems = [fault.problem for fault in faults_of(tmp_path, "")]
    assert "there is no book" in problems
    assert "no symbol is declared" in problems


def test_without_legs_or_limits_there_are_no_orders(tmp_path: Path) -> None:
    start, end = SOUND.index("[[books.legs]]"), SOUND.index("[books.limits]")
    assert "there is no leg" in only_fault(tmp_path, SOUND[:start] + SOUND[end:]).problem
    assert "no orders" in only_fault(tmp_path, SOUND[:end]).problem


def test_greek_bands_are_read_and_their_ends_compared(tmp_path: Path) -> None:
    band = '[[books.triggers.greek_bands]]\ngreek = "vega"\nlow = {}\nhigh = 500\n'
    text = SOUND.replace("[books.triggers.fast]\n", "[books.triggers.fast]\nenabled = false\n")
    (book,) = load(
        tmp_path, text.replace("[[books.legs]]", band.format(-500) + "[[books.legs]]")
    ).books
    assert [(each.greek, each.low, each.high) for each in book.triggers.greek_bands] == [
        ("vega", -500, 500)
    ]
    assert book.triggers.fast is None
    wrong = text.replace("[[books.legs]]", band.format(600) + "[[books.legs]]")
    assert "600 is not below high" in only_fault(tmp_path, wrong).problem


PROGRAMME = (
    SOUND.replace('"option_a"', '"tail_budget"')
    .replace("base_vega = 1000", 'base_vega = 1000\nfloor = 0.0\nnav_share = "0.5%"')
    .replace('"variance_swap"', '"put"')
    .replace('symbol = "VIX"', 'symbol = "SPX"\nvega_per_unit = 5.0')
)


def test_a_programme_is_sized_by_a_share_of_nav_and_struck_on_schedule(tmp_path: Path) -> None:
    quiet = 'vix_points = "off"\nvix_relative = "off"\ndrawdown = "off"\n'
    text = PROGRAMME.replace("[books.triggers]\n", f"[books.triggers]\n{quiet}")
    (book,) = load(tmp_path, text).books
    assert book.sizing.nav_share == NavSharePolicy(share=0.005)
    assert {book.triggers.vix_points, book.triggers.vix_relative, book.triggers.drawdown} == {inf}


def test_a_contract_may_count_at_the_level_of_an_index_which_is_then_marked(
    tmp_path: Path,
) -> None:
    text = spoilt("base_vega = 1000", 'base_vega = 1000\nnav_share = "100%"\nnav_symbol = "NDX"')
    text = text.replace('"variance_swap"', '"vix_future"')
    declared = text.replace("[symbols.SPX]", "[symbols.SPX]\n[symbols.NDX]")
    settings = load(tmp_path, declared)
    assert settings.books[0].sizing.nav_share == NavSharePolicy(share=1.0, symbol="NDX")
    assert settings.signals.mark_symbols == ("NDX", "SPX", "VIX")
    assert "NDX is used by sizing of overlay" in only_fault(tmp_path, text).problem


@pytest.mark.parametrize(
    ("text", "key", "problem"),
    [
        (spoilt("base_vega = 1000", 'base_vega = 1\nnav_symbol = "SPX"'), "nav_symbol", "without"),
        (
            spoilt("base_vega = 1000", 'base_vega = 1000\nnav_share = "1%"'),
            "sizing",
            "exactly one leg",
        ),
        (PROGRAMME.replace('"0.5%"', '"1%"'), "sizing", "its stake, 0.005"),
        (spoilt("[books.triggers]", '[books.triggers]\nvix_points = "of"'), "vix_points", "string"),
    ],
)
def test_a_share_of_nav_that_means_nothing_is_refused(
    tmp_path: Path, text: str, key: str, problem: str
) -> None:
    fault = only_fault(tmp_path, text)
    assert fault.key.split(".")[-1] == key
    assert problem in fault.problem


def test_a_least_price_is_read_with_the_share(tmp_path: Path) -> None:
    text = PROGRAMME.replace('nav_share = "0.5%"', 'nav_share = "0.5%"\nnav_least_price = 0.2')
    share = load(tmp_path, text).books[0].sizing.nav_share
    assert share == NavSharePolicy(share=0.005, least_level=0.2)
