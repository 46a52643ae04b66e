"""The one clock: everything else takes time as an argument."""

import time
from typing import Protocol


class Clock(Protocol):
    """Where a shell gets its time from."""

    def now_ns(self) -> int:
        """Wall clock, ns since the Unix epoch, UTC."""
        ...

    def monotonic_s(self) -> float:
        """Seconds that never run backwards, for time-outs and resends."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now_ns(self) -> int:
        """Wall clock, ns since the Unix epoch, UTC."""
        return time.time_ns()  # noqa: TID251 - this is the one clock

    def monotonic_s(self) -> float:
        """Seconds that never run backwards, for time-outs and resends."""
        return time.monotonic()  # noqa: TID251 - this is the one clock
