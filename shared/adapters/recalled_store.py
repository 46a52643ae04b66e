"""A stream from its beginning, for a reader that starts late: its trimmed part from the archive."""

import asyncio
from collections.abc import Mapping, Sequence

from shared.adapters.archive import ArchiveReader
from shared.adapters.connections import RedisSettings
from shared.adapters.redis_store import RedisStore
from shared.adapters.store import Entry


class RecalledStore(RedisStore):
    """A store whose streams are read on in the archive where they were trimmed.

    Args:
        settings: Of the store.
        archives: By stream.
    """

    def __init__(self, settings: RedisSettings, archives: Mapping[str, ArchiveReader]) -> None:
        super().__init__(settings)
        self._archives = archives
        self._recalled: dict[str, Sequence[Entry]] = {}

    async def read(
        self, after: Mapping[str, int], *, count: int, block_ms: int | None = None
    ) -> list[Entry]:
        """Return what follows the given index in each stream; see `Store.read`."""
        found = await super().read(after, count=count, block_ms=block_ms)
        for stream, position in after.items():
            here = [entry for entry in found if entry.stream == stream]
            if here and here[0].index > position + 1 and stream in self._archives:
                archived = await self._archived(stream, position, count)
                others = [entry for entry in found if entry.stream != stream]
                found = [*others, *(archived or here)]
        return found

    async def _archived(self, stream: str, after: int, count: int) -> list[Entry]:
        """Return what follows in the archive, from a segment that is kept until it is passed."""
        segment = self._recalled.get(stream, ())
        if not (segment and segment[0].index <= after + 1 <= segment[-1].index):
            segment = await asyncio.to_thread(self._segment, stream, after)
            self._recalled[stream] = segment
        return [entry for entry in segment if entry.index > after][:count]

    def _segment(self, stream: str, after: int) -> Sequence[Entry]:
        segments = self._archives[stream].segments(after)
        return segments[0]() if segments else ()
