"""What no single table can see."""

from pathlib import Path

import pytest
from fakes.configurations import SOUND, check_fault, faults_of, only_fault, spoilt


@pytest.mark.parametrize(
    ("old", "new", "key", "problem", "remedy"),
    [
        (
            "max_order_vega = 2000",
            "max_order_vega = 0.5",
            "max_order_vega",
            "smallest trade",
            "raise",
        ),
        (
            "max_position_vega = 2000",
            "max_position_vega = 100",
            "max_position_vega",
            "floor",
            "raise",
        ),
        (
            'max_price_deviation = "15%"',
            'max_price_deviation = "10%"',
            "max_price_deviation",
            "collar of every order, 0.1",
            "lower orders.collar",
        ),
    ],
)
def test_limits_that_allow_no_trade_are_refused(  # noqa: PLR0913, PLR0917 - one row of the table
    tmp_path: Path, old: str, new: str, key: str, problem: str, remedy: str
) -> None:
    check_fault(only_fault(tmp_path, spoilt(old, new)), key, problem, remedy)


def test_a_lot_larger_than_any_order_is_refused(tmp_path: Path) -> None:
    text = SOUND.replace('"variance_swap"', '"vix_future"\nlot = 5')
    assert "one lot of varswap, 5000 vega" in only_fault(tmp_path, text).problem


@pytest.mark.parametrize(
    ("addition", "symbol", "user"),
    [
        ('[signals.correlation]\nbasket = ["XLF"]\n', "XLF", "signals.correlation.basket"),
        ('[signals]\nindex = "NDX"\n', "NDX", "signals.index"),
        ('[signals]\nvix = "VXN"\n', "VXN", "signals.vix"),
    ],
)
def test_a_symbol_must_be_declared_before_it_is_used(
    tmp_path: Path, addition: str, symbol: str, user: str
) -> None:
    fault = only_fault(tmp_path, SOUND + addition)
    assert fault.problem == f"{symbol} is used by {user} but not declared"
    assert fault.remedy == f"write [symbols.{symbol}]"


def test_splitting_by_term_structure_needs_both_futures(tmp_path: Path) -> None:
    text = SOUND.replace("base_vega = 1000", "base_vega = 1000\nsplit_by_term_structure = true")
    assert [fault.problem[:3] for fault in faults_of(tmp_path, text)] == ["VX1", "VX3"]


def test_symbols_of_a_portfolio_and_its_hedge_are_declared_too(tmp_path: Path) -> None:
    text = SOUND.replace("{ SPX = 1.0 }", '{ QQQ = 1.0 }\nhedge_symbol = "VX1"')
    problems = [fault.problem for fault in faults_of(tmp_path, text)]
    assert problems == [
        "VX1 is used by the portfolio of overlay but not declared",
        "QQQ is used by the portfolio of overlay but not declared",
    ]
