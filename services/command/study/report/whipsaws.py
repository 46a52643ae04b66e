"""What each suppressed whipsaw would have cost, the dearest first."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from services.command.study.report.contents import Contents, VariantStudy
from services.command.study.report.wording import NOT_DEFINED, money
from shared.domain.instants import SECOND

MOST_LISTED: Final = 40
HEADS: Final = ("variant", "from, UTC", "to", "trigger", "vega", "spread", "move", "in all")
_NEEDED: Final = ("since_ns", "event_ns", "trigger", "vega", "certain", "move", "is_priced")

Listed = tuple[float, tuple[str, ...]]


def whipsaw_rows(contents: Contents) -> tuple[list[tuple[str, ...]], int]:
    """Return a row a whipsaw that would have traded, and how many more there are."""
    found = [row for each in contents.variants for row in _rows(each)]
    found.sort(key=lambda row: -abs(row[0]))
    return [texts for _, texts in found[:MOST_LISTED]], max(0, len(found) - MOST_LISTED)


def _rows(each: VariantStudy) -> Iterator[Listed]:
    if not all(name in each.whipsaws for name in _NEEDED):
        return
    columns = (each.whipsaws[name].tolist() for name in _NEEDED)
    for since_ns, until_ns, trigger, vega, certain, move, is_priced in zip(*columns, strict=True):
        if not vega:
            continue
        costs = (certain, move, certain + move) if is_priced else (None, None, None)
        texts = (each.label, _instant(since_ns), _instant(until_ns), str(trigger), money(vega, "+"))
        told = (NOT_DEFINED if cost is None else money(cost) for cost in costs)
        yield (certain + move if is_priced else 0.0), (*texts, *told)


def _instant(event_ns: int) -> str:
    return f"{datetime.fromtimestamp(event_ns // SECOND, UTC):%Y-%m-%d %H:%M}"
