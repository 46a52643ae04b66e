"""`[[roots]]`, `[[instruments]]` and the stocks of `[options] roots`."""

from pathlib import Path

import pytest
from fakes.configurations import SOUND, faults_of, load, only_fault

from shared.domain.instants import HOUR, MINUTE, SECOND
from shared.domain.instruments.instrument import (
    Instrument,
    Kind,
    Model,
    Option,
    VarianceTerms,
)
from shared.domain.instruments.roots import FutureRoot, OptionRoot, SpotRoot

ROOT = '[[roots]]\nname = "OESX"\nkind = "option"\nunderlying = "SX5E"\n'
SWAP = """[[instruments]]
symbol = "VS-1"
kind = "variance_swap"
underlying = "SPX"
strike = 20
start = 2026-01-02T16:00:00-05:00
expiry = 2026-12-18T16:00:00-05:00
"""
OPTION = """[[instruments]]
symbol = "OTC-1"
kind = "option"
underlying = "SPX"
right = "call"
strike = 6000
expiry = 2026-12-18T16:00:00-05:00
"""
EXPIRY = 1_797_627_600 * SECOND


def test_product_codes_are_added_to_the_known_ones(tmp_path: Path) -> None:
    text = (
        SOUND
        + ROOT
        + 'style = "european"\nsettlement = "am"\ndelivery = "cash"\nmultiplier = 10\n'
        + 'currency = "EUR"\ncalendar = "XEUR"\ntick_size = 0.1\n'
        + '[[roots]]\nname = "FESX"\nkind = "future"\nmultiplier = 10\nmonths = "HM"\n'
        + 'last_trade_before = "30 min"\nindex = "SX5E"\n'
        + '[[roots]]\nname = "SX5E"\nkind = "index"\ncurrency = "EUR"\n'
    )
    settings = load(tmp_path, text)
    assert settings.instruments.roots == (
        OptionRoot(
            name="OESX",
            underlying="SX5E",
            multiplier=10.0,
            tick_size=0.1,
            style="european",
            settlement="am",
            delivery="cash",
            currency="EUR",
            calendar="XEUR",
        ),
        FutureRoot(
            name="FESX",
            multiplier=10.0,
            tick_size=0.01,
            months="HM",
            last_trade_before_ns=30 * MINUTE,
            index="SX5E",
        ),
        SpotRoot(name="SX5E", kind=Kind.INDEX, currency="EUR"),
    )
    roots = settings.instruments.all_roots
    assert {"SPX", "OESX"} <= set(roots.options)
    assert roots.calendars == {"XNYS", "XEUR"}


def test_a_root_nobody_knows_is_a_stock_with_options(tmp_path: Path) -> None:
    settings = load(tmp_path, SOUND + ROOT + '[options]\nroots = ["AAPL", "SPX", "OESX"]\n')
    assert settings.instruments.stocks == ("AAPL",)
    assert settings.instruments.all_roots.options["AAPL"].style == "american"
    assert settings.intake.option_roots == {"AAPL", "SPX", "OESX"}


def test_what_legs_trade_is_there_without_being_declared(tmp_path: Path) -> None:
    settings = load(tmp_path, SOUND)
    assert settings.instruments.declared["VARSWAP-90D-VIX"].kind is Kind.VARIANCE_SWAP
    assert settings.legs == {"overlay": {"varswap": "VARSWAP-90D-VIX"}}
    assert not settings.has_positions


def test_instruments_are_declared_one_by_one(tmp_path: Path) -> None:
    text = SOUND + SWAP + OPTION + '[[instruments]]\nsymbol = "ACME"\nkind = "stock"\nlot = 100\n'
    declared = load(tmp_path, text).instruments.declared
    assert declared["VS-1"] == Instrument(
        symbol="VS-1",
        kind=Kind.VARIANCE_SWAP,
        root="VS-1",
        underlying="SPX",
        model=Model.VARIANCE_SWAP,
        expiry_ns=EXPIRY,
        last_trade_ns=EXPIRY,
        variance_swap=VarianceTerms(strike=20.0, start_ns=1_767_387_600 * SECOND),
    )
    assert declared["OTC-1"] == Instrument(
        symbol="OTC-1",
        kind=Kind.OPTION,
        root="OTC-1",
        underlying="SPX",
        model=Model.BLACK_SCHOLES,
        multiplier=100.0,
        expiry_ns=EXPIRY,
        last_trade_ns=EXPIRY,
        option=Option(
            right="call", strike=6000.0, style="european", settlement="pm", delivery="cash"
        ),
    )
    assert (declared["ACME"].lot, declared["ACME"].expiry_ns) == (100.0, None)


@pytest.mark.parametrize(
    ("more", "model"),
    [
        ("on_future = true", Model.BLACK),
        ('style = "american"', Model.AMERICAN),
        ('style = "european"', Model.BLACK_SCHOLES),
    ],
)
def test_an_options_model_follows_from_its_terms(tmp_path: Path, more: str, model: Model) -> None:
    declared = load(tmp_path, f"{SOUND}{OPTION}{more}\n").instruments.declared
    assert declared["OTC-1"].model is model


def test_a_future_may_be_declared_with_its_expiry(tmp_path: Path) -> None:
    text = (
        '[[instruments]]\nsymbol = "VX1"\nkind = "future"\nmultiplier = 1000\n'
        "expiry = 2026-12-16T09:30:00-05:00\n"
    )
    future = load(tmp_path, SOUND + text).instruments.declared["VX1"]
    assert future.expiry_ns == EXPIRY - 54 * HOUR - 30 * MINUTE
    assert (future.model, future.underlying) == (Model.LINEAR, "VX1")


@pytest.mark.parametrize(
    ("text", "key", "problem"),
    [
        (ROOT.replace("OESX", "oesx"), "name", "cannot be a root"),
        (ROOT.replace('kind = "option"', ""), "kind", "is missing"),
        (ROOT.replace("option", "bond"), "kind", "is not one of"),
        (ROOT.replace('underlying = "SX5E"', ""), "underlying", "is missing"),
        (ROOT + 'calendar = "NOWHERE"', "calendar", "unknown calendar"),
        (ROOT + "strike = 1", "strike", "unknown key"),
        (ROOT + 'settlement = "noon"', "settlement", "is not one of"),
        ('[[roots]]\nname = "F"\nkind = "future"\n', "multiplier", "is missing"),
        (
            '[[roots]]\nname = "F"\nkind = "future"\nmultiplier = 1\nmonths = "HA"',
            "months",
            "'A' is no month",
        ),
        ('[options]\nroots = ["a b"]', "roots", "cannot be a root"),
        (SWAP + SWAP, "symbol", "declared twice"),
        (SWAP.replace("VS-1", "vs 1"), "symbol", "cannot be a symbol"),
        (SWAP.replace("strike = 20\n", ""), "strike", "is missing"),
        (SWAP.replace("strike = 20", "strike = 2000"), "strike", "out of range"),
        (SWAP.replace("-05:00\nexpiry", "\nexpiry"), "start", "no time zone"),
        (SWAP.replace('kind = "variance_swap"\n', ""), "kind", "is missing"),
        (OPTION.replace('right = "call"\n', ""), "right", "is missing"),
        (OPTION.replace("expiry", "expires"), "expiry", "is missing"),
    ],
)
def test_what_is_wrong_with_an_instrument_is_told(
    tmp_path: Path, text: str, key: str, problem: str
) -> None:
    found = faults_of(tmp_path, f"{SOUND}{text}\n")
    assert any(fault.key.split(".")[-1] == key and problem in fault.problem for fault in found)
    assert all(fault.line > 0 for fault in found)


def test_one_mistake_is_one_fault(tmp_path: Path) -> None:
    assert only_fault(tmp_path, SOUND + OPTION + "multiplier = 0\n").key.endswith("multiplier")


STRATEGY = """
[symbols.VIX]
[symbols.SPX]
[symbols.XYZ]
[[books]]
name = "maker"
strategy = "delta"
[books.delta]
underlying = "XYZ"
band = "time"
interval = "195 min"
cost = "0.05%"
risk_aversion = 1e-4
[[books.legs]]
name = "shares"
instrument = "underlying"
symbol = "XYZ"
""" + SOUND.partition("max_position_vega = 2000")[2].join(
    ("[books.limits]\nmax_order_delta = 10\nmax_position_delta = 20\nmax_order_notional = 9e6", "")
)


def test_what_a_strategy_trades_as_an_underlying_is_a_stock(tmp_path: Path) -> None:
    settings = load(tmp_path, STRATEGY)
    assert settings.instruments.stocks == ("XYZ",)
    assert settings.has_positions
    european = '[[roots]]\nname = "XYZ"\nkind = "option"\nunderlying = "XYZ"\nmultiplier = 1\n'
    roots = load(tmp_path, STRATEGY + european).instruments.all_roots
    assert (roots.options["XYZ"].multiplier, roots.spots["XYZ"].kind) == (1.0, Kind.STOCK)


def test_a_strategy_must_trade_something_known(tmp_path: Path) -> None:
    text = STRATEGY.replace("XYZ", "X-Y")
    assert "neither known nor declared" in only_fault(tmp_path, text).problem
    declared = '[[instruments]]\nsymbol = "X-Y"\nkind = "stock"\n'
    assert load(tmp_path, text + declared).instruments.stocks == ()
