"""A recorded journal as a study's history: the very prints that the live monitor believed.

Only ticks and clock events are taken; what was decided and filled of them then is what a study
asks anew. A live clock ticks every second and passes over the closing instant of a session, which
accounts are made at, so a clock event is put there.
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from services.command.endings import Refused
from services.command.recorded import day_of
from shared.adapters.export import Exported, NoExport, read_export
from shared.adapters.history.replay import ReplayStep
from shared.domain.events import ClockAdvanced, Tick
from shared.domain.sessions import SessionCalendar
from shared.domain.tick_block import TickBlock
from shared.wire import keys
from shared.wire.journal import decode_entry


def opened(path: Path) -> Exported | None:
    """Open an exported journal; `None` when the file is none."""
    try:
        return read_export(path) if path.is_file() else None
    except NoExport:
        return None


def journalled_steps(
    path: Path, exported: Exported, calendar: SessionCalendar, first: date | None, last: date | None
) -> tuple[ReplayStep, ...]:
    """Cut a journal into steps, from one clock event to the next.

    Args:
        path: Where it comes from, for a refusal.
        exported: The same, open.
        calendar: The sessions.
        first: First day, UTC; `None`: the first there is.
        last: Last day, included, likewise.

    Raises:
        Refused: Entries are missing, it is damaged, or it has none of the days.
    """
    try:
        steps = tuple(
            step
            for step in _steps(path, exported, calendar)
            if (first is None or day_of(step) >= first) and (last is None or day_of(step) <= last)
        )
    except NoExport as error:
        raise Refused(str(error)) from None
    if not any(step.ticks for step in steps):
        raise Refused(f"{path}: no tick of this journal lies between {first} and {last}")
    return steps


def _steps(path: Path, exported: Exported, calendar: SessionCalendar) -> Iterator[ReplayStep]:
    ticks: list[Tick] = []
    clock_ns = 0
    for item in _items(path, exported):
        if isinstance(item, TickBlock):
            ticks += [item.tick(row) for row in range(len(item))]
            continue
        for close_ns in _closes_between(calendar, clock_ns, item.event_ns):
            yield _step(close_ns, [tick for tick in ticks if tick.event_ns <= close_ns])
            ticks = [tick for tick in ticks if tick.event_ns > close_ns]
        if item.event_ns > clock_ns:
            yield _step(item.event_ns, [each for each in ticks if each.event_ns <= item.event_ns])
            ticks = [tick for tick in ticks if tick.event_ns > item.event_ns]
            clock_ns = item.event_ns


def _items(path: Path, exported: Exported) -> Iterator[TickBlock | ClockAdvanced]:
    expected = 0
    for entries in exported.entries():
        if entries[0].stream != keys.journal():
            continue
        for entry in entries:
            if expected and entry.index != expected:
                raise Refused(f"{path} lacks entries {expected} to {entry.index - 1}")
            expected = entry.index + 1
            for item in decode_entry(entry.payload).items:
                if isinstance(item, TickBlock | ClockAdvanced):
                    yield item


def _closes_between(calendar: SessionCalendar, before_ns: int, now_ns: int) -> list[int]:
    """Return the closes that a clock passed over; none before the first clock event."""
    if not before_ns:
        return []
    start, stop = calendar.close_ns.searchsorted([before_ns + 1, now_ns]).tolist()
    return [int(close) for close in calendar.close_ns[start:stop]]


def _step(clock_ns: int, ticks: list[Tick]) -> ReplayStep:
    ordered = sorted(ticks, key=lambda tick: tick.event_ns)
    return ReplayStep(clock_ns=clock_ns, ticks=tuple(ordered))
