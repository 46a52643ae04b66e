"""Which row is whose: the instruments that are known, the positions in them, and their betas.

Rows of the marks, of the terms and of the values are the same rows. An instrument gets its row when
a book holds it or hedges with it, and an option also when it is quoted, for it makes smiles.
"""

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Final, NamedTuple

import numpy as np
from msgspec import Struct

from shared.domain.exposure.aggregate import BookColumns, Portfolio, beta_of
from shared.domain.exposure.policy import ExposurePolicy
from shared.domain.exposure.revaluation import Revaluation
from shared.domain.exposure.terms import VARIANCE, Floats, Terms
from shared.domain.instruments.catalogue import Catalogue, UnknownInstrument
from shared.domain.instruments.instrument import Instrument, Kind
from shared.domain.marks.mark_book import MarkBook

_UNKNOWN: Final = -1

Held = Mapping[str, Mapping[str, float]]


class ExposureBook(Struct, frozen=True, kw_only=True):
    """One book, as the monitor sees it.

    Attributes:
        name: Its name.
        opening: Quantity by symbol, before anything was traded here.
        legs: Symbol by leg: what executions trade, and what is measured for the next ones.
        is_measured: Whether something of it acts on Greeks.
    """

    name: str
    opening: Mapping[str, float] = {}
    legs: Mapping[str, str] = {}
    is_measured: bool = False


class _Placed(NamedTuple):
    """A book's positions with their rows, as long as it holds just these."""

    held: Mapping[str, float]
    symbols: tuple[str, ...]
    columns: BookColumns


class Layout:
    """Rows and positions of all books.

    Args:
        policy: Betas.
        catalogue: Knows every instrument.
        books: By name.
        marks: Whose rows these are.
        terms: Of the rows.
        revaluation: Their values.

    Attributes:
        portfolio: The positions as columns.
        symbols: Of every position.
        gone: Whether it has expired, of every position …
        delivered: … and has delivered its underlying.
        leg_rows: Rows of what books hedge with.
        relevant: Symbols whose ticks matter.
        unknown: Why a symbol names nothing.
        is_wanted: Whether there is anything to value.
        betas: By underlying; `None` without one.
        vega_betas: By underlying.
        in_points: Underlyings whose level is in vol points.
        indices: By underlying that is a future, the level that it settles on; empty: not known.
        row_betas: Of every row, 1 where there is none; shape `(n,)`.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - a composition of parts
        self,
        policy: ExposurePolicy,
        catalogue: Catalogue,
        books: Mapping[str, ExposureBook],
        marks: MarkBook,
        terms: Terms,
        revaluation: Revaluation,
    ) -> None:
        self._policy = policy
        self._catalogue = catalogue
        self._books = books
        self._marks = marks
        self._terms = terms
        self._revaluation = revaluation
        self._ignored: set[str] = set()
        self._fresh: list[Instrument] = []
        known = terms.instruments
        self.relevant = {name for one in known for name in (one.symbol, one.underlying)}
        self.unknown: dict[str, str] = {}
        self.portfolio = Portfolio(terms, (), 0)
        self._placed: dict[str, _Placed] = {}
        self.symbols: tuple[str, ...] = ()
        self.gone = self.delivered = np.empty(0, dtype=np.bool_)
        self.leg_rows: list[int] = []
        self.is_wanted = False
        self.betas: dict[str, float | None] = {}
        self.vega_betas: dict[str, float] = {}
        self.in_points: frozenset[str] = frozenset()
        self.indices: dict[str, str] = {}
        self.row_betas: Floats = np.empty(0)

    def meet(self, symbols: Iterable[str]) -> None:
        """Take on the options among symbols that are new: their quotes make smiles."""
        for symbol in symbols:
            if symbol not in self.relevant and symbol not in self._ignored:
                instrument = self._find(symbol)
                if instrument is None or instrument.option is None:
                    self._ignored.add(symbol)
                else:
                    self._take(instrument)

    def _add(self, symbol: str) -> int:
        """Return the row of an instrument, a new one if need be; −1 when there is no such."""
        row = self._marks.row(symbol)
        if row is not None:
            return row
        instrument = self._find(symbol)
        return _UNKNOWN if instrument is None else self._take(instrument)

    def _find(self, symbol: str) -> Instrument | None:
        try:
            return self._catalogue.resolve(symbol)
        except UnknownInstrument as unknown:
            self.unknown[symbol] = unknown.reason
            return None

    def _take(self, instrument: Instrument) -> int:
        self.relevant |= {instrument.symbol, instrument.underlying}
        self._fresh.append(instrument)
        return self._marks.add(instrument)

    def grow(self) -> None:
        """Let the columns reach what was taken on since: all at once, for it copies them."""
        if self._fresh:
            self._terms.extend(self._fresh)
            self._revaluation.grow()
            self._fresh.clear()
            self._weigh()

    def arrange(self, held: Held, grouped_ns: int) -> None:
        """Lay positions out anew.

        Args:
            held: Quantity by book and symbol.
            grouped_ns: What days to expiry are counted from.
        """
        for book in sorted(self._books):
            known, now = self._placed.get(book), held.get(book, {})
            if known is None or known.held != now:
                self._placed[book] = self._place(book, now)
        placed = [each for _, each in sorted(self._placed.items()) if each.symbols]
        self.symbols = tuple(chain.from_iterable(each.symbols for each in placed))
        legs = {symbol for book in self._books.values() for symbol in book.legs.values()}
        self.leg_rows = [self._add(symbol) for symbol in sorted(legs)]
        self.grow()
        columns = [each.columns for each in placed]
        self.portfolio = Portfolio(self._terms, columns, grouped_ns)
        self._note_gone()
        rows = self.portfolio.rows
        if VARIANCE in self._terms.model[rows[rows >= 0]]:
            self._add(self._policy.index)
            self.grow()
        wanted = np.append(rows, np.array(self.leg_rows, dtype=np.int64))
        wanted = wanted[wanted >= 0]
        self.is_wanted = bool(len(wanted) or self.symbols)
        self._revaluation.wanted[:] = False
        self._revaluation.wanted[wanted] = True
        self._weigh()

    def regroup(self, now_ns: int) -> None:
        """Put every position in its bucket as of now."""
        self.portfolio.regroup(now_ns)
        self._note_gone()

    def _place(self, book: str, held: Mapping[str, float]) -> "_Placed":
        symbols = tuple(symbol for symbol in sorted(held) if held[symbol])
        rows = np.array([self._add(symbol) for symbol in symbols], dtype=np.int64)
        quantities = np.array([held[symbol] for symbol in symbols], dtype=np.float64)
        return _Placed(held, symbols, BookColumns(book, rows, quantities))

    def _note_gone(self) -> None:
        portfolio = self.portfolio
        self.gone = (portfolio.group < 0) & (portfolio.rows >= 0)
        self.delivered = np.zeros(len(self.gone), dtype=np.bool_)
        for position in np.flatnonzero(self.gone).tolist():
            option = self._terms.instruments[portfolio.rows[position]].option
            self.delivered[position] = option is not None and option.delivery == "physical"

    def _weigh(self) -> None:
        """Look betas up."""
        policy, terms = self._policy, self._terms
        known = {name: self._resolved(name) for name in terms.underlyings}
        roots = {name: name if one is None else one.root for name, one in known.items()}
        self.betas = {name: beta_of(policy.betas, name, root) for name, root in roots.items()}
        self.vega_betas = {
            name: policy.vega_betas.get(name, policy.vega_betas.get(root, policy.default_vega_beta))
            for name, root in roots.items()
        }
        self.indices = {
            name: one.index or ""
            for name, one in known.items()
            if one is not None and one.kind is Kind.FUTURE
        }
        names = tuple(terms.underlyings)
        self.in_points = frozenset(
            names[number] for number in terms.underlying[terms.in_points].tolist()
        )
        assumed = [1.0 if (beta := self.betas[name]) is None else beta for name in names]
        self.row_betas = np.array(assumed, dtype=np.float64)[terms.underlying]

    def _resolved(self, underlying: str) -> Instrument | None:
        try:
            return self._catalogue.resolve(underlying)
        except UnknownInstrument:
            return None
