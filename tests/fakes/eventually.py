"""Wait for what must become true: a poll with a deadline, instead of a sleep."""

import asyncio
import time
from collections.abc import Callable


async def eventually(condition: Callable[[], bool], *, within_s: float = 10.0) -> None:
    """Return as soon as `condition()` holds.

    Raises:
        AssertionError: It did not within `within_s` seconds.
    """
    deadline = time.perf_counter() + within_s
    while not condition():
        assert time.perf_counter() < deadline, f"not within {within_s} s: {condition}"
        await asyncio.sleep(0.005)


def eventually_sync(condition: Callable[[], bool], *, within_s: float = 10.0) -> None:
    """`eventually` where no event loop runs.

    Raises:
        AssertionError: It did not within `within_s` seconds.
    """
    deadline = time.perf_counter() + within_s
    while not condition():
        assert time.perf_counter() < deadline, f"not within {within_s} s: {condition}"
        time.sleep(0.005)
