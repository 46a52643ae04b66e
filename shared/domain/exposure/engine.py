"""The Greeks of all books, kept up to date with the journal.

Theory of operation. Ticks move marks, executions and position reports move positions; neither is
valued at once. A *revaluation* follows marks, values the rows that moved, adds up, and says what
came of it for every book whose figures changed. It is due

- `pause_ns` after the last one when a tick or a position has moved something,
- `everything_ns` after the last time that everything was valued, for time itself moves Greeks,
- when a position changes its bucket or expires.

The journal says when that is looked at: at every clock event (`advance_to`), and, on the wall
clock, at the end of every entry of the journal (`settle`). An entry is one commit of `ingest`,
whole in whatever batch it is read, so what is said depends on the journal alone. In a replay how
ticks fall into entries is an accident, so there only clock events count. Ticks that a later one
followed before the revaluation are *conflated*: counted, and said.

A measurement, for books that act on Greeks, is what a revaluation says put as an event for the
journal; it is *awaited* until the journal has it.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import isfinite, nan
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from shared.domain.effects import AlertRaised
from shared.domain.events import (
    ClockAdvanced,
    ExecutionReported,
    ExposureMeasured,
    PositionsReported,
)
from shared.domain.exposure.aggregate import Portfolio, beta_of
from shared.domain.exposure.baselines import Valuation
from shared.domain.exposure.book_report import (
    MeasuredLeg,
    at_the_money,
    beta_delta,
    group_exposures,
    measurement,
    sums_of,
    vix_vega,
)
from shared.domain.exposure.explain import ExplainState, Holdings, ProfitExplainer
from shared.domain.exposure.observed import (
    ExposureObserved,
    Risk,
    Unmarked,
)
from shared.domain.exposure.policy import ExposurePolicy, Shock
from shared.domain.exposure.positions import Positions, PositionsState
from shared.domain.exposure.revaluation import (
    DELTA,
    LEVEL,
    VEGA,
    Revaluation,
    RevaluationState,
)
from shared.domain.exposure.risk import RiskDesk
from shared.domain.exposure.terms import VARIANCE, Floats, Integers, Terms
from shared.domain.instants import DAY
from shared.domain.instruments.catalogue import Catalogue, UnknownInstrument
from shared.domain.instruments.instrument import Instrument
from shared.domain.marks.columns import Remark, Source
from shared.domain.marks.mark_book import MarkBook, MarkState
from shared.domain.marks.policy import MarkPolicy
from shared.domain.orders import leg_of
from shared.domain.sessions import SessionCalendar
from shared.domain.tick_block import TickBlock

ExposureEffect = ExposureObserved | ExposureMeasured | AlertRaised

_WEEK_NS: Final = 7 * DAY
_UNKNOWN: Final = -1
_ONE_SESSION: Final = SessionCalendar([0], [2**62])
"""All of time, for who has no calendar."""


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


class ExposureState(Struct, frozen=True, kw_only=True):
    """What a restarted monitor goes on from.

    Attributes:
        positions: Of all books.
        marks: Of all instruments seen.
        values: Of the same rows.
        now_ns: Latest instant.
        youngest_ns: Instant of the youngest tick that counts.
        valued_ns: Of the last revaluation …
        everything_ns: … and of the last of everything.
        grouped_ns: When positions were last put into buckets.
        dirty: Whether a tick has moved something since …
        moved: … or a position.
        ticks: How many that count have come since.
        risks: As last computed, by book.
        risk_ns: When …
        risk_marked: … and how many positions had a value then.
        measured: The last measurement of each book …
        awaited: … of those that the journal does not have yet.
        explained: Where profit came from.
    """

    positions: PositionsState = PositionsState()
    marks: MarkState = MarkState()
    values: RevaluationState = RevaluationState()
    now_ns: int = 0
    youngest_ns: int = 0
    valued_ns: int = 0
    everything_ns: int = 0
    grouped_ns: int = 0
    dirty: bool = False
    moved: bool = True
    ticks: int = 0
    risks: dict[str, Risk] = {}
    risk_ns: int = 0
    risk_marked: int = -1
    measured: dict[str, int] = {}
    awaited: dict[str, ExposureMeasured] = {}
    explained: ExplainState = ExplainState()


class ExposureMonitor:
    """Exposure of all books.

    Args:
        policy: How, and how often.
        marks: How instruments are marked.
        catalogue: Knows every instrument.
        books: The books.
        history: Daily shocks of the past, oldest first, for expected shortfall.
        state: Where to go on from; `None` at first.
        calendar: Says when a session opens, for its profit.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - a composition of parts
        self,
        policy: ExposurePolicy,
        marks: MarkPolicy,
        catalogue: Catalogue,
        books: Sequence[ExposureBook],
        history: Sequence[Shock] = (),
        state: ExposureState | None = None,
        calendar: SessionCalendar = _ONE_SESSION,
    ) -> None:
        self._policy = policy
        self._catalogue = catalogue
        self._books = {book.name: book for book in books}
        self._terms = Terms(policy.volatility_roots)
        self._unknown: dict[str, str] = {}
        self._ignored: set[str] = set()
        self._fresh: list[Instrument] = []
        self._relevant: set[str] = set()
        opening = {book.name: book.opening for book in books}
        legs = {book.name: book.legs for book in books}
        if state is None:
            self._positions = Positions(opening, legs)
            self._marks = MarkBook(marks)
        else:
            self._positions = Positions.resume(opening, legs, state.positions)
            self._marks = MarkBook.resume(marks, catalogue.resolve, state.marks)
            met = [catalogue.resolve(each) for each in self._marks.symbols]
            self._terms.extend(met)
            self._relevant.update(name for one in met for name in (one.symbol, one.underlying))
        self._revaluation = (
            Revaluation(self._terms)
            if state is None
            else Revaluation.resume(self._terms, state.values)
        )
        self._risk = RiskDesk(policy, history)
        known = state or ExposureState()
        self._now_ns = known.now_ns
        self._youngest_ns = known.youngest_ns
        self._valued_ns = known.valued_ns
        self._everything_ns = known.everything_ns
        self._grouped_ns = known.grouped_ns
        self._dirty = known.dirty
        self._moved = known.moved
        self._ticks = known.ticks
        self._risks = dict(known.risks)
        self._risk_ns = known.risk_ns
        self._risk_marked = known.risk_marked
        self._measured = dict(known.measured)
        self._awaited = dict(known.awaited)
        self._explainer = ProfitExplainer(
            policy, self._terms, calendar, list(self._books), known.explained
        )
        self._version = self._positions.version
        self._portfolio = Portfolio(self._terms, (), self._now_ns)
        self._held: tuple[tuple[str, str, float], ...] = ()
        self._rows: list[int] = []
        self._leg_rows: list[int] = []
        self._is_wanted = False
        self._missing: NDArray[np.bool_] = np.empty(0, dtype=np.bool_)
        self._betas: dict[str, float | None] = {}
        self._vega_betas: dict[str, float] = {}
        self._in_points: frozenset[str] = frozenset()
        self._row_betas: Floats = np.empty(0)
        self._arrange()

    # --- the grammar -------------------------------------------------------------------------

    def receive_block(self, block: TickBlock) -> None:
        """Take ticks; nothing is said before the next `settle` or `advance_to`."""
        self._meet(block.symbols)
        relevant = np.array([name in self._relevant for name in block.symbols], dtype=np.bool_)
        counts = relevant[block.symbol]
        if not counts.any():
            return
        self._marks.receive_block(block)
        newest_ns = int(block.event_ns[counts].max())
        self._now_ns = max(self._now_ns, newest_ns)
        self._youngest_ns = max(self._youngest_ns, newest_ns)
        self._ticks += int(counts.sum())
        self._dirty = True

    def receive(
        self, event: ClockAdvanced | ExecutionReported | PositionsReported | ExposureMeasured
    ) -> tuple[ExposureEffect, ...]:
        """Take an event."""
        match event:
            case ClockAdvanced():
                return self.advance_to(event.event_ns)
            case ExposureMeasured():
                awaited = self._awaited.get(event.book)
                if awaited is not None and awaited.sequence <= event.sequence:
                    del self._awaited[event.book]
                return ()
            case _:
                alerts = self._positions.receive(event)
                if (
                    isinstance(event, ExecutionReported)
                    and self._positions.version != self._version
                ):
                    self._version = self._positions.version
                    self._now_ns = max(self._now_ns, event.event_ns)
                    self._moved = True
                    self._explain_fill(event)
                return alerts

    def settle(self) -> tuple[ExposureEffect, ...]:
        """Say what has moved, at the end of an entry of the journal."""
        if self._policy.only_at_clock or not self._is_due():
            return ()
        return self._revalue()

    def advance_to(self, now_ns: int) -> tuple[ExposureEffect, ...]:
        """Say what is due at a clock event."""
        self._now_ns = max(self._now_ns, now_ns)
        return self._revalue() if self._is_due() else ()

    def next_deadline(self) -> int | None:
        """When `advance_to` next says something if nothing else happens; `None`: no position."""
        if self._moved:
            return self._now_ns
        if not self._is_wanted:
            return None
        due_ns = min(
            self._everything_ns + self._policy.everything_ns, self._portfolio.next_change_ns
        )
        if self._dirty:
            due_ns = min(due_ns, self._valued_ns + self._policy.pause_ns)
        return due_ns

    @property
    def awaited(self) -> Mapping[str, ExposureMeasured]:
        """The latest measurement of each book that the journal does not have yet."""
        return self._awaited

    def snapshot(self) -> ExposureState:
        """Copy the state."""
        self._grow()
        return ExposureState(
            positions=self._positions.snapshot(),
            marks=self._marks.snapshot(),
            values=self._revaluation.snapshot(),
            now_ns=self._now_ns,
            youngest_ns=self._youngest_ns,
            valued_ns=self._valued_ns,
            everything_ns=self._everything_ns,
            grouped_ns=self._grouped_ns,
            dirty=self._dirty,
            moved=self._moved,
            ticks=self._ticks,
            risks=dict(self._risks),
            risk_ns=self._risk_ns,
            risk_marked=self._risk_marked,
            measured=dict(self._measured),
            awaited=dict(self._awaited),
            explained=self._explainer.snapshot(),
        )

    # --- positions ---------------------------------------------------------------------------

    def _meet(self, symbols: Iterable[str]) -> None:
        """Take on the options among symbols that are new: their quotes make smiles."""
        for symbol in symbols:
            if symbol not in self._relevant and symbol not in self._ignored:
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
            self._unknown[symbol] = unknown.reason
            return None

    def _take(self, instrument: Instrument) -> int:
        self._relevant |= {instrument.symbol, instrument.underlying}
        self._fresh.append(instrument)
        return self._marks.add(instrument)

    def _grow(self) -> None:
        """Let the columns reach what was taken on since: all at once, for it copies them."""
        if self._fresh:
            self._terms.extend(self._fresh)
            self._revaluation.grow()
            self._fresh.clear()

    def _arrange(self) -> None:
        """Lay the positions out anew."""
        held = self._positions.held
        self._held = tuple(
            (book, symbol, quantity)
            for book in sorted(self._books)
            for symbol, quantity in sorted(held.get(book, {}).items())
            if quantity
        )
        self._rows = [self._add(symbol) for _, symbol, _ in self._held]
        named = zip(self._held, self._rows, strict=True)
        columns = [(book, row, quantity) for (book, _, quantity), row in named]
        legs = {symbol for book in self._books.values() for symbol in book.legs.values()}
        self._leg_rows = leg_rows = [self._add(symbol) for symbol in sorted(legs)]
        self._grow()
        if VARIANCE in self._terms.model[[row for row in self._rows if row >= 0]]:
            self._add(self._policy.index)
            self._grow()
        self._portfolio = Portfolio(self._terms, columns, self._grouped_ns)
        wanted = [row for row in (*self._rows, *leg_rows) if row >= 0]
        self._is_wanted = bool(wanted or self._held)
        self._revaluation.wanted[:] = False
        self._revaluation.wanted[np.array(wanted, dtype=np.int64)] = True
        self._weigh()

    def _weigh(self) -> None:
        """Look betas up."""
        policy, terms = self._policy, self._terms
        roots = {name: self._root_of(name) for name in terms.underlyings}
        self._betas = {name: beta_of(policy.betas, name, root) for name, root in roots.items()}
        self._vega_betas = {
            name: policy.vega_betas.get(name, policy.vega_betas.get(root, policy.default_vega_beta))
            for name, root in roots.items()
        }
        names = tuple(terms.underlyings)
        self._in_points = frozenset(
            names[number] for number in terms.underlying[terms.in_points].tolist()
        )
        assumed = [1.0 if (beta := self._betas[name]) is None else beta for name in names]
        self._row_betas = np.array(assumed, dtype=np.float64)[terms.underlying]

    def _root_of(self, underlying: str) -> str:
        try:
            return self._catalogue.resolve(underlying).root
        except UnknownInstrument:
            return underlying

    def _is_due(self) -> bool:
        deadline_ns = self.next_deadline()
        return deadline_ns is not None and deadline_ns <= self._now_ns

    # --- revaluation -------------------------------------------------------------------------

    def _revalue(self) -> tuple[ExposureEffect, ...]:
        now_ns, moved = self._now_ns, self._moved
        everything = now_ns >= self._everything_ns + self._policy.everything_ns
        if moved:
            self._grouped_ns = now_ns
            self._arrange()
        if self._fresh:
            self._grow()
            self._weigh()
        regrouped = now_ns >= self._portfolio.next_change_ns
        if regrouped:
            self._grouped_ns = now_ns
            self._portfolio.regroup(now_ns)
        effects: list[ExposureEffect] = list(self._follow_marks())
        valued = self._revaluation.refresh(self._marks.columns, now_ns, everything=everything)
        conflated, self._ticks = max(0, self._ticks - 1), 0
        self._valued_ns, self._dirty, self._moved = now_ns, False, False
        if everything:
            self._everything_ns = now_ns
            self._revaluation.refine(now_ns, self._policy.american_budget)
        if everything or moved or regrouped:
            effects += self._explain(now_ns)
        if valued or moved or everything:
            effects += self._observe(conflated)
        return tuple(effects)

    def _follow_marks(self) -> tuple[AlertRaised, ...]:
        deadline_ns = self._marks.next_deadline()
        if deadline_ns is None or deadline_ns <= self._now_ns:
            return self._marks.refresh(self._now_ns)
        self._marks.follow(self._now_ns)
        return ()

    def _explain(self, now_ns: int) -> tuple[AlertRaised, ...]:
        """Explain the profit since the last time: see `explain`."""
        columns, portfolio = self._marks.columns, self._portfolio
        index = self._marks.row(self._policy.index)
        valuation = Valuation(
            self._revaluation.values,
            self._revaluation.inputs,
            self._revaluation.valued_ns,
            columns.source != Source.NONE,
            nan if index is None else float(columns.level[index]),
        )
        holdings = Holdings(
            portfolio.books, portfolio.book, portfolio.rows, portfolio.units, self._leg_rows
        )
        return self._explainer.step(now_ns, valuation, holdings)

    def _explain_fill(self, event: ExecutionReported) -> None:
        symbol = self._books[event.book].legs[leg_of(event.order_id)]
        self._explainer.fill(event.book, symbol, event.quantity, event.price)

    def _observe(self, conflated: int) -> list[ExposureEffect]:
        levels = self._levels()
        self._missing = self._portfolio.unmarked(self._revaluation.values)
        sums, marked = self._portfolio.sums(
            self._revaluation.values, self._revaluation.inputs, self._now_ns
        )
        self._refresh_risk(int(marked.sum()))
        observed = [
            self._observed(book, sums, marked, levels, conflated) for book in sorted(self._books)
        ]
        index = levels.get(self._policy.index, nan)
        return [*observed, *self._measurements(observed, index)]

    def _levels(self) -> dict[str, float]:
        """Levels of the underlyings that positions are on, and the index's; those known."""
        groups, example = self._portfolio.groups, self._portfolio.example
        inputs, terms, index = self._revaluation.inputs, self._terms, self._policy.index
        found = zip(groups, inputs[LEVEL, example].tolist(), strict=True)
        levels = {group.underlying: level for group, level in found}
        if index not in levels and index in terms.underlyings:
            rows = self._revaluation.wanted & (terms.underlying == terms.underlyings[index])
            levels[index] = float(max(inputs[LEVEL, rows], default=nan))  # of one level: all alike
        return {name: level for name, level in levels.items() if isfinite(level)}

    def _observed(
        self,
        book: str,
        sums: Floats,
        marked: Integers,
        levels: Mapping[str, float],
        conflated: int,
    ) -> ExposureObserved:
        portfolio, policy = self._portfolio, self._policy
        mine = [at for at, group in enumerate(portfolio.groups) if group.book == book]
        counts = portfolio.counts[mine].tolist()
        groups = group_exposures(
            [portfolio.groups[at] for at in mine], sums[mine], marked[mine].tolist(), counts, levels
        )
        in_points = self._in_points
        of_index = [group for group in groups if group.underlying not in in_points]
        weighted, without = beta_delta(of_index, self._betas)
        unmarked, unknown = self._unmarked(book)
        level = levels.get(policy.index)
        return ExposureObserved(
            book=book,
            event_ns=self._now_ns,
            youngest_ns=self._youngest_ns,
            groups=tuple(groups),
            totals=sums_of(groups, in_points),
            beta_delta=weighted,
            without_beta=without,
            index_delta=None if level is None else weighted / level,
            vix_vega=vix_vega(groups, self._vega_betas, in_points),
            positions=sum(counts) + unknown,
            marked=int(marked[mine].sum()),
            unmarked=unmarked,
            expired=self._expired(book),
            approximate=len(self._named(book, self._approximate())),
            conflated=conflated,
            risk=self._risks.get(book),
            profit=self._explainer.profit(book),
        )

    def _unmarked(self, book: str) -> tuple[tuple[Unmarked, ...], int]:
        """Name the first positions without a value; and count those that nobody knows."""
        unknown = self._named(book, self._portfolio.rows < 0)
        named = [
            Unmarked(symbol=symbol, quantity=quantity, reason=self._unknown[symbol])
            for symbol, quantity, _ in unknown
        ]
        remarks = self._marks.columns.remark
        for symbol, quantity, row in self._named(book, self._missing):
            reason = Remark(int(remarks[row])).name.lower()
            named.append(Unmarked(symbol=symbol, quantity=quantity, reason=reason))
        return tuple(named[: self._policy.most_named]), len(unknown)

    def _expired(self, book: str) -> tuple[str, ...]:
        gone = (self._portfolio.group < 0) & (self._portfolio.rows >= 0)
        return tuple(symbol for symbol, _, _ in self._named(book, gone)[: self._policy.most_named])

    def _approximate(self) -> NDArray[np.bool_]:
        """Say which positions are in American options that were not valued as such yet."""
        waiting = self._revaluation.early.approximate()
        return np.isin(self._portfolio.rows, waiting) & (self._portfolio.group >= 0)

    def _named(self, book: str, which: NDArray[np.bool_]) -> list[tuple[str, float, int]]:
        """Symbol, quantity and row of a book's positions among some."""
        portfolio = self._portfolio
        if not which.any() or book not in portfolio.books:
            return []
        mine = portfolio.book == portfolio.books.index(book)
        positions = np.flatnonzero(which & mine).tolist()
        return [(*self._held[each][1:], self._rows[each]) for each in positions]

    def _refresh_risk(self, marked: int) -> None:
        """Compute scenarios when they are due, or when more positions have a value than then."""
        is_due = self._now_ns >= self._risk_ns + self._policy.scenarios_ns
        if not is_due and marked <= self._risk_marked:
            return
        self._risk_ns, self._risk_marked = self._now_ns, marked
        inputs = self._revaluation.inputs
        values = self._revaluation.early.without(self._revaluation.values)
        self._risks = self._risk.risks(
            self._terms, self._portfolio, values, inputs, self._row_betas, self._now_ns
        )

    def _measurements(
        self, observed: Sequence[ExposureObserved], index: float
    ) -> list[ExposureMeasured]:
        due = [
            each
            for each in observed
            if self._books[each.book].is_measured
            and self._now_ns >= self._measured.get(each.book, 0) + self._policy.measure_ns
        ]
        measured = [self._measurement(each, index) for each in due]
        for each in measured:
            self._measured[each.book] = each.event_ns
            self._awaited[each.book] = each
        return measured

    def _measurement(self, observed: ExposureObserved, index: float) -> ExposureMeasured:
        book = self._books[observed.book]
        legs = [self._leg(book, symbol, index) for symbol in sorted(set(book.legs.values()))]
        known = [leg for leg in legs if leg is not None]
        underlyings = {group.underlying for group in observed.groups}
        underlyings |= {leg.instrument.underlying for leg in known}
        fresh = {name for name in underlyings if self._marks.is_level_fresh(name, self._now_ns)}
        return measurement(observed, known, self._volatilities(underlyings), fresh)

    def _leg(self, book: ExposureBook, symbol: str, index: float) -> MeasuredLeg | None:
        """Say what one unit of a leg is worth to a hedge; `None` when nobody knows it."""
        row = self._marks.row(symbol)
        if row is None:
            return None
        instrument, values = self._terms.instruments[row], self._revaluation.values
        held = self._positions.held.get(book.name, {}).get(symbol, 0.0)
        level, delta, vega = nan, nan, nan
        if self._marks.is_level_fresh(instrument.underlying, self._now_ns):
            level = float(self._revaluation.inputs[LEVEL, row])
            delta, vega = float(values[DELTA, row]), float(values[VEGA, row])
        beta = self._betas.get(instrument.underlying)
        in_index = 0.0
        if beta is not None and instrument.underlying not in self._in_points:
            in_index = beta * instrument.multiplier * delta * level / index
        return MeasuredLeg(
            instrument=instrument,
            filled=held - book.opening.get(symbol, 0.0),
            level=level,
            delta=delta,
            vega=vega,
            index_delta=in_index,
        )

    def _volatilities(self, underlyings: Iterable[str]) -> dict[str, float]:
        """At the money, of the shortest expiry from a week on, where known."""
        columns, terms = self._marks.columns, self._terms
        found = {}
        for name in sorted(underlyings):
            rows = np.flatnonzero(terms.underlying == terms.underlyings[name])
            volatility = at_the_money(
                terms.strike[rows],
                columns.underlying[rows],
                columns.volatility[rows],
                terms.expiry_ns[rows],
                self._now_ns + _WEEK_NS,
            )
            if volatility is not None:
                found[name] = volatility
        return found
