"""The gateway stops by itself when it does not hear its hedger (promises A7).

Silence is counted while the gateway itself runs: one that was frozen, and wakes to a queue full of
heartbeats, has not lost its hedger. So `pass_time` is to be called several times a second.
"""

from typing import Final

from shared.domain.trading import TradingState

REDUCING_S: Final = 2.0
HALTED_S: Final = 3.0
LONGEST_STEP_S: Final = 0.25
"""What one call counts at most."""


class DeadMan:
    """How long the hedger has been silent, in seconds of the gateway's own time.

    It remembers nothing across restarts: a gateway that starts listens first.
    """

    def __init__(self) -> None:
        self.silent_s = 0.0
        self.heard = False
        """Whether the hedger was heard at all."""

    def hear(self) -> None:
        """Note a sign of life."""
        self.silent_s, self.heard = 0.0, True

    def pass_time(self, elapsed_s: float) -> None:
        """Note that time has passed without one."""
        self.silent_s += min(elapsed_s, LONGEST_STEP_S)

    @property
    def wanted(self) -> TradingState:
        """What the silence asks for."""
        if self.silent_s >= HALTED_S:
            return TradingState.HALTED
        return TradingState.REDUCING if self.silent_s >= REDUCING_S else TradingState.ACTIVE
