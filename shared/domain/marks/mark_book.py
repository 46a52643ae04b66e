"""Marks every instrument, and says from what, how old, and how well (spec section 5).

- A good quote marks its option at its middle, with the volatility that this implies.
- What has no good quote is marked by the smile of its expiry, and says so (`FIT`).
- Without quotes the volatility of a strike stays what it was, with its age (`STICKY`), while
  underlying and time go on.
- What was never heard of has no mark and says why (`NONE`, `Remark`): no number is made up.

Two speeds. `follow` brings underlying and time of every row to now in one compiled pass: that is
what a tick of the underlying needs. `refresh` works on the expiries whose quotes changed, the
longest waiting first, as many as the budget allows; the budget is in options, not in time, so that
a replay does the same work. Everything happens at event time, and only in these calls: how the
ticks before them were split into blocks makes no difference.

American options are implied as if European, on the forward of their expiry: a tree for every quote
would be a thousand times dearer, and out of the money, where smiles are fitted, early exercise is
worth next to nothing. In the money the quote marks and the smile gives the volatility. Each such
row says `APPROXIMATE`.

Longer than most: what hears the market, judges marks and answers for them shares its rows.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from msgspec import Struct

from shared.domain.effects import AlertRaised
from shared.domain.instruments.instrument import Instrument
from shared.domain.marks.answers import MarkColumns, SmileReport
from shared.domain.marks.columns import (
    LevelMemory,
    Remark,
    RowFacts,
    RowMemory,
    RowPricing,
    Source,
    extended,
    frozen,
    lengthened,
    row_facts,
    thaw,
)
from shared.domain.marks.expiries import Expiries
from shared.domain.marks.forward import ForwardSource
from shared.domain.marks.passes import (
    Quotes,
    follow_levels,
    settle_levels,
    settle_options,
    take_quotes,
)
from shared.domain.marks.policy import MarkPolicy
from shared.domain.marks.quotes import judge_quotes
from shared.domain.marks.smile import SmileStatus
from shared.domain.marks.validation import error_alerts, worst
from shared.domain.pricing.kernel import Output, evaluate
from shared.domain.tick_block import TickBlock

_NOWHERE: Final = -1


class TooManyInstruments(ValueError):  # noqa: N818 - reads as what happened, like KeyError
    """The book is full: its size is bounded by the policy."""


class MarkState(Struct, frozen=True, array_like=True):
    """Snapshot of a `MarkBook`: symbols, and the columns of its three memories, as bytes."""

    symbols: tuple[str, ...] = ()
    rows: tuple[bytes, ...] = ()
    expiries: tuple[bytes, ...] = ()
    levels: tuple[bytes, ...] = ()
    followed_ns: int = 0
    refreshed_ns: int | None = None


class MarkBook:
    """Columns over instruments; a row never moves.

    Args:
        policy: What makes a quote good, a forward known and a model trusted.
    """

    def __init__(self, policy: MarkPolicy) -> None:
        self._policy = policy
        self._numbers: dict[str, int] = {}
        self._level_numbers: dict[str, int] = {}
        self._fresh: list[tuple[float | bool, ...]] = []
        self._facts = RowFacts.blank()
        self._rows = RowMemory.blank(0)
        self._pricing = RowPricing.blank(0)
        self._levels = LevelMemory.blank(0)
        self._expiries = Expiries(policy)
        self._followed_ns = 0
        self._refreshed_ns: int | None = None

    # --- instruments -----------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._numbers)

    @property
    def symbols(self) -> tuple[str, ...]:
        """By row."""
        return tuple(self._numbers)

    def row(self, symbol: str) -> int | None:
        """Row of an instrument, or `None`."""
        return self._numbers.get(symbol)

    def add(self, instrument: Instrument) -> int:
        """Take an instrument in; its row, also when it was in already.

        Raises:
            TooManyInstruments: There is no room.
            ValueError: An option that never expires.
        """
        known = self._numbers.get(instrument.symbol)
        if known is not None:
            return known
        row = len(self._numbers)
        if row >= self._policy.max_instruments:
            raise TooManyInstruments(f"{instrument.symbol} would be number {row + 1}")
        level = self._level(instrument.underlying)
        expiry, own = _NOWHERE, _NOWHERE
        if instrument.option is None:
            own = self._level(instrument.symbol)
        else:
            expiry = self._expiries.add(instrument, row, level)
        self._fresh.append(row_facts(instrument, expiry, level, own))
        self._numbers[instrument.symbol] = row
        return row

    def _level(self, symbol: str) -> int:
        return self._level_numbers.setdefault(symbol, len(self._level_numbers))

    def _grow(self) -> None:
        """Let the columns reach what was added since."""
        if not self._fresh:
            return
        self._facts = RowFacts._make(extended(self._facts, self._fresh))
        blank = RowMemory.blank(len(self._fresh))
        self._rows = RowMemory._make(lengthened(self._rows, blank))
        self._pricing = RowPricing.blank(len(self))
        unheard = LevelMemory.blank(len(self._level_numbers) - len(self._levels.level))
        self._levels = LevelMemory._make(lengthened(self._levels, unheard))
        self._expiries.grow()
        touched = self._facts.expiry[-len(self._fresh) :]
        self._expiries.memory.is_due[touched[touched >= 0]] = True
        self._fresh.clear()
        self.follow(self._followed_ns)

    # --- market ----------------------------------------------------------------------------------

    def receive_block(self, block: TickBlock) -> None:
        """Keep the last quotes and levels; O(ticks). Ticks of other symbols pass by."""
        self._grow()
        expiries = self._expiries
        row = [self._numbers.get(name, _NOWHERE) for name in block.symbols]
        level = [self._level_numbers.get(name, _NOWHERE) for name in block.symbols]
        quotes = Quotes(
            np.array(row, dtype=np.int64)[block.symbol],
            np.array(level, dtype=np.int64)[block.symbol],
            block.event_ns,
            block.price,
            block.bid,
            block.ask,
        )
        take_quotes(
            quotes,
            self._facts,
            self._rows,
            self._levels,
            expiries.facts.level,
            expiries.memory.is_due,
        )

    def follow(self, now_ns: int) -> None:
        """Bring underlying, carry and years of every row to `now_ns`; volatilities stay."""
        self._grow()
        self._followed_ns = now_ns
        follow_levels(
            self._facts,
            self._levels,
            self._expiries.facts.expiry_ns,
            self._expiries.memory,
            now_ns,
            self._policy.forget_ns,
            self._pricing,
        )

    def refresh(self, now_ns: int) -> tuple[AlertRaised, ...]:
        """Judge all quotes, work on what changed, and mark everything, as of `now_ns`.

        Args:
            now_ns: Event time; it must depend on the journal alone.

        Returns:
            An alert for each expiry whose model error widened or narrowed for the policy's hold.
        """
        self._grow()
        self._refreshed_ns = now_ns
        expiries, rows = self._expiries, self._rows
        self._judge(now_ns)
        expiries.work(expiries.choose(now_ns), self._facts, rows, self._levels, now_ns)
        self.follow(now_ns)
        self._settle(now_ns)
        return error_alerts(expiries, rows, now_ns, self._policy)

    def _judge(self, now_ns: int) -> None:
        """Judge every quote; an expiry with one that became better or worse is due."""
        facts, rows = self._facts, self._rows
        quality = judge_quotes(
            rows.bid, rows.ask, rows.quote_ns, facts.tick_size, now_ns, self._policy
        )
        changed = (quality != rows.quality) & (facts.expiry >= 0)
        self._expiries.memory.is_due[facts.expiry[changed]] = True
        rows.quality[facts.expiry >= 0] = quality[facts.expiry >= 0]

    def _settle(self, now_ns: int) -> None:
        """Decide what marks each row, and price what the smile marks."""
        facts, rows, expiries = self._facts, self._rows, self._expiries
        policy = self._policy
        settle_levels(facts, rows, self._levels, now_ns, policy)
        remarks = expiries.remarks(self._levels, now_ns)
        settle_options(facts, rows, remarks, now_ns, policy.stale_ns, policy.forget_ns)
        modelled = np.flatnonzero(np.isnan(rows.mark) & (rows.source != Source.NONE))
        out = np.empty((len(Output), len(modelled)))
        pricing = self._pricing
        evaluate(
            facts.sign[modelled],
            pricing.underlying[modelled],
            facts.strike[modelled],
            pricing.years[modelled],
            pricing.rate[modelled],
            pricing.carry[modelled],
            rows.volatility[modelled],
            out,
        )
        rows.mark[modelled] = out[Output.PRICE]

    def next_deadline(self) -> int | None:
        """When `refresh` is due; `None` before the first: it is due with the first event."""
        if self._refreshed_ns is None:
            return None
        return self._refreshed_ns + self._policy.refresh_ns

    # --- answers ---------------------------------------------------------------------------------

    @property
    def columns(self) -> MarkColumns:
        """Every row as it stands after the last `refresh` and `follow`; valid until the next."""
        self._grow()
        named = {**self._facts._asdict(), **self._rows._asdict(), **self._pricing._asdict()}
        named["level"] = self._pricing.level  # the facts' is a number, not a price
        is_forgotten = self._rows.remark == Remark.FORGOTTEN  # what marks nothing values nothing
        named["volatility"] = np.where(is_forgotten, np.nan, self._rows.volatility)
        return MarkColumns(**{name: named[name] for name in MarkColumns._fields})

    def smiles(self) -> tuple[SmileReport, ...]:
        """Every expiry, in the order in which they came."""
        self._grow()
        return tuple(self._report(number) for number in range(len(self._expiries)))

    @property
    def wide_expiries(self) -> int:
        """How many expiries' models were told to miss their quotes."""
        return int(np.count_nonzero(self._expiries.memory.is_wide))

    def _report(self, number: int) -> SmileReport:
        expiries, members = self._expiries, self._expiries.members(number)
        memory = expiries.memory
        return SmileReport(
            name=expiries.names[number],
            expiry_ns=int(expiries.facts.expiry_ns[number]),
            options=len(members),
            forward=float(memory.forward[number]),
            rate=float(memory.rate[number]),
            forward_source=ForwardSource(memory.forward_source[number]),
            parameters=tuple(memory.smile[number].tolist()),
            status=SmileStatus(memory.status[number]),
            fit_ns=int(memory.fit_ns[number]),
            calendar_fall=float(memory.calendar_fall[number]),
            compared=int(memory.compared[number]),
            missed=float(memory.missed[number]),
            worst_half_spreads=worst(self._rows.model_error_half_spreads[members]),
        )

    def is_level_fresh(self, symbol: str, now_ns: int) -> bool:
        """Whether a level was heard of lately enough to act on, and not only to show."""
        self._grow()
        number = self._level_numbers.get(symbol)
        if number is None:
            return False
        return bool(now_ns - self._levels.event_ns[number] <= self._policy.stale_ns)

    # --- restart ---------------------------------------------------------------------------------

    def snapshot(self) -> MarkState:
        """Copy the state: some hundred bytes an instrument."""
        self._grow()
        return MarkState(
            self.symbols,
            frozen(self._rows),
            frozen(self._expiries.memory),
            frozen(self._levels),
            self._followed_ns,
            self._refreshed_ns,
        )

    @classmethod
    def resume(
        cls, policy: MarkPolicy, resolve: Callable[[str], Instrument], state: MarkState
    ) -> "MarkBook":
        """Go on from a snapshot.

        Args:
            policy: May have changed; what was concluded before stays until it is worked on.
            resolve: The instrument of a symbol: the catalogue's.
            state: The snapshot.
        """
        book = cls(policy)
        for symbol in state.symbols:
            book.add(resolve(symbol))
        book._grow()
        thaw(book._rows, state.rows)
        thaw(book._expiries.memory, state.expiries)
        thaw(book._levels, state.levels)
        book._refreshed_ns = state.refreshed_ns
        book.follow(state.followed_ns)
        return book
