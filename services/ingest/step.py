"""From messages to a journal entry: pure, so that the shell only carries bytes."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
import numpy as np
from msgspec import Struct

from services.ingest.book_reports import BookReports
from services.ingest.commands import CONTROLS, Commands
from services.ingest.refusal import Refusal
from services.ingest.tick_run import TickRun, Verdicts
from shared.adapters.bus import Message
from shared.adapters.keyring import Keyring
from shared.domain.events import ClockAdvanced, Tick
from shared.domain.intake import Intake, IntakeState, Verdict
from shared.domain.policies import IntakePolicy
from shared.domain.tick_block import TickBlock
from shared.wire import topics
from shared.wire.codec import MalformedMessage, decode, instant_ns, is_arrow
from shared.wire.journal import JournalEntry, JournalItem
from shared.wire.messages import ClockMessage, RejectMessage
from shared.wire.times import format_instant

_VERDICTS: Final = tuple(Verdict)
LARGEST_REJECT_BYTES: Final = 4096
"""Of a refused payload, so much is kept."""


class IngestPolicy(Struct, frozen=True, kw_only=True):
    """What ingest needs to know.

    Attributes:
        intake: Which ticks are believed.
        books: Books of which something may be said.
        clock_from_feed: Event time comes on the `clock` topic, and the wall clock plays no part.
        clock_interval_ns: Else: how often the wall clock is journalled.
    """

    intake: IntakePolicy
    books: frozenset[str]
    clock_from_feed: bool
    clock_interval_ns: int = 1_000_000_000


class IngestState(Struct, frozen=True):
    """What a restarted ingest goes on from.

    Attributes:
        intake: What ticks are judged by.
        next_index: Number of the journal's next event.
        clock_ns: When the wall clock was last journalled.
        commands: When each key gave its last command: see `Commands.heard`.
        reported: See `BookReports`.
        measured: The same.
    """

    intake: IntakeState = IntakeState()
    next_index: int = 0
    clock_ns: int = 0
    commands: dict[str, int] = {}
    reported: dict[str, int] = {}
    measured: dict[str, int] = {}


class Taken(Struct):
    """What became of a batch of messages.

    Attributes:
        items: For the journal, in order of arrival.
        rejects: For the dead letters.
        ticks: Ticks by (symbol, verdict).
        missing: Skipped sequence numbers by source.
        reports: Last sequence number by source, of the sources that were heard.
    """

    items: list[JournalItem] = []
    rejects: list[RejectMessage] = []
    ticks: Counter[tuple[str, Verdict]] = msgspec.field(default_factory=Counter)
    missing: Counter[str] = msgspec.field(default_factory=Counter)
    reports: dict[str, int] = {}


class IngestStep:
    """Reads, judges and lays out what arrives.

    Args:
        policy: What may arrive.
        state: Where to go on from.
        keyring: Whose commands are believed.
        executions: Ids of the latest execution reports, the oldest first.
    """

    def __init__(
        self,
        policy: IngestPolicy,
        state: IngestState,
        keyring: Keyring,
        executions: Iterable[str] = (),
    ) -> None:
        self._policy = policy
        self._commands = Commands(keyring, policy.books, state.commands)
        self._intake = Intake.resume(policy.intake, state.intake, lossless=policy.clock_from_feed)
        self._next_index = state.next_index
        self._clock_ns = state.clock_ns
        self._reports = BookReports(
            keyring, policy.books, executions, state.reported, state.measured
        )

    def receive(self, messages: Sequence[Message], now_ns: int) -> Taken:
        """Take a batch in its order of arrival; nothing that is wrong with it raises."""
        taken = Taken()
        run = TickRun()
        for message in messages:
            try:
                self._screen(message)
                if _is_plain_ticks(message):
                    run.add(message)
                else:
                    self._judge(run, now_ns, taken)
                    run = TickRun()
                    self._take(message, now_ns, taken)
            except Refusal as refusal:
                taken.rejects.append(_reject(message, refusal.reason, str(refusal), now_ns))
            except MalformedMessage as error:
                taken.rejects.append(_reject(message, "malformed", str(error), now_ns))
        self._judge(run, now_ns, taken)
        self._append_wall_clock(now_ns, taken)
        return taken

    def entry(self, taken: Taken, now_ns: int) -> JournalEntry | None:
        """Number what is to be journalled; `None` when there is nothing."""
        if not taken.items:
            return None
        entry = JournalEntry(self._next_index, now_ns, tuple(taken.items))
        self._next_index += len(entry)
        return entry

    def snapshot(self) -> IngestState:
        """Copy the state."""
        return IngestState(
            self._intake.snapshot(),
            self._next_index,
            self._clock_ns,
            dict(self._commands.heard),
            dict(self._reports.reported),
            dict(self._reports.measured),
        )

    @property
    def sequences(self) -> dict[str, int]:
        """The last sequence number taken from each source."""
        return self._intake.sequences

    def _screen(self, message: Message) -> None:
        if message.retain:
            raise Refusal("retained", "a topic's last value, told to a new subscriber: old news")
        if len(message.payload) > self._policy.intake.max_message_bytes:
            raise Refusal("too_large", f"{len(message.payload)} bytes")

    def _take(self, message: Message, now_ns: int, taken: Taken) -> None:
        if message.topic == topics.CLOCK:
            self._take_clock(decode(ClockMessage, message.payload), taken)
        elif message.topic in CONTROLS:
            wall_ns = None if self._policy.clock_from_feed else now_ns
            taken.items.append(self._commands.receive(message, wall_ns))
        elif message.topic.startswith(topics.TICKS):
            run = TickRun.of_arrow(message)
            self._judge(run, now_ns, taken)
        elif (report := self._reports.receive(message, self._latest_ns(now_ns))) is not None:
            taken.items.append(report)

    def _latest_ns(self, now_ns: int) -> int | None:
        """Return the latest instant that is believed; `None` in a replay."""
        skew_ns = self._policy.intake.future_skew_ns
        return None if self._policy.clock_from_feed else now_ns + skew_ns

    def _judge(self, run: TickRun, now_ns: int, taken: Taken) -> None:
        if not run.origins:
            return
        block = run.block()
        screened = self._intake.receive_block(
            block, None if self._policy.clock_from_feed else now_ns
        )
        if len(screened.accepted):
            taken.items.append(screened.accepted)
        taken.missing.update(screened.missing)
        self._report(block.sources, taken)
        _count(block, screened.verdicts, taken.ticks)
        taken.rejects.extend(
            _reject(message, verdict.name.lower(), detail, now_ns)
            for message, verdict, detail in run.refused(block, screened.verdicts)
        )

    def _take_clock(self, message: ClockMessage, taken: Taken) -> None:
        if not self._policy.clock_from_feed:
            raise Refusal("unexpected_clock", "this monitor's clock is the wall clock")
        event = ClockAdvanced(
            event_ns=instant_ns(message.event_time),
            source=message.source,
            sequence=message.sequence,
        )
        verdict = self._intake.receive_clock(event)
        self._report((message.source,), taken)
        if verdict is Verdict.ACCEPTED:
            taken.items.append(event)
        elif verdict.is_refusal:
            raise Refusal(verdict.name.lower(), "a clock event behind the newest instant")

    def _report(self, sources: Iterable[str], taken: Taken) -> None:
        known = self._intake.sequences
        taken.reports |= {source: known[source] for source in sources if source in known}

    def _append_wall_clock(self, now_ns: int, taken: Taken) -> None:
        if self._policy.clock_from_feed:
            return
        if now_ns >= self._clock_ns + self._policy.clock_interval_ns:
            self._clock_ns = now_ns
            self._intake.advance_to(now_ns)
            taken.items.append(ClockAdvanced(event_ns=now_ns))


def compile_ahead(policy: IntakePolicy) -> None:
    """Judge a tick for nothing, so that nothing is compiled while a lease is held."""
    tick = Tick(symbol=next(iter(policy.symbols), "-"), event_ns=0, price=1.0)
    Intake(policy, lossless=False).receive_block(TickBlock.of([tick]), None)


def _is_plain_ticks(message: Message) -> bool:
    """Whether these ticks can join a run; an Arrow stream is a block by itself."""
    is_ticks = message.topic.startswith(topics.TICKS)
    return is_ticks and not is_arrow(message.payload, message.content_type)


def _count(block: TickBlock, verdicts: Verdicts, ticks: Counter[tuple[str, Verdict]]) -> None:
    """Count ticks by symbol and verdict."""
    counts = np.bincount(block.symbol.astype(np.int64) * len(_VERDICTS) + verdicts)
    pairs = counts.nonzero()[0]
    for pair, count in zip(pairs.tolist(), counts[pairs].tolist(), strict=True):
        symbol, verdict = divmod(pair, len(_VERDICTS))
        ticks[block.symbols[symbol], _VERDICTS[verdict]] += count


def _reject(message: Message, reason: str, detail: str, now_ns: int) -> RejectMessage:
    return RejectMessage(
        reason=reason,
        detail=detail[:500],
        topic=message.topic,
        payload=message.payload[:LARGEST_REJECT_BYTES],
        truncated=len(message.payload) > LARGEST_REJECT_BYTES,
        received_time=format_instant(now_ns),
    )
