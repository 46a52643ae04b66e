"""VIX: its level, smoothed, ranked, and the regimes read off it."""

from msgspec import Struct

from shared.domain.market.readings import Reading
from shared.domain.market.session_cursor import SessionCursor
from shared.domain.market.sources.prints import PrintCount
from shared.domain.market.statistics.averages import SmootherState, smoother
from shared.domain.market.statistics.closes import ClosesState, CloseTrend
from shared.domain.market.statistics.freeze import FreezeState, FreezeWatch
from shared.domain.market.statistics.percentile import ClosePercentile, PercentileState
from shared.domain.market.statistics.regime import RegimeMonitor, RegimeState
from shared.domain.market.statistics.transitions import (
    ENOUGH_TRANSITIONS,
    TransitionCounter,
    TransitionState,
)
from shared.domain.policies import SignalPolicy
from shared.domain.signals_observed import Quality


class VixState(Struct, frozen=True, kw_only=True):
    """Of `VixSource`."""

    prints: PrintCount = PrintCount()
    freeze: FreezeState = FreezeState()
    smoother: SmootherState = SmootherState()
    percentile: PercentileState = PercentileState()
    regime: RegimeState = RegimeState()
    transitions: TransitionState = TransitionState()
    trend: ClosesState = ClosesState()


class VixSource:
    """VIX itself, smoothed, ranked, and the regimes read off it.

    Attributes:
        is_frozen: Prints come, and repeat themselves: nothing read off them is good.
    """

    def __init__(self, policy: SignalPolicy, cursor: SessionCursor, state: VixState) -> None:
        self._cursor = cursor
        self._prints = state.prints
        self._freeze = FreezeWatch(policy.vix_frozen, state.freeze)
        self.is_frozen = state.freeze.is_frozen
        self._smoother = smoother(policy.smoothing, state.smoother)
        self._percentile = ClosePercentile(policy.percentile_sessions, state.percentile)
        self._regime = RegimeMonitor(policy.regime, state.regime)
        self._transitions = TransitionCounter(
            policy.transition_half_life_sessions, state.transitions
        )
        self._trend = CloseTrend(state.trend) if policy.tells("vix_trend") else None
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
        self._direction = reading("vix_trend", "state", CloseTrend.NEED)
        self.readings: tuple[Reading, ...] = (
            self._vix,
            self._smooth,
            self._state,
            self._rise,
            self._fall,
            self._stationary,
            self._rank,
            *((self._direction,) if self._trend is not None else ()),
        )

    def observe(self, symbol: str, level: float, event_ns: int) -> None:  # noqa: ARG002 - Source
        """Take a print of VIX, in vol points."""
        trading_ns, sessions, _ = self._prints.elapsed(self._cursor, event_ns)
        self._prints = prints = self._prints.after(event_ns)
        self.is_frozen = self._freeze.observe(level, trading_ns)
        known = Quality.FROZEN if self.is_frozen else Quality.GOOD

        def move(reading: Reading, value: float | None, have: int = 1, state: str = "") -> None:
            reading.move(
                value,
                event_ns=event_ns,
                oldest_ns=event_ns,
                observations=prints.observations,
                have=have,
                state=state,
                known=known,
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
        if self._trend is not None:
            self._trend.observe(level, sessions)
            trend = self._trend.value
            value, state = (None, "") if trend is None else (float(trend), trend.name.lower())
            move(self._direction, value, self._trend.have, state)

    def snapshot(self) -> VixState:
        """State for the constructor."""
        return VixState(
            prints=self._prints,
            freeze=self._freeze.snapshot(),
            smoother=self._smoother.snapshot(),
            percentile=self._percentile.snapshot(),
            regime=self._regime.snapshot(),
            transitions=self._transitions.snapshot(),
            trend=ClosesState() if self._trend is None else self._trend.snapshot(),
        )
