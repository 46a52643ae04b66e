"""What is in hand goes before what comes next, among the stages of one process.

One event loop serves all of them in turn. Without precedence, ingest takes the next messages
between every two steps of a decision that is on its way, and the order waits for each of them.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_TURNS: Final = 3
LONGEST_S: Final = 0.05
"""A decision takes a tenth of that: precedence is not exclusion, whatever the others wait for."""


class Precedence:
    """Says when every stage of this process has finished what it has in hand."""

    def __init__(self) -> None:
        self._in_hand = 0
        self._clear = asyncio.Event()

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Have a batch in hand."""
        self._in_hand += 1
        try:
            yield
        finally:
            self._in_hand -= 1
            if not self._in_hand:
                self._clear.set()

    async def give_way(self) -> None:
        """Let the others finish: those that have a batch in hand, and those just woken for one.

        One turn of the loop wakes a stage, and one a stage that this one wakes. Ends after
        `LONGEST_S` all the same: others may have much to catch up with, or a store that hangs.
        """
        try:
            async with asyncio.timeout(LONGEST_S):
                for _ in range(_TURNS):
                    await asyncio.sleep(0)
                    while self._in_hand:
                        self._clear.clear()
                        await self._clear.wait()
        except TimeoutError:
            return
