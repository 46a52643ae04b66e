"""From an export, or the configured store, to each book's past."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import Struct
from rich.console import Console

from services.command.endings import Refused
from services.command.figures import counted
from services.command.journal import Period, run_export
from services.command.study.review.past import BookPast
from services.signals.step import SignalsStep
from shared.adapters.export import Exported, NoExport, read_export
from shared.adapters.settings import Settings
from shared.adapters.store import Entry
from shared.domain.effects import Effect
from shared.domain.sessions import SessionCalendar
from shared.domain.signals_observed import HedgerInput
from shared.wire import keys
from shared.wire.decisions import DecisionRecord, read_decision
from shared.wire.journal import decode_log


class ReadJournal(Struct, frozen=True):
    """A journal, and what was decided of it.

    Attributes:
        pasts: Of the books that can be accounted for.
        remarks: On those that cannot, and on what was decided under another configuration.
        versions: Of the code that decided, in order of appearance.
    """

    pasts: tuple[BookPast, ...]
    remarks: tuple[str, ...]
    versions: tuple[str, ...]


@contextmanager
def export_of(settings: Settings, journal: Path | None, console: Console) -> Iterator[Path]:
    """Give the file that was named, or one written now of archive and store together.

    Raises:
        Refused: The writing was interrupted.
        Failed: The store does not answer.
    """
    if journal is not None:
        yield journal
        return
    with TemporaryDirectory(prefix="hedgestat-review-") as directory:
        path = Path(directory) / "journal.parquet"
        if not run_export(settings, path, Period.of(None, None), console):
            raise Refused("interrupted while the journal was read")
        yield path


def read_journal(settings: Settings, calendar: SessionCalendar, path: Path) -> ReadJournal:
    """Read a journal from its beginning on.

    Raises:
        Refused: It is no export, or does not begin at the beginning.
    """
    try:
        records = _records(read_export(path))
        pasts, remarks = _pasts(settings, calendar, records)
        remarks += _replay(settings, calendar, path, pasts)
    except NoExport as error:
        raise Refused(str(error)) from None
    return ReadJournal(
        tuple(pasts),
        (*remarks, *_other_configurations(settings, records)),
        tuple(dict.fromkeys(each.grounds.code_version for each in records if each.grounds)),
    )


def _records(exported: Exported) -> list[DecisionRecord]:
    return [
        read_decision(entry.payload)
        for entries in exported.entries()
        if entries[0].stream == keys.decisions()
        for entry in entries
    ]


def _pasts(
    settings: Settings, calendar: SessionCalendar, records: Sequence[DecisionRecord]
) -> tuple[list[BookPast], list[str]]:
    pasts, remarks = [], []
    index, commission = settings.signals.index_symbol, settings.paper.commission
    for book in settings.books:
        effects: list[Effect] = [
            each.effect for each in records if each.effect.book in {book.name, ""}
        ]
        try:
            pasts.append(BookPast(book, calendar, index, commission, effects))
        except ValueError as reason:
            remarks.append(f"Book {book.name} cannot be accounted for: {reason}.")
    return pasts, remarks


def _replay(
    settings: Settings, calendar: SessionCalendar, path: Path, pasts: list[BookPast]
) -> list[str]:
    signals = SignalsStep(settings.signals, calendar, None)
    remarks: list[str] = []
    reached = 0
    for entries in read_export(path).entries():
        if entries[0].stream != keys.journal():
            continue
        _refuse_a_gap(path, reached, entries)
        reached = entries[-1].index
        for payload in signals.receive(entries).entries.get(keys.signal_log(), ()):
            for event in decode_log(payload):
                remarks += _told(pasts, event)
    for past in pasts:
        past.finish()
    return remarks


def _told(pasts: list[BookPast], event: HedgerInput) -> Iterator[str]:
    """Tell every book of an event; one that traded what its configuration lacks is given up."""
    for past in tuple(pasts):
        try:
            past.take(event)
        except KeyError as leg:
            pasts.remove(past)
            yield (
                f"Book {past.book.name} traded the leg {leg.args[0]}, which the configuration "
                "given here lacks: review it with the one that it ran under."
            )


def _refuse_a_gap(path: Path, reached: int, entries: Sequence[Entry]) -> None:
    if entries[0].index != reached + 1:
        raise Refused(
            f"{path} lacks entries {reached + 1} to {entries[0].index - 1} of the journal: what "
            "is held, and every average, hangs on all before. Export without --from."
        )


def _other_configurations(settings: Settings, records: Sequence[DecisionRecord]) -> list[str]:
    digests = {each.grounds.config_digest for each in records if each.grounds}
    other = len(digests - {settings.digest})
    if not other:
        return []
    remark = (
        f"Decisions were made under {counted(other, 'other configuration')} than the one given "
        "here; what is measured with it may differ from what was seen live."
    )
    return [remark]
