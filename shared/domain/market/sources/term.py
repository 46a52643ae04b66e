"""The VIX futures curve."""

from msgspec import Struct

from shared.domain.market.readings import Reading
from shared.domain.market.session_cursor import SessionCursor
from shared.domain.market.sources.prints import PrintCount
from shared.domain.market.statistics.term_structure import (
    Maturity,
    maturities,
    term_state,
    term_symbols,
)
from shared.domain.policies import SignalPolicy


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
        self._front = Reading("front_future", "points", policy.stale_trading_ns, cursor)
        told = (self._front,) if policy.tells("front_future") else ()
        self.readings: tuple[Reading, ...] = (self._ratio, self._state, *told)

    def observe(self, symbol: str, level: float, event_ns: int) -> None:
        """Take a print of a future; every contract of the ratio must be fresh."""
        self._prints = prints = self._prints.after(event_ns)
        self._last[symbol] = (level, event_ns)
        levels = {symbol: level for symbol, (level, _) in self._last.items()}
        front, third = maturities(self._policy, levels, prints.event_ns)
        have = (front is not None) + (third is not None)
        self._observe_front(front)
        if front is None or third is None:
            self._move(self._ratio, None, have, prints.event_ns)
            self._move(self._state, None, have, prints.event_ns)
            return
        ratio = front.level / third.level
        state = term_state(ratio, self._policy.epsilon)
        oldest_ns = min(self._last[symbol][1] for symbol in (*front.symbols, *third.symbols))
        self._move(self._ratio, ratio, have, oldest_ns, state.name.lower())
        self._move(self._state, float(state), have, oldest_ns, state.name.lower())

    def _observe_front(self, front: Maturity | None) -> None:
        """The 1-month forward alone: it needs no third month (spec 10, `vxth`)."""
        if front is None:
            self._move(self._front, None, 0, self._prints.event_ns)
            return
        oldest_ns = min(self._last[symbol][1] for symbol in front.symbols)
        self._move(self._front, front.level, 1, oldest_ns)

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
