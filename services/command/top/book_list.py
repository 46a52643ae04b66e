"""The list of books, a line each."""

from collections.abc import Sequence
from typing import Final

from rich.text import Text

from services.command.top.market_section import quality_text
from services.command.top.sections import Section
from services.command.top.words import CALM, LOUD, NOTHING, Column, amount, number, row
from shared.wire.views import BookSummaryView

TRADING_STYLES: Final = {
    "active": "green",
    "reducing": "bold reverse yellow",
    "halted": LOUD,
    "unknown": "yellow",
}
_NARROW: Final = (
    ("", Column(1)),
    ("book", Column(0)),
    ("trading", Column(8)),
    ("target", Column(7, "right")),
    ("current", Column(7, "right")),
    ("binds", Column(13)),
    ("triggers", Column(16)),
)
_WIDE: Final = (
    ("mult", Column(5, "right")),
    ("budget", Column(6, "right")),
    ("wait", Column(4, "right")),
    ("data", Column(8)),
)
_WIDE_FROM: Final = 100


def book_list(books: Sequence[BookSummaryView], chosen: str, width: int) -> Section:
    """List the books in so many cells, the chosen one in sight."""
    listed = _NARROW + (_WIDE if width >= _WIDE_FROM else ())
    columns = [column for _, column in listed]
    titles = ["", f"BOOKS ({len(books)})", *(title for title, _ in listed[2:])]
    head = row([Text(title, "bold underline") for title in titles], columns, width)
    lines = [row(_cells(book, chosen)[: len(listed)], columns, width) for book in books]
    names = [book.book for book in books]
    focus = names.index(chosen) + 1 if chosen in names else None
    return Section(title="", lines=(head, *lines), least=3, head=1, focus=focus)


def _cells(book: BookSummaryView, chosen: str) -> list[str | Text]:
    is_chosen = book.book == chosen
    budget = Text(number(book.budget_used, "fraction"))
    return [
        ">" if is_chosen else "",
        Text(book.book, "bold reverse" if is_chosen else ""),
        trading_text(book.state),
        amount(book.target_vega),
        amount(book.current_vega),
        Text(book.binding or NOTHING, "bold"),
        _triggers(book),
        NOTHING if book.multiplier is None else f"{book.multiplier:.2f}",
        budget,
        Text(str(book.orders_waiting), "bold yellow" if book.orders_waiting else CALM),
        quality_text(book.quality),
    ]


def trading_text(state: str) -> Text:
    """Write a trading state; one that stops orders in capitals."""
    word = state if state == "active" else state.upper()
    return Text(word, TRADING_STYLES.get(state, LOUD))


def _triggers(book: BookSummaryView) -> Text:
    if book.firing:
        return Text(f"FIRING {', '.join(book.firing)}", LOUD)
    if book.pending:
        return Text(f"pending {', '.join(book.pending)}", "bold yellow")
    return Text(NOTHING, CALM)
