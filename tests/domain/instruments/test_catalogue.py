"""What symbols name, and why some name nothing."""

from datetime import date

import pytest
from fakes.new_york import instant, new_york
from msgspec import UNSET, structs

from shared.domain.instruments.catalogue import Catalogue, UnknownInstrument
from shared.domain.instruments.instrument import Instrument, Kind, Model, Option
from shared.domain.instruments.roots import KNOWN_ROOTS, FutureRoot, OptionRoot

DECLARED = Instrument(
    symbol="OTC-1", kind=Kind.STOCK, root="OTC-1", underlying="OTC-1", model=Model.LINEAR
)
ROOTS = KNOWN_ROOTS.with_stocks(["AAPL"]).extended(
    FutureRoot(name="ZZ", multiplier=1.0, tick_size=1.0),
    OptionRoot(name="LSE", underlying="AAPL", calendar="XLON"),
)
CALENDARS = {"XNYS": new_york(), "XLON": new_york(date(2026, 1, 2), date(2026, 12, 31))}
CATALOGUE = Catalogue(ROOTS, calendars=CALENDARS, instruments={"OTC-1": DECLARED})
DECEMBER = date(2026, 12, 18)


def reason(symbol: str, now_ns: int | None = None) -> str:
    with pytest.raises(UnknownInstrument) as unknown:
        CATALOGUE.resolve(symbol, now_ns)
    assert unknown.value.symbol == symbol
    assert symbol[:40] in str(unknown.value)
    return unknown.value.reason


def test_an_index_a_fund_and_a_stock_are_their_own_level() -> None:
    kinds = {name: CATALOGUE.resolve(name).kind for name in ("SPX", "SPY", "AAPL")}
    assert kinds == {"SPX": Kind.INDEX, "SPY": Kind.FUND, "AAPL": Kind.STOCK}
    spx = CATALOGUE.resolve("SPX")
    assert (spx.underlying, spx.model, spx.multiplier) == ("SPX", Model.LINEAR, 1.0)
    assert (spx.expiry_ns, spx.last_trade_ns, spx.option) == (None, None, None)


def test_an_option_on_an_index_is_priced_by_its_level() -> None:
    assert CATALOGUE.resolve("SPXW261218P05000000") == Instrument(
        symbol="SPXW261218P05000000",
        kind=Kind.OPTION,
        root="SPXW",
        underlying="SPX",
        model=Model.BLACK_SCHOLES,
        multiplier=100.0,
        tick_size=0.05,
        expiry_ns=instant(DECEMBER, 16),
        last_trade_ns=instant(DECEMBER, 16),
        option=Option(
            right="put", strike=5000.0, style="european", settlement="pm", delivery="cash"
        ),
    )


def test_a_name_with_its_blanks_is_the_same_instrument() -> None:
    padded = CATALOGUE.resolve("SPXW  261218P05000000")
    assert padded == CATALOGUE.resolve("SPXW261218P05000000")


def test_a_morning_option_is_last_traded_the_session_before() -> None:
    option = CATALOGUE.resolve("SPX261218C06000000")
    assert option.expiry_ns == instant(DECEMBER, 9, 30)
    assert option.last_trade_ns == instant(date(2026, 12, 17), 16)


def test_an_expiry_on_a_holiday_is_on_the_session_before() -> None:
    option = CATALOGUE.resolve("SPX260619C06000000")  # Juneteenth
    assert option.expiry_ns == instant(date(2026, 6, 18), 9, 30)


def test_an_expiry_on_a_half_day_comes_early() -> None:
    assert CATALOGUE.resolve("SPXW261127C06000000").expiry_ns == instant(date(2026, 11, 27), 13)


def test_an_option_on_a_stock_is_american() -> None:
    option = CATALOGUE.resolve("AAPL261218C00200000")
    assert (option.model, option.underlying, option.multiplier) == (Model.AMERICAN, "AAPL", 100.0)
    assert option.option is not None
    assert option.option.delivery == "physical"


@pytest.mark.parametrize(
    ("symbol", "underlying", "expiry"),
    [
        ("VIX261216C00020000", "VXZ26", date(2026, 12, 16)),
        ("VIX260519C00020000", "VXK26", date(2026, 5, 19)),
        ("VIXW261201C00020000", "VX48Z26", date(2026, 12, 1)),
        ("VIXW241231C00020000", "VX53Z24", date(2024, 12, 31)),
    ],
)
def test_a_vix_option_is_priced_by_the_future_that_settles_with_it(
    symbol: str, underlying: str, expiry: date
) -> None:
    option, future = CATALOGUE.resolve(symbol), CATALOGUE.resolve(underlying)
    assert (option.underlying, option.model) == (underlying, Model.BLACK)
    assert option.expiry_ns == future.expiry_ns == instant(expiry, 9, 30)


def test_a_vix_future_stops_trading_half_an_hour_before_it_settles() -> None:
    future = CATALOGUE.resolve("VXZ26")
    assert (future.kind, future.model, future.multiplier) == (Kind.FUTURE, Model.LINEAR, 1000.0)
    assert future.underlying == "VXZ26"
    assert future.last_trade_ns == instant(date(2026, 12, 16), 9)


@pytest.mark.parametrize(
    ("symbol", "underlying", "model"),
    [
        ("ES261218C06000000", "ESZ26", Model.AMERICAN),  # the quarterly, with its future
        ("EW3261120P05000000", "ESZ26", Model.BLACK),
        ("EW3261218P05000000", "ESH27", Model.BLACK),  # in the evening, when December is settled
        ("EW261130P05000000", "ESZ26", Model.BLACK),
    ],
)
def test_an_option_on_a_future_is_on_the_one_that_settles_then_or_next(
    symbol: str, underlying: str, model: Model
) -> None:
    option = CATALOGUE.resolve(symbol)
    assert (option.underlying, option.model, option.multiplier) == (underlying, model, 50.0)


@pytest.mark.parametrize(
    ("symbol", "index"),
    [("ESZ26", "SPX"), ("MESZ26", "SPX"), ("NQZ26", "NDX"), ("RTYZ26", "RUT"), ("VXZ26", "VIX")],
)
def test_a_future_says_what_level_it_settles_on(symbol: str, index: str) -> None:
    assert CATALOGUE.resolve(symbol).index == index
    assert CATALOGUE.resolve("ZZZ26").index is UNSET  # nobody has said


def test_an_option_that_delivers_a_future_trades_until_it_expires() -> None:
    option = CATALOGUE.resolve("ES261218C06000000")
    assert option.last_trade_ns == option.expiry_ns == instant(DECEMBER, 9, 30)


def test_what_is_declared_goes_before_all_else() -> None:
    mine = structs.replace(DECLARED, symbol="SPX", multiplier=7.0)
    catalogue = Catalogue(ROOTS, calendars=CALENDARS, instruments={"SPX": mine})
    assert catalogue.resolve("SPX") == mine
    assert CATALOGUE.resolve("OTC-1") == DECLARED


@pytest.mark.parametrize(
    ("symbol", "why"),
    [
        ("", "malformed"),
        ("A B", "malformed"),
        ("spx", "malformed"),
        ("S" * 33, "malformed"),
        ("SPXW261340P05000000", "malformed"),
        ("SPXW261218P5000000", "malformed"),
        ("FOO", "unknown_root"),
        ("MSFT261218C00200000", "unknown_root"),
        ("QXZ26", "unknown_root"),
        ("ES48X26", "unknown_root"),  # no weekly ones
        ("QX48X26", "unknown_root"),
        ("ESF26", "no_such_expiry"),
        ("VX48X26", "no_such_expiry"),  # it settles in December
        ("VX50Z26", "no_such_expiry"),  # that week's is the month's, VXZ26
        ("VX00F26", "no_such_expiry"),
        ("SPXW381217P05000000", "beyond_calendar"),
        ("SPXW150116P05000000", "beyond_calendar"),
        ("VXZ38", "beyond_calendar"),
        ("ESZ27", "beyond_calendar"),
    ],
)
def test_what_names_nothing_is_refused_by_its_reason(symbol: str, why: str) -> None:
    assert reason(symbol) == why


def test_what_has_expired_is_refused_when_that_is_asked() -> None:
    expiry_ns = instant(DECEMBER, 16)
    assert CATALOGUE.resolve("SPXW261218P05000000", expiry_ns - 1)
    assert reason("SPXW261218P05000000", expiry_ns) == "expired"
    assert CATALOGUE.resolve("SPX", expiry_ns)


def test_a_catalogue_without_a_calendar_it_needs_is_none() -> None:
    with pytest.raises(ValueError, match="XLON"):
        Catalogue(ROOTS, calendars={"XNYS": CALENDARS["XNYS"]})
