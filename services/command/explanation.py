"""What an order came of, put together from the decision log and the journal: pure.

The log holds every change of a trigger, every target with each step of its sizing and what it
stood on, and every order; the journal holds what the venue said. Nothing is computed anew but the
figures that the limits were compared with, and these from the log's own orders.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct, UnsetType, structs

from shared.adapters.record import RecordedOrder
from shared.adapters.store import Entry
from shared.domain.effects import OrderDecided, OrderWithheld, TargetChanged, TriggerChanged
from shared.domain.events import ExecutionReported
from shared.domain.hedging.session_clock import SessionClock
from shared.domain.instants import MINUTE
from shared.domain.orders import Order, book_of
from shared.domain.policies import LimitPolicy
from shared.domain.sessions import SessionCalendar
from shared.wire.decisions import DecisionRecord, Grounds
from shared.wire.journal import decode_entry

_NOT_IN_LOG: Final = frozenset(("repeat_ns", "duplicate_ns"))


class LimitChecked(Struct, frozen=True):
    """A limit that an order was held against.

    Attributes:
        name: As in the configuration.
        value: The order's figure; `None` when the log does not tell it.
        limit: What it may be at most.
    """

    name: str
    value: float | None
    limit: float


class Explanation(Struct, frozen=True, kw_only=True):
    """Why an order was sent.

    Attributes:
        order: The order.
        entry: Its place in the decision log.
        target: The target that it is to reach, with every step of the sizing.
        grounds: Code, configuration, limits and signals of the decision.
        triggers: What fired, each with its transitions since it was inactive.
        limits: What the order was held against.
        withheld: Other orders of the decision that were not sent.
        answer: The gateway's, if its record could be read.
        executions: What the venue reported, in the order of the journal.
    """

    order: Order
    entry: int
    target: TargetChanged
    grounds: Grounds
    triggers: dict[str, tuple[TriggerChanged, ...]]
    limits: tuple[LimitChecked, ...]
    withheld: tuple[OrderWithheld, ...] = ()
    answer: RecordedOrder | None = None
    executions: tuple[ExecutionReported, ...] = ()


class Trail:
    """Follows the decisions of one book up to an order.

    Args:
        order_id: Which.
        calendar: Tells which orders are of one session.
    """

    def __init__(self, order_id: str, calendar: SessionCalendar) -> None:
        self._order_id = order_id
        self._book = book_of(order_id)
        self._clock = SessionClock(calendar)
        self._paths: dict[str, list[TriggerChanged]] = {}
        self._fired: dict[str, tuple[TriggerChanged, ...]] = {}
        self._decision: tuple[TargetChanged, Grounds] | None = None
        self._orders: list[Order] = []
        self._found: Explanation | None = None
        self._withheld: list[OrderWithheld] = []

    def take(self, entry: int, record: DecisionRecord) -> Explanation | None:
        """Take the next decision; returns the explanation once it is complete."""
        effect = record.effect
        if effect.book != self._book:
            return None
        if self._found is not None and not _belongs(effect, self._found.order):
            return self.finish()
        match effect:
            case TriggerChanged():
                self._change(effect)
            case TargetChanged():
                self._decide(effect, record.grounds)
            case OrderDecided():
                self._orders.append(effect.order)
                if effect.order.order_id == self._order_id:
                    self._found = self._explain(entry, effect.order)
            case OrderWithheld():
                self._withheld.append(effect)
            case _:
                pass
        return None

    def finish(self) -> Explanation | None:
        """Return the explanation when the log ends; `None`: no such order."""
        if self._found is None:
            return None
        return structs.replace(self._found, withheld=tuple(self._withheld))

    def _change(self, changed: TriggerChanged) -> None:
        path = self._paths.setdefault(changed.trigger, [])
        if changed.previous == "inactive":
            path.clear()
        path.append(changed)

    def _decide(self, target: TargetChanged, grounds: Grounds | None) -> None:
        assert grounds is not None  # noqa: S101 - the step writes them with every target
        self._decision = (target, grounds)
        self._withheld = []
        self._fired = {
            trigger: tuple(path)
            for trigger, path in self._paths.items()
            if path[-1].state == "firing"
        }

    def _explain(self, entry: int, order: Order) -> Explanation:
        assert self._decision is not None  # noqa: S101 - an order follows its target
        target, grounds = self._decision
        return Explanation(
            order=order,
            entry=entry,
            target=target,
            grounds=grounds,
            triggers=self._fired,
            limits=tuple(self._limits(order, target, grounds.limits)),
        )

    def _limits(
        self, order: Order, target: TargetChanged, limits: LimitPolicy
    ) -> Iterator[LimitChecked]:
        figures = self._figures(order, target, limits)
        for name in limits.__struct_fields__:
            if name not in _NOT_IN_LOG and limits.at_most(name):
                yield LimitChecked(name, figures.get(name), float(limits.at_most(name)))

    def _figures(
        self, order: Order, target: TargetChanged, limits: LimitPolicy
    ) -> dict[str, float]:
        session = self._session(order)
        of_session = [each for each in self._orders if self._session(each) == session]
        of_decision = [each for each in self._orders if each.decision == order.decision]
        mark = next(leg.mark for leg in target.legs if leg.leg == order.leg)
        figures = {
            "max_order_vega": abs(order.vega),
            "max_order_notional": order.notional,
            "max_position_vega": abs(target.current_vega + sum(each.vega for each in of_decision)),
            "max_orders_per_day": float(len(of_session)),
            "max_orders_per_minute": float(
                sum(order.event_ns - each.event_ns < MINUTE for each in self._orders)
            ),
            "max_daily_turnover": sum(each.notional for each in of_session),
            "max_repeats": float(self._repeats(order, limits.repeat_ns)),
        }
        if not isinstance(order.delta, UnsetType):
            figures["max_order_delta"] = abs(order.delta)
            figures |= _position_delta(order, target)
        if mark is not None:
            figures["max_price_deviation"] = abs(order.limit_price - mark) / mark
        return figures

    def _repeats(self, order: Order, repeat_ns: int) -> int:
        """Count the orders in a row on one leg and side, each soon after the one before."""
        count, last_ns = 0, order.event_ns
        for each in reversed([one for one in self._orders if one.leg == order.leg]):
            if each.side != order.side or last_ns - each.event_ns > repeat_ns:
                break
            count, last_ns = count + 1, each.event_ns
        return count

    def _session(self, order: Order) -> int:
        return self._clock.at(order.event_ns).session


def _position_delta(order: Order, target: TargetChanged) -> dict[str, float]:
    """Return what an order's position comes to; with further legs the log does not tell it."""
    if len(target.legs) > 1:
        return {}
    return {"max_position_delta": abs(order.target_quantity * order.size / order.quantity)}


def _belongs(effect: object, order: Order) -> bool:
    """Whether an effect is still of the decision of an order."""
    if isinstance(effect, OrderDecided):
        return effect.order.decision == order.decision
    return isinstance(effect, OrderWithheld) and effect.decision == order.decision


def explain(
    records: Iterable[tuple[int, DecisionRecord]], order_id: str, calendar: SessionCalendar
) -> Explanation | None:
    """Explain an order from the decision log, its executions aside; `None`: not in the log."""
    trail = Trail(order_id, calendar)
    for entry, record in records:
        if (found := trail.take(entry, record)) is not None:
            return found
    return trail.finish()


def executions_of(entries: Iterable[Entry], order_id: str) -> Iterator[ExecutionReported]:
    """Yield what entries of the journal report of an order."""
    for entry in entries:
        for item in decode_entry(entry.payload).items:
            if isinstance(item, ExecutionReported) and item.order_id == order_id:
                yield item
