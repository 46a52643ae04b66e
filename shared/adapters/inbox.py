"""Messages that have arrived and wait for the service: a queue read in batches.

asyncio.Queue costs a wake-up for each message. Here the reader is woken once, when as many as it
wants have come, which is what lets one process take tens of thousands of single ticks a second.
"""

import asyncio
from collections import deque

from shared.adapters.bus import Message


class Inbox:
    """A queue with one reader.

    Args:
        high_water: From so many messages on `is_full` asks the writer to hold back.
    """

    def __init__(self, high_water: int = 50_000) -> None:
        self._messages: deque[Message] = deque()
        self._high_water = high_water
        self._wanted = 1
        self._enough = asyncio.Event()

    def __len__(self) -> int:
        return len(self._messages)

    @property
    def is_full(self) -> bool:
        """Whether the reader has fallen behind."""
        return len(self._messages) >= self._high_water

    def put(self, message: Message) -> None:
        """Add a message; it is kept even when the inbox is full."""
        self._messages.append(message)
        if len(self._messages) >= self._wanted:
            self._enough.set()

    async def next_batch(self, max_messages: int, linger_s: float = 0.0) -> list[Message]:
        """See `Bus.next_batch`."""
        await self._wait_for(1)
        if linger_s > 0.0 and len(self._messages) < max_messages:
            try:
                async with asyncio.timeout(linger_s):
                    await self._wait_for(max_messages)
            except TimeoutError:
                pass
        count = min(max_messages, len(self._messages))
        return [self._messages.popleft() for _ in range(count)]

    async def _wait_for(self, wanted: int) -> None:
        self._wanted = wanted
        while len(self._messages) < wanted:
            self._enough.clear()
            await self._enough.wait()
