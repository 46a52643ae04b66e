"""A book's portfolio and its hedge."""

from msgspec import Struct

from shared.domain.market.readings import Reading
from shared.domain.market.session_cursor import SessionCursor
from shared.domain.market.sources.prints import PrintCount
from shared.domain.market.statistics.correlation import LEFT, RIGHT, PairCorrelation, PairState
from shared.domain.market.statistics.drawdown import PortfolioState, PortfolioValue
from shared.domain.policies import PortfolioPolicy, SignalPolicy


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
        self._pair: PairCorrelation | None = None
        if portfolio.correlates is not False:
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
        returns = policy.hedge_correlation_returns
        self._correlation = reading("hedge_correlation", "correlation", returns)
        told = () if self._pair is None else (self._correlation,)
        self.readings: tuple[Reading, ...] = (self._nav, self._drawdown, *told)

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
        if self._pair is None:
            return
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
            pair=PairState() if self._pair is None else self._pair.snapshot(),
            last=dict(self._last),
        )
