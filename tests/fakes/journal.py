"""Events as ingest journals them."""

from collections.abc import Sequence
from itertools import groupby

from shared.domain.events import Event, Tick
from shared.domain.tick_block import TickBlock
from shared.wire.journal import JournalItem


def gather(events: Sequence[Event]) -> tuple[JournalItem, ...]:
    """Lay single events out as items: neighbouring ticks become one block."""
    items: list[JournalItem] = []
    for is_tick, run in groupby(events, key=lambda event: isinstance(event, Tick)):
        if is_tick:
            items.append(TickBlock.of([event for event in run if isinstance(event, Tick)]))
        else:
            items.extend(event for event in run if not isinstance(event, Tick))
    return tuple(items)
