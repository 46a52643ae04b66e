"""Run a stage: read a micro-batch, step, commit; with the effect of doing each exactly once.

Theory of operation. A step is deterministic and does no IO. The runner holds nothing that the
record does not: whatever goes wrong between a read and a confirmed commit, it forgets the step,
loads the record, builds the step anew from the state stored there, and goes on from its cursors.
A cold start takes the same path. Cancelling it at any await is therefore as safe as pulling the
plug; `stop` lets it finish the batch in hand.

A small state is committed with every batch, or with every batch that says something: those that
say nothing are taken again after a crash, and say nothing again. A large state is committed every
`snapshot_every` entries, its outputs at once: after a crash the step takes the input since again,
up to where its outputs reach, and what it says of that is dropped: it stands in the streams, as
the step said it then, perhaps under another configuration. For that the stage must have one input
stream: the order between two is an accident.

A batch keeps the event loop, and whoever would renew the lease, for as long as its step takes. So
a run begins with one entry, and batches grow while they are quick: one too long for the lease would
be lost with it, and so would the next holder's, for ever. Sixteen entries of a hundred books that
trade took 0.2 s of a free core, and of a crowded one ten times that: leaders came and went, and
none decided anything. A step that is long whatever the batch is taken in a thread, one at a time:
its process answers meanwhile.

A hole in the input is never passed over: `InputGap` ends the stage, loudly.

Longer than most, half of it words: this is where each entry comes to be taken exactly once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final, ParamSpec, Protocol, TypeVar

from msgspec import DecodeError, Struct

from shared.adapters.store import (
    BatchMismatch,
    CommitRefused,
    Entry,
    StageRecord,
    Store,
    StoreTrouble,
    StoreUnsafe,
)
from shared.runtime.backoff import delays_s
from shared.runtime.ledger import Ledger, StageStopped, StateUnreadable, StepOutput
from shared.runtime.precedence import Precedence

P = ParamSpec("P")
R = TypeVar("R")

_NOTHING: Final[Mapping[str, int]] = {}
_LONGEST_STEP_S: Final = 0.1


class InputGap(StageStopped):
    """An input stream lacks entries that this stage has not seen."""


class Step(Protocol):
    """The pure part of a stage: deterministic, sans IO."""

    def receive(self, entries: Sequence[Entry]) -> StepOutput:
        """Take a batch, in order."""
        ...

    def snapshot(self) -> bytes:
        """Return the state from which an equal step can be made."""
        ...


class Committed(Struct, frozen=True, kw_only=True):
    """A batch is taken, and committed if it was to be.

    Attributes:
        received: How many input entries it took.
        output: What the step said.
        cursors: Index of the last entry seen, by input stream.
    """

    received: int
    output: StepOutput
    cursors: Mapping[str, int]


class StagePolicy(Struct, frozen=True, kw_only=True):
    """How a stage is run.

    Attributes:
        max_entries: Most entries of an input stream in a batch.
        block_ms: How long a read waits for entries, and so how long a stop may take.
        silent_entries: Batches without output are not committed until they hold so many entries,
            or no more come; after a crash the step takes them again, under whatever configuration
            it then has.
        snapshot_every: Commit the state once in so many input entries; `None`: with every batch.
        in_thread: Whether steps are taken in a thread: for a step of tens of milliseconds. It costs
            some tenths of a millisecond.
        rest_s: How long to let entries gather once all there were are taken: for a stage that
            nobody waits for, so that those who are waited for have the processor.
        keep: Output streams that are only told, and roughly how many entries to keep of each.
    """

    max_entries: int = 500
    block_ms: int = 250
    silent_entries: int = 0
    snapshot_every: int | None = None
    in_thread: bool = False
    rest_s: float = 0.0
    keep: Mapping[str, int] = {}


async def _ignore(_: Committed) -> None:
    """Do nothing after a commit."""


def _ignore_output(_: StepOutput) -> None:
    """Do nothing before a commit."""


def _ignore_trouble(_: StoreTrouble) -> None:
    """Do nothing about trouble but what the runner does."""


async def run_stage(  # noqa: PLR0913 - what a composition root decides, all but four with a default
    store: Store,
    stage: str,
    inputs: Sequence[str],
    make_step: Callable[[StageRecord], Step],
    *,
    stop: asyncio.Event,
    epoch: int | None = None,
    source: Store | None = None,
    policy: StagePolicy = StagePolicy(),  # noqa: B008 - frozen
    before_commit: Callable[[StepOutput], None] = _ignore_output,
    after_commit: Callable[[Committed], Awaitable[None]] = _ignore,
    on_trouble: Callable[[StoreTrouble], None] = _ignore_trouble,
    precedence: Precedence | None = None,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Run a stage until `stop` is set or it cannot go on.

    Args:
        store: Where the stage's record, outputs and readable hashes are.
        stage: Its name, or the shard's.
        inputs: The streams it reads.
        make_step: Builds the step from the record's state (`None` at first) and epoch.
        stop: Set to drain: the batch in hand is committed first.
        epoch: Of the lease it is run under; see `Ledger`.
        source: Where the inputs are, when not in `store`.
        policy: Batch size, snapshots, bounds.
        before_commit: Told of what is about to be committed, and may never be: to get ready what
            can be while the store is at work.
        after_commit: Told of every batch, once it is committed if it is to be: to wake relays and
            count. Not told of one whose reply was lost, so nothing may depend on it but promptness.
        on_trouble: Told of trouble with the store before the runner waits and starts over.
        precedence: Of the stages of this process.
        pause: Waits, in seconds.

    Raises:
        LeaseLost: Another process runs this stage.
        StateUnreadable: Another version wrote its state.
        InputGap: Entries this stage has not seen are missing.
        StoreRegressed: The store lost what it had confirmed.
        OutputMismatch: An output stream holds what this stage did not write.
        StoreUnsafe: The store does not write, and the stage is run under a lease.
    """
    if (policy.silent_entries or policy.snapshot_every is not None) and len(inputs) != 1:
        raise ValueError(f"{stage}: a stage that replays reads one stream, not {len(inputs)}")
    ledger = Ledger(store, stage, epoch=epoch, keep=policy.keep)
    delays = delays_s()

    async def committed(batch: Committed) -> None:
        nonlocal delays
        delays = delays_s()  # not sooner: what is loaded may be refused again and again
        await after_commit(batch)

    while True:
        try:
            record = await ledger.open()
            run = _Run(
                stage=stage,
                source=source or store,
                ledger=ledger,
                step=_made(stage, make_step, record),
                cursors={stream: record.cursors.get(stream, 0) for stream in inputs},
                reached=record.reached,
                seen=dict(record.seen),
                policy=policy,
                before_commit=before_commit,
                precedence=precedence or Precedence(),
                pause=pause,
            )
            await run.check_input()
            await run.check_seen()
            await run.until(stop, committed)
        except StoreTrouble as trouble:
            if isinstance(trouble, CommitRefused) and not isinstance(trouble, BatchMismatch):
                raise
            on_trouble(trouble)
            if isinstance(trouble, StoreUnsafe) and epoch is not None:
                raise  # another server may be the right one: who leads is asked anew
            await pause(next(delays))
        else:
            return


async def entries_behind(source: Store, cursors: Mapping[str, int]) -> dict[str, int]:
    """Return how many entries of each stream lie beyond the cursor."""
    return {
        stream: (await source.extent(stream)).last - cursor for stream, cursor in cursors.items()
    }


def _made(stage: str, make_step: Callable[[StageRecord], Step], record: StageRecord) -> Step:
    try:
        return make_step(record)
    except DecodeError as error:
        raise StateUnreadable(stage, error) from error


class _Run:
    """From one load of the record to the next trouble."""

    def __init__(  # noqa: PLR0913 - what run_stage was given, for one run
        self,
        *,
        stage: str,
        source: Store,
        ledger: Ledger,
        step: Step,
        cursors: dict[str, int],
        reached: Mapping[str, int],
        seen: dict[str, str],
        policy: StagePolicy,
        before_commit: Callable[[StepOutput], None],
        precedence: Precedence,
        pause: Callable[[float], Awaitable[None]],
    ) -> None:
        self._precedence = precedence
        self._pause = pause
        self._before_commit = before_commit
        self._stage = stage
        self._source = source
        self._ledger = ledger
        self._step = step
        self._policy = policy
        self._cursors = cursors
        self._reached = reached
        self._seen = seen
        self._since_snapshot = 0
        self._most = 1

    async def until(
        self, stop: asyncio.Event, after_commit: Callable[[Committed], Awaitable[None]]
    ) -> None:
        """Take batches until `stop`; then leave the state stored."""
        while not stop.is_set():
            most = min(self._again() or self._most, self._most)
            entries = await self._source.read(
                self._cursors, count=most, block_ms=self._policy.block_ms
            )
            if entries:
                with self._precedence.holding():
                    await after_commit(await self._take(entries))
                if self._policy.rest_s and len(entries) < most:
                    await self._pause(self._policy.rest_s)
                continue
            await self.check_input()
            if self._policy.snapshot_every is None:
                await self._keep()  # so that a lost lease is noticed in a silent market too
        await self._keep()

    async def _keep(self) -> None:
        """Commit the state, unless the store has it."""
        if self._since_snapshot and not self._again():
            await self._ledger.commit(
                StepOutput(),
                cursors=self._cursors,
                seen=self._seen,
                state=await self._call(self._step.snapshot),
            )
            self._since_snapshot = 0

    async def check_input(self) -> None:
        """Check that what follows the cursors is still there.

        Raises:
            InputGap: It is not, or the stream ends before the cursor.
        """
        for stream, cursor in self._cursors.items():
            extent = await self._source.extent(stream)
            if extent.last < cursor:
                raise InputGap(
                    f"{self._stage}: {stream} ends at {extent.last}, entry {cursor} was already "
                    "taken. Its store lost data: restore it, or start all stages over."
                )
            if extent.last > cursor:
                following = await self._source.read({stream: cursor}, count=1)
                found = following[0].index if following else extent.last + 1
                if found != cursor + 1:
                    raise self._gap(stream, found)

    async def check_seen(self) -> None:
        """Check that the last entries taken are still what they were.

        A store that lost its tail, as `appendfsync everysec` may, fills the same numbers with other
        entries; where it has overtaken our cursor, nothing else would tell.

        Raises:
            InputGap: One is another entry now.
        """
        for stream, fingerprint in self._seen.items():
            cursor = self._cursors[stream]
            entries = await self._source.read({stream: cursor - 1}, count=1)
            if entries and entries[0].index == cursor and entries[0].fingerprint != fingerprint:
                raise InputGap(
                    f"{self._stage}: entry {cursor} of {stream} is not the one that was taken. Its "
                    "store lost data and wrote on: restore it, or start all stages over."
                )

    def _again(self) -> int:
        """How many entries are left of those that an earlier run took and answered."""
        return max(0, *(self._reached.get(at, 0) - cursor for at, cursor in self._cursors.items()))

    async def _take(self, entries: Sequence[Entry]) -> Committed:
        is_answered = self._again() > 0
        self._follow(entries)
        began_s = asyncio.get_running_loop().time()
        output = await self._call(self._step.receive, entries)
        self._pace(asyncio.get_running_loop().time() - began_s)
        if is_answered:
            output = StepOutput()
        self._since_snapshot += len(entries)
        due = self._is_due(output)
        if due or output:
            self._before_commit(output)
            await self._ledger.commit(
                output,
                cursors=self._cursors,
                seen=self._seen,
                state=await self._call(self._step.snapshot) if due else None,
            )
        if due:
            self._since_snapshot = 0
        return Committed(received=len(entries), output=output, cursors=dict(self._cursors))

    async def _call(self, function: Callable[P, R], /, *args: P.args, **named: P.kwargs) -> R:
        if self._policy.in_thread:
            return await asyncio.to_thread(function, *args, **named)
        return function(*args, **named)

    def _pace(self, took_s: float) -> None:
        """Take fewer entries at a time when a step is long, more when it is short."""
        if took_s > _LONGEST_STEP_S:
            self._most = max(1, self._most // 2)
        elif took_s < _LONGEST_STEP_S / 4:
            self._most = min(self._policy.max_entries, 2 * self._most)

    def _is_due(self, output: StepOutput) -> bool:
        """Whether the state is to be committed; never one behind the outputs."""
        if self._again():
            return False
        if self._policy.snapshot_every is not None:
            return self._since_snapshot >= self._policy.snapshot_every
        return bool(output) or self._since_snapshot >= self._policy.silent_entries

    def _follow(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if entry.index != self._cursors[entry.stream] + 1:
                raise self._gap(entry.stream, entry.index)
            self._cursors[entry.stream] = entry.index
        self._seen |= {entry.stream: entry.fingerprint for entry in _last_of_each(entries)}

    def _gap(self, stream: str, found: int) -> InputGap:
        expected = self._cursors[stream] + 1
        return InputGap(
            f"{self._stage}: {stream} lacks entries {expected} to {found - 1}, not seen yet. "
            "They were trimmed or lost: restore them, or start this stage over."
        )


def _last_of_each(entries: Sequence[Entry]) -> Iterable[Entry]:
    return {entry.stream: entry for entry in entries}.values()
