"""How often a password may be guessed: few times for a name, not much oftener for all together.

Names that nobody has are throttled like those that somebody has. Memory is bounded, for in all
only so many failures are let happen.
"""

from collections import deque
from typing import Final

from shared.adapters.clock import Clock

WINDOW_S: Final = 300.0
MOST_OF_A_NAME: Final = 5
MOST_IN_ALL: Final = 40


class Throttle:
    """Counts the failed logins of the last minutes.

    Args:
        clock: What is the last minutes.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures: deque[tuple[float, str]] = deque()

    def wait_s(self, name: str) -> float:
        """For how long nobody may try under a name; 0: now."""
        now_s = self._clock.monotonic_s()
        while self._failures and now_s - self._failures[0][0] >= WINDOW_S:
            self._failures.popleft()
        own = [at_s for at_s, other in self._failures if other == name]
        blocking = []
        if len(own) >= MOST_OF_A_NAME:
            blocking.append(own[-MOST_OF_A_NAME])
        if len(self._failures) >= MOST_IN_ALL:
            blocking.append(self._failures[-MOST_IN_ALL][0])
        return max((at_s + WINDOW_S - now_s for at_s in blocking), default=0.0)

    def failed(self, name: str) -> None:
        """Count a failure."""
        self._failures.append((self._clock.monotonic_s(), name))

    def succeeded(self, name: str) -> None:
        """Forget the failures of a name: it was its owner's finger that slipped."""
        self._failures = deque(each for each in self._failures if each[1] != name)
