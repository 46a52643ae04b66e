"""`hedgestat journal export` and `replay`: a run taken along, and decided once more elsewhere.

An exported file holds the journal and what was decided of it: Parquet, one row an entry, with the
stream it is of. Replaying it needs no server: the signals' and the hedger's own steps take the
journal, and give the same decisions, byte for byte.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Final

from msgspec import Struct
from rich.console import Console
from rich.progress import MofNCompleteColumn, TimeRemainingColumn

from services.command.endings import Failed, Refused, named_reasons
from services.command.printing import progress_bar
from services.hedger.step import HedgerStep
from services.signals.step import SignalsStep
from shared.adapters.archive import ArchiveReader, recall
from shared.adapters.code_version import code_version
from shared.adapters.export import ExportFile, NoExport, read_export
from shared.adapters.settings import Settings
from shared.adapters.store import Entry, Store
from shared.domain.instants import DAY, SECOND
from shared.domain.sessions import SessionCalendar
from shared.runtime.bounded import decision_span, journal_span
from shared.runtime.logs import configure_logging
from shared.runtime.site import Site
from shared.wire import keys
from shared.wire.decisions import ChainHead, DecisionRecord, read_decision
from shared.wire.times import format_instant

_SPANS: Final = {keys.decisions(): decision_span, keys.journal(): journal_span}


class Period(Struct, frozen=True):
    """From the first nanosecond to the last, event time."""

    first_ns: int
    last_ns: int

    @classmethod
    def of(cls, first: date | None, last: date | None) -> "Period":
        """Whole days, UTC, both included; all of time where none is given."""
        return cls(
            0 if first is None else _midnight_ns(first),
            2**63 - 1 if last is None else _midnight_ns(last) + DAY - 1,
        )

    def touches(self, span: tuple[int, int] | None) -> bool:
        """Whether some of a span lies in it."""
        return span is not None and span[0] <= self.last_ns and span[1] >= self.first_ns


def _midnight_ns(day: date) -> int:
    return int(datetime.combine(day, time(), tzinfo=UTC).timestamp()) * SECOND


# --- export ------------------------------------------------------------------------------------


def run_export(settings: Settings, path: Path, period: Period, console: Console) -> bool:
    """Write the file; whether it came to its end. Until then there is no such file.

    Raises:
        Failed: The store does not answer, or the disk is full.
    """
    configure_logging("error", stream=sys.stderr)
    try:
        with named_reasons():
            counts = asyncio.run(_export(Site(settings=settings), path, period, console))
    except KeyboardInterrupt:
        console.print("Stopped; nothing was written.")
        return False
    journal, decisions = counts[keys.journal()], counts[keys.decisions()]
    text = f"{path}: {journal:,} entries of the journal, {decisions:,} decisions."
    console.print(text, highlight=False, markup=False, soft_wrap=True)
    return True


async def _export(site: Site, path: Path, period: Period, console: Console) -> dict[str, int]:
    counts = {}
    with (
        ExportFile(path, {"config_digest": site.settings.digest}) as file,
        progress_bar(console, MofNCompleteColumn(), TimeRemainingColumn()) as bar,
    ):
        # decisions first: the journal, read later, then holds all that they came of
        async with site.orders() as orders, site.market() as market:
            for store, stream in ((orders, keys.decisions()), (market, keys.journal())):
                task = bar.add_task(stream.rpartition(":")[2], total=None)
                counts[stream] = 0
                async for entries in _stream(site, store, stream):
                    wanted = [
                        each for each in entries if period.touches(_SPANS[stream](each.payload))
                    ]
                    await asyncio.to_thread(file.write, wanted)
                    counts[stream] += len(wanted)
                    total = (await store.extent(stream)).last
                    bar.update(task, total=total, completed=entries[-1].index)
        await asyncio.to_thread(file.finish)
    return counts


async def _stream(site: Site, store: Store, stream: str) -> AsyncIterator[list[Entry]]:
    directory = site.settings.retention.archive
    archive = None if directory is None else ArchiveReader(Path(directory), stream)
    last = (await store.extent(stream)).last
    async for entries in recall(store, stream, archive):
        yield [entry for entry in entries if entry.index <= last]
        if entries[-1].index >= last:
            return


# --- replay ------------------------------------------------------------------------------------


class Replayer:
    """Decides a journal anew: the steps of the services, without the services.

    Args:
        settings: The configuration.
        calendar: When the market is open.
        state: Where to go on from; see `snapshot`.
    """

    def __init__(
        self,
        settings: Settings,
        calendar: SessionCalendar,
        state: tuple[bytes, bytes] | None = None,
    ) -> None:
        signals, hedger = state or (None, None)
        self._signals = SignalsStep(settings.signals, calendar, signals)
        self._hedger = HedgerStep(
            settings.books, calendar, settings.digest, hedger, code_version=code_version()
        )

    @property
    def head(self) -> ChainHead:
        """The last entry of the decision log."""
        return self._hedger.chain

    def take(self, entries: Sequence[Entry]) -> Sequence[bytes]:
        """Take entries of the journal; returns what they add to the decision log."""
        observed = self._signals.receive(entries).entries.get(keys.signal_log(), ())
        log = [Entry(keys.signal_log(), 0, payload) for payload in observed]
        return self._hedger.receive(log).entries.get(keys.decisions(), ())

    def snapshot(self) -> tuple[bytes, bytes]:
        """Return the states that a `Replayer` goes on from."""
        return self._signals.snapshot(), self._hedger.snapshot()


class ReplayedJournal(Struct, frozen=True):
    """What came of a replay.

    Attributes:
        events: Entries of the journal.
        decisions: The decision log.
        recorded: What was recorded when the journal was exported.
    """

    events: int
    decisions: list[bytes]
    recorded: list[bytes]


def run_journal_replay(
    settings: Settings, path: Path, *, write: Path | None, compare: bool, console: Console
) -> None:
    """Decide an exported journal anew, print the digest of it, and write or compare it.

    Raises:
        Refused: It is no export, or does not begin at the beginning.
        Failed: Other decisions were recorded.
    """
    calendar = Site(settings=settings).calendar()
    try:
        replayed, head = _replay(settings, calendar, path, console)
    except NoExport as error:
        raise Refused(str(error)) from None
    text = f"{replayed.events:,} entries, {head.index:,} decisions, digest {head.hash.hex()}"
    console.print(text, highlight=False, soft_wrap=True)
    if write is not None:
        with ExportFile(write, {"config_digest": settings.digest}) as file:
            file.write(_numbered(replayed.decisions))
            file.finish()
    if compare:
        console.print(compared(replayed), highlight=False, soft_wrap=True)


def _replay(
    settings: Settings, calendar: SessionCalendar, path: Path, console: Console
) -> tuple[ReplayedJournal, ChainHead]:
    replayer = Replayer(settings, calendar)
    exported = read_export(path)
    decisions: list[bytes] = []
    recorded: list[bytes] = []
    events = 0
    with progress_bar(console, MofNCompleteColumn(), TimeRemainingColumn()) as bar:
        task = bar.add_task("replaying", total=exported.count)
        for entries in exported.entries():
            bar.advance(task, len(entries))
            if entries[0].stream == keys.decisions():
                recorded += [entry.payload for entry in entries]
                continue
            if entries[0].index != events + 1:
                raise Refused(
                    f"{path} lacks entries {events + 1} to {entries[0].index - 1} of the journal: "
                    "what was decided depends on all before it. Export without --from."
                )
            decisions += replayer.take(entries)
            events = entries[-1].index
    return ReplayedJournal(events, decisions, recorded), replayer.head


def compared(replayed: ReplayedJournal) -> str:
    """Say how a replay compares with what was recorded.

    Raises:
        Failed: It decided otherwise; the text says where it begins.
    """
    decided, recorded = replayed.decisions[: len(replayed.recorded)], replayed.recorded
    newer = len(replayed.decisions) - len(recorded)
    more = f" {newer:,} more were not recorded yet when the export began." if newer > 0 else ""
    if decided == recorded:
        return f"[green]{len(recorded):,} decisions, byte for byte as they were recorded.[/]{more}"
    for number, (ours, theirs) in enumerate(_pairs(decided, recorded), 1):
        if _deciding(ours) != _deciding(theirs):
            raise Failed(
                f"decision {number} differs:\n  recorded {_told(theirs)}\n  now      {_told(ours)}"
            )
    versions = sorted({_version(read_decision(each)) for each in recorded} - {""})
    return (
        f"[yellow]{len(recorded):,} decisions, the same, recorded by other code:[/] "
        f"{', '.join(versions)}; this is {code_version()}.{more}"
    )


def _pairs(
    decided: Sequence[bytes], recorded: Sequence[bytes]
) -> Iterator[tuple[DecisionRecord | None, DecisionRecord | None]]:
    for number in range(max(len(decided), len(recorded))):
        yield tuple(  # type: ignore[misc] # two of them
            read_decision(log[number]) if number < len(log) else None for log in (decided, recorded)
        )


def _deciding(record: DecisionRecord | None) -> object:
    """All of a record but the code's version."""
    if record is None or record.grounds is None:
        return record
    grounds = record.grounds
    return record.effect, grounds.config_digest, grounds.limits, grounds.observed


def _version(record: DecisionRecord) -> str:
    return "" if record.grounds is None else record.grounds.code_version


def _told(record: DecisionRecord | None) -> str:
    if record is None:
        return "nothing"
    return f"{format_instant(record.effect.event_ns)} {_deciding(record)}"


def _numbered(payloads: Sequence[bytes]) -> list[Entry]:
    return [Entry(keys.decisions(), index, each) for index, each in enumerate(payloads, 1)]
