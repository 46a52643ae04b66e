"""What a book holds and what it has ordered; the venue's reports move one into the other (spec 6).

Open orders count as position. Each execution counts once, by its id; one that comes after its
order was closed is booked all the same: it happened.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from msgspec import Struct, structs

from shared.domain.events import ExecutionKind, ExecutionReported
from shared.domain.instants import MINUTE
from shared.domain.orders import Order

REMEMBERED_ORDERS: Final = 32
"""Per leg: closed orders whose late reports are still recognised; an older one's is unknown."""

ANSWER_NS: Final = MINUTE
"""For the venue to say what became of an order, once its time was *seen* to have run out.

It speaks at clock events, right after the book has seen them, and in a replay these lie apart.
"""

_ENDINGS: Final = frozenset(
    {ExecutionKind.FILL, ExecutionKind.CANCEL, ExecutionKind.REJECT, ExecutionKind.EXPIRE}
)


class TrackedOrder(Struct, frozen=True, kw_only=True, array_like=True):
    """An order of ours and what became of it.

    Attributes:
        order_id: See `shared.domain.orders`.
        leg: Its leg.
        decision: Its decision.
        rest: Signed quantity still open, in the leg's unit; 0 once closed.
        reference_price: Middle it was sized with: costs are measured from it.
        valid_until_ns: Never executed after this.
        is_open: Whether it may still trade.
        run_out_ns: First instant seen after `valid_until_ns`; 0 before.
        overdue: Whether it was reported as unanswered.
        executions: Ids of the reports taken.
    """

    order_id: str
    leg: str
    decision: int
    rest: float
    reference_price: float
    valid_until_ns: int
    is_open: bool = True
    run_out_ns: int = 0
    overdue: bool = False
    executions: tuple[str, ...] = ()


class Outcome(StrEnum):
    """What a report meant for the holdings."""

    BOOKED = "booked"
    ENDED = "ended"
    LATE = "late"
    DUPLICATE = "duplicate"
    UNKNOWN = "unknown"


class HoldingsState(Struct, frozen=True, kw_only=True):
    """Everything the holdings remember.

    Attributes:
        positions: Signed, by leg, in the leg's unit.
        orders: Oldest first.
    """

    positions: dict[str, float] = {}
    orders: tuple[TrackedOrder, ...] = ()


class Holdings:
    """One book's positions and orders.

    Args:
        legs: Names of the book's legs.
        state: Where to go on from.
    """

    def __init__(self, legs: Iterable[str], state: HoldingsState | None = None) -> None:
        known = state or HoldingsState()
        self._positions = {leg: known.positions.get(leg, 0.0) for leg in legs}
        self._orders = {order.order_id: order for order in known.orders}
        self._deadline_ns = self._find_deadline()

    def position(self, leg: str) -> float:
        """Return what is held, signed, in the leg's unit."""
        return self._positions[leg]

    def expected(self, leg: str) -> float:
        """Return position plus open orders, signed, in the leg's unit."""
        return self._positions[leg] + sum(self.rests(leg))

    def rests(self, leg: str) -> list[float]:
        """Return what each order of a leg may still trade, signed; 0 for one that is closed."""
        return [order.rest for order in self._orders.values() if order.leg == leg]

    @property
    def open_orders(self) -> int:
        """How many orders may still trade."""
        return sum(order.is_open for order in self._orders.values())

    def order(self, order_id: str) -> TrackedOrder | None:
        """Return a remembered order."""
        return self._orders.get(order_id)

    def place(self, order: Order) -> None:
        """Count an order as open."""
        self._orders[order.order_id] = TrackedOrder(
            order_id=order.order_id,
            leg=order.leg,
            decision=order.decision,
            rest=order.signed_quantity,
            reference_price=order.reference_price,
            valid_until_ns=order.valid_until_ns,
        )
        closed = [
            each.order_id
            for each in self._orders.values()
            if each.leg == order.leg and not each.is_open
        ]
        for order_id in closed[: max(0, len(closed) - REMEMBERED_ORDERS)]:
            del self._orders[order_id]
        self._deadline_ns = self._find_deadline()

    def take(self, report: ExecutionReported) -> Outcome:
        """Book a report, once.

        A `fill` completes its order even when its quantity differs from the rest: the venue knows.
        """
        order = self._orders.get(report.order_id)
        if order is None:
            return Outcome.UNKNOWN
        if report.execution_id in order.executions:
            return Outcome.DUPLICATE
        self._positions[order.leg] += report.quantity
        ends = report.kind in _ENDINGS
        is_open = order.is_open and not ends
        self._orders[order.order_id] = structs.replace(
            order,
            rest=order.rest - report.quantity if is_open else 0.0,
            is_open=is_open,
            executions=(*order.executions, report.execution_id),
        )
        self._deadline_ns = self._find_deadline()
        if not order.is_open:
            return Outcome.LATE
        return Outcome.ENDED if ends else Outcome.BOOKED

    def unanswered(self, now: int) -> tuple[TrackedOrder, ...]:
        """Return, once each, the open orders whose time ran out without a word; they stay open.

        Whether such an order traded is not known, so it goes on counting as position.
        """
        if self._deadline_ns is None or now < self._deadline_ns:
            return ()
        due = [order for order in self._waiting() if _deadline(order) <= now]
        for order in due:
            told = {"overdue": True} if order.run_out_ns else {"run_out_ns": now}
            self._orders[order.order_id] = structs.replace(order, **told)
        self._deadline_ns = self._find_deadline()
        return tuple(order for order in due if order.run_out_ns)

    def next_deadline(self) -> int | None:
        """Return when the next open order's time, or its venue's, runs out, in ns."""
        return self._deadline_ns

    def snapshot(self) -> HoldingsState:
        """Return all that holdings go on from."""
        return HoldingsState(positions=dict(self._positions), orders=tuple(self._orders.values()))

    def _waiting(self) -> list[TrackedOrder]:
        return [order for order in self._orders.values() if order.is_open and not order.overdue]

    def _find_deadline(self) -> int | None:
        return min(map(_deadline, self._waiting()), default=None)


def _deadline(order: TrackedOrder) -> int:
    return order.run_out_ns + ANSWER_NS if order.run_out_ns else order.valid_until_ns + 1
