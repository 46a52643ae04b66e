"""The shell of ingest: a batch of messages, one commit, then the acknowledgements.

A message is acknowledged to the broker when the journal has it. While the store is away nothing
is taken from the bus: the same commit is tried again until its outcome is known.
"""

import asyncio
from collections.abc import Sequence

import msgspec
import structlog

from services.ingest.metrics import IngestMetrics
from services.ingest.step import IngestPolicy, IngestState, IngestStep, Taken
from shared.adapters.bus import Bus, Message
from shared.adapters.clock import Clock
from shared.adapters.store import Commit, StageRecord, Store, StoreUnavailable, StoreUnsafe
from shared.domain.instants import SECOND
from shared.runtime.progress import ProgressReporter
from shared.wire import codec, keys, topics
from shared.wire.journal import encode_entry
from shared.wire.messages import ProgressMessage
from shared.wire.notices import Notice, encode_notice

log = structlog.get_logger()

SERVICE = "ingest"
SUBSCRIPTIONS = (
    topics.TICKS,
    topics.TICKS_OF_A_SYMBOL,
    topics.CLOCK,
    topics.EXECUTIONS,
    topics.REBALANCE,
)
_MESSAGES_AT_ONCE = 1000
_REJECTS_KEPT = 10_000
_RETRY_S = 0.25


class Ingest:
    """Carries messages into the journal.

    Args:
        policy: What may arrive.
        bus: Subscribed to `SUBSCRIPTIONS`.
        store: Where the journal is.
        clock: The wall clock.
        metrics: What is counted.
    """

    def __init__(
        self, *, policy: IngestPolicy, bus: Bus, store: Store, clock: Clock, metrics: IngestMetrics
    ) -> None:
        self._policy = policy
        self._bus = bus
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._progress = ProgressReporter(bus, SERVICE)

    async def run(self) -> None:
        """Run until cancelled.

        Raises:
            StaleEpoch: Another ingest took over.
            CommitRefused: The store is not what this ingest left.
        """
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._progress.run(), name="progress")
            await self._follow_bus()

    async def _follow_bus(self) -> None:
        epoch, record = await self._begin()
        state = (
            msgspec.msgpack.decode(record.state, type=IngestState)
            if record.state
            else IngestState()
        )
        step = IngestStep(self._policy, state)
        batch, emitted = record.batch, dict(record.emitted)
        self._report(step.sequences)
        while True:
            messages = await self._next_messages()
            started_s = self._clock.monotonic_s()
            now_ns = self._clock.now_ns()
            taken = step.receive(messages, now_ns)
            commit = self._commit_of(step, taken, now_ns, epoch, batch + 1, emitted)
            if commit is not None:
                await self._make(commit)
                batch, emitted = commit.batch, dict(commit.emitted)
                seconds = self._clock.monotonic_s() - started_s
                self._metrics.committed(emitted.get(keys.journal(), 0), seconds)
            for message in messages:
                message.ack()
            self._metrics.taken(taken)
            self._report(taken.reports)

    async def _begin(self) -> tuple[int, StageRecord]:
        while True:
            try:
                epoch = await self._store.take_lease(SERVICE)
                return epoch, await self._store.load(SERVICE)
            except (StoreUnavailable, StoreUnsafe) as error:
                log.warning("store_unavailable", error=str(error))
                await asyncio.sleep(_RETRY_S)

    async def _next_messages(self) -> Sequence[Message]:
        """Wait for messages, but no longer than until the wall clock is due in the journal."""
        if self._policy.clock_from_feed:
            return await self._bus.next_batch(_MESSAGES_AT_ONCE)
        try:
            async with asyncio.timeout(self._policy.clock_interval_ns / SECOND):
                return await self._bus.next_batch(_MESSAGES_AT_ONCE)
        except TimeoutError:
            return ()

    def _commit_of(  # noqa: PLR0913, PLR0917 - what a commit is made of
        self,
        step: IngestStep,
        taken: Taken,
        now_ns: int,
        epoch: int,
        batch: int,
        emitted: dict[str, int],
    ) -> Commit | None:
        entry = step.entry(taken, now_ns)
        if entry is None and not taken.rejects:
            return None
        entries = {keys.journal(): [encode_entry(entry)] if entry else []}
        entries[keys.announcements(SERVICE)] = [
            encode_notice(Notice(topics.REJECTS, codec.encode(letter))) for letter in taken.rejects
        ]
        return Commit(
            stage=SERVICE,
            epoch=epoch,
            batch=batch,
            state=msgspec.msgpack.encode(step.snapshot()),
            emitted={key: emitted.get(key, 0) + len(rows) for key, rows in entries.items()},
            entries=entries,
            keep={keys.announcements(SERVICE): _REJECTS_KEPT},
        )

    async def _make(self, commit: Commit) -> None:
        """Repeat a commit until its outcome is known; made twice, it counts once."""
        while True:
            try:
                return await self._store.commit(commit)
            except (StoreUnavailable, StoreUnsafe) as error:
                log.warning("commit_delayed", batch=commit.batch, error=str(error))
                await asyncio.sleep(_RETRY_S)

    def _report(self, sequences: dict[str, int]) -> None:
        for source, sequence in sequences.items():
            if source:
                message = ProgressMessage(service=SERVICE, source=source, sequence=sequence)
                self._progress.report(message)
