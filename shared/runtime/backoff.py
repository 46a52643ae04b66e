"""How long to wait before trying again."""

import random
from collections.abc import Iterator


def delays_s(*, first_s: float = 0.05, most_s: float = 1.0) -> Iterator[float]:
    """Yield waits without end: exponential, each drawn evenly from the upper half of its range.

    Everyone who lost the same server tries again; drawn waits keep them from coming at once.

    Args:
        first_s: Longest first wait, seconds.
        most_s: Longest of all, seconds.
    """
    longest_s = first_s
    while True:
        yield longest_s * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, keeps no secret
        longest_s = min(2 * longest_s, most_s)
