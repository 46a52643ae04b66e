"""What each book holds: its configured opening positions and its own fills, and nothing else.

Others report what they think that a book holds. Such a report is compared with ours as of the
report's instant, and every difference is told with its figures, once: it is neither adopted nor
forgotten, and it is told again when it changes, and when it is gone. Who is right is for a person
to say. Ours is put right by changing the opening position in the configuration by the difference:
what was traded since comes on top of it.

A fill that reaches the journal after the report, and was before it, shows as a difference until
the next report.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct

from shared.domain.effects import AlertRaised
from shared.domain.events import ExecutionReported, PositionsReported
from shared.domain.hedging.alerts import alert
from shared.domain.orders import leg_of

REMEMBERED_FILLS: Final = 512
"""By book: to know a report that comes again, and what was held some instants ago."""
MOST_TOLD: Final = 20
"""Differences of one report that are told one by one; the rest is told as a number."""
_ROUNDING: Final = 1e-9

Holdings = Mapping[str, float]
"""Signed quantity by instrument symbol; none is 0."""


class Fill(Struct, frozen=True, array_like=True):
    """A change of a position by one execution."""

    execution_id: str
    event_ns: int
    symbol: str
    quantity: float


class BookPositions(Struct, frozen=True):
    """What is remembered of one book.

    Attributes:
        traded: Sum of all its fills, by symbol.
        fills: The latest of them, oldest first.
        differences: Theirs less ours, by symbol, as last told, of each source.
    """

    traded: dict[str, float] = {}
    fills: tuple[Fill, ...] = ()
    differences: dict[str, dict[str, float]] = {}


class PositionsState(Struct, frozen=True):
    """Snapshot of `Positions`: what is configured is not in it."""

    books: dict[str, BookPositions] = {}


class Positions:
    """Running positions of all books.

    Args:
        opening: Configured positions, by book and symbol.
        legs: Symbol of the instrument that a leg trades, by book and leg.
        state: Where to go on from.
    """

    def __init__(
        self,
        opening: Mapping[str, Holdings],
        legs: Mapping[str, Mapping[str, str]],
        state: PositionsState | None = None,
    ) -> None:
        self._legs = legs
        self._opening = {book: opening.get(book, {}) for book in sorted({*opening, *legs})}
        known = state.books if state else {}
        self._books = {book: known.get(book, BookPositions()) for book in self._opening}
        self._held = {book: self._sum(book) for book in self._books}
        self._version = 0

    @property
    def held(self) -> Mapping[str, Holdings]:
        """Positions by book and symbol; those of 0 are left out."""
        return self._held

    @property
    def version(self) -> int:
        """Grows whenever `held` changes."""
        return self._version

    @property
    def differences(self) -> Mapping[str, Mapping[str, Holdings]]:
        """Theirs less ours, by book, source and symbol: what was told and is not gone yet."""
        return {book: known.differences for book, known in self._books.items()}

    def receive(self, event: ExecutionReported | PositionsReported) -> tuple[AlertRaised, ...]:
        """Book a fill, or compare a report; an event of a book that is not ours says nothing."""
        if event.book not in self._books:
            return ()
        if isinstance(event, ExecutionReported):
            return self._book(event)
        return self._compare(event)

    def snapshot(self) -> PositionsState:
        """Return all that is not configured."""
        return PositionsState(dict(self._books))

    @classmethod
    def resume(
        cls,
        opening: Mapping[str, Holdings],
        legs: Mapping[str, Mapping[str, str]],
        state: PositionsState,
    ) -> "Positions":
        """Go on from a snapshot, under the same configuration or another."""
        return cls(opening, legs, state)

    # --- our own fills -----------------------------------------------------------------------

    def _book(self, report: ExecutionReported) -> tuple[AlertRaised, ...]:
        known = self._books[report.book]
        if not report.quantity or report.execution_id in {
            fill.execution_id for fill in known.fills
        }:
            return ()
        symbol = self._legs.get(report.book, {}).get(leg_of(report.order_id))
        if symbol is None:
            figures = {"quantity": report.quantity}
            return (alert(report.book, report.event_ns, "fill_unplaced", report.order_id, figures),)
        fill = Fill(report.execution_id, report.event_ns, symbol, report.quantity)
        self._books[report.book] = BookPositions(
            known.traded | {symbol: known.traded.get(symbol, 0.0) + report.quantity},
            (*known.fills, fill)[-REMEMBERED_FILLS:],
            known.differences,
        )
        self._held[report.book] = self._sum(report.book)
        self._version += 1
        return ()

    def _sum(self, book: str) -> dict[str, float]:
        opening, traded = self._opening[book], self._books[book].traded
        held = {**opening, **{name: opening.get(name, 0.0) + traded[name] for name in traded}}
        return {name: quantity for name, quantity in held.items() if quantity}

    # --- what others say ---------------------------------------------------------------------

    def _compare(self, report: PositionsReported) -> tuple[AlertRaised, ...]:
        known = self._books[report.book]
        ours = self._held_at(report.book, report.event_ns)
        found = _differences(ours, report.quantities)
        before = known.differences.get(report.source, {})
        told = {**known.differences, report.source: found}
        if not found:
            del told[report.source]
        self._books[report.book] = BookPositions(known.traded, known.fills, told)
        return (*_news(report, ours, found, before), *_good_news(report, found, before))

    def _held_at(self, book: str, instant_ns: int) -> dict[str, float]:
        held = dict(self._held[book])
        for fill in self._books[book].fills:
            if fill.event_ns > instant_ns:
                held[fill.symbol] = held.get(fill.symbol, 0.0) - fill.quantity
        return held


def _differences(ours: Holdings, theirs: Holdings) -> dict[str, float]:
    """Theirs less ours where they differ, by more than rounding; the largest first."""
    gaps = {
        symbol: theirs.get(symbol, 0.0) - ours.get(symbol, 0.0)
        for symbol in sorted({*ours, *theirs})
    }
    differ = [
        symbol
        for symbol, gap in gaps.items()
        if abs(gap) > _ROUNDING * max(1.0, abs(ours.get(symbol, 0.0)))
    ]
    return {symbol: gaps[symbol] for symbol in sorted(differ, key=lambda name: -abs(gaps[name]))}


def _news(
    report: PositionsReported, ours: Holdings, found: Holdings, before: Holdings
) -> Iterator[AlertRaised]:
    new = [symbol for symbol, gap in found.items() if before.get(symbol) != gap]
    for symbol in new[:MOST_TOLD]:
        figures = {
            "ours": ours.get(symbol, 0.0),
            "theirs": report.quantities.get(symbol, 0.0),
            "difference": found[symbol],
        }
        yield alert(report.book, report.event_ns, "position_differs", symbol, figures)
    if len(new) > MOST_TOLD:
        figures = {"symbols": float(len(found)), "named": float(MOST_TOLD)}
        yield alert(report.book, report.event_ns, "positions_differ", report.source, figures)


def _good_news(
    report: PositionsReported, found: Holdings, before: Holdings
) -> Iterator[AlertRaised]:
    gone = [symbol for symbol in before if symbol not in found]
    if before and not found:
        figures = {"symbols": float(len(before))}
        yield alert(report.book, report.event_ns, "positions_agree", report.source, figures)
        return
    for symbol in gone[:MOST_TOLD]:
        yield alert(report.book, report.event_ns, "position_agrees", symbol)
