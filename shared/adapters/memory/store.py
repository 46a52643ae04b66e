"""A store in memory that keeps every rule of the real one; the contract suite holds for it too."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import islice

from msgspec.structs import replace

from shared.adapters.store import (
    BatchMismatch,
    Commit,
    Entry,
    Extent,
    OutputMismatch,
    StageRecord,
    StaleEpoch,
    check,
)


class MemoryStore:
    """A store that lives as long as the object.

    Attributes:
        records: By stage.
        streams: Payloads by stream and index.
        last: Index of the newest entry that each stream ever had.
        hashes: Fields of the readable hashes, by key.
    """

    def __init__(self) -> None:
        self.records: defaultdict[str, StageRecord] = defaultdict(StageRecord)
        self.streams: defaultdict[str, dict[int, bytes]] = defaultdict(dict)
        self.last: defaultdict[str, int] = defaultdict(int)
        self.hashes: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self._written: defaultdict[str, int] = defaultdict(int)
        self._commits: dict[str, Commit] = {}
        self._grown = asyncio.Event()

    async def take_lease(self, stage: str, *, above: int = 0) -> int:
        """Begin a new epoch; see `Store.take_lease`."""
        with self._serving():
            epoch = max(self.records[stage].epoch, above) + 1
            self.records[stage] = replace(self.records[stage], epoch=epoch)
            return epoch

    async def load(self, stage: str) -> StageRecord:
        """Return what the last commit left."""
        with self._serving():
            return self.records[stage]

    async def commit(self, commit: Commit) -> None:
        """Make a commit; see `Store.commit`."""
        check(commit)
        with self._serving():
            record = self.records[commit.stage]
            if commit.epoch != record.epoch:
                raise StaleEpoch(commit.stage, commit.epoch, record.epoch)
            if commit == self._commits.get(commit.stage):
                return
            if commit.batch != record.batch + 1:
                raise BatchMismatch(commit.stage, commit.batch, record.batch)
            self._check_outputs(commit)
            self._apply(commit, record)

    async def read(
        self, after: Mapping[str, int], *, count: int, block_ms: int | None = None
    ) -> list[Entry]:
        """Return what follows the given index in each stream; see `Store.read`."""
        with self._serving():
            found = self._following(after, count)
            if found or block_ms is None:
                return found
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(block_ms / 1000):
                    while not (found := self._following(after, count)):
                        self._grown.clear()
                        await self._grown.wait()
            return found

    async def extent(self, stream: str) -> Extent:
        """Return the first and the last index of a stream."""
        with self._serving():
            last = self.last[stream]
            return Extent(min(self.streams[stream], default=last + 1), last)

    async def cursor(self, stage: str, stream: str) -> int:
        """Return the cursor of a stage in a stream."""
        with self._serving():
            return self.records[stage].cursors.get(stream, 0)

    async def settle(self, stream: str, indices: Sequence[int]) -> None:
        """Remove acknowledged rows from an outbox."""
        with self._serving():
            for index in indices:
                self.streams[stream].pop(index, None)

    async def trim(self, stream: str, before: int) -> None:
        """Remove every entry with an index below `before`."""
        with self._serving():
            for index in [index for index in self.streams[stream] if index < before]:
                del self.streams[stream][index]

    def append(self, stream: str, payload: bytes) -> None:
        """Add an entry as another process would."""
        self.last[stream] += 1
        self.streams[stream][self.last[stream]] = payload
        self._grown.set()

    def _serving(self) -> AbstractContextManager[None]:
        """Surround a command; one that fails on purpose is somebody's subclass."""
        return nullcontext()

    def _following(self, after: Mapping[str, int], count: int) -> list[Entry]:
        return [
            entry
            for stream, cursor in after.items()
            for entry in self._after(stream, cursor, count)
        ]

    def _after(self, stream: str, cursor: int, count: int) -> Iterator[Entry]:
        entries = self.streams[stream]
        first = max(cursor + 1, next(iter(entries), self.last[stream] + 1))
        present = (index for index in range(first, self.last[stream] + 1) if index in entries)
        return (Entry(stream, index, entries[index]) for index in islice(present, count))

    def _check_outputs(self, commit: Commit) -> None:
        for stream, emitted in commit.emitted.items():
            written = self._written[stream]
            before = emitted - len(commit.entries.get(stream, ()))
            if before != written:
                word = "hole" if before > written else "overlap"
                raise OutputMismatch(f"{stream}: {word} after {written}")
            if self.last[stream] > written:
                raise OutputMismatch(f"{stream}: foreign after {written}")

    def _apply(self, commit: Commit, record: StageRecord) -> None:
        for stream, emitted in commit.emitted.items():
            for payload in commit.entries.get(stream, ()):
                self.append(stream, payload)
            self._written[stream] = emitted
            excess = len(self.streams[stream]) - commit.keep.get(stream, self.last[stream])
            for index in list(islice(self.streams[stream], max(0, excess))):
                del self.streams[stream][index]
        for key, fields in commit.readable.items():
            self.hashes[key].update(fields)
        record = replace(
            record,
            batch=commit.batch,
            reached={**record.reached, **commit.cursors},
            emitted={**record.emitted, **commit.emitted},
        )
        if commit.state is not None:
            record = replace(
                record,
                state=commit.state,
                cursors={**record.cursors, **commit.cursors},
                seen={**record.seen, **commit.seen},
            )
        self.records[commit.stage] = record
        self._commits[commit.stage] = commit
