"""Low, medium or high, by thresholds with hysteresis and persistence (spec 1, `regime`).

Two latches, one a threshold. A latch is on or off. The *opposite* is seen when the level is
beyond the threshold by the hysteresis; the latch turns once the opposite was seen without a break
for the whole hold: trading time, sessions and observations (spec 3). One print that does not see
it starts the count anew. Only a print turns a latch: time alone is no evidence.
The regime is the number of latches that are on, so that a level which swings around the upper
threshold still persists above the lower one.
"""

from enum import IntEnum

from msgspec import Struct

from shared.domain.policies import Hold, RegimePolicy


class Regime(IntEnum):
    """Named by VIX level."""

    LOW = 0
    MEDIUM = 1
    HIGH = 2


class LatchState(Struct, frozen=True, kw_only=True):
    """A latch and how long its opposite has been seen; all 0 when it is not.

    Attributes:
        trading_ns: Trading time since the opposite was first seen.
        sessions: Sessions in which it was seen.
        observations: Prints that saw it.
    """

    on: bool
    trading_ns: int = 0
    sessions: int = 0
    observations: int = 0

    def holds(self, hold: Hold) -> bool:
        """Whether the opposite has been seen for as long and as often as `hold` asks."""
        return (
            self.trading_ns >= hold.trading_ns
            and self.sessions >= hold.sessions
            and self.observations >= hold.observations
        )

    def seen(self, *, opposite: bool, trading_ns: int, sessions: int, hold: Hold) -> "LatchState":
        """The latch after one more print, `trading_ns` and `sessions` after the one before."""
        if not opposite:
            return LatchState(on=self.on)
        first = self.observations == 0
        after = LatchState(
            on=self.on,
            trading_ns=0 if first else self.trading_ns + trading_ns,
            sessions=1 if first else self.sessions + (sessions > 0),
            observations=self.observations + 1,
        )
        return LatchState(on=not self.on) if after.holds(hold) else after


class RegimeState(Struct, frozen=True, kw_only=True):
    """The two latches; `None` before the first print."""

    above_low: LatchState | None = None
    above_high: LatchState | None = None


class RegimeMonitor:
    """The two latches over one level. The thresholds themselves are medium (15–25 inclusive)."""

    def __init__(self, policy: RegimePolicy, state: RegimeState | None = None) -> None:
        if not policy.low_below < policy.high_above:
            raise ValueError("the low regime must end below where the high one begins")
        self._policy = policy
        self._state = state or RegimeState()

    def observe(self, level: float, trading_ns: int, sessions: int) -> Regime:
        """Take a print; the first one decides alone. Gives the regime after it."""
        policy, low, high = self._policy, self._state.above_low, self._state.above_high
        if low is None or high is None:
            low = LatchState(on=level >= policy.low_below)
            high = LatchState(on=level > policy.high_above)
        else:
            hysteresis, hold = policy.hysteresis, policy.hold
            leaves_low = (
                level < policy.low_below - hysteresis
                if low.on
                else level >= policy.low_below + hysteresis
            )
            leaves_high = (
                level <= policy.high_above - hysteresis
                if high.on
                else level > policy.high_above + hysteresis
            )
            low = low.seen(opposite=leaves_low, trading_ns=trading_ns, sessions=sessions, hold=hold)
            high = high.seen(
                opposite=leaves_high, trading_ns=trading_ns, sessions=sessions, hold=hold
            )
        self._state = RegimeState(above_low=low, above_high=high)
        return Regime(low.on + high.on)

    def snapshot(self) -> RegimeState:
        """State for the constructor."""
        return self._state
