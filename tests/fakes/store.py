"""A store in memory that keeps every rule of the real one, and fails when told to."""

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

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


class Fault(NamedTuple):
    """What befalls a command: `error` is raised, after it took effect or instead of that."""

    error: BaseException
    applied: bool


class FakeStore:
    """A store in memory.

    Args:
        faults: What befalls each command in turn, `None` for nothing; nothing after the last.
        now_s: The server's clock, by which leases end.

    Attributes:
        halted: Stages whose halt key is set.
    """

    def __init__(
        self, faults: Iterable[Fault | None] = (), now_s: Callable[[], float] = time.perf_counter
    ) -> None:
        self.now_s = now_s
        self.halted: set[str] = set()
        self._leases: dict[str, tuple[Leader, float]] = {}
        self.faults = iter(faults)
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
        with self._faulty():
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
        with self._faulty():
            held = self._leader(stage)
            if held is None or held.epoch != epoch:
                return False
            self._lease(stage, held, ttl_ms)
            return True

    async def release(self, stage: str, epoch: int) -> None:
        with self._faulty():
            held = self._leader(stage)
            if held is not None and held.epoch == epoch:
                del self._leases[stage]

    async def leader(self, stage: str) -> Leader | None:
        with self._faulty():
            return self._leader(stage)

    async def fence(self, stage: str, epoch: int) -> int:
        with self._faulty():
            stored = max(self.records[stage].epoch, epoch)
            self.records[stage] = replace(self.records[stage], epoch=stored)
            return stored

    async def take_lease(self, stage: str, *, above: int = 0) -> int:
        with self._faulty():
            epoch = max(self.records[stage].epoch, above) + 1
            self.records[stage] = replace(self.records[stage], epoch=epoch)
            return epoch

    async def load(self, stage: str) -> StageRecord:
        with self._faulty():
            return self.records[stage]

    async def commit(self, commit: Commit) -> None:
        check(commit)
        with self._faulty():
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
        with self._faulty():
            found = self._following(after, count)
            if found or block_ms is None:
                return found
            self._grown.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(block_ms / 1000):
                    await self._grown.wait()
            return self._following(after, count)

    async def extent(self, stream: str) -> Extent:
        with self._faulty():
            last = self.last[stream]
            return Extent(min(self.streams[stream], default=last + 1), last)

    async def cursor(self, stage: str, stream: str) -> int:
        with self._faulty():
            return self.records[stage].cursors.get(stream, 0)

    async def settle(self, stream: str, indices: Sequence[int]) -> None:
        with self._faulty():
            for index in indices:
                self.streams[stream].pop(index, None)

    async def trim(self, stream: str, before: int) -> None:
        with self._faulty():
            for index in [index for index in self.streams[stream] if index < before]:
                del self.streams[stream][index]

    def append(self, stream: str, payload: bytes) -> None:
        """Add an entry as another process would."""
        self.last[stream] += 1
        self.streams[stream][self.last[stream]] = payload
        self._grown.set()

    def _leader(self, stage: str) -> Leader | None:
        leader, ends_s = self._leases.get(stage, (None, 0.0))
        return leader if self.now_s() < ends_s else None

    def _lease(self, stage: str, leader: Leader, ttl_ms: int) -> None:
        self._leases[stage] = (leader, self.now_s() + ttl_ms / 1000)

    @contextlib.contextmanager
    def _faulty(self) -> Iterator[None]:
        fault = next(self.faults, None)
        if fault is not None and not fault.applied:
            raise fault.error
        yield
        if fault is not None:
            raise fault.error

    def _following(self, after: Mapping[str, int], count: int) -> list[Entry]:
        return [
            Entry(stream, index, self.streams[stream][index])
            for stream, cursor in after.items()
            for index in sorted(index for index in self.streams[stream] if index > cursor)[:count]
        ]

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
            payloads = commit.entries.get(stream, ())
            for payload in payloads:
                self.append(stream, payload)
            self._written[stream] = emitted
            if stream in commit.keep:
                for index in list(self.streams[stream])[: -commit.keep[stream]]:
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
