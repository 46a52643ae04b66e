"""A clock that stands still until it is moved."""


class ManualClock:
    """A `Clock`; both of its times move together.

    Args:
        now_ns: Where the wall clock begins.
    """

    def __init__(self, now_ns: int = 0) -> None:
        self._now_ns = now_ns
        self._passed_s = 0.0

    def now_ns(self) -> int:
        return self._now_ns

    def monotonic_s(self) -> float:
        return self._passed_s

    def advance(self, seconds: float) -> None:
        self._passed_s += seconds
        self._now_ns += round(seconds * 1e9)
