"""The signals stage: prints in, every signal's value and quality out (spec 1).

Theory of operation:

1. The clock is the latest event time of a tick or clock event (spec 3); it never runs backwards.
   Reports and commands carry an instant that somebody else wrote: they do not move it.
2. A print counts inside a session only, both ends included: a session's close is its last print
   at or before the closing instant, and pre-market prints move nothing (spec 12, 2024-08-05). A
   print older than the last one of its symbol, or of an earlier session, is superseded.
3. A symbol *drives* when the hedger must hear of its prints at once. Members of the correlation
   basket alone do not: they note a level, and what follows from it is computed when a snapshot
   is due.
4. Values move by prints alone; time alone only turns `good` into `stale`.
5. A frozen VIX (spec 12) prices nothing either: its mark is taken away until it thaws.
6. While the market is halted, and until it is warm again, nothing is good (see `halts`), and
   while it is halted there are no marks.

Longer than most: these rules hold for every signal, and are carried out in one pass over a print.
"""

from collections.abc import Iterator
from typing import Final, assert_never

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from shared.domain.events import (
    ClockAdvanced,
    Event,
    ExecutionReported,
    ExposureMeasured,
    PositionsReported,
    RebalanceRequested,
    Tick,
)
from shared.domain.market.halts import HaltState, HaltWatch, MarketPhase
from shared.domain.market.print_screen import BASKET, DRIVES, screen
from shared.domain.market.readings import ReadingState
from shared.domain.market.session_cursor import SessionCursor
from shared.domain.market.silence import FeedWatch
from shared.domain.market.sources.basket import BasketSource, BasketSourceState
from shared.domain.market.sources.book import BookSource, BookState
from shared.domain.market.sources.index import IndexSource, IndexState
from shared.domain.market.sources.prints import Source
from shared.domain.market.sources.term import TermSource, TermState
from shared.domain.market.sources.vix import VixSource, VixState
from shared.domain.policies import SignalPolicy
from shared.domain.sessions import SessionCalendar
from shared.domain.signals_observed import HedgerInput, Mark, Quality, Signal, SignalsObserved
from shared.domain.tick_block import TickBlock
from shared.domain.trading import TradingStateSet

CLOCK: Final = "clock"


class SignalMonitorState(Struct, frozen=True, kw_only=True):
    """All that a monitor knows.

    Attributes:
        now: The clock, ns.
        index: Number of the last event.
        session_open_ns: Opening of the session of the last print that counted; 0 before it.
        newest: Instant of the last print that counted, by symbol.
        readings: By name of the signal.
        marks: By symbol.
        feeds: The last two prints of VIX and of the index.
        books: By book.
    """

    now: int = 0
    index: int = 0
    session_open_ns: int = 0
    newest: dict[str, int] = {}
    readings: dict[str, ReadingState] = {}
    marks: dict[str, Mark] = {}
    halts: HaltState = HaltState()
    feeds: dict[str, tuple[int, int]] = {}
    vix: VixState = VixState()
    index_source: IndexState = IndexState()
    term: TermState = TermState()
    basket: BasketSourceState = BasketSourceState()
    books: dict[str, BookState] = {}


class SignalMonitor:
    """All signals of one policy.

    Feed it with `receive` or `receive_block`, which give the same answers for the same events;
    between events ask `next_deadline` and tell it `advance_to`.
    """

    def __init__(
        self,
        policy: SignalPolicy,
        calendar: SessionCalendar,
        state: SignalMonitorState | None = None,
    ) -> None:
        state = state or SignalMonitorState()
        self._cursor = cursor = SessionCursor(calendar)
        if state.session_open_ns:
            cursor.enter(state.session_open_ns)
        self._now = state.now
        self._index = state.index
        self._marks = state.marks
        self._halts = HaltWatch(policy, cursor, state.halts)
        intervals = {
            policy.vix_symbol: policy.vix_interval_ns,
            policy.index_symbol: policy.index_interval_ns,
        }
        self._feeds = {
            symbol: FeedWatch(interval_ns, cursor, state.feeds.get(symbol, (0, 0)))
            for symbol, interval_ns in intervals.items()
        }
        self._vix = VixSource(policy, cursor, state.vix)
        self._index_source = IndexSource(policy, cursor, state.index_source)
        self._term = TermSource(policy, cursor, state.term)
        self._basket = BasketSource(policy, cursor, state.basket)
        self._books = {
            book.book: BookSource(policy, book, cursor, state.books.get(book.book, BookState()))
            for book in policy.portfolios
        }
        self._route(policy)
        self._restore(state)

    def _route(self, policy: SignalPolicy) -> None:
        driving: tuple[Source, ...] = (
            self._vix,
            self._index_source,
            self._term,
            *self._books.values(),
        )
        sources = (*driving, self._basket)
        self._readings = tuple(reading for source in sources for reading in source.readings)
        drivers = {symbol for source in driving for symbol in source.symbols}
        drivers |= set(policy.mark_symbols)
        symbols = sorted(drivers | set(self._basket.symbols))
        self._columns = {symbol: column for column, symbol in enumerate(symbols)}
        self._sources = {
            symbol: tuple(source for source in sources if symbol in source.symbols)
            for symbol in symbols
        }
        self._marked = frozenset(policy.mark_symbols)
        self._newest = np.zeros(len(symbols), dtype=np.int64)
        self._kinds = np.array(
            [DRIVES if symbol in drivers else BASKET for symbol in symbols], dtype=np.int8
        )
        members = {symbol: member for member, symbol in enumerate(self._basket.symbols)}
        self._members = np.array([members.get(symbol, -1) for symbol in symbols], dtype=np.intp)

    def _restore(self, state: SignalMonitorState) -> None:
        for symbol, instant in state.newest.items():
            if symbol in self._columns:
                self._newest[self._columns[symbol]] = instant
        for reading in self._readings:
            if reading.name in state.readings:
                reading.restore(state.readings[reading.name])

    def receive(self, event: Event, index: int) -> tuple[HedgerInput, ...]:
        """Take event number `index` of the journal; give what the hedger must hear of it."""
        self._index = index
        match event:
            case Tick():
                self._now = max(self._now, event.event_ns)
                return self._receive_tick(event)
            case ClockAdvanced():
                self._now = max(self._now, event.event_ns)
                return (self._observed(CLOCK),)
            case (
                ExecutionReported() | RebalanceRequested() | ExposureMeasured() | TradingStateSet()
            ):
                return (event,)
            case PositionsReported():
                return ()  # only the exposure of a book follows from its positions
            case _:
                assert_never(event)

    def _receive_tick(self, tick: Tick) -> tuple[HedgerInput, ...]:
        column = self._columns.get(tick.symbol)
        if column is None or not self._counts(column, tick.event_ns):
            return ()
        self._newest[column] = tick.event_ns
        if self._kinds[column] == DRIVES:
            return (self._drive(tick),)
        self._basket.observe(tick.symbol, tick.level, tick.event_ns)
        return ()

    def _counts(self, column: int, event_ns: int) -> bool:
        """Rule 2; the cursor follows a print that counts."""
        superseded = event_ns < self._newest[column] or event_ns < self._cursor.open_ns
        return not superseded and self._cursor.enter(event_ns)

    def _drive(self, tick: Tick) -> SignalsObserved:
        if not tick.has_level:  # nobody bids for an option: what it was worth is no mark any more
            self._marks = {name: mark for name, mark in self._marks.items() if name != tick.symbol}
            return self._observed(tick.symbol)
        level = tick.level
        if tick.symbol in self._halts.symbols:
            self._halts.observe(tick.symbol, tick.event_ns)
            self._feeds[tick.symbol].observe(tick.event_ns)
        for source in self._sources[tick.symbol]:
            source.observe(tick.symbol, level, tick.event_ns)
        if tick.symbol in self._marked:
            self._mark(tick, level)
        return self._observed(tick.symbol)

    def _mark(self, tick: Tick, level: float) -> None:
        marks = {**self._marks}
        if self._vix.is_frozen and tick.symbol in self._vix.symbols:  # rule 5
            marks.pop(tick.symbol, None)
        else:
            marks[tick.symbol] = Mark(
                level=level, event_ns=tick.event_ns, bid=tick.bid, ask=tick.ask
            )
        self._marks = marks

    def _observed(self, cause: str) -> SignalsObserved:
        self._basket.refresh()
        now = self._now
        return SignalsObserved(
            event_ns=now,
            index=self._index,
            cause=cause,
            signals=self._believed(now),
            marks={} if self._halts.phase(now) is MarketPhase.HALTED else self._marks,
            silent=tuple(name for name, feed in self._feeds.items() if feed.is_silent(now)),
        )

    def _believed(self, now: int) -> dict[str, Signal]:
        """Rule 6."""
        signals = {reading.name: reading.at(now) for reading in self._readings}
        phase, halts = self._halts.phase(now), self._halts
        if phase is MarketPhase.OPEN:
            return signals
        if phase is MarketPhase.HALTED:
            return {name: _halted(signal) for name, signal in signals.items()}
        of_vix = {reading.name for reading in self._vix.readings}
        return {
            name: _warming(
                signal, halts.vix_prints if name in of_vix else halts.index_prints, halts.need
            )
            for name, signal in signals.items()
        }

    def receive_block(self, block: TickBlock, first_index: int) -> list[HedgerInput]:
        """Take a run of ticks numbered from `first_index`: as `receive` of each, in one go.

        What runs of basket members say is noted as arrays; only driving prints cost Python.
        """
        if not len(block):
            return []
        numbers = [self._columns.get(symbol, -1) for symbol in block.symbols]
        column = np.array(numbers, dtype=np.intp)[block.symbol]
        verdict, clock = screen(
            column,
            block.event_ns,
            self._kinds,
            self._newest,
            self._cursor.calendar.open_ns,
            self._cursor.calendar.close_ns,
            (self._cursor.index, self._cursor.open_ns, self._now),
        )
        noted = np.flatnonzero(verdict == BASKET)
        driving = np.flatnonzero(verdict == DRIVES)
        run = _Run(self._members[column[noted]], block.levels(noted), block.event_ns[noted])
        outputs: list[HedgerInput] = []
        start = 0
        ends = np.searchsorted(noted, driving).tolist()
        for row, end in zip(driving.tolist(), ends, strict=True):
            self._note(run, start, end)
            tick, start = block.tick(row), end
            self._now, self._index = int(clock[row]), first_index + row
            self._cursor.enter(tick.event_ns)
            outputs.append(self._drive(tick))
        self._note(run, start, len(noted))
        self._now, self._index = int(clock[-1]), first_index + len(block) - 1
        return outputs

    def _note(self, run: "_Run", start: int, end: int) -> None:
        """Take prints of basket members, split where a session ends."""
        while start < end:
            self._cursor.enter(int(run.event_ns[start]))
            stop, youngest_ns = end, int(run.event_ns[start:end].max())
            if youngest_ns > self._cursor.close_ns:
                later = run.event_ns[start:end] > self._cursor.close_ns
                stop = start + int(np.argmax(later))
                youngest_ns = int(run.event_ns[start:stop].max())
            self._basket.observe_run(run.members[start:stop], run.levels[start:stop], youngest_ns)
            start = stop

    def advance_to(self, now: int) -> tuple[HedgerInput, ...]:
        """Let time pass; a snapshot when that made a signal stale, else nothing."""
        self._basket.refresh()
        before, self._now = self._now, max(self._now, now)
        if any(before < instant <= self._now for instant in self._deadlines()):
            return (self._observed(CLOCK),)
        return ()

    def next_deadline(self) -> int | None:
        """The next instant at which time alone makes a signal less than good, ns, or `None`."""
        self._basket.refresh()
        return min((at for at in self._deadlines() if at > self._now), default=None)

    def _deadlines(self) -> Iterator[int]:
        if self._halts.halted_from is not None:
            yield self._halts.halted_from
        for feed in self._feeds.values():
            if feed.silent_from is not None:
                yield feed.silent_from
        for reading in self._readings:
            if reading.stale_from is not None:
                yield reading.stale_from

    def snapshot(self) -> SignalMonitorState:
        """State for `resume`."""
        self._basket.refresh()
        newest = zip(self._columns, self._newest.tolist(), strict=True)
        return SignalMonitorState(
            now=self._now,
            index=self._index,
            session_open_ns=self._cursor.open_ns,
            newest=dict(newest),
            readings={reading.name: reading.snapshot() for reading in self._readings},
            marks=self._marks,
            halts=self._halts.snapshot(),
            feeds={symbol: feed.snapshot() for symbol, feed in self._feeds.items()},
            vix=self._vix.snapshot(),
            index_source=self._index_source.snapshot(),
            term=self._term.snapshot(),
            basket=self._basket.snapshot(),
            books={book: source.snapshot() for book, source in self._books.items()},
        )

    @classmethod
    def resume(
        cls, policy: SignalPolicy, calendar: SessionCalendar, state: SignalMonitorState
    ) -> "SignalMonitor":
        """Go on where `state` was taken: as if never stopped.

        Under another policy what it does not share with the old one starts cold.
        """
        return cls(policy, calendar, state)


def _halted(signal: Signal) -> Signal:
    known = signal.quality is not Quality.WARMING
    return replace(signal, quality=Quality.HALTED) if known else signal


def _warming(signal: Signal, have: int, need: int) -> Signal:
    if not signal.is_good or have >= need:
        return signal
    return replace(signal, quality=Quality.WARMING, have=have, need=need)


class _Run(Struct, frozen=True, array_like=True):
    """Prints of basket members, by position in the basket, in journal order."""

    members: NDArray[np.intp]
    levels: NDArray[np.float64]
    event_ns: NDArray[np.int64]
