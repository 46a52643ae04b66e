"""The paper venue: an exchange that fills our orders against the recorded market (spec 6).

Theory of operation. Ticks only move the market, orders only queue; the venue *acts* at clock
events alone. At the clock instant C(k) it sees the orders decided no later than C(k-1), and the
last print of each symbol before C(k). In a replay the feed lets the pipeline settle between two
clocks, so when exactly an order arrived never shows in a result. At one clock, in this order:

0. every order that was to be cancelled is reported `cancel`, whatever else may be;
1. every order that has become due, by (event_ns, order_id), is reported `new`, or `reject`;
2. every order still open, again by (event_ns, order_id), expires when past its `valid_until`;
   else it trades, if the market is open and its symbol printed after the decision plus latency.

A newer decision does not end an older one's order: the hedger counted what is open as position
when it sized the newer (spec 6), so the two add up to its target, and only together.

A buy pays the print's ask (without one: its level plus half a spread) plus slippage, a sale gets
the mirror image, and neither trades beyond its limit price.

Longer than most: the order of events within one clock is the venue, and is read in one place.
"""

from collections.abc import Collection, Iterator, Mapping
from math import floor
from typing import Final, Literal

import numpy as np
from msgspec import Struct, structs

from shared.domain.events import ClockAdvanced, Event, ExecutionKind, ExecutionReported, Tick
from shared.domain.hedging.session_clock import SessionClock
from shared.domain.orders import Order, order_id, price_of
from shared.domain.policies import PaperPolicy
from shared.domain.sessions import SessionCalendar
from shared.domain.signals_observed import Mark
from shared.domain.tick_block import TickBlock

REMEMBERED_DECISIONS: Final = 32
"""Per leg. An older decision than all of them was seen, or is far too late: see `has_outrun`.

Ids are kept for ever by the gateway's own record; this only bounds the venue's state.
"""


class WorkingOrder(Struct, frozen=True, kw_only=True):
    """An order that has not ended yet.

    Attributes:
        order: As it was accepted.
        filled: Unsigned quantity traded so far, in the leg's unit.
        reports: Execution reports made on it; 0 until the venue has seen it at a clock.
        cancelled: Why it ends at the next clock; empty while it is to go on.
    """

    order: Order
    filled: float = 0.0
    reports: int = 0
    cancelled: str = ""

    @property
    def rest(self) -> float:
        """Unsigned quantity still to trade."""
        return self.order.quantity - self.filled


class PaperState(Struct, frozen=True, kw_only=True):
    """Everything the venue remembers; bounded by the number of symbols, legs and open orders.

    Attributes:
        clock_ns: The last clock instant; 0 before the first.
        marks: Last print by symbol.
        working: Orders not ended, by (event_ns, order_id).
        accepted: The newest decisions accepted, ascending, by `book/leg`.
    """

    clock_ns: int = 0
    marks: dict[str, Mark] = {}
    working: tuple[WorkingOrder, ...] = ()
    accepted: dict[str, tuple[int, ...]] = {}


def price_to_take(side: Literal["buy", "sell"], mark: Mark, policy: PaperPolicy) -> float:
    """Return what the venue asks of a buyer, or gives a seller, at a mark."""
    sign = 1 if side == "buy" else -1
    quoted = mark.ask if side == "buy" else mark.bid
    touch = mark.level * (1 + sign * policy.half_spread) if quoted is None else quoted
    return price_of(touch + sign * policy.slippage * mark.level)


class PaperVenue:
    """A simulated venue, deterministic in the order of the journal.

    Args:
        policy: How it fills.
        calendar: When its market is open; on an unknown day it is closed.
        symbols: What it makes a market in; an order in anything else is rejected.
    """

    def __init__(
        self, policy: PaperPolicy, calendar: SessionCalendar, symbols: Collection[str]
    ) -> None:
        self._policy = policy
        self._sessions = SessionClock(calendar)
        self._symbols = frozenset(symbols)
        self._clock_ns = 0
        self._marks: dict[str, Mark] = {}
        self._working: dict[str, WorkingOrder] = {}  # by the id that the order should have
        self._accepted: dict[str, tuple[int, ...]] = {}

    @classmethod
    def resume(
        cls,
        policy: PaperPolicy,
        calendar: SessionCalendar,
        symbols: Collection[str],
        state: PaperState,
    ) -> "PaperVenue":
        """Go on from a snapshot as if never stopped."""
        venue = cls(policy, calendar, symbols)
        venue._clock_ns = state.clock_ns
        venue._marks = dict(state.marks)
        venue._working = {_name(working.order): working for working in state.working}
        venue._accepted = dict(state.accepted)
        return venue

    def snapshot(self) -> PaperState:
        """Return all that `resume` needs."""
        return PaperState(
            clock_ns=self._clock_ns,
            marks=dict(self._marks),
            working=tuple(self._in_order()),
            accepted=dict(self._accepted),
        )

    def accept(self, order: Order) -> bool:
        """Queue an order for the first clock that may see it; a duplicate has no effect.

        Returns:
            Whether the order is new to the venue.
        """
        leg = _leg(order)
        known = self._accepted.get(leg, ())
        if self.has_outrun(order) or order.decision in known:
            return False
        self._accepted[leg] = tuple(sorted((*known, order.decision)))[-REMEMBERED_DECISIONS:]
        self._working[_name(order)] = WorkingOrder(order=order)
        return True

    def has_outrun(self, order: Order) -> bool:
        """Whether so many newer decisions of its leg were accepted that it has no effect."""
        known = self._accepted.get(_leg(order), ())
        return len(known) == REMEMBERED_DECISIONS and order.decision < known[0]

    def cancel(self, book: str, reason: str) -> None:
        """Have every open order of a book cancelled at the next clock; this always passes."""
        for name, working in self._working.items():
            if working.order.book == book and not working.cancelled:
                self._working[name] = structs.replace(working, cancelled=reason)

    @property
    def marks(self) -> Mapping[str, Mark]:
        """The last print of each symbol."""
        return self._marks

    def receive(self, event: Event) -> tuple[ExecutionReported, ...]:
        """Take one event of the journal; only ticks and clocks concern a venue."""
        match event:
            case Tick():
                self._print(event)
                return ()
            case ClockAdvanced():
                return self.advance_to(event.event_ns)
            case _:
                return ()

    def receive_block(self, block: TickBlock) -> None:
        """Take a run of ticks: the same as `receive` of each, at the cost of one per symbol."""
        last = np.full(len(block.symbols), -1)
        last[block.symbol] = np.arange(len(block))  # of equal indices the last one stays
        for symbol, row in zip(block.symbols, last.tolist(), strict=True):
            if row >= 0 and symbol in self._symbols:
                self._print(block.tick(row))

    def advance_to(self, now: int) -> tuple[ExecutionReported, ...]:
        """Act at the clock instant `now`, in ns; one that is not after the last does nothing."""
        if now <= self._clock_ns:
            return ()
        due_ns, self._clock_ns = self._clock_ns, now
        if not self._working:
            return ()
        return (*self._cancel(), *self._admit(due_ns), *self._trade())

    def next_deadline(self) -> int | None:
        """Return the first clock instant, in ns, that matters even if nothing else arrives."""
        return min(map(self._deadline, self._working.values()), default=None)

    def _print(self, tick: Tick) -> None:
        if tick.symbol in self._symbols and not tick.has_level:
            self._marks.pop(tick.symbol, None)  # nobody bids for an option: no market in it
        elif tick.symbol in self._symbols:
            self._marks[tick.symbol] = Mark(
                level=tick.level, event_ns=tick.event_ns, bid=tick.bid, ask=tick.ask
            )

    def _in_order(self) -> list[WorkingOrder]:
        return sorted(
            self._working.values(), key=lambda each: (each.order.event_ns, each.order.order_id)
        )

    def _open(self) -> list[WorkingOrder]:
        return [each for each in self._in_order() if each.reports]

    def _cancel(self) -> Iterator[ExecutionReported]:
        for working in self._in_order():
            if working.cancelled:
                yield self._report(working, ExecutionKind.CANCEL, reason=working.cancelled)

    def _admit(self, due_ns: int) -> Iterator[ExecutionReported]:
        for working in self._in_order():
            order = working.order
            if working.reports or order.event_ns > due_ns:
                continue
            refusal = self._refusal(order)
            kind = ExecutionKind.REJECT if refusal else ExecutionKind.NEW
            yield self._report(working, kind, reason=refusal)

    def _refusal(self, order: Order) -> str:
        if order.symbol not in self._symbols:
            return f"no market in {order.symbol}"
        if order.order_id != _name(order):
            return f"the id of this order should be {_name(order)}"
        if not order.quantity > 0:
            return f"a quantity of {order.quantity:g} cannot trade"
        return ""

    def _trade(self) -> Iterator[ExecutionReported]:
        market_is_open = self._sessions.at(self._clock_ns).is_open
        for working in self._open():
            order = working.order
            if self._clock_ns > order.valid_until_ns:
                reason = "past its valid_until"
                yield self._report(working, ExecutionKind.EXPIRE, reason=reason)
                continue
            price = self._price(order)
            if market_is_open and price is not None:
                quantity = min(working.rest, self._most_at_once(order))
                done = quantity == working.rest
                kind = ExecutionKind.FILL if done else ExecutionKind.PARTIAL
                yield self._report(working, kind, quantity=quantity, price=price)

    def _price(self, order: Order) -> float | None:
        """Return what the order would trade at; `None` without a fresh print within its limit."""
        mark = self._marks.get(order.symbol)
        if mark is None or mark.event_ns <= order.event_ns + self._policy.latency_ns:
            return None
        price = price_to_take(order.side, mark, self._policy)
        if order.side == "buy":
            return price if price <= order.limit_price else None
        return price if price >= order.limit_price else None

    def _most_at_once(self, order: Order) -> float:
        """Whole units within `max_fill_vega`, at least one: a contract is not divided.

        The limit is an order's own, so the books of one venue do not depend on one another.
        """
        if order.vega == 0:
            return order.quantity
        vega_per_unit = abs(order.vega) / order.quantity
        return max(1.0, floor(self._policy.max_fill_vega / vega_per_unit))

    def _report(
        self,
        working: WorkingOrder,
        kind: ExecutionKind,
        *,
        quantity: float = 0.0,
        price: float | None = None,
        reason: str = "",
    ) -> ExecutionReported:
        order, number = working.order, working.reports + 1
        if kind in {ExecutionKind.NEW, ExecutionKind.PARTIAL}:
            filled = working.filled + quantity
            self._working[_name(order)] = structs.replace(working, filled=filled, reports=number)
        else:
            del self._working[_name(order)]
        return ExecutionReported(
            book=order.book,
            order_id=order.order_id,
            execution_id=f"{order.order_id}-{number}",
            kind=kind,
            quantity=quantity if order.side == "buy" else 0.0 - quantity,  # not −0.0
            price=price,
            event_ns=self._clock_ns,
            reason=reason,
        )

    def _deadline(self, working: WorkingOrder) -> int:
        order = working.order
        if working.cancelled:
            return self._clock_ns + 1
        if not working.reports:
            return max(order.event_ns, self._clock_ns + 1)
        expiry = order.valid_until_ns + 1
        opens_at = self._sessions.open_at_or_after(self._clock_ns + 1)
        if opens_at is None or self._price(order) is None:
            return expiry
        return min(opens_at, expiry)


def _leg(order: Order) -> str:
    return f"{order.book}/{order.leg}"


def _name(order: Order) -> str:
    return order_id(order.book, order.decision, order.leg)
