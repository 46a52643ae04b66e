"""The whole screen: one column where it is narrow, two where it is wide."""

from typing import Final

from msgspec import Struct
from rich.text import Text

from services.command.top.book_list import book_list
from services.command.top.book_section import book_section
from services.command.top.health_sections import header, services_section, warnings
from services.command.top.market_section import market_section
from services.command.top.order_sections import alerts_section, orders_section
from services.command.top.picture import Picture
from services.command.top.sections import Section, beside, stacked
from services.command.top.words import LOUD, clock_time, duration
from shared.domain.instants import SECOND

_TWO_COLUMNS_FROM: Final = 150
_ROWS_A_WARNING: Final = 7
_HELP: Final = (
    "q         quit (also Ctrl-C)",
    "↓ n j     the next book",
    "↑ p k     the book before",
    "?         this help, and back",
    "",
    "Ages are measured from the server's clock; in a replay, from the market's instant.",
    "!STALE!, !FROZEN!, !HALTED!: no rule acts on that number.",
    "BINDS: the step of the sizing chain that decided the target.",
    "2 of 3 obs, 9m00s of 15m00s: how far a trigger's persistence is.",
    "A taller terminal shows more of each part, a wider one (150) two columns.",
    "To halt or rebalance: hedgestat halt, hedgestat rebalance. Why an order: hedgestat why.",
)


class View(Struct, frozen=True, kw_only=True):
    """What is looked at.

    Attributes:
        picture: What is known; null before the first answer.
        url: Where it is asked.
        book: The chosen one.
        trouble: Why there is no connection; empty while there is one.
        trouble_ns: Since when, by our clock.
        ours_ns: Our clock now.
        is_helping: Whether the keys are explained instead.
    """

    picture: Picture | None
    url: str
    book: str
    trouble: str = ""
    trouble_ns: int = 0
    ours_ns: int = 0
    is_helping: bool = False


def screen(view: View, width: int, rows: int | None) -> Text:
    """Draw it in so many cells and rows; with all there is when `rows` is `None`."""
    if view.is_helping:
        lines = [Text("hedgestat top: keys", "bold"), Text(), *map(Text, _HELP)]
    elif view.picture is None:
        lines = [Text("hedgestat top", "bold"), *_away(view)]
    else:
        lines = _drawn(view, view.picture, width, rows)
    cut = lines if rows is None else lines[:rows]
    for line in cut:
        line.truncate(width, overflow="ellipsis")
        line.rstrip()
    whole = Text("\n", no_wrap=True, overflow="crop").join(cut)
    whole.no_wrap = True
    return whole


def _drawn(view: View, picture: Picture, width: int, rows: int | None) -> list[Text]:
    now_ns = picture.now_ns(view.ours_ns)
    loud = [*_away(view), *warnings(picture, now_ns)]
    most = len(loud) if rows is None else max(rows // _ROWS_A_WARNING, 2)
    if len(loud) > most:
        hidden = len(loud) - most + 1
        loud = [*loud[: most - 1], Text(f"… and {hidden} more that is wrong", LOUD)]
    top = [header(picture, view.ours_ns), *loud]
    left_rows = None if rows is None else max(rows - len(top), 0)
    if width < _TWO_COLUMNS_FROM:
        market, books, health, book, orders, alerts = _sections(view, picture, width, width)
        one = (market, books, book, orders, alerts, health)
        return [*top, *stacked(one, width, left_rows)]
    half = (width - 3) // 2
    market, books, health, book, orders, alerts = _sections(view, picture, half, width - 3 - half)
    left = stacked((market, books, health), half, left_rows)
    right = stacked((book, orders, alerts), width - 3 - half, left_rows)
    return [*top, *beside(left, right, half)]


def _sections(view: View, picture: Picture, left: int, right: int) -> tuple[Section, ...]:
    state, now_ns = picture.state, picture.now_ns(view.ours_ns)
    return (
        market_section(picture, now_ns, left),
        book_list(state.books, view.book, left),
        services_section(state.health, left),
        book_section(picture.book, view.book, now_ns, right),
        orders_section(state.orders, now_ns, right),
        alerts_section(state.alerts, now_ns, right),
    )


def _away(view: View) -> list[Text]:
    """Say that nobody answers; all below is as it was then."""
    if not view.trouble:
        return []
    silent = duration((view.ours_ns - view.trouble_ns) / SECOND)
    since = f"no answer since {clock_time(view.trouble_ns)} UTC ({silent}), trying"
    told = f"NOT CONNECTED to {view.url}: {since}: {view.trouble}"
    old = "" if view.picture is None else "OLD PICTURE: all below is as it was then."
    return [Text(each, LOUD) for each in (told, old) if each]
