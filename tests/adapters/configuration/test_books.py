"""Books: portfolio, sizing and limits."""

from pathlib import Path

import pytest
from fakes.configurations import SOUND, check_fault, faults_of, load, only_fault, spoilt

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
        ("max_orders_per_day = 20", "max_orders_per_day = 0", "max_orders_per_day", "range", "1"),
        ('"90 days"', '"90 min"\nx = 1', "x", "unknown key", "known here"),
        *(
            (line, "", line.partition(" ")[0], "is missing", "no default")
            for line in SOUND.partition("[books.limits]\n")[2].splitlines()
        ),
    ],
)
def test_numbers_of_a_book_are_checked(  # noqa: PLR0913, PLR0917 - one row of the table
    tmp_path: Path, old: str, new: str, key: str, problem: str, remedy: str
) -> None:
    check_fault(only_fault(tmp_path, spoilt(old, new)), key, problem, remedy)


def test_without_symbols_or_books_there_is_nothing_to_do(tmp_path: Path) -> None:
    problems = [fault.problem for fault in faults_of(tmp_path, "")]
    assert "there is no book" in problems
    assert "no symbol is declared" in problems


def test_without_limits_there_are_no_orders(tmp_path: Path) -> None:
    assert "no orders" in only_fault(tmp_path, SOUND[: SOUND.index("[books.limits]")]).problem


PROGRAMME = (
    SOUND.replace('"option_a"', '"tail_budget"')
    .replace("base_vega = 1000", 'base_vega = 1000\nfloor = 0.0\nnav_share = "0.5%"')
    .replace('"variance_swap"', '"put"')
    .replace('symbol = "VIX"', 'symbol = "SPX"\nvega_per_unit = 5.0')
)


def test_a_programme_is_sized_by_a_share_of_nav(tmp_path: Path) -> None:
    (book,) = load(tmp_path, PROGRAMME).books
    assert book.sizing.nav_share == NavSharePolicy(share=0.005)


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
