"""What arrives and what is made of it: `[symbols.*]`, `[intake]`, `[signals]`."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, get_args

from msgspec import UNSET, UnsetType

from shared.adapters.configuration.table import NOT_NEGATIVE, POSITIVE, Range, Table
from shared.domain.hedging.rules import asked_of_signals
from shared.domain.policies import (
    BookPolicy,
    CrashIntensityPolicy,
    Estimator,
    Hold,
    IntakePolicy,
    PortfolioPolicy,
    RealizedVolatilityPolicy,
    RegimePolicy,
    SignalPolicy,
    SmoothingPolicy,
    SymbolPolicy,
    TermStructurePolicy,
)

_SYMBOL: Final = re.compile(r"[A-Z0-9._-]{1,32}")
_JUMP: Final = Range(0, 10, open_low=True)
_INSIDE: Final = Range(0, 1, open_low=True)
_PAIR: Final = Range(2, 10_000)


def read_intake(symbols: Table, intake: Table) -> IntakePolicy:
    """`[symbols.*]` and `[intake]`."""
    default = IntakePolicy(symbols={})
    policy = IntakePolicy(
        symbols={name: _symbol(symbols, name) for name in symbols.keys()},  # noqa: SIM118 - a reader
        future_skew_ns=intake.duration("future_skew", default.future_skew_ns),
        late_limit_ns=intake.duration("late_limit", default.late_limit_ns),
        max_message_bytes=intake.count(
            "max_message_bytes", default.max_message_bytes, Range(256, 268_435_456)
        ),
        independent_sources=intake.texts("independent_sources"),
    )
    intake.refuse_unknown_keys()
    if not policy.symbols:
        symbols.fault("", "no symbol is declared", "write [symbols.VIX] for each one used")
    return policy


def _symbol(symbols: Table, name: str) -> SymbolPolicy:
    if not _SYMBOL.fullmatch(name):
        remedy = "a symbol is 1 to 32 of A-Z 0-9 . _ -"
        symbols.fault(name, f"{name!r} cannot be a symbol", remedy)
    table = symbols.table(name)
    default = SymbolPolicy()
    policy = SymbolPolicy(
        max_jump=table.fraction("max_jump", default.max_jump, _JUMP),
        confirmations=table.count("confirmations", default.confirmations),
        max_spread=table.fraction("max_spread", default.max_spread, _INSIDE),
    )
    table.refuse_unknown_keys()
    return policy


def read_signals(
    table: Table, books: Sequence[BookPolicy], portfolios: tuple[PortfolioPolicy, ...]
) -> SignalPolicy:
    """`[signals]`; the symbols to mark follow from the legs of the books."""
    default = SignalPolicy()
    correlation = table.table("correlation")
    transition = table.table("transition")
    index = table.text("index", default.index_symbol)
    policy = SignalPolicy(
        vix_symbol=table.text("vix", default.vix_symbol),
        index_symbol=index,
        smoothing=_smoothing(table.table("smoothing")),
        realized_volatility=_realized_volatility(table.table("realized_volatility")),
        correlation_basket=correlation.texts("basket"),
        correlation_returns=correlation.count("returns", default.correlation_returns, _PAIR),
        hedge_correlation_returns=correlation.count(
            "hedge_returns", default.hedge_correlation_returns, _PAIR
        ),
        term_structure=_term_structure(table.table("term_structure")),
        regime=_regime(table.table("regime")),
        transition_half_life_sessions=transition.number(
            "half_life_sessions", default.transition_half_life_sessions, POSITIVE
        ),
        crash_intensity=_crash_intensity(table.table("crash_intensity")),
        percentile_sessions=table.count("percentile_sessions", default.percentile_sessions),
        vix_stale_trading_ns=table.trading(
            "vix_stale_after", default.vix_stale_trading_ns, positive=True
        ),
        vix_interval_ns=table.trading("vix_interval", default.vix_interval_ns, positive=True),
        index_interval_ns=table.trading("index_interval", default.index_interval_ns, positive=True),
        vix_frozen=_frozen(table),
        market_halted_trading_ns=table.trading(
            "market_halted_after", default.market_halted_trading_ns, positive=True
        ),
        market_warm_up=table.ticks("market_warm_up", default.market_warm_up),
        stale_trading_ns=table.trading("stale_after", default.stale_trading_ns, positive=True),
        portfolios=portfolios,
        mark_symbols=tuple(sorted({index, *_priced(books)})),
        asked=asked_of_signals([rule for book in books for rule in book.rules]) or UNSET,
    )
    for section in (correlation, transition, table):
        section.refuse_unknown_keys()
    return policy


def _priced(books: Iterable[BookPolicy]) -> Iterator[str]:
    for book in books:
        share = book.sizing.nav_share
        yield from (leg.symbol for leg in book.legs)
        yield from () if isinstance(share, UnsetType) or not share.symbol else (share.symbol,)


def _frozen(table: Table) -> Hold:
    hold = table.hold("vix_frozen_after", SignalPolicy().vix_frozen)
    if not hold.trading_ns:
        remedy = 'write it as "2 min and 9 ticks"'
        table.fault("vix_frozen_after", "says no time: quick prints may repeat themselves", remedy)
    return hold


def _smoothing(table: Table) -> SmoothingPolicy:
    default = SmoothingPolicy()
    policy = SmoothingPolicy(
        method=table.choice("method", ("ewma", "sma", "median"), default.method),
        half_life_trading_ns=table.trading(
            "half_life", default.half_life_trading_ns, positive=True
        ),
        sessions=table.count("sessions", default.sessions),
        window_trading_ns=table.trading("window", default.window_trading_ns, positive=True),
    )
    table.refuse_unknown_keys()
    return policy


def _realized_volatility(table: Table) -> RealizedVolatilityPolicy:
    default = RealizedVolatilityPolicy()
    policy = RealizedVolatilityPolicy(
        estimator=table.choice("estimator", get_args(Estimator), default.estimator),
        returns=table.count("returns", default.returns, _PAIR),
        decay=table.fraction("decay", default.decay, _INSIDE),
        sampling_ns=table.duration("sampling", default.sampling_ns, positive=True),
    )
    table.refuse_unknown_keys()
    return policy


def _term_structure(table: Table) -> TermStructurePolicy:
    default = TermStructurePolicy()
    expiries = table.table("expiries")
    policy = TermStructurePolicy(
        front=table.text("front", default.front),
        third=table.text("third", default.third),
        constant_maturity=table.flag("constant_maturity", default=default.constant_maturity),
        expiries={name: expiries.instant(name) for name in expiries.keys()},  # noqa: SIM118
        epsilon=table.fraction("epsilon", default.epsilon, _INSIDE),
    )
    if policy.constant_maturity and not {policy.front, policy.third} <= set(policy.expiries):
        table.fault(
            "constant_maturity",
            f"the expiries of {policy.front} and {policy.third} are not given",
            f"write expiries = {{ {policy.front} = 2026-12-16T09:30:00-05:00, … }}",
        )
    table.refuse_unknown_keys()
    return policy


def _regime(table: Table) -> RegimePolicy:
    default = RegimePolicy()
    policy = RegimePolicy(
        low_below=table.level("low_below", default.low_below),
        high_above=table.level("high_above", default.high_above),
        hysteresis=table.number("hysteresis", default.hysteresis, NOT_NEGATIVE),
        hold=table.hold("hold", default.hold),
    )
    if table.is_sound("low_below", "high_above") and policy.low_below >= policy.high_above:
        table.fault(
            "high_above",
            f"{policy.high_above:g} is not above low_below, {policy.low_below:g}",
            "write a higher one, or a lower low_below",
        )
    table.refuse_unknown_keys()
    return policy


def _crash_intensity(table: Table) -> CrashIntensityPolicy:
    default = CrashIntensityPolicy()
    policy = CrashIntensityPolicy(
        threshold_sigmas=table.number("threshold_sigmas", default.threshold_sigmas, POSITIVE),
        baseline_per_day=table.number("baseline_per_day", default.baseline_per_day, POSITIVE),
        alpha_per_day=table.number("alpha_per_day", default.alpha_per_day, NOT_NEGATIVE),
        beta_per_day=table.number("beta_per_day", default.beta_per_day, POSITIVE),
    )
    sound = table.is_sound("alpha_per_day", "beta_per_day")
    if sound and policy.alpha_per_day >= policy.beta_per_day:
        table.fault(
            "alpha_per_day",
            f"{policy.alpha_per_day:g} is not below beta_per_day, {policy.beta_per_day:g}: "
            "each crash would cause more than one other (spec 1)",
            "write a smaller one",
        )
    table.refuse_unknown_keys()
    return policy
