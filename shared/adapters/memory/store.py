"""A store in memory that keeps every rule of the real one; the contract suite holds for it too."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import islice

from msgspec import Struct
from msgspec.structs import replace

from shared.adapters.store import (
    BatchMismatch,
    Commit,
    Entry,
    Extent,
    Leader,
    OutputMismatch,
    StageRecord,
    StaleEpoch,
    StoreHalted,
    check,
)
from shared.wire import keys


def _loop_s() -> float:
    return asyncio.get_running_loop().time()


class Saved(Struct, frozen=True, kw_only=True):
    """A copy of all that a store keeps; see `MemoryStore`."""

    records: dict[str, StageRecord]
    streams: dict[str, dict[int, bytes]]
    last: dict[str, int]
    hashes: dict[str, dict[str, str]]
    written: dict[str, int]
    commits: dict[str, Commit]
    leases: dict[str, tuple[Leader, float]]


class MemoryStore:
    """A store that lives as long as the object.

    Args:
        now_s: The server's clock, by which leases end; the event loop's unless told.

    Attributes:
        records: By stage.
        streams: Payloads by stream and index.
        last: Index of the newest entry that each stream ever had.
        hashes: Fields of the readable hashes, by key.
        halted: Stages whose halt key is set.
    """

    def __init__(self, now_s: Callable[[], float] = _loop_s) -> None:
        self.halted: set[str] = set()
        self._now_s = now_s
        self._leases: dict[str, tuple[Leader, float]] = {}
        self.records: defaultdict[str, StageRecord] = defaultdict(StageRecord)
        self.streams: defaultdict[str, dict[int, bytes]] = defaultdict(dict)
        self.last: defaultdict[str, int] = defaultdict(int)
        self.hashes: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self._written: defaultdict[str, int] = defaultdict(int)
        self._commits: dict[str, Commit] = {}
        self._grown = asyncio.Event()

    async def acquire(
        self, stage: str, holder: str, ttl_ms: int, *, above: int = 0, digest: str = ""
    ) -> int | None:
        """Lead a stage under a new epoch, unless somebody leads it; see `Store.acquire`."""
        with self._serving():
            held = self._leader(stage)
            if held is not None and held.holder != holder:
                return None
            epoch = self.records[stage].epoch
            if held is None or held.epoch != epoch or epoch <= above:
                epoch = max(epoch, above) + 1
            self.records[stage] = replace(self.records[stage], epoch=epoch)
            self._lease(stage, Leader(holder, epoch, digest), ttl_ms)
            return epoch

    async def renew(self, stage: str, epoch: int, ttl_ms: int) -> bool:
        """Go on leading for `ttl_ms` from now; whether we still do."""
        with self._serving():
            held = self._leader(stage)
            if held is None or held.epoch != epoch:
                return False
            self._lease(stage, held, ttl_ms)
            return True

    async def release(self, stage: str, epoch: int) -> None:
        """Let the next one lead; nothing happens when we do not lead."""
        with self._serving():
            held = self._leader(stage)
            if held is not None and held.epoch == epoch:
                del self._leases[stage]

    async def leader(self, stage: str) -> Leader | None:
        """Return who leads a stage, if anybody does."""
        with self._serving():
            return self._leader(stage)

    async def fence(self, stage: str, epoch: int) -> int:
        """Keep all below an epoch out of a stage; see `Store.fence`."""
        with self._serving():
            stored = max(self.records[stage].epoch, epoch)
            self.records[stage] = replace(self.records[stage], epoch=stored)
            return stored

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
            if commit.stage in self.halted and commit.entries.get(keys.outbox(commit.stage)):
                raise StoreHalted(f"{keys.halt(commit.stage)} is set: no order is committed")
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

    async def reached(self, stage: str, stream: str) -> int:
        """Return up to which entry of a stream a stage has committed."""
        with self._serving():
            record = self.records[stage]
            return max(record.cursors.get(stream, 0), record.reached.get(stream, 0))

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

    def save(self) -> Saved:
        """Return a copy of all that is kept, as a backup or a replica has it."""
        return Saved(
            records=dict(self.records),
            streams={stream: dict(entries) for stream, entries in self.streams.items()},
            last=dict(self.last),
            hashes={key: dict(fields) for key, fields in self.hashes.items()},
            written=dict(self._written),
            commits=dict(self._commits),
            leases=dict(self._leases),
        )

    def restore(self, saved: Saved) -> None:
        """Go back to a copy: what was written since is lost."""
        self.records = defaultdict(StageRecord, saved.records)
        self.streams = defaultdict(dict, saved.streams)
        self.last = defaultdict(int, saved.last)
        self.hashes = defaultdict(dict, saved.hashes)
        self._written = defaultdict(int, saved.written)
        self._commits = dict(saved.commits)
        self._leases = dict(saved.leases)

    def _leader(self, stage: str) -> Leader | None:
        leader, ends_s = self._leases.get(stage, (None, 0.0))
        return leader if self._now_s() < ends_s else None

    def _lease(self, stage: str, leader: Leader, ttl_ms: int) -> None:
        self._leases[stage] = (leader, self._now_s() + ttl_ms / 1000)

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
