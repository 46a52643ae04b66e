"""The store of a stage: its record, its streams, and the one commit that moves all of them.

Theory of operation. A stage's record, its output streams and its readable hashes change together,
in one atomic commit, or not at all. Three numbers make a repeat harmless:

- the *epoch*: whoever leads a stage holds the highest; a commit under another is refused;
- the *batch*: the number of the commit; the last one made again is recognised and succeeds, any
  other number is refused, so a commit that a dead connection delivers late changes nothing;
- the *index*: entries of a stream are numbered 1, 2, 3 …, so entry `n` is the same entry however
  its inputs were split into batches. A commit goes on where its streams end, or is refused. A stage
  that resumes an older state knows from the record which inputs it has already answered.

Because indices have no holes, a reader that misses one knows it, and its lag is a subtraction.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from msgspec import Struct

MOST_READABLE_FIELDS: Final = 2_000
"""Of one hash in one commit: they are for people, and go in one command."""


class StoreTrouble(Exception):  # noqa: N818 - reads as what happened, like KeyError
    """The store did not do what it was asked."""


class StoreUnavailable(StoreTrouble):
    """No answer, or not yet; whether a commit took effect is unknown: load the record and see."""


class StoreUnsafe(StoreTrouble):
    """The store refuses to write (read-only, out of memory, disk full, no replicas, no right)."""


class StoreHalted(StoreTrouble):
    """Somebody has set the stage's halt key: no order is committed until it goes."""


class CommitRefused(StoreTrouble):
    """The commit contradicts what the store holds; nothing was written."""


class StaleEpoch(CommitRefused):
    """The store knows another epoch: a newer holder took the lease, or the store lost data."""

    def __init__(self, stage: str, offered: int, stored: int) -> None:
        super().__init__(f"{stage}: offered epoch {offered}, the store has {stored}")
        self.offered = offered
        self.stored = stored


class BatchMismatch(CommitRefused):
    """The commit does not follow the last one."""

    def __init__(self, stage: str, offered: int, stored: int) -> None:
        super().__init__(f"{stage}: offered batch {offered}, the store has {stored}")
        self.offered = offered
        self.stored = stored


class OutputMismatch(CommitRefused):
    """An output stream is not what its counter says: a hole, an overlap, somebody else's entry."""


class Leader(Struct, frozen=True):
    """Who leads a stage.

    Attributes:
        holder: Its name.
        epoch: What it commits under.
        digest: Of its code and configuration.
    """

    holder: str
    epoch: int
    digest: str


class Entry(Struct, frozen=True):
    """An entry of a stream; `index` counts from 1 without a hole."""

    stream: str
    index: int
    payload: bytes

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that another payload does not share."""
        return hashlib.blake2b(self.payload, digest_size=8).hexdigest()


class Extent(Struct, frozen=True):
    """What a stream holds: indices `first` to `last`; empty when `first` is `last + 1`."""

    first: int
    last: int


class StageRecord(Struct, frozen=True, kw_only=True):
    """What the store knows of a stage; a stage that never ran has epoch and batch 0.

    Attributes:
        epoch: Of the newest holder of the lease.
        batch: Number of the last commit.
        state: The last state committed, or `None`.
        cursors: Index of the last entry of each input stream that `state` has seen.
        seen: Fingerprint of that entry, by input stream.
        emitted: How many entries of each output stream were committed.
        reached: Index of the last entry of each input stream that these came of: beyond `cursors`
            when states are committed less often than outputs.
    """

    epoch: int = 0
    batch: int = 0
    state: bytes | None = None
    cursors: Mapping[str, int] = {}
    seen: Mapping[str, str] = {}
    emitted: Mapping[str, int] = {}
    reached: Mapping[str, int] = {}


class Commit(Struct, frozen=True, kw_only=True):
    """One step of a stage, all of it or nothing.

    Attributes:
        stage: Whose. Every key it writes carries the stage's hash tag.
        epoch: Under which lease.
        batch: One more than the last.
        cursors: Index of the last entry seen of every input stream.
        seen: Fingerprints of these entries.
        state: The state after these cursors, or `None`: the one stored stays, with its cursors.
        emitted: Of every output stream, how many entries it has after this commit.
        entries: New entries by output stream; the last one has index `emitted[stream]`.
        keep: Output streams that are only told: roughly how many entries to keep. All others keep
            every entry until `trim`.
        readable: Fields to set in plain hashes, for people; by key.
    """

    stage: str
    epoch: int
    batch: int
    cursors: Mapping[str, int] = {}
    seen: Mapping[str, str] = {}
    state: bytes | None = None
    emitted: Mapping[str, int] = {}
    entries: Mapping[str, Sequence[bytes]] = {}
    keep: Mapping[str, int] = {}
    readable: Mapping[str, Mapping[str, str]] = {}


class Store(Protocol):
    """Where stages keep what they know and say. Everything may raise `StoreTrouble`."""

    async def acquire(
        self, stage: str, holder: str, ttl_ms: int, *, above: int = 0, digest: str = ""
    ) -> int | None:
        """Lead a stage under a new epoch, unless somebody leads it.

        Asked again by the same holder, after a lost reply, it answers the same epoch.

        Args:
            stage: Which.
            holder: Whose name nobody else has, nor had.
            ttl_ms: For how long, by the server's clock, unless renewed.
            above: The new epoch is higher than this, and than any before.
            digest: Of the holder's code and configuration, for those who wait.

        Returns:
            The epoch, or `None` while another leads.
        """
        ...

    async def renew(self, stage: str, epoch: int, ttl_ms: int) -> bool:
        """Go on leading for `ttl_ms` from now; whether we still do."""
        ...

    async def release(self, stage: str, epoch: int) -> None:
        """Let the next one lead; nothing happens when we do not lead."""
        ...

    async def leader(self, stage: str) -> Leader | None:
        """Return who leads a stage, if anybody does."""
        ...

    async def take_lease(self, stage: str, *, above: int = 0) -> int:
        """Begin a new epoch, higher than any before and than `above`; older holders are out."""
        ...

    async def fence(self, stage: str, epoch: int) -> int:
        """Keep all below an epoch out of a stage that goes with another's lease.

        Returns:
            The stage's epoch now: higher when somebody newer was here.
        """
        ...

    async def load(self, stage: str) -> StageRecord:
        """Return what the last commit left."""
        ...

    async def commit(self, commit: Commit) -> None:
        """Make a commit; made again after a lost reply it succeeds and changes nothing.

        Raises:
            StaleEpoch: Another epoch holds the stage.
            BatchMismatch: It does not follow the last commit.
            OutputMismatch: An output stream is not what its counter says.
            StoreHalted: It has orders, and the stage's halt key is set; nothing was written.
            StoreUnavailable: Whether it took effect is unknown.
            StoreUnsafe: The store does not write now; nothing was written.
            ValueError: A key belongs to another stage, or the numbers contradict each other.
        """
        ...

    async def read(
        self, after: Mapping[str, int], *, count: int, block_ms: int | None = None
    ) -> list[Entry]:
        """Return what follows the given index in each stream, in order.

        Args:
            after: Index of the last entry seen, by stream.
            count: At most so many entries of each stream.
            block_ms: How long to wait when there is none; `None` does not wait.
        """
        ...

    async def extent(self, stream: str) -> Extent:
        """Return the first and the last index of a stream; (1, 0) when it was never written."""
        ...

    async def cursor(self, stage: str, stream: str) -> int:
        """Return the cursor of a stage in a stream, without its state; 0 when it has none."""
        ...

    async def reached(self, stage: str, stream: str) -> int:
        """Return up to which entry of a stream a stage has committed, with its state or without."""
        ...

    async def settle(self, stream: str, indices: Sequence[int]) -> None:
        """Remove acknowledged rows from an outbox."""
        ...

    async def trim(self, stream: str, before: int) -> None:
        """Remove every entry with an index below `before`."""
        ...


def check(commit: Commit) -> None:
    """Check what can be checked without the store.

    Raises:
        ValueError: A key belongs to another stage, or the numbers contradict each other.
    """
    tag = f"{{{commit.stage}}}"
    for key in (*commit.emitted, *commit.readable):
        if tag not in key:
            raise ValueError(f"{commit.stage} may not write {key}")
    for key, fields in commit.readable.items():
        if len(fields) > MOST_READABLE_FIELDS:
            raise ValueError(f"{key} gets {len(fields)} fields, more than {MOST_READABLE_FIELDS}")
    for stream, payloads in commit.entries.items():
        if len(payloads) > commit.emitted.get(stream, 0):
            raise ValueError(f"{stream} gets {len(payloads)} entries but counts fewer emitted")
