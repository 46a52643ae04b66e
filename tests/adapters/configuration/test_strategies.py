"""Books whose targets come from strategies."""

from pathlib import Path

import pytest
from fakes.configurations import SOUND, faults_of, load, only_fault

from shared.domain.instants import HOUR, MINUTE, SECOND
from shared.domain.policies import Hold
from shared.domain.strategy_policies import (
    STRATEGY_TRIGGERS,
    DeltaPolicy,
    ListedLegPolicy,
    StrategyBookPolicy,
    VegaBounds,
    VegaPolicy,
)

COMMON = SOUND.partition("max_order_notional")[2].partition("max_position_vega = 2000\n")[2]
HEAD = "[symbols.VIX]\n[symbols.SPX]\n[symbols.XYZ]\n"
LIMITS = f"""[books.limits]
max_order_delta = 10_000
max_position_delta = 20_000
max_order_notional = 1_500_000
{COMMON}"""
DELTA = """[books.delta]
underlying = "XYZ"
band = "whalley_wilmott"
cost = "0.05%"
risk_aversion = 1e-4
"""
SHARES = """[[books.legs]]
name = "shares"
instrument = "underlying"
symbol = "XYZ"
"""
BOOK = f"""{HEAD}
[[books]]
name = "maker"
strategy = "delta"
{DELTA}{SHARES}{LIMITS}"""


def book_of(directory: Path, text: str) -> StrategyBookPolicy:
    (book,) = load(directory, text).books
    assert isinstance(book, StrategyBookPolicy)
    return book


def spoilt(old: str, new: str) -> str:
    assert old in BOOK, old
    return BOOK.replace(old, new, 1)


def test_a_delta_book_needs_little(tmp_path: Path) -> None:
    settings = load(tmp_path, BOOK)
    book = book_of(tmp_path, BOOK)
    (delta,) = book.strategies
    assert isinstance(delta, DeltaPolicy)
    assert (delta.name, delta.underlying, delta.leg, delta.scalps) == (
        "delta",
        "XYZ",
        "shares",
        False,
    )
    assert (delta.band.kind, delta.band.proportional_cost) == ("whalley_wilmott", 0.0005)
    assert delta.band.trading_year_ns == 252 * 390 * MINUTE
    assert delta.horizon_years == pytest.approx(30 / 365)
    assert book.triggers == STRATEGY_TRIGGERS
    assert (book.limits.at_most("max_order_delta"), book.limits.max_order_vega) == (10_000, 0)
    assert settings.signals.portfolios == ()
    assert settings.signals.mark_symbols == ("SPX", "XYZ")


def test_every_key_of_it_is_read(tmp_path: Path) -> None:
    more = """target = 100
half_width = 50
interval = "30 min"
order_cost = 50
rate = 0.02
min_trade = 10
horizon = "73 days"
stale_after = "20 s"
min_coverage = "95%"
leg = "shares"
"""
    triggers = (
        '[books.triggers]\nhold = "1 min and 2 ticks"\ncooldown = "5 s"\nschedule = "1 day"\n'
    )
    text = spoilt(DELTA, DELTA + more).replace(SHARES, triggers + SHARES)
    book = book_of(tmp_path, text)
    (delta,) = book.strategies
    assert isinstance(delta, DeltaPolicy)
    assert (delta.target, delta.min_trade, delta.min_coverage) == (100, 10, 0.95)
    assert (delta.horizon_years, delta.stale_trading_ns) == (0.2, 20 * SECOND)
    band = delta.band
    assert (band.half_width, band.interval_trading_ns) == (50, HOUR // 2)
    assert (band.order_cost, band.rate, band.risk_aversion) == (50, 0.02, 1e-4)
    assert book.triggers.hold == Hold(trading_ns=MINUTE, sessions=1, observations=2)
    assert (book.triggers.cooldown_trading_ns, book.triggers.schedule_days) == (5 * SECOND, 1)


def test_a_book_with_a_portfolio_keeps_it(tmp_path: Path) -> None:
    portfolio = "[books.portfolio]\nvalue = 1000\nweights = { SPX = 1.0 }\n"
    settings = load(tmp_path, spoilt(DELTA, portfolio + DELTA))
    assert [each.book for each in settings.signals.portfolios] == ["maker"]


def test_gamma_scalping_is_delta_hedging_that_counts_its_gamma(tmp_path: Path) -> None:
    text = BOOK.replace('"delta"', '"gamma_scalping"').replace(
        "books.delta", "books.gamma_scalping"
    )
    (strategy,) = book_of(tmp_path, text).strategies
    assert isinstance(strategy, DeltaPolicy)
    assert (strategy.name, strategy.scalps) == ("gamma_scalping", True)


VEGA = """[books.vega]
underlying = "SPX"
[[books.vega.bounds]]
bucket = "91-365d"
low = -500
high = 500
"""
OPTION = """[[books.legs]]
name = "call"
instrument = "option"
symbol = "SPXW270319C06000000"
max_vega = 5000
vega_per_unit = 10
allow_under_90_days = true
[[books.legs]]
name = "futures"
instrument = "future"
symbol = "ESZ26"
multiplier = 50
"""
VEGA_BOOK = f"""{HEAD}[symbols.ESZ26]
[[books]]
name = "vegas"
strategy = ["vega", "delta"]
{VEGA}{DELTA.replace("XYZ", "SPX")}{OPTION}{LIMITS}max_order_vega = 1000
max_position_vega = 5000
"""


def test_a_vega_book_trades_listed_options_whose_terms_the_exchange_tells(tmp_path: Path) -> None:
    book = book_of(tmp_path, VEGA_BOOK)
    vega, delta = sorted(book.strategies, key=lambda each: each.name, reverse=True)
    assert isinstance(vega, VegaPolicy)
    assert vega.bounds == (VegaBounds(bucket="91-365d", low=-500, high=500),)
    assert (vega.leg, delta.leg) == ("futures", "futures")
    call = book.legs[0]
    assert isinstance(call, ListedLegPolicy)
    assert (call.underlying, call.multiplier, call.ladder) == ("SPX", 100, "")
    assert call.expiry_ns == 1_805_486_400 * SECOND  # 2027-03-19 16:00 in New York


@pytest.mark.parametrize(
    ("old", "new", "key", "problem"),
    [
        ('strategy = "delta"', 'strategy = "gamma"', "strategy", "is not one of"),
        ('strategy = "delta"', "strategy = []", "strategy", "is empty"),
        ('strategy = "delta"', 'strategy = ["delta", "delta"]', "strategy", "names one twice"),
        ('strategy = "delta"', 'strategy = ["delta", "theta"]', "strategy", "theta is no strategy"),
        (
            'strategy = "delta"',
            'strategy = ["delta", "vega"]',
            "vega",
            "the book's strategy is vega",
        ),
        ('band = "whalley_wilmott"', 'band = "whaley"', "band", "is not one of"),
        ('band = "whalley_wilmott"', 'band = "fixed"', "half_width", "the band is fixed"),
        ('cost = "0.05%"', "", "cost", "is missing"),
        ("risk_aversion = 1e-4", "", "risk_aversion", "is missing"),
        ("risk_aversion = 1e-4", "risk_aversion = 0", "risk_aversion", "out of range"),
        ('underlying = "XYZ"', "", "underlying", "is missing"),
        ('"shares"', '"Shares"', "name", "cannot be the name of a leg"),
        ('instrument = "underlying"', 'instrument = "future"', "multiplier", "is missing"),
        (
            'instrument = "underlying"',
            'instrument = "variance_swap"',
            "instrument",
            "is not one of",
        ),
        ('symbol = "XYZ"', 'symbol = "XYZ"\nmax_vega = 1', "max_vega", "unknown key"),
        ("max_order_delta = 10_000", "", "max_order_delta", "is missing"),
        ("max_order_delta = 10_000", "max_order_delta = 0.5", "max_order_delta", "below one lot"),
        ("max_order_delta", "max_order_vega = 1\nmax_order_delta", "max_order_vega", "unknown key"),
        (LIMITS, "", "limits", "without limits"),
        (
            'cost = "0.05%"',
            'cost = "0.05%"\nleg = "other"',
            "strategy",
            "no strategy hedges with it",
        ),
        ("risk_aversion = 1e-4", "risk_aversion = 1e-4\nvix = 1", "vix", "unknown key"),
        ('strategy = "delta"', 'strategy = "delta"\nrule = "option_a"', "rule", "unknown key"),
        (DELTA, DELTA + "[books.triggers]\nvix_points = 3\n", "vix_points", "unknown key"),
    ],
)
def test_what_is_wrong_with_it_is_told(
    tmp_path: Path, old: str, new: str, key: str, problem: str
) -> None:
    faults = faults_of(tmp_path, spoilt(old, new))
    assert all(fault.remedy for fault in faults)
    told = [(fault.key.split(".")[-1], fault.problem) for fault in faults]
    assert any(name == key and problem in text for name, text in told), told
    assert len(told) <= 1 + (key == "multiplier")  # XYZ is no future either


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("low = -500", "low = 600", "600 is above high"),
        ('bucket = "91-365d"', 'bucket = "91d"', "is not one of"),
        ('bucket = "91-365d"', "", "is missing"),
        (VEGA, VEGA.partition("[[")[0], "there are no bounds to keep"),
        ("[symbols.ESZ26]", "", "ESZ26 is used by leg futures of vegas but not declared"),
        ("SPXW270319C06000000", "ESZ26C0600000", "ESZ26C0600000"),
        ('"SPXW270319C06000000"', '"SPX"', "SPX of leg call is no option"),
    ],
)
def test_what_is_wrong_with_a_vega_book_is_told(
    tmp_path: Path, old: str, new: str, problem: str
) -> None:
    assert old in VEGA_BOOK
    problems = [fault.problem for fault in faults_of(tmp_path, VEGA_BOOK.replace(old, new))]
    assert any(problem in each for each in problems), problems


def test_the_overlay_stands_alone(tmp_path: Path) -> None:
    text = BOOK.replace('"delta"', '["vol_overlay", "delta"]')
    assert "vol_overlay stands alone" in only_fault(tmp_path, text).problem
    named = SOUND.replace('rule = "option_a"', 'strategy = "vol_overlay"\nrule = "option_a"')
    assert load(tmp_path, named).digest == load(tmp_path, SOUND).digest
