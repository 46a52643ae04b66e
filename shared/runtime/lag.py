"""How far a stage is behind its input, looked up once a second, off the hot path."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Final

from shared.adapters.store import Store, StoreTrouble
from shared.runtime.stage import entries_behind

EVERY_S: Final = 1.0


async def lags(source: Store, cursors: Callable[[], Mapping[str, int]]) -> AsyncIterator[int]:
    """Yield, every second, how many entries of all inputs together wait; nothing while unknown."""
    while True:
        await asyncio.sleep(EVERY_S)
        try:
            yield sum((await entries_behind(source, cursors())).values())
        except StoreTrouble:
            continue
