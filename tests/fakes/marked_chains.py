"""Mark books over generated chains, and their rows by name."""

from collections.abc import Iterable

from fakes.option_chains import NOW, ListedChain

from shared.domain.events import Tick
from shared.domain.instruments.instrument import Model
from shared.domain.marks.columns import Remark, Source
from shared.domain.marks.mark_book import MarkBook
from shared.domain.marks.policy import MarkPolicy
from shared.domain.marks.quotes import QuoteQuality
from shared.domain.tick_block import TickBlock

POLICY = MarkPolicy(rate=0.04, dividend_yields={"SPX": 0.015}, min_strikes=5)
LISTED = ListedChain(strikes=tuple(range(4600, 5401, 100)))
VIX = ListedChain(
    root="VIX",
    underlying="VXZ23",
    level=17.0,
    strikes=(13.0, 15.0, 17.0, 19.0, 21.0, 25.0),
    smile=(0.01, 0.2, 0.4, -0.1, 0.3),
    tick_size=0.01,
    model=Model.BLACK,
)


def book_of(*chains: ListedChain, policy: MarkPolicy = POLICY) -> MarkBook:
    book = MarkBook(policy)
    for chain in chains:
        for option in chain.options():
            book.add(option)
    return book


def feed(book: MarkBook, ticks: Iterable[Tick]) -> None:
    book.receive_block(TickBlock.of(list(ticks)))


def marked(*chains: ListedChain, policy: MarkPolicy = POLICY) -> MarkBook:
    """Every option quoted at `NOW`, and refreshed."""
    book = book_of(*chains, policy=policy)
    for chain in chains:
        feed(book, chain.quotes())
    assert book.refresh(NOW) == ()
    return book


class Row:
    """One row of the columns, by names."""

    def __init__(self, book: MarkBook, symbol: str) -> None:
        self.number = book.row(symbol)
        self.columns = book.columns

    def __getattr__(self, name: str) -> float:
        value: float = getattr(self.columns, name)[self.number].item()
        return value

    @property
    def said(self) -> tuple[Source, QuoteQuality, Remark]:
        return Source(int(self.source)), QuoteQuality(int(self.quality)), Remark(int(self.remark))


GOOD = (Source.QUOTE, QuoteQuality.GOOD, Remark.OK)
PUT = LISTED.symbol("put", 4800)
CALL = LISTED.symbol("call", 5200)
