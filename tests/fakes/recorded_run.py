"""A run over real history without servers: its journal, what was decided of it, and by what."""

import re
from collections.abc import Sequence
from datetime import date
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from fakes.journal import gather
from msgspec import Struct

from services.command.journal import Replayer
from shared.adapters.history.packaged import packaged_history
from shared.adapters.history.replay import replay_steps
from shared.adapters.settings import Settings, load_settings
from shared.adapters.store import Entry
from shared.domain.effects import OrderDecided
from shared.domain.events import ClockAdvanced, Event, ExecutionReported
from shared.domain.orders import Order
from shared.domain.paper import PaperState, PaperVenue
from shared.domain.sessions import SessionCalendar
from shared.runtime.site import Site
from shared.wire import keys
from shared.wire.decisions import read_decision
from shared.wire.journal import JournalEntry, encode_entry

DEMO = Path(__file__).parents[2] / "deploy" / "demo.toml"


class RecordedRun(Struct, frozen=True):
    """What a run has left.

    Attributes:
        settings: Its configuration.
        calendar: Its sessions.
        journal: Its entries, from 1.
        decisions: The decision log.
        reports: The venue's, in order.
    """

    settings: Settings
    calendar: SessionCalendar
    journal: list[bytes]
    decisions: list[bytes]
    reports: list[ExecutionReported]

    @property
    def entries(self) -> list[Entry]:
        """The journal as a store gives it."""
        return [Entry(keys.journal(), index, each) for index, each in enumerate(self.journal, 1)]

    @property
    def orders(self) -> list[Order]:
        """All that were decided."""
        effects = [read_decision(each).effect for each in self.decisions]
        return [effect.order for effect in effects if isinstance(effect, OrderDecided)]


def two_books() -> str:
    """The demo's configuration, and a book beside it that acts on smaller moves."""
    before, _, rest = DEMO.read_text().partition("[[books]]")
    end = re.search(r"(?m)^\[(?!\[?books)", rest)
    assert end is not None
    book, after = rest[: end.start()], rest[end.start() :]
    nervous = book.replace('name = "overlay"', 'name = "nervous"').replace(
        "[books.triggers]", '[books.triggers]\nvix_points = 1.0\nvix_relative = "5%"'
    )
    return f"{before}[[books]]{book}[[books]]{nervous}{after}"


@cache
def recorded_run(first: date = date(2014, 1, 3), last: date = date(2018, 12, 31)) -> RecordedRun:
    """Run two books over history, with the paper venue; its reports come with the next entry."""
    with TemporaryDirectory() as directory:
        path = Path(directory) / "hedgestat.toml"
        path.write_text(two_books())
        settings = load_settings(path, {})
    calendar = Site(settings=settings).calendar()
    symbols = {leg.symbol for book in settings.books for leg in book.legs}
    venue = PaperVenue.resume(settings.paper, calendar, symbols, PaperState())
    replayer = Replayer(settings, calendar)
    journal: list[bytes] = []
    decisions: list[bytes] = []
    reports: list[ExecutionReported] = []
    events = 0

    def write(items: Sequence[Event]) -> None:
        nonlocal events
        payload = encode_entry(JournalEntry(events, 0, gather(items)))
        events += len(items)
        journal.append(payload)
        made = replayer.take([Entry(keys.journal(), len(journal), payload)])
        decisions.extend(made)
        for each in made:
            effect = read_decision(each).effect
            if isinstance(effect, OrderDecided):
                venue.accept(effect.order)

    for step in replay_steps(packaged_history(), calendar, first, last):
        clock = ClockAdvanced(event_ns=step.clock_ns)
        for tick in step.ticks:
            venue.receive(tick)
        write([*step.ticks, clock])
        told = venue.receive(clock)
        if told:
            reports.extend(told)
            write(told)
    return RecordedRun(settings, calendar, journal, decisions, reports)
