"""Whether the market prints at all (spec 12, 2020-03-09).

The market is *lively* once prints of the index or of VIX have come for as long as the limit, none
further apart than it, in trading time: a feed of a few prints a session never is, so nothing can
be read into its silence. When a lively market prints neither of the two for longer than the limit,
it is *halted*: a circuit breaker, a closing that no calendar knew, or all feeds down at once. The
first prints after that are an auction's or a catching-up feed's: what is read off VIX is good
again after `market_warm_up` prints of VIX, everything else after as many of the index.
"""

from enum import Enum

from msgspec import Struct

from shared.domain.market.session_cursor import SessionCursor
from shared.domain.policies import SignalPolicy


class MarketPhase(Enum):
    """What may be believed."""

    OPEN = "open"
    HALTED = "halted"
    WARMING = "warming"


class HaltState(Struct, frozen=True, kw_only=True):
    """The state of a `HaltWatch`.

    Attributes:
        last_ns: Instant of the youngest print; 0 before the first.
        since_ns: Instant since which prints came without a gap; 0 before the first.
        vix_prints: Of VIX since the last halt …
        index_prints: … and of the index; each no further than `market_warm_up`.
    """

    last_ns: int = 0
    since_ns: int = 0
    vix_prints: int | None = None
    index_prints: int | None = None


class HaltWatch:
    """Follows the prints of the index and of VIX.

    Args:
        policy: The two symbols, the limit, and the prints of the warm-up.
        cursor: Knows trading time.
        state: Where to go on from.

    Attributes:
        halted_from: From this instant on the market is halted, unless something prints before;
            `None` when its silence says nothing.
        need: Prints of the warm-up.
    """

    def __init__(self, policy: SignalPolicy, cursor: SessionCursor, state: HaltState) -> None:
        self.symbols = (policy.vix_symbol, policy.index_symbol)
        self.need = policy.market_warm_up
        self._vix_symbol = policy.vix_symbol
        self._limit_ns = policy.market_halted_trading_ns
        self._cursor = cursor
        self._last_ns = state.last_ns
        self._since_ns = state.since_ns
        self.vix_prints = self.need if state.vix_prints is None else state.vix_prints
        self.index_prints = self.need if state.index_prints is None else state.index_prints
        self.halted_from = self._next_halt()

    def observe(self, symbol: str, event_ns: int) -> None:
        """Take a print of one of `symbols`."""
        if self.halted_from is not None and event_ns >= self.halted_from:
            self.vix_prints = self.index_prints = 0
        if not self._last_ns or self._trading_ns(self._last_ns, event_ns) > self._limit_ns:
            self._since_ns = event_ns
        self._since_ns = min(self._since_ns, event_ns)  # feeds may lag each other
        if symbol == self._vix_symbol:
            self.vix_prints = min(self.vix_prints + 1, self.need)
        else:
            self.index_prints = min(self.index_prints + 1, self.need)
        if event_ns > self._last_ns:
            self._last_ns = event_ns
            self.halted_from = self._next_halt()

    def _next_halt(self) -> int | None:
        if self._trading_ns(self._since_ns, self._last_ns) < self._limit_ns:
            return None
        return self._cursor.after_trading(self._last_ns, self._limit_ns + 1)

    def _trading_ns(self, start: int, end: int) -> int:
        return self._cursor.since(start, end).trading_ns if start < end else 0

    def phase(self, now: int) -> MarketPhase:
        """What may be believed at the instant `now`."""
        if self.halted_from is not None and now >= self.halted_from:
            return MarketPhase.HALTED
        is_warm = self.vix_prints == self.index_prints == self.need
        return MarketPhase.OPEN if is_warm else MarketPhase.WARMING

    def snapshot(self) -> HaltState:
        """State for the constructor."""
        return HaltState(
            last_ns=self._last_ns,
            since_ns=self._since_ns,
            vix_prints=self.vix_prints,
            index_prints=self.index_prints,
        )
