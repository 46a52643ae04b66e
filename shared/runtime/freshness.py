"""Whether a stage is fed: a part of `/readyz`, and never of `/healthz`.

A stage whose market data is old runs as it should, and must not be relied on. Before the first
print of all nothing is old yet: an installation is rolled out before its feed. Neither is anything
old while the exchange is closed, or after the end of a replay, whose own clock stands still then.
"""

from collections.abc import Callable

from shared.domain.hedging.session_clock import SessionClock
from shared.domain.instants import SECOND
from shared.domain.sessions import SessionCalendar
from shared.domain.signals_observed import SignalsObserved


class Freshness:
    """The check of one stage.

    Args:
        calendar: When the market is open.
        stale_trading_ns: So old the youngest print may be, in trading time.
        observed: Returns the latest signals; `None` before the first.
    """

    def __init__(
        self,
        calendar: SessionCalendar,
        stale_trading_ns: int,
        observed: Callable[[], SignalsObserved | None],
    ) -> None:
        self._clock = SessionClock(calendar)
        self._stale_trading_ns = stale_trading_ns
        self._observed = observed

    def trouble(self) -> str | None:
        """Say for how long nothing has printed; `None` while all is well."""
        observed = self._observed()
        if observed is None:
            return None
        youngest_ns = max((each.event_ns for each in observed.signals.values()), default=0)
        now = self._clock.at(observed.event_ns)
        if not youngest_ns or not now.is_open:
            return None
        age_ns = now.trading_ns - self._clock.at(youngest_ns).trading_ns
        if age_ns <= self._stale_trading_ns:
            return None
        return f"the market is open, and nothing has printed for {age_ns / SECOND:.0f} s of it"
