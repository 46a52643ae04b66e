"""Events as ingest journals them."""

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from shared.domain.events import ClockAdvanced, Event, Tick
from shared.domain.instants import MINUTE, SECOND
from shared.domain.tick_block import TickBlock
from shared.wire.journal import JournalEntry, JournalItem, encode_entry

OPENING: Final = 1_733_149_800 * SECOND  # 2024-12-02 14:30


def gather(events: Sequence[Event]) -> tuple[JournalItem, ...]:
    """Lay single events out as items: neighbouring ticks become one block."""
    items: list[JournalItem] = []
    for is_tick, run in groupby(events, key=lambda event: isinstance(event, Tick)):
        if is_tick:
            items.append(TickBlock.of([event for event in run if isinstance(event, Tick)]))
        else:
            items.extend(event for event in run if not isinstance(event, Tick))
    return tuple(items)


def minutes_of(symbol: str, level: float, count: int) -> list[bytes]:
    """Entries from an opening on, one a minute: a print near `level`, and the clock after it."""
    found = []
    for number in range(count):
        now = OPENING + number * MINUTE
        tick = Tick(symbol=symbol, event_ns=now, price=level + number % 7)
        items = (TickBlock.of([tick]), ClockAdvanced(event_ns=now + SECOND))
        found.append(encode_entry(JournalEntry(2 * number, 0, items)))
    return found
