"""The orders that the page shows: from decision to acknowledgement to what the venue did."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from services.dashboard.why import why
from shared.domain.effects import TargetChanged
from shared.domain.events import ExecutionKind, ExecutionReported
from shared.domain.orders import Order
from shared.wire.messages import AckMessage
from shared.wire.times import format_instant
from shared.wire.views import ExecutionView, OrderStatus, OrderView

MOST_ORDERS: Final = 2_000
KEPT_ANSWERS: Final = 200
"""For a page that begins after us, of refusals and of others."""
_MOST_UNKNOWN: Final = 2_000
"""Reports and answers of orders that are not known: these may be read later, or never."""
_ENDS: Final[dict[ExecutionKind, OrderStatus]] = {
    ExecutionKind.FILL: "filled",
    ExecutionKind.CANCEL: "cancelled",
    ExecutionKind.REJECT: "rejected",
    ExecutionKind.EXPIRE: "expired",
}


class OrdersPicture:
    """Orders with what became of them; the order in which the three sources arrive is no matter.

    Attributes:
        waiting: Ids of those in the outbox: the gateway has not answered for them.
    """

    def __init__(self) -> None:
        self.waiting: frozenset[str] = frozenset()
        self._orders: dict[str, tuple[Order, str]] = {}
        self._executions: dict[str, dict[str, ExecutionReported]] = {}
        self._answers: dict[str, AckMessage] = {}

    def decided(self, order: Order, target: TargetChanged | None) -> str:
        """Take an order and the target that it is for; returns its id."""
        self._orders[order.order_id] = (order, why(order, target))
        _forget_first(self._orders, MOST_ORDERS)
        return order.order_id

    def reported(self, report: ExecutionReported) -> str:
        """Take a venue's report, each once; returns its order's id."""
        reports = self._executions.setdefault(report.order_id, {})
        reports.setdefault(report.execution_id, report)
        _forget_first(self._executions, MOST_ORDERS + _MOST_UNKNOWN)
        return report.order_id

    def answered(self, answer: AckMessage) -> str:
        """Take the gateway's answer; returns its order's id.

        That a later sending was a duplicate, or that one was superseded, changes nothing.
        """
        known = self._answers.get(answer.order_id)
        if known is None or known.status == "superseded":
            self._answers[answer.order_id] = answer
            _forget_first(self._answers, MOST_ORDERS + _MOST_UNKNOWN)
        return answer.order_id

    def kept_answers(self) -> tuple[AckMessage, ...]:
        """Return the newest answers, for a page that begins after us; refusals longest.

        Nobody else tells them: the gateway has told them on the bus, once.
        """
        every = list(self._answers.values())
        refused = [each for each in every if each.status == "refused"][-KEPT_ANSWERS:]
        others = [each for each in every if each.status != "refused"][-KEPT_ANSWERS:]
        return (*refused, *others)

    def wait_for(self, order_ids: Iterable[str]) -> frozenset[str]:
        """Take what is in the outbox now; returns the ids for which that is news."""
        waiting = frozenset(order_ids)
        changed = waiting ^ self.waiting
        self.waiting = waiting
        return changed

    def view(self, order_id: str) -> OrderView | None:
        """Return one order; `None`: not known."""
        if order_id not in self._orders:
            return None
        order, reason = self._orders[order_id]
        executions = tuple(self._executions.get(order_id, {}).values())
        traded = [each for each in executions if each.quantity]
        filled = sum(each.quantity for each in traded)
        paid = sum(each.quantity * each.price for each in traded if each.price is not None)
        return OrderView(
            order_id=order.order_id,
            book=order.book,
            decision=order.decision,
            leg=order.leg,
            symbol=order.symbol,
            side=order.side,
            quantity=order.quantity,
            target_quantity=order.target_quantity,
            limit_price=order.limit_price,
            notional=order.notional,
            currency=order.currency,
            trigger=order.trigger,
            reason=order.reason,
            status=self._status(order_id, executions, filled),
            decided_time=format_instant(order.event_ns),
            valid_until=format_instant(order.valid_until_ns),
            why=reason,
            acknowledgement=self._answers.get(order_id),
            filled=filled,
            average_price=paid / filled if filled else None,
            executions=tuple(_execution(each) for each in executions),
        )

    def newest(self, limit: int, book: str | None = None) -> list[OrderView]:
        """Return the newest orders, newest first."""
        found: list[OrderView] = []
        for order_id in self._newest_first(book):
            if len(found) == limit:
                break
            view = self.view(order_id)
            assert view is not None  # noqa: S101 - it is one of ours
            found.append(view)
        return found

    def waiting_of(self, book: str) -> int:
        """Count the orders of a book that the gateway has not answered for."""
        return sum(
            each in self._orders and self._orders[each][0].book == book for each in self.waiting
        )

    def _newest_first(self, book: str | None) -> Iterator[str]:
        for order_id, (order, _) in reversed(self._orders.items()):
            if book is None or order.book == book:
                yield order_id

    def _status(
        self, order_id: str, executions: Iterable[ExecutionReported], filled: float
    ) -> OrderStatus:
        kinds = [each.kind for each in executions]
        ends = [_ENDS[kind] for kind in kinds if kind in _ENDS]
        if ends:
            return ends[0]  # what is booked after an order's end does not open it again
        if filled:
            return "partial"
        if kinds:
            return "working"
        answer = self._answers.get(order_id)
        if answer is not None and answer.status != "superseded":
            return "refused" if answer.status == "refused" else "accepted"
        return "decided" if order_id in self.waiting else "accepted"


def _execution(report: ExecutionReported) -> ExecutionView:
    return ExecutionView(
        kind=report.kind.value,
        event_time=format_instant(report.event_ns),
        quantity=report.quantity,
        price=report.price,
        reason=report.reason,
    )


def _forget_first(known: dict[str, Any], most: int) -> None:
    while len(known) > most:
        del known[next(iter(known))]
