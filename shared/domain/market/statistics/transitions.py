"""Two-state Markov chain of session closes, calm and stress, with forgetting (spec 1)."""

from msgspec import Struct

ENOUGH_TRANSITIONS = 20
"""Sessions spent in a state before its exits count as a rate (standard error 0.08 at 0.15)."""


def stationary_probability(low_to_high: float, high_to_low: float) -> float | None:
    """Long-run share of sessions in the high state; `None` when neither state is ever left.

    Example:
        >>> round(stationary_probability(0.05, 0.15), 12)
        0.25
    """
    both = low_to_high + high_to_low
    return None if both == 0 else low_to_high / both


def mean_spell(exit_probability: float) -> float | None:
    """Mean length of a spell, in sessions; `None` for one that never ends.

    Example:
        >>> mean_spell(0.05), round(mean_spell(0.15), 2)
        (20.0, 6.67)
    """
    return None if exit_probability == 0 else 1 / exit_probability


class Exits(Struct, frozen=True, array_like=True):
    """Transitions out of one state, forgotten with age.

    Attributes:
        left: Weighted count of those that left it.
        all: Weighted count of all, those that stayed included.
        observed: Plain count of all.
    """

    left: float = 0.0
    all: float = 0.0
    observed: int = 0

    @property
    def probability(self) -> float | None:
        """Chance of leaving at the next session; `None` with too little to go by."""
        return self.left / self.all if self.observed >= ENOUGH_TRANSITIONS else None


class TransitionState(Struct, frozen=True, kw_only=True):
    """Exits of both states; the last close's state and the live one, `None` when unknown."""

    low: Exits = Exits()
    high: Exits = Exits()
    before: bool | None = None
    live: bool | None = None


class TransitionCounter:
    """Counts transitions between consecutive closes; each older one weighs 2^(−1/half-life) less.

    A missing day breaks the chain: nothing is counted across it.
    """

    def __init__(self, half_life_sessions: float, state: TransitionState | None = None) -> None:
        self._kept = 2 ** (-1 / half_life_sessions)
        self._state = state or TransitionState()

    def observe(self, *, stressed: bool, sessions: int) -> None:
        """Take a print; in a later session the last one becomes a close."""
        state = self._state
        if sessions and state.live is not None:
            low, high = state.low, state.high
            if state.before is not None:
                low, high = self._counted(state.before, state.live)
            before = state.live if sessions == 1 else None
            state = TransitionState(low=low, high=high, before=before)
        self._state = TransitionState(
            low=state.low, high=state.high, before=state.before, live=stressed
        )

    def _counted(self, before: bool, live: bool) -> tuple[Exits, Exits]:  # noqa: FBT001 - two states
        kept, low, high = self._kept, self._state.low, self._state.high
        low = Exits(low.left * kept, low.all * kept, low.observed)
        high = Exits(high.left * kept, high.all * kept, high.observed)
        if before:
            return low, Exits(high.left + (not live), high.all + 1, high.observed + 1)
        return Exits(low.left + live, low.all + 1, low.observed + 1), high

    @property
    def low(self) -> Exits:
        """Exits of the calm state."""
        return self._state.low

    @property
    def high(self) -> Exits:
        """Exits of the stressed state."""
        return self._state.high

    @property
    def stationary_high(self) -> float | None:
        """Long-run share of stressed sessions; `None` while either probability is unknown."""
        low_to_high, high_to_low = self.low.probability, self.high.probability
        if low_to_high is None or high_to_low is None:
            return None
        return stationary_probability(low_to_high, high_to_low)

    def snapshot(self) -> TransitionState:
        """State for the constructor."""
        return self._state
