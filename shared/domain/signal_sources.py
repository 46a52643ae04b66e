"""Which print moves which signals: one source for each kind of symbol (spec 1).

A source is told of the prints of its symbols, in the order of the journal and never one of an
earlier session than the last, and moves its readings.
"""

import math
from typing import Protocol

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from shared.domain.policies import PortfolioPolicy, SignalPolicy
from shared.domain.readings import Reading
from shared.domain.session_cursor import Elapsed, SessionCursor
from shared.domain.statistics.averages import SmootherState, smoother
from shared.domain.statistics.correlation import (
    LEFT,
    RIGHT,
    BasketCorrelation,
    BasketState,
    PairCorrelation,
    PairState,
)
from shared.domain.statistics.crash_intensity import CrashIntensity, CrashIntensityState
from shared.domain.statistics.drawdown import PortfolioState, PortfolioValue
from shared.domain.statistics.percentile import ClosePercentile, PercentileState
from shared.domain.statistics.realized_volatility import SESSIONS_PER_YEAR, RealizedVolatility
from shared.domain.statistics.regime import RegimeMonitor, RegimeState
from shared.domain.statistics.session_moves import SessionMovesState
from shared.domain.statistics.term_structure import maturities, term_state, term_symbols
from shared.domain.statistics.transitions import (
    ENOUGH_TRANSITIONS,
    TransitionCounter,
    TransitionState,
)

FIRST = Elapsed(0, 0, 0.0)


class Source(Protocol):
    """Prints in, readings moved.

    Attributes:
        symbols: Whose prints it wants.
        readings: What it moves.
    """

    symbols: tuple[str, ...]
    readings: tuple[Reading, ...]

    def observe(self, symbol: str, level: float, event_ns: int) -> None:
        """Take a print of one of its symbols, inside the session at hand."""


class PrintCount(Struct, frozen=True, array_like=True):
    """Prints that a source took: how many, and the instant of the youngest."""

    observations: int = 0
    event_ns: int = 0

    def after(self, event_ns: int, prints: int = 1) -> "PrintCount":
        """With that many more, the youngest of them at `event_ns`."""
        return PrintCount(self.observations + prints, max(self.event_ns, event_ns))

    def elapsed(self, cursor: SessionCursor, event_ns: int) -> Elapsed:
        """From the youngest print to `event_ns`; nothing before the first."""
        return cursor.since(self.event_ns, event_ns) if self.observations else FIRST


class VixState(Struct, frozen=True, kw_only=True):
    """Of `VixSource`."""

    prints: PrintCount = PrintCount()
    smoother: SmootherState = SmootherState()
    percentile: PercentileState = PercentileState()
    regime: RegimeState = RegimeState()
    transitions: TransitionState = TransitionState()


class VixSource:
    """VIX itself, smoothed, ranked, and the regimes read off it."""

    def __init__(self, policy: SignalPolicy, cursor: SessionCursor, state: VixState) -> None:
        self._cursor = cursor
        self._prints = state.prints
        self._smoother = smoother(policy.smoothing, state.smoother)
        self._percentile = ClosePercentile(policy.percentile_sessions, state.percentile)
        self._regime = RegimeMonitor(policy.regime, state.regime)
        self._transitions = TransitionCounter(
            policy.transition_half_life_sessions, state.transitions
        )
        self._stress_above = policy.regime.high_above
        self.symbols: tuple[str, ...] = (policy.vix_symbol,)

        def reading(name: str, unit: str, need: int = 1) -> Reading:
            return Reading(name, unit, policy.vix_stale_trading_ns, cursor, need)

        self._vix = reading("vix", "points")
        self._smooth = reading("vix_smooth", "points", self._smoother.need)
        self._rank = reading("vix_percentile", "fraction", self._percentile.need)
        self._state = reading("regime", "state")
        self._rise = reading("transition_p_low_to_high", "probability", ENOUGH_TRANSITIONS)
        self._fall = reading("transition_p_high_to_low", "probability", ENOUGH_TRANSITIONS)
        self._stationary = reading("transition_stationary_high", "probability", ENOUGH_TRANSITIONS)
        self.readings: tuple[Reading, ...] = (
            self._vix,
            self._smooth,
            self._state,
            self._rise,
            self._fall,
            self._stationary,
            self._rank,
        )

    def observe(self, symbol: str, level: float, event_ns: int) -> None:  # noqa: ARG002 - Source
        """Take a print of VIX, in vol points."""
        trading_ns, sessions, _ = self._prints.elapsed(self._cursor, event_ns)
        self._prints = prints = self._prints.after(event_ns)

        def move(reading: Reading, value: float | None, have: int = 1, state: str = "") -> None:
            reading.move(
                value,
                event_ns=event_ns,
                oldest_ns=event_ns,
                observations=prints.observations,
                have=have,
                state=state,
            )

        move(self._vix, level)
        smooth = self._smoother.observe(level, trading_ns, sessions)
        full = self._smoother.have >= self._smoother.need
        move(self._smooth, smooth if full else None, self._smoother.have)
        if full:
            self._percentile.observe(smooth, sessions)
        move(self._rank, self._percentile.value, self._percentile.have)
        regime = self._regime.observe(level, trading_ns, sessions)
        move(self._state, float(regime), state=regime.name.lower())
        self._transitions.observe(stressed=level > self._stress_above, sessions=sessions)
        low, high = self._transitions.low, self._transitions.high
        move(self._rise, low.probability, min(low.observed, ENOUGH_TRANSITIONS))
        move(self._fall, high.probability, min(high.observed, ENOUGH_TRANSITIONS))
        both = min(low.observed, high.observed, ENOUGH_TRANSITIONS)
        move(self._stationary, self._transitions.stationary_high, both)

    def snapshot(self) -> VixState:
        """State for the constructor."""
        return VixState(
            prints=self._prints,
            smoother=self._smoother.snapshot(),
            percentile=self._percentile.snapshot(),
            regime=self._regime.snapshot(),
            transitions=self._transitions.snapshot(),
        )


class IndexState(Struct, frozen=True, kw_only=True):
    """Of `IndexSource`."""

    prints: PrintCount = PrintCount()
    moves: SessionMovesState = SessionMovesState()
    crash: CrashIntensityState | None = None


class IndexSource:
    """Realized volatility of the index, and how often it crashes."""

    def __init__(self, policy: SignalPolicy, cursor: SessionCursor, state: IndexState) -> None:
        self._cursor = cursor
        self._prints = state.prints
        self._volatility = RealizedVolatility(policy.realized_volatility, state.moves)
        self._crash = CrashIntensity(policy.crash_intensity, state.crash)
        self.symbols: tuple[str, ...] = (policy.index_symbol,)
        limit_ns, need = policy.stale_trading_ns, self._volatility.need
        self._rv = Reading("rv", "decimal", limit_ns, cursor, need)
        self._intensity = Reading("crash_intensity", "per_day", limit_ns, cursor, need)
        self._ratio = Reading("crash_intensity_ratio", "ratio", limit_ns, cursor, need)
        self.readings: tuple[Reading, ...] = (self._rv, self._intensity, self._ratio)

    def observe(self, symbol: str, level: float, event_ns: int) -> None:  # noqa: ARG002 - Source
        """Take a print of the index."""
        _, sessions, days = self._prints.elapsed(self._cursor, event_ns)
        self._prints = prints = self._prints.after(event_ns)
        volatility = self._volatility
        volatility.observe(level, sessions, event_ns - self._cursor.open_ns)
        before_today = volatility.completed_value
        sigma = None if before_today is None else before_today / math.sqrt(SESSIONS_PER_YEAR)
        intensity = self._crash.observe(days, sessions, volatility.live_return, sigma)
        known = None if sigma is None else intensity
        ratio = None if sigma is None else intensity / self._crash.mean
        moved = (
            (self._rv, volatility.value, volatility.have),
            (self._intensity, known, volatility.completed),
            (self._ratio, ratio, volatility.completed),
        )
        for reading, value, have in moved:
            reading.move(
                value,
                event_ns=event_ns,
                oldest_ns=event_ns,
                observations=prints.observations,
                have=have,
            )

    def snapshot(self) -> IndexState:
        """State for the constructor."""
        return IndexState(
            prints=self._prints, moves=self._volatility.snapshot(), crash=self._crash.snapshot()
        )


class TermState(Struct, frozen=True, kw_only=True):
    """Of `TermSource`: level and instant of the last print by symbol."""

    prints: PrintCount = PrintCount()
    last: dict[str, tuple[float, int]] = {}


class TermSource:
    """The futures curve."""

    def __init__(self, policy: SignalPolicy, cursor: SessionCursor, state: TermState) -> None:
        self._policy = policy.term_structure
        self._prints = state.prints
        self.symbols: tuple[str, ...] = term_symbols(self._policy)
        self._last = {symbol: state.last[symbol] for symbol in self.symbols if symbol in state.last}
        self._ratio = Reading("term_ratio", "ratio", policy.stale_trading_ns, cursor, 2)
        self._state = Reading("term_state", "state", policy.stale_trading_ns, cursor, 2)
        self.readings: tuple[Reading, ...] = (self._ratio, self._state)

    def observe(self, symbol: str, level: float, event_ns: int) -> None:
        """Take a print of a future; every contract of the ratio must be fresh."""
        self._prints = prints = self._prints.after(event_ns)
        self._last[symbol] = (level, event_ns)
        levels = {symbol: level for symbol, (level, _) in self._last.items()}
        front, third = maturities(self._policy, levels, prints.event_ns)
        have = (front is not None) + (third is not None)
        if front is None or third is None:
            self._move(self._ratio, None, have, prints.event_ns)
            self._move(self._state, None, have, prints.event_ns)
            return
        ratio = front.level / third.level
        state = term_state(ratio, self._policy.epsilon)
        oldest_ns = min(self._last[symbol][1] for symbol in (*front.symbols, *third.symbols))
        self._move(self._ratio, ratio, have, oldest_ns, state.name.lower())
        self._move(self._state, float(state), have, oldest_ns, state.name.lower())

    def _move(
        self, reading: Reading, value: float | None, have: int, oldest_ns: int, state: str = ""
    ) -> None:
        reading.move(
            value,
            event_ns=self._prints.event_ns,
            oldest_ns=oldest_ns,
            observations=self._prints.observations,
            have=have,
            state=state,
        )

    def snapshot(self) -> TermState:
        """State for the constructor."""
        return TermState(prints=self._prints, last=dict(self._last))


class BasketSourceState(Struct, frozen=True, kw_only=True):
    """Of `BasketSource`."""

    prints: PrintCount = PrintCount()
    members: tuple[str, ...] = ()
    basket: BasketState | None = None


class BasketSource:
    """The basket's average correlation: prints only note a level; `refresh` computes.

    Good when more than half of the basket is in it: at the opening the first few members to
    print do not speak for all.
    """

    def __init__(
        self, policy: SignalPolicy, cursor: SessionCursor, state: BasketSourceState
    ) -> None:
        self._cursor = cursor
        self._prints = state.prints
        self.symbols = policy.correlation_basket
        self._columns = {symbol: column for column, symbol in enumerate(self.symbols)}
        self._basket = BasketCorrelation(
            len(self.symbols),
            policy.correlation_returns,
            state.basket if state.members == self.symbols else None,
        )
        self._moved = False
        need = max(2, len(self.symbols) // 2 + 1)
        self._correlation = Reading(
            "correlation", "correlation", policy.stale_trading_ns, cursor, need
        )
        self.readings: tuple[Reading, ...] = (self._correlation,)

    def observe(self, symbol: str, level: float, event_ns: int) -> None:
        """Take a print of one member."""
        self._take(self._columns[symbol], level, event_ns, 1)

    def observe_run(
        self, columns: NDArray[np.intp], levels: NDArray[np.float64], youngest_ns: int
    ) -> None:
        """Take prints of members inside the session at hand, by position in the basket."""
        self._take(columns, levels, youngest_ns, len(columns))

    def _take(
        self,
        columns: int | NDArray[np.intp],
        levels: float | NDArray[np.float64],
        event_ns: int,
        prints: int,
    ) -> None:
        sessions = self._prints.elapsed(self._cursor, event_ns).sessions
        self._prints = self._prints.after(event_ns, prints)
        self._basket.observe(columns, levels, sessions)
        self._moved = True

    def refresh(self) -> None:
        """Bring the reading up to date with the levels."""
        if not self._moved:
            return
        self._moved = False
        average, used = self._basket.value()
        self._correlation.move(
            average if used >= self._correlation.need else None,
            event_ns=self._prints.event_ns,
            oldest_ns=self._prints.event_ns,
            observations=self._prints.observations,
            have=used,
        )

    def snapshot(self) -> BasketSourceState:
        """State for the constructor."""
        return BasketSourceState(
            prints=self._prints, members=self.symbols, basket=self._basket.snapshot()
        )


class BookState(Struct, frozen=True, kw_only=True):
    """Of `BookSource`; `last` is the instant of the last print by symbol."""

    portfolio_prints: PrintCount = PrintCount()
    pair_prints: PrintCount = PrintCount()
    portfolio: PortfolioState = PortfolioState()
    pair: PairState = PairState()
    last: dict[str, int] = {}


class BookSource:
    """A book's portfolio: value, drawdown, and correlation with its hedge."""

    def __init__(
        self,
        policy: SignalPolicy,
        portfolio: PortfolioPolicy,
        cursor: SessionCursor,
        state: BookState,
    ) -> None:
        self._cursor = cursor
        self._policy = portfolio
        self._portfolio_prints = state.portfolio_prints
        self._pair_prints = state.pair_prints
        self._portfolio = PortfolioValue(portfolio, state.portfolio)
        self._pair = PairCorrelation(policy.hedge_correlation_returns, state.pair)
        self.symbols: tuple[str, ...] = tuple(
            dict.fromkeys((*portfolio.weights, portfolio.hedge_symbol))
        )
        self._last = {symbol: state.last[symbol] for symbol in self.symbols if symbol in state.last}

        def reading(name: str, unit: str, need: int) -> Reading:
            name = f"{name}.{portfolio.book}"
            return Reading(name, unit, policy.stale_trading_ns, cursor, need)

        self._nav = reading("nav", "currency", len(portfolio.weights))
        self._drawdown = reading("drawdown", "decimal", len(portfolio.weights))
        self._correlation = reading("hedge_correlation", "correlation", self._pair.need)
        self.readings: tuple[Reading, ...] = (self._nav, self._drawdown, self._correlation)

    def observe(self, symbol: str, level: float, event_ns: int) -> None:
        """Take a print of the portfolio or of the hedge."""
        self._last[symbol] = event_ns
        if symbol in self._policy.weights:
            self._observe_portfolio(symbol, level, event_ns)
        if symbol == self._policy.hedge_symbol:
            self._observe_pair(RIGHT, level, event_ns)

    def _observe_portfolio(self, symbol: str, level: float, event_ns: int) -> None:
        portfolio = self._portfolio
        portfolio.observe(symbol, level)
        self._portfolio_prints = prints = self._portfolio_prints.after(event_ns)
        oldest_ns = min(
            self._last[symbol] for symbol in self._policy.weights.keys() & self._last.keys()
        )
        value = portfolio.value
        for reading, moved in ((self._nav, value), (self._drawdown, portfolio.drawdown)):
            reading.move(
                moved,
                event_ns=prints.event_ns,
                oldest_ns=oldest_ns,
                observations=prints.observations,
                have=portfolio.have,
            )
        if value is not None:
            self._observe_pair(LEFT, value, event_ns)

    def _observe_pair(self, side: int, level: float, event_ns: int) -> None:
        sessions = self._pair_prints.elapsed(self._cursor, event_ns).sessions
        self._pair_prints = prints = self._pair_prints.after(event_ns)
        self._pair.observe(side, level, sessions)
        self._correlation.move(
            self._pair.value,
            event_ns=prints.event_ns,
            oldest_ns=min(self._last.values()),
            observations=prints.observations,
            have=self._pair.have,
        )

    def snapshot(self) -> BookState:
        """State for the constructor."""
        return BookState(
            portfolio_prints=self._portfolio_prints,
            pair_prints=self._pair_prints,
            portfolio=self._portfolio.snapshot(),
            pair=self._pair.snapshot(),
            last=dict(self._last),
        )
