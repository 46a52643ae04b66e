"""Whether a level that goes on being printed still means anything (spec 12, 2021-07).

A *run* is made of prints at one level, none further from the one before than the hold's trading
time: a feed of one print a session never makes a run, and cannot freeze. A run that has held for
the hold, in trading time and in prints, is frozen. It thaws when `THAWING_PRINTS` prints in a row
are off the frozen level: one that strays and comes back is no sign of life. Only prints freeze and
thaw: a feed without prints is stale, which is another matter.
"""

from typing import Final

from msgspec import Struct

from shared.domain.policies import Hold

THAWING_PRINTS: Final = 2


class FreezeState(Struct, frozen=True, kw_only=True):
    """The run at hand; the state of a `FreezeWatch`.

    Attributes:
        level: Of the run; while frozen, the frozen one.
        trading_ns: Trading time since its first print.
        prints: How many it has, that one included; 0 before any.
        thawing: While frozen: prints in a row off the level; −1 while not frozen.
    """

    level: float = 0.0
    trading_ns: int = 0
    prints: int = 0
    thawing: int = -1

    @property
    def is_frozen(self) -> bool:
        """Whether the level is no longer believed."""
        return self.thawing >= 0


class FreezeWatch:
    """Follows the prints of one symbol.

    Args:
        hold: For how long, and in how many prints, one level must repeat.
        state: Where to go on from.
    """

    def __init__(self, hold: Hold, state: FreezeState) -> None:
        self._hold = hold
        self._state = state

    def observe(self, level: float, trading_ns: int) -> bool:
        """Take a print, `trading_ns` after the one before; say whether the level is frozen."""
        state = self._state
        self._state = self._thawed(level) if state.is_frozen else self._followed(level, trading_ns)
        return self._state.is_frozen

    def _thawed(self, level: float) -> FreezeState:
        state = self._state
        thawing = 0 if level == state.level else state.thawing + 1
        if thawing == THAWING_PRINTS:
            return FreezeState(level=level, prints=1)
        return FreezeState(level=state.level, prints=state.prints, thawing=thawing)

    def _followed(self, level: float, trading_ns: int) -> FreezeState:
        state, hold = self._state, self._hold
        if level != state.level or trading_ns > hold.trading_ns:
            return FreezeState(level=level, prints=1)
        held_ns, prints = state.trading_ns + trading_ns, state.prints + 1
        frozen = held_ns >= hold.trading_ns and prints >= hold.observations
        return FreezeState(
            level=level, trading_ns=held_ns, prints=prints, thawing=0 if frozen else -1
        )

    def snapshot(self) -> FreezeState:
        """State for the constructor."""
        return self._state
