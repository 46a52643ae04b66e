"""Books over the made-up market of `rolled_market`, and their backtests."""

from functools import cache
from typing import Any, Final

from fakes import rolled_market
from msgspec import structs

from shared.domain.instants import HOUR, MINUTE
from shared.domain.policies import (
    BookPolicy,
    Hold,
    IntakePolicy,
    LegPolicy,
    LimitPolicy,
    OrderPolicy,
    PaperPolicy,
    PortfolioPolicy,
    RulePolicy,
    SignalPolicy,
    SizingPolicy,
    SmoothingPolicy,
    SymbolPolicy,
    TriggerPolicy,
)
from shared.domain.study.backtest import Backtest, BacktestPolicy
from shared.domain.study.contracts import RollingFuture, RollingOption
from shared.domain.study.instruments import InstrumentHistory, study_book, study_instruments
from shared.domain.study.market import StudyMarket

SESSION: Final = 390 * MINUTE
PUT: Final = RollingOption(symbol="PUT90", maturity_days=90, roll_days=60.0, moneyness=0.95)
PPUT: Final = RollingOption(symbol="PPUT", maturity_days=30, moneyness=0.95, sized_at="purchase")
CALL: Final = RollingOption(
    symbol="VXTH",
    kind="vix_call",
    maturity_days=30,
    delta=0.3,
    strike_step=0.5,
    sized_at="purchase",
)
FUTURE: Final = RollingFuture(symbol="VX1R")
INTAKE: Final = IntakePolicy(
    symbols={"SPX": SymbolPolicy(), "VIX": SymbolPolicy(max_jump=2.0)}, late_limit_ns=HOUR
)
SIGNALS: Final = SignalPolicy(
    smoothing=SmoothingPolicy(method="sma", sessions=3),
    vix_stale_trading_ns=3 * SESSION,
    stale_trading_ns=3 * SESSION,
    portfolios=(PortfolioPolicy(book="overlay", value=50e6, weights={"SPX": 1.0}),),
    mark_symbols=("SPX", "VIX"),
)
POLICY: Final = BacktestPolicy(
    paper=PaperPolicy(half_spread=0.005, slippage=0.0, latency_ns=0),
    symbols=frozenset({"SPX", "VIX"}),
    index_symbol="SPX",
    config_digest="digest",
)
LIMITS: Final = LimitPolicy(
    max_order_vega=1e6,
    max_order_notional=1e9,
    max_position_vega=1e6,
    max_orders_per_day=50,
    max_orders_per_minute=50,
    max_daily_turnover=1e10,
    max_daily_loss=1e9,
    max_price_deviation=50.0,
    max_repeats=50,
    repeat_ns=MINUTE,
    duplicate_ns=1,
)


def leg(symbol: str, instrument: str, **fields: Any) -> LegPolicy:  # noqa: ANN401 - any of its fields
    """A leg named after its symbol."""
    made = LegPolicy(
        name=symbol.lower(),
        instrument="put",
        symbol=symbol,
        maturity_days=90,
        max_vega=1e6,
        multiplier=100.0,
        allow_under_90_days=True,
    )
    return structs.replace(made, instrument=instrument, **fields)


LEGS: Final = {
    "swap": leg("VIX", "variance_swap", multiplier=1.0),
    "put": leg("PUT90", "put"),
    "pput": leg("PPUT", "put"),
    "call": leg("VXTH", "vix_call"),
    "future": leg("VX1R", "vix_future", multiplier=1000.0),
}


@cache
def instruments() -> InstrumentHistory:
    """All four rolling instruments."""
    return study_instruments(
        (PUT, PPUT, CALL, FUTURE),
        rolled_market.points(),
        rolled_market.DAYS,
        curve=rolled_market.curve(),
    )


def book(*legs: str, **fields: Any) -> BookPolicy:  # noqa: ANN401 - any of its fields
    """A book with these legs, by their key in `LEGS`."""
    made = BookPolicy(
        name="overlay",
        rules=(RulePolicy(kind="linear"),),
        sizing=SizingPolicy(base_vega=5000.0),
        legs=tuple(LEGS[each] for each in legs),
        triggers=TriggerPolicy(
            hold=Hold(trading_ns=0, sessions=1, observations=2), cooldown_trading_ns=MINUTE
        ),
        order=OrderPolicy(
            collar=0.9, valid_trading_ns=2 * SESSION, stale_mark_trading_ns=3 * SESSION
        ),
        limits=LIMITS,
    )
    return structs.replace(made, **fields)


@cache
def backtest(*legs: str) -> Backtest:
    """A finished backtest of `book`, the same one for all: leave it as it is."""
    return fresh_backtest(*legs)


def fresh_backtest(*legs: str, **fields: Any) -> Backtest:  # noqa: ANN401 - any of a book's fields
    """A finished backtest of `book`."""
    test = Backtest(
        study_book(book(*legs, **fields), instruments()), POLICY, rolled_market.CALENDAR
    )
    market = StudyMarket(INTAKE, SIGNALS, rolled_market.CALENDAR, instruments())
    for step in market.take_all(rolled_market.steps()):
        test.take(step)
    test.finish()
    return test
