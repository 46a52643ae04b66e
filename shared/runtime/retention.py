"""Keep streams bounded: archive what every reader has passed, then trim it.

First the archive, durably; then the trim. A crash between the two leaves entries in both places,
and the next pass trims them. Nothing is trimmed that a reader's stored state has not seen, so a
reader that stands still lets its stream grow: that is its alarm's business (lag), not ours.
"""

import asyncio
from collections.abc import Callable, Sequence

from msgspec import Struct
from prometheus_client import CollectorRegistry, Counter, Gauge

from shared.adapters.archive import Archive, ArchiveGap
from shared.adapters.store import Entry, Store, StoreTrouble

_READ_AT_ONCE = 500


class RetentionPolicy(Struct, frozen=True, kw_only=True):
    """What stays in the store, and how large a segment is.

    Attributes:
        keep_entries: Entries to keep in the stream behind the slowest reader.
        segment_entries: Entries in a segment; fewer wait.
        segment_bytes: A segment ends early at so many bytes of payload, and so bounds memory.
    """

    keep_entries: int = 1_000
    segment_entries: int = 5_000
    segment_bytes: int = 64 * 1024 * 1024


class Retained(Struct, frozen=True):
    """What one pass did.

    Attributes:
        passed: Index of the last entry that every reader has passed.
        archived: Index of the last entry in the archive; 0 without an archive.
        kept_from: Index of the first entry that the stream keeps.
        last: Index of its last entry when the pass began.
    """

    passed: int
    archived: int
    kept_from: int
    last: int

    @property
    def kept(self) -> int:
        """How many entries the stream keeps."""
        return self.last - self.kept_from + 1


class RetentionMetrics:
    """Prometheus metrics of a process's streams.

    Args:
        registry: Where they are registered.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._kept = Gauge(
            "hedge_stream_kept_entries",
            "Entries that a stream keeps in the store.",
            ["stream"],
            registry=registry,
        )
        self._archived = Gauge(
            "hedge_stream_archived_entries",
            "Entries of a stream in the archive; 0 without one.",
            ["stream"],
            registry=registry,
        )
        self._failures = Counter(
            "hedge_retention_failures",
            "Passes that trimmed nothing, for want of the store, of disk, or of an entry.",
            ["stream"],
            registry=registry,
        )

    def passed(self, stream: str, retained: Retained) -> None:
        """Show what a pass did."""
        self._kept.labels(_name(stream)).set(retained.kept)
        self._archived.labels(_name(stream)).set(retained.archived)

    def failed(self, stream: str) -> None:
        """Count a pass that did nothing."""
        self._failures.labels(_name(stream)).inc()


def _name(stream: str) -> str:
    """`journal` of `hedge:v1:{ingest}:journal`."""
    return stream.rpartition(":")[2]


class Retention:
    """Keeps one stream bounded.

    Args:
        source: The store that holds the stream.
        stream: Its key.
        readers: The stages that read it, each with the store of its record. A stream without
            readers is passed at once.
        archive: Where entries go before they are trimmed; `None` does not keep them.
        policy: What stays, and how large a segment is.
        guests: Stages that need not run; one that ever has is waited for like a reader.
    """

    def __init__(  # noqa: PLR0913 - a composition of parts
        self,
        source: Store,
        stream: str,
        readers: Sequence[tuple[Store, str]],
        archive: Archive | None,
        policy: RetentionPolicy = RetentionPolicy(),  # noqa: B008 - frozen
        *,
        guests: Sequence[tuple[Store, str]] = (),
    ) -> None:
        self._source = source
        self._stream = stream
        self._readers = readers
        self._archive = archive
        self._policy = policy
        self._guests = guests

    async def once(self, *, flush: bool = False) -> Retained:
        """Make one pass.

        Args:
            flush: Write a last, smaller segment too.

        Raises:
            ArchiveGap: Entries that were never archived are gone: somebody else trimmed.
            OSError: The archive cannot be written; nothing was trimmed.
            StoreTrouble: Nothing was lost; try again later.
        """
        extent = await self._source.extent(self._stream)
        cursors = [await store.cursor(stage, self._stream) for store, stage in self._readers]
        guests = [await store.cursor(stage, self._stream) for store, stage in self._guests]
        passed = min([*cursors, *filter(None, guests)], default=extent.last)
        archived = 0
        if self._archive is not None:
            archived = await self._archive_up_to(passed, extent.first, self._archive, flush=flush)
        done = passed if self._archive is None else min(passed, archived)
        keep_from = max(done - self._policy.keep_entries + 1, extent.first)
        if keep_from > extent.first:
            await self._source.trim(self._stream, keep_from)
        return Retained(passed, archived, keep_from, extent.last)

    async def _archive_up_to(
        self, passed: int, first: int, archive: Archive, *, flush: bool
    ) -> int:
        position = await asyncio.to_thread(lambda: archive.position)
        if position == 0:
            position = first - 1  # the archive begins where the stream does
        if first > position + 1:
            raise ArchiveGap(f"{self._stream}: archived to {position}, but begins at {first}")
        least = 1 if flush else self._policy.segment_entries
        while passed - position >= least:
            entries = await self._segment(position, passed)
            await asyncio.to_thread(archive.write, entries)
            position = entries[-1].index
        return position

    async def _segment(self, after: int, passed: int) -> list[Entry]:
        entries: list[Entry] = []
        size = 0
        wanted = min(self._policy.segment_entries, passed - after)
        while len(entries) < wanted and size < self._policy.segment_bytes:
            position = entries[-1].index if entries else after
            following = await self._source.read(
                {self._stream: position}, count=min(_READ_AT_ONCE, wanted - len(entries))
            )
            if not following:
                raise ArchiveGap(f"{self._stream}: nothing follows {position}")
            entries += following
            size += sum(len(entry.payload) for entry in following)
        return entries


async def run_retention(
    retentions: Sequence[Retention],
    pause_s: float,
    *,
    after_pass: Callable[[Retention, Retained], None],
    on_trouble: Callable[[Retention, Exception], None],
) -> None:
    """Make passes over several streams until cancelled; trouble with one waits for the next pass.

    Args:
        retentions: One a stream.
        pause_s: Between two passes.
        after_pass: Told what a pass did.
        on_trouble: Told why a pass did nothing: store, disk, or a gap. All of them page somebody,
            none may stop the stages.
    """
    while True:
        for retention in retentions:
            try:
                after_pass(retention, await retention.once())
            except (StoreTrouble, ArchiveGap, OSError) as trouble:
                on_trouble(retention, trouble)
        await asyncio.sleep(pause_s)
