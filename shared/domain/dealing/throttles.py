"""Pre-trade controls that depend on the orders before: counts and repeats (promises B5-B7).

Two of them, `rate` and `repeat`, do more than block an order: they stop the book, for orders that
come too fast or again and again are the mark of a program gone wrong (RTS 6 Art. 15(3): disabled
until a person re-arms it). Orders count once they are made, whatever becomes of them. *Within* a
time means after less than it; all time is event time.
"""

from collections import deque
from typing import Final, Literal

from msgspec import Struct

from shared.domain.dealing.pretrade import Block
from shared.domain.instants import MINUTE
from shared.domain.orders import Order
from shared.domain.policies import LimitPolicy

STOPPING: Final = frozenset({"rate", "repeat"})
"""Controls that stop the book until an operator resumes it."""


class SentOrder(Struct, frozen=True, array_like=True):
    """What is remembered of an order."""

    event_ns: int
    leg: str
    side: Literal["buy", "sell"]
    quantity: float


class Repetition(Struct, frozen=True, array_like=True):
    """Orders in a row on one leg: the last one's side and instant, and how many."""

    side: Literal["buy", "sell"]
    event_ns: int
    count: int


class ThrottleState(Struct, frozen=True, kw_only=True):
    """Everything the throttles remember; bounded by the limits.

    Attributes:
        session: The last session with an order …
        orders_today: … how many there were in it …
        turnover: … and their notional, currency.
        minute: Instants of those of the last minute.
        recent: Those of the duplicate window.
        repetitions: By leg.
        stopped: What stopped the book; `None` while nothing did.
    """

    session: int = -1
    orders_today: int = 0
    turnover: float = 0.0
    minute: tuple[int, ...] = ()
    recent: tuple[SentOrder, ...] = ()
    repetitions: dict[str, Repetition] = {}
    stopped: Block | None = None


class Throttles:
    """What one book has ordered, as far as it limits what it may order.

    Args:
        limits: The book's.
        state: Where to go on from.
    """

    def __init__(self, limits: LimitPolicy, state: ThrottleState) -> None:
        self._limits = limits
        self._session = state.session
        self._orders_today = state.orders_today
        self._turnover = state.turnover
        self._minute = deque(state.minute)
        self._recent = deque(state.recent)
        self._repetitions = dict(state.repetitions)
        self.stopped = state.stopped
        """What stopped the book; `None` while nothing did."""

    def snapshot(self) -> ThrottleState:
        """Return all that throttles go on from."""
        return ThrottleState(
            session=self._session,
            orders_today=self._orders_today,
            turnover=self._turnover,
            minute=tuple(self._minute),
            recent=tuple(self._recent),
            repetitions=dict(self._repetitions),
            stopped=self.stopped,
        )

    def resume(self) -> None:
        """Let the book order again, with a clean slate as to rate and repeats."""
        self.stopped = None
        self._minute.clear()
        self._repetitions.clear()

    def admit(self, order: Order, session: int) -> Block | None:
        """Count an order, or return the control that blocks it."""
        if self.stopped is not None:
            return self.stopped
        self._move_to(order.event_ns, session)
        repetition = self._repetition(order)
        block = self._check(order, repetition.count)
        if block is None:
            self._orders_today += 1
            self._turnover += order.notional
            self._minute.append(order.event_ns)
            self._recent.append(SentOrder(order.event_ns, order.leg, order.side, order.quantity))
            self._repetitions[order.leg] = repetition
        elif block.control in STOPPING:
            self.stopped = block
        return block

    def _move_to(self, now: int, session: int) -> None:
        if session != self._session:
            self._session, self._orders_today, self._turnover = session, 0, 0.0
        while self._minute and now - self._minute[0] >= MINUTE:
            self._minute.popleft()
        while self._recent and now - self._recent[0].event_ns >= self._limits.duplicate_ns:
            self._recent.popleft()

    def _repetition(self, order: Order) -> Repetition:
        """Return the leg's run of orders with this one in it."""
        last, now = self._repetitions.get(order.leg), order.event_ns
        if last is None or last.side != order.side:
            return Repetition(order.side, now, 1)
        goes_on = now - last.event_ns < self._limits.repeat_ns
        return Repetition(order.side, now, last.count + 1 if goes_on else 1)

    def _check(self, order: Order, repeats: int) -> Block | None:
        """Compare counts with this order in them; what stops the book comes last."""
        limits = self._limits
        compared = {
            "max_orders_per_day": (self._orders_today + 1, limits.max_orders_per_day),
            "max_daily_turnover": (self._turnover + order.notional, limits.max_daily_turnover),
            "duplicate": (self._copies(order), 0),
            "rate": (len(self._minute) + 1, limits.max_orders_per_minute),
            "repeat": (repeats, limits.max_repeats),
        }
        for control, (value, limit) in compared.items():
            if not value <= limit:
                return Block(control, {"value": float(value), "limit": float(limit)})
        return None

    def _copies(self, order: Order) -> int:
        """Count the orders of the same leg, side and quantity within the duplicate window."""
        same = (order.leg, order.side, order.quantity)
        return sum((sent.leg, sent.side, sent.quantity) == same for sent in self._recent)
