"""How often something may be done by each of many: buckets that fill again, in bounded memory."""

from collections import OrderedDict
from typing import Final

from msgspec import Struct

from shared.adapters.clock import Clock

A_SECOND: Final = 50.0
AT_ONCE: Final = 400.0
MOST_REMEMBERED: Final = 1_024


class _Bucket(Struct):
    left: float
    seen_s: float


class Rates:
    """A bucket for each name; the one that was not seen for longest is forgotten first.

    Args:
        clock: How fast they fill.
        a_second: So much a second …
        at_once: … up to this.
    """

    def __init__(self, clock: Clock, a_second: float = A_SECOND, at_once: float = AT_ONCE) -> None:
        self._clock = clock
        self._a_second = a_second
        self._at_once = at_once
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, name: str) -> bool:
        """Take one out of a name's bucket; false when it is empty."""
        now_s = self._clock.monotonic_s()
        bucket = self._buckets.setdefault(name, _Bucket(self._at_once, now_s))
        self._buckets.move_to_end(name)
        if len(self._buckets) > MOST_REMEMBERED:
            self._buckets.popitem(last=False)
        filled = bucket.left + (now_s - bucket.seen_s) * self._a_second
        bucket.left, bucket.seen_s = min(filled, self._at_once), now_s
        if bucket.left < 1:
            return False
        bucket.left -= 1
        return True
