"""What this process committed last, handed to readers in the same process.

A stage that feeds the next one in the same process need not wait until the server has told what
the process itself just wrote. Only confirmed commits are handed on, so a reader sees the very
entries that the server would give, in the same order, only sooner. What a tail does not hold
(written by another process, long ago, or with a lost reply) is read from the server as ever, at
the latest when the reader's time to wait is over. A read that does not wait always asks the
server: it is there to see what the server has.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Final

from shared.adapters.connections import RedisSettings
from shared.adapters.redis_store import RedisStore
from shared.adapters.store import Commit, Entry, StageRecord

_NONE: Final = -1
MOST_ENTRIES: Final = 64
"""Of a tail: enough for a reader that keeps up; one that fell behind asks the server."""


class Tail:
    """The newest entries of one stream, without a hole, as this process committed them.

    Attributes:
        last: Index of the newest entry committed here; a reader that has come so far waits here
            instead of at the server.
        sent: Index of the newest entry in a commit on its way; below `last` when there is none. The
            server may tell a reader of it before it tells us: that reader waits here too.
    """

    def __init__(self) -> None:
        self.last = self.sent = _NONE
        self._entries: deque[Entry] = deque(maxlen=MOST_ENTRIES)
        self._grown = asyncio.Event()

    def extend(self, entries: Sequence[Entry]) -> None:
        """Append what a confirmed commit wrote; one made again is here already."""
        fresh = [entry for entry in entries if entry.index > self.last]
        if not fresh:
            return
        if fresh[0].index != self.last + 1:  # others lie between, and only the server has them
            self._entries.clear()
        self._entries.extend(fresh)
        self.last = fresh[-1].index
        self._wake()

    def is_followed_from(self, index: int) -> bool:
        """Whether what comes after an index is told here first, as far as we know."""
        return self.last <= index <= max(self.last, self.sent)

    def after(self, index: int, count: int) -> list[Entry]:
        """Return what follows an index; nothing when that is not held."""
        if not self._entries or index + 1 < self._entries[0].index:
            return []
        skipped = index + 1 - self._entries[0].index
        return list(islice(self._entries, skipped, skipped + count))

    def forget_through(self, index: int) -> None:
        """Drop entries up to an index: from now on only the server knows which of them remain."""
        while self._entries and self._entries[0].index <= index:
            self._entries.popleft()

    def forget(self) -> None:
        """Drop everything, and send those who wait here to the server."""
        self._entries.clear()
        self.last = _NONE
        self._wake()

    def _wake(self) -> None:
        self._grown.set()
        self._grown = asyncio.Event()

    async def growth(self, within_ms: int) -> None:
        """Wait for an entry, or until the time is over or all is forgotten."""
        try:
            async with asyncio.timeout(within_ms / 1_000):
                await self._grown.wait()
        except TimeoutError:
            return


class Tails:
    """The tails of the streams of one server; every store of a process on it shares them."""

    def __init__(self) -> None:
        self._tails: defaultdict[str, Tail] = defaultdict(Tail)

    def __getitem__(self, stream: str) -> Tail:
        return self._tails[stream]

    def forget(self) -> None:
        """Drop everything."""
        for tail in self._tails.values():
            tail.forget()


class TailedStore(RedisStore):
    """A store on a server whose readers are handed what other stages of their process commit.

    Args:
        settings: Where the server is.
        tails: Shared by all stores of this process on that server.
    """

    def __init__(self, settings: RedisSettings, tails: Tails) -> None:
        super().__init__(settings)
        self._tails = tails

    async def load(self, stage: str) -> StageRecord:
        """Load a record, and forget what came before; see `Store.load`.

        Whoever loads begins, or begins anew after trouble: the server may be another one now, or
        hold a commit whose reply was lost.
        """
        self._tails.forget()
        return await super().load(stage)

    async def commit(self, commit: Commit) -> None:
        """Commit, and hand on what was confirmed; see `Store.commit`."""
        for stream in commit.entries:
            self._tails[stream].sent = commit.emitted.get(stream, _NONE)
        try:
            await super().commit(commit)
        finally:
            for stream in commit.entries:
                self._tails[stream].sent = _NONE
        for stream, payloads in commit.entries.items():
            first = commit.emitted[stream] - len(payloads) + 1
            self._tails[stream].extend(
                [Entry(stream, index, payload) for index, payload in enumerate(payloads, first)]
            )

    async def read(
        self, after: Mapping[str, int], *, count: int, block_ms: int | None = None
    ) -> list[Entry]:
        """Return what follows, from the tail if the read may wait; see `Store.read`."""
        if block_ms is None or len(after) != 1:
            return await super().read(after, count=count, block_ms=block_ms)
        ((stream, index),) = after.items()
        tail = self._tails[stream]
        if tail.is_followed_from(index):
            await tail.growth(block_ms)
            block_ms = None
        held = tail.after(index, count)
        return held or await super().read(after, count=count, block_ms=block_ms)

    async def settle(self, stream: str, indices: Sequence[int]) -> None:
        """Remove acknowledged rows; see `Store.settle`."""
        self._tails[stream].forget_through(max(indices, default=0))
        await super().settle(stream, indices)

    async def trim(self, stream: str, before: int) -> None:
        """Remove every entry with an index below `before`; see `Store.trim`."""
        self._tails[stream].forget_through(before - 1)
        await super().trim(stream, before)
