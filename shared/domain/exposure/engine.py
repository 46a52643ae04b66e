"""The Greeks of all books, kept up to date with the journal.

Theory of operation. Ticks move marks, executions and position reports move positions; neither is
valued at once. A *revaluation* follows marks, values the rows that moved, adds up, and says what
came of it for every book whose figures changed. It is due

- at once when a position has moved, and `pause_ns` after the last one when a tick has,
- `everything_ns` after the last time that everything was valued, for time itself moves Greeks,
- when a position changes its bucket or expires,

and never sooner than the `rest_ns` of so many books and positions after the last one.

The journal says when that is looked at: at every clock event (`advance_to`), and, on the wall
clock, at the end of every entry of the journal (`settle`). An entry is one commit of `ingest`,
whole in whatever batch it is read, so what is said depends on the journal alone. In a replay how
ticks fall into entries is an accident, so there only clock events count. Ticks that a later one
followed before the revaluation are *conflated*: counted, and said.

A measurement, for books that act on Greeks, is what a revaluation says put as an event for the
journal; it is *awaited* until the journal has it.

Longer than most: what makes a revaluation due, what it does and what it says hang together.
"""

from collections.abc import Mapping, Sequence
from math import nan
from typing import Final

import numpy as np
from msgspec import Struct

from shared.domain.effects import AlertRaised
from shared.domain.events import (
    ClockAdvanced,
    ExecutionReported,
    ExposureMeasured,
    PositionsReported,
)
from shared.domain.exposure.baselines import Valuation
from shared.domain.exposure.book_reporter import BookReporter, Moment, Sums
from shared.domain.exposure.explain import ExplainState, Holdings, ProfitExplainer
from shared.domain.exposure.layout import ExposureBook, Layout
from shared.domain.exposure.observed import (
    ExposureObserved,
    Risk,
)
from shared.domain.exposure.policy import ExposurePolicy, Shock
from shared.domain.exposure.positions import Positions, PositionsState
from shared.domain.exposure.revaluation import Revaluation, RevaluationState
from shared.domain.exposure.risk import RiskDesk
from shared.domain.exposure.survey import Survey
from shared.domain.exposure.terms import Terms
from shared.domain.instants import DAY
from shared.domain.instruments.catalogue import Catalogue
from shared.domain.marks.columns import Source
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
        self._books = {book.name: book for book in books}
        self._terms = Terms(policy.volatility_roots)
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
        parts = self._marks, self._terms, self._revaluation
        self._layout = Layout(policy, catalogue, self._books, *parts)
        self._reporter = BookReporter(policy, self._books, *parts, self._layout)
        self._layout.arrange(self._positions.held, self._grouped_ns)

    # --- the grammar -------------------------------------------------------------------------

    def receive_block(self, block: TickBlock) -> None:
        """Take ticks; nothing is said before the next `settle` or `advance_to`."""
        self._layout.meet(block.symbols)
        relevant = np.array(
            [name in self._layout.relevant for name in block.symbols], dtype=np.bool_
        )
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
        rested_ns = self._valued_ns + self._rest_ns()
        if self._moved:
            return max(self._now_ns, rested_ns)
        if not self._layout.is_wanted:
            return None
        due_ns = min(
            self._everything_ns + self._policy.everything_ns, self._layout.portfolio.next_change_ns
        )
        if self._dirty:
            due_ns = min(due_ns, self._valued_ns + self._policy.pause_ns)
        return max(due_ns, rested_ns)

    @property
    def awaited(self) -> Mapping[str, ExposureMeasured]:
        """The latest measurement of each book that the journal does not have yet."""
        return self._awaited

    def snapshot(self) -> ExposureState:
        """Copy the state."""
        self._layout.grow()
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

    def _is_due(self) -> bool:
        deadline_ns = self.next_deadline()
        return deadline_ns is not None and deadline_ns <= self._now_ns

    def _rest_ns(self) -> int:
        positions = sum(map(len, self._positions.held.values()))
        return self._policy.rest_ns(len(self._books), positions)

    # --- revaluation -------------------------------------------------------------------------

    def _revalue(self) -> tuple[ExposureEffect, ...]:
        now_ns, moved = self._now_ns, self._moved
        everything = now_ns >= self._everything_ns + self._policy.everything_ns
        if moved:
            self._grouped_ns = now_ns
            self._layout.arrange(self._positions.held, now_ns)
        self._layout.grow()
        regrouped = now_ns >= self._layout.portfolio.next_change_ns
        if regrouped:
            self._grouped_ns = now_ns
            self._layout.regroup(now_ns)
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

    @property
    def wide_expiries(self) -> int:
        """How many expiries' models were told to miss their quotes."""
        return self._marks.wide_expiries

    def _follow_marks(self) -> tuple[AlertRaised, ...]:
        deadline_ns = self._marks.next_deadline()
        if deadline_ns is None or deadline_ns <= self._now_ns:
            return self._marks.refresh(self._now_ns)
        self._marks.follow(self._now_ns)
        return ()

    def _explain(self, now_ns: int) -> tuple[AlertRaised, ...]:
        """Explain the profit since the last time: see `explain`."""
        columns, portfolio = self._marks.columns, self._layout.portfolio
        index = self._marks.row(self._policy.index)
        valuation = Valuation(
            self._revaluation.values,
            self._revaluation.inputs,
            self._revaluation.valued_ns,
            columns.source != Source.NONE,
            nan if index is None else float(columns.level[index]),
        )
        holdings = Holdings(
            portfolio.books, portfolio.book, portfolio.rows, portfolio.units, self._layout.leg_rows
        )
        return self._explainer.step(now_ns, valuation, holdings)

    def _explain_fill(self, event: ExecutionReported) -> None:
        symbol = self._books[event.book].legs[leg_of(event.order_id)]
        self._explainer.fill(event.book, symbol, event.quantity, event.price)

    def _observe(self, conflated: int) -> list[ExposureEffect]:
        levels, reporter = self._reporter.levels(), self._reporter
        sums = Sums(
            *self._layout.portfolio.sums(
                self._revaluation.values, self._revaluation.inputs, self._now_ns
            )
        )
        self._refresh_risk(int(sums.marked.sum()))
        moment = Moment(now_ns=self._now_ns, youngest_ns=self._youngest_ns, conflated=conflated)
        survey = Survey(self._layout, self._revaluation)
        observed = [
            reporter.observed(
                book,
                moment,
                sums,
                levels,
                self._risks.get(book),
                self._explainer.profit(book),
                survey,
            )
            for book in sorted(self._books)
        ]
        index = levels.get(self._policy.index, nan)
        return [*observed, *self._measurements(observed, index)]

    def _refresh_risk(self, marked: int) -> None:
        """Compute scenarios when they are due, or when more positions have a value than then."""
        is_due = self._now_ns >= self._risk_ns + self._policy.scenarios_ns
        if not is_due and marked <= self._risk_marked:
            return
        self._risk_ns, self._risk_marked = self._now_ns, marked
        inputs = self._revaluation.inputs
        values = self._revaluation.early.without(self._revaluation.values)
        self._risks = self._risk.risks(
            self._terms,
            self._layout.portfolio,
            values,
            inputs,
            self._layout.row_betas,
            self._now_ns,
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
        held = self._positions.held
        measured = [
            self._reporter.measurement(each, held.get(each.book, {}), index) for each in due
        ]
        for each in measured:
            self._measured[each.book] = each.event_ns
            self._awaited[each.book] = each
        return measured
