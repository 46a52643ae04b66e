"""What is known of the monitor: the views that the dashboard has told, one after another."""

from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct, structs

from shared.domain.instants import SECOND
from shared.wire.times import parse_instant
from shared.wire.views import (
    AlertView,
    BookSummaryView,
    BookView,
    HealthView,
    MarketView,
    OrderView,
    StateView,
)

_MOST_KEPT: Final = 200
_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
_LONGEST_TEXT: Final = 2_000

View = TypeVar("View")


class Misunderstood(ValueError):  # noqa: N818 - what happened
    """What the dashboard said is not in the contract: it is of another version, or none."""


class Picture(Struct, frozen=True, kw_only=True):
    """All of it at one moment.

    Attributes:
        state: As first told, and changed since.
        book: The chosen one; null until it was told.
        told_ns: Our clock when `state.as_of` was the server's.
        health_ns: Our clock when `state.health` was told.
    """

    state: StateView
    book: BookView | None = None
    told_ns: int = 0
    health_ns: int = 0

    def now_ns(self, ours_ns: int) -> int:
        """What ages are measured from, while our clock shows `ours_ns`.

        The market's instant in a replay, else the server's wall clock.
        """
        if self.state.clock == "feed":
            return instant_ns(self.state.market.event_time or self.state.as_of)
        return instant_ns(self.state.as_of) + max(ours_ns - self.told_ns, 0)

    def data_age_s(self, ours_ns: int) -> float | None:
        """Seconds since the last event of the market arrived, by the wall clock."""
        told = self.state.health.data_age_s
        return None if told is None else told + max(ours_ns - self.health_ns, 0) / SECOND


def begin(data: bytes, ours_ns: int, book: BookView | None = None) -> Picture:
    """Begin with a whole state.

    Raises:
        Misunderstood: It is none.
    """
    state = _read(data, StateView)
    return Picture(state=state, book=book, told_ns=ours_ns, health_ns=ours_ns)


def after(picture: Picture, name: str, data: bytes, ours_ns: int) -> Picture:
    """Return the picture after an event of the stream; events of other names change nothing.

    Raises:
        Misunderstood: The event's data is not what its name promises.
    """
    state = picture.state
    match name:
        case "state":
            return begin(data, ours_ns, picture.book)
        case "book":
            return structs.replace(picture, book=_read(data, BookView))
        case "health":
            health = _read(data, HealthView)
            state = structs.replace(state, health=health)
            return structs.replace(picture, state=state, health_ns=ours_ns)
        case "market":
            state = structs.replace(state, market=_read(data, MarketView))
        case "books":
            told = _read(data, tuple[BookSummaryView, ...])
            state = structs.replace(state, books=_with_books(state.books, told))
        case "orders":
            orders = _read(data, tuple[OrderView, ...])
            state = structs.replace(state, orders=_with_orders(state.orders, orders))
        case "alerts":
            alerts = _read(data, tuple[AlertView, ...])
            state = structs.replace(state, alerts=_with_alerts(state.alerts, alerts))
        case _:
            return picture
    return structs.replace(picture, state=state)


def read_book(data: bytes) -> BookView:
    """Read one book.

    Raises:
        Misunderstood: It is none.
    """
    return _read(data, BookView)


def _with_books(
    known: tuple[BookSummaryView, ...], told: tuple[BookSummaryView, ...]
) -> tuple[BookSummaryView, ...]:
    """Each in its place, new ones at the end."""
    return tuple(
        ({each.book: each for each in known} | {each.book: each for each in told}).values()
    )


def _with_orders(
    known: tuple[OrderView, ...], told: tuple[OrderView, ...]
) -> tuple[OrderView, ...]:
    """Newest first; of one instant the last decision."""
    orders = {each.order_id: each for each in known} | {each.order_id: each for each in told}
    newest = sorted(
        orders.values(),
        key=lambda each: (instant_ns(each.decided_time), each.decision),
        reverse=True,
    )
    return tuple(newest[:_MOST_KEPT])


def _with_alerts(
    known: tuple[AlertView, ...], told: tuple[AlertView, ...]
) -> tuple[AlertView, ...]:
    alerts = {each.number: each for each in known} | {each.number: each for each in told}
    return tuple(sorted(alerts.values(), key=lambda each: each.number, reverse=True)[:_MOST_KEPT])


def instant_ns(text: str | None) -> int:
    """Read an instant that was told; 0 when it is none."""
    try:
        return parse_instant(text) if text else 0
    except ValueError:
        return 0


def _read(data: bytes, view: type[View]) -> View:
    try:
        return msgspec.convert(_printable(msgspec.json.decode(data)), view)
    except (msgspec.ValidationError, msgspec.DecodeError, RecursionError) as error:
        raise Misunderstood(str(error)) from None


def _printable(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Take out of every text what a terminal would obey: escapes, controls, changes of direction.

    Once, where texts come in: nothing that draws has to think of it.
    """
    match value:
        case str():
            return printable(value)
        case dict():
            return {printable(str(name)): _printable(each) for name, each in value.items()}
        case list():
            return [_printable(each) for each in value]
        case _:
            return value


def printable(text: str) -> str:
    """The text, cut at 2,000 characters, with nothing in it that is not drawn."""
    if text.isprintable() and len(text) <= _LONGEST_TEXT:
        return text
    return "".join(each if each.isprintable() else _REPLACEMENT for each in text[:_LONGEST_TEXT])
