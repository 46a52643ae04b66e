"""The shell of ingest: a batch of messages, one commit, then the acknowledgements.

A message is acknowledged to the broker when the journal has it. While the store is away nothing
is taken from the bus: the same commit is tried again until its outcome is known.
"""

import asyncio
from collections import deque
from collections.abc import Sequence

import msgspec
import structlog

from services.ingest.book_reports import REMEMBERED_EXECUTIONS
from services.ingest.commands import CONTROLS
from services.ingest.metrics import IngestMetrics
from services.ingest.step import IngestPolicy, IngestState, IngestStep, Taken
from services.ingest.trouble import Trouble
from shared.adapters.bus import Bus, Message
from shared.adapters.clock import Clock
from shared.adapters.keyring import Keyring
from shared.adapters.store import (
    BatchMismatch,
    CommitRefused,
    StageRecord,
    Store,
    StoreTrouble,
    StoreUnsafe,
)
from shared.domain.events import ExecutionReported
from shared.domain.instants import SECOND
from shared.runtime.alarm import Alarm
from shared.runtime.announcer import Announcer
from shared.runtime.backoff import delays_s
from shared.runtime.health import Health
from shared.runtime.ledger import Ledger, StateUnreadable, StepOutput
from shared.runtime.precedence import Precedence
from shared.runtime.progress import ProgressReporter
from shared.wire import codec, keys, topics
from shared.wire.journal import JournalEntry, encode_entry
from shared.wire.messages import ProgressMessage
from shared.wire.notices import Notice, encode_notice

log = structlog.get_logger()

SERVICE = "ingest"
SUBSCRIPTIONS = (
    topics.TICKS,
    topics.TICKS_OF_A_SYMBOL,
    topics.CLOCK,
    topics.EXECUTIONS,
    topics.POSITIONS,
    topics.MEASUREMENTS,
    *CONTROLS,
)
_CHECK = "ingest.journal"
_MESSAGES_AT_ONCE = 1000
_REJECTS_KEPT = 10_000
_EXECUTIONS_KEPT = 16_384
"""Commits whose execution reports a new leader knows again."""
_READ_AT_ONCE = 2_000


class Ingest:
    """Carries messages into the journal.

    Args:
        policy: What may arrive.
        keyring: Whose commands are believed.
        bus: Subscribed to `SUBSCRIPTIONS`.
        store: Where the journal is.
        epoch: Of the lease it is run under.
        clock: The wall clock.
        metrics: What is counted.
        health: Told whether the journal can be written.
        precedence: Of the stages of this process, which finish before more is taken.
    """

    def __init__(  # noqa: PLR0913 - a composition of parts
        self,
        *,
        policy: IngestPolicy,
        keyring: Keyring,
        bus: Bus,
        store: Store,
        epoch: int,
        clock: Clock,
        metrics: IngestMetrics,
        health: Health,
        precedence: Precedence | None = None,
    ) -> None:
        self._policy = policy
        self._keyring = keyring
        self._bus = bus
        self._store = store
        kept = {
            keys.announcements(SERVICE): _REJECTS_KEPT,
            keys.executions(): _EXECUTIONS_KEPT,
        }
        self._ledger = Ledger(store, SERVICE, epoch=epoch, keep=kept)
        self._step = IngestStep(policy, IngestState(), keyring)
        self._clock = clock
        self._precedence = precedence or Precedence()
        self._metrics = metrics
        self._health = health
        health.failing(_CHECK, "its record is not loaded yet")
        self._progress = ProgressReporter(bus, SERVICE)
        self._announcer = Announcer(bus, store, SERVICE, epoch)
        self._trouble, self._alarm = Trouble(), Alarm(bus)

    async def run(self) -> None:
        """Run until cancelled.

        Raises:
            StageStopped: Another ingest leads, the store lost data, or another version wrote to it.
            StoreUnsafe: The store does not write.
            CommitRefused: The journal holds what this ingest did not write.
        """
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._progress.run(), name="progress")
            tasks.create_task(self._announcer.run(), name="rejects")
            tasks.create_task(self._alarm.run(), name="alarm")
            await self._follow_bus()

    async def _follow_bus(self) -> None:
        batch = await self._open()
        while True:
            messages = await self._next_messages()
            batch = await self._journal(messages, batch)
            for message in messages:
                message.ack()
            await self._precedence.give_way()

    async def _next_messages(self) -> Sequence[Message]:
        """Wait for messages, but no longer than until the wall clock is due in the journal."""
        if self._policy.clock_from_feed:
            return await self._bus.next_batch(_MESSAGES_AT_ONCE)
        try:
            async with asyncio.timeout(self._policy.clock_interval_ns / SECOND):
                return await self._bus.next_batch(_MESSAGES_AT_ONCE)
        except TimeoutError:
            return ()

    async def _journal(self, messages: Sequence[Message], batch: int) -> int:
        """Commit a batch of messages once, whatever becomes of the connection meanwhile."""
        while True:
            started_s, now_ns = self._clock.monotonic_s(), self._clock.now_ns()
            taken = self._step.receive(messages, now_ns)
            output = _output(taken, self._step.entry(taken, now_ns))
            try:
                if output:
                    state = msgspec.msgpack.encode(self._step.snapshot())
                    batch = await self._ledger.commit(output, state=state)
            except StoreTrouble as trouble:
                self._wait(trouble)
                stored = await self._open()
                if stored > batch:  # it had taken effect, only the reply was lost
                    return stored
                batch = stored
            else:
                self._metrics.taken(taken, self._clock.monotonic_s() - started_s)
                self._report(taken.reports)
                for told in self._trouble.judge(taken, self._clock.monotonic_s(), now_ns):
                    self._alarm.ring(told)
                return batch

    async def _open(self) -> int:
        """Go on from what the store holds; answers the number of its last commit."""
        record, executions = await self._load()
        state = IngestState() if record.state is None else _decode_state(record.state)
        self._step = IngestStep(self._policy, state, self._keyring, executions)
        self._report(self._step.sequences)
        self._health.passing(_CHECK)
        return record.batch

    async def _load(self) -> tuple[StageRecord, deque[str]]:
        delays = delays_s()
        while True:
            try:
                record = await self._ledger.open()
                return record, await self._load_executions(record)
            except StoreTrouble as trouble:
                self._wait(trouble)
                await asyncio.sleep(next(delays))

    async def _load_executions(self, record: StageRecord) -> deque[str]:
        """Read what the record knows of, and no more: a commit may arrive between the two."""
        stream, found = keys.executions(), deque[str](maxlen=REMEMBERED_EXECUTIONS)
        last = record.emitted.get(stream, 0)
        seen = max(0, last - _EXECUTIONS_KEPT)
        while seen < last and (
            entries := await self._store.read({stream: seen}, count=min(last - seen, _READ_AT_ONCE))
        ):
            seen = entries[-1].index
            for each in entries:
                found.extend(msgspec.msgpack.decode(each.payload, type=list[str]))
        return found

    def _wait(self, trouble: StoreTrouble) -> None:
        """A refused commit is no passing trouble, unless an earlier one's reply was lost."""
        if isinstance(trouble, CommitRefused) and not isinstance(trouble, BatchMismatch):
            raise trouble
        self._health.failing(_CHECK, str(trouble))
        log.warning("store_unavailable", error=str(trouble))
        if isinstance(trouble, StoreUnsafe):
            raise trouble  # another server may be the right one: who leads is asked anew

    def _report(self, sequences: dict[str, int]) -> None:
        if not self._policy.clock_from_feed:
            return  # nobody waits to hear it
        for source, sequence in sequences.items():
            if source:
                message = ProgressMessage(service=SERVICE, source=source, sequence=sequence)
                self._progress.report(message)


def _decode_state(state: bytes) -> IngestState:
    try:
        return msgspec.msgpack.decode(state, type=IngestState)
    except msgspec.DecodeError as error:
        raise StateUnreadable(SERVICE, error) from error


def _output(taken: Taken, entry: JournalEntry | None) -> StepOutput:
    letters = [
        encode_notice(Notice(topics.REJECTS, codec.encode(letter))) for letter in taken.rejects
    ]
    executions = [each.execution_id for each in taken.items if isinstance(each, ExecutionReported)]
    entries = {
        keys.journal(): [encode_entry(entry)] if entry else [],
        keys.executions(): [msgspec.msgpack.encode(executions)] if executions else [],
        keys.announcements(SERVICE): letters,
    }
    return StepOutput({stream: rows for stream, rows in entries.items() if rows})
