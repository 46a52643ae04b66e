"""The correlation basket."""

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from shared.domain.market.readings import Reading
from shared.domain.market.session_cursor import SessionCursor
from shared.domain.market.sources.prints import PrintCount
from shared.domain.market.statistics.correlation import BasketCorrelation, BasketState
from shared.domain.policies import SignalPolicy


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
