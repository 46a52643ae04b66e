"""How much of the same a book may send: counts, turnover, rate, repeats, copies (promises B5-B7).

Only accepted orders are counted, each at the instant the gateway gave it. To ask changes nothing,
and asking costs the same however many orders came before.
"""

from collections import deque
from itertools import takewhile
from typing import Final, Literal

from msgspec import Struct

from shared.domain.gatekeeping.refusal import Refusal, beyond
from shared.domain.instants import MINUTE
from shared.domain.orders import Order
from shared.domain.policies import LimitPolicy

TRIPPING: Final = frozenset({"max_orders_per_minute", "max_repeats"})
"""What stops a book until an operator resumes it: such orders come from a program gone wrong."""


class Passed(Struct, frozen=True, array_like=True):
    """When an order of one leg, side and quantity last was let through."""

    leg: str
    side: Literal["buy", "sell"]
    quantity: float
    at_ns: int


class Run(Struct, frozen=True, array_like=True):
    """Orders in a row on one side of one leg, none long after the last."""

    side: Literal["buy", "sell"]
    last_ns: int
    length: int


class HistoryState(Struct, frozen=True, kw_only=True):
    """What a book has sent; bounded by its limits.

    Attributes:
        session: Number of the session that is counted; −1 before the first order.
        orders: Accepted in it.
        turnover: Their notional, currency.
        minute: Instants of the last minute's, in order of acceptance.
        passed: Of the duplicate window, oldest first.
        runs: By leg.
    """

    session: int = -1
    orders: int = 0
    turnover: float = 0.0
    minute: tuple[int, ...] = ()
    passed: tuple[Passed, ...] = ()
    runs: dict[str, Run] = {}


class History:
    """What one book has sent.

    Args:
        limits: The book's.
        state: Where to go on from.
    """

    def __init__(self, limits: LimitPolicy, state: HistoryState) -> None:
        self._limits = limits
        self._session = state.session
        self._orders = state.orders
        self._turnover = state.turnover
        self._minute = deque(state.minute)
        self._passed = {(each.leg, each.side, each.quantity): each for each in state.passed}
        self._runs = dict(state.runs)

    def snapshot(self) -> HistoryState:
        """Return all that a history goes on from."""
        return HistoryState(
            session=self._session,
            orders=self._orders,
            turnover=self._turnover,
            minute=tuple(self._minute),
            passed=tuple(self._passed.values()),
            runs=dict(self._runs),
        )

    def refuses(self, order: Order, at_ns: int, session: int) -> Refusal | None:
        """Return what speaks against one more order, or `None`.

        Args:
            order: Not counted yet.
            at_ns: Its instant, by the gateway.
            session: Which that lies in.
        """
        limits = self._limits
        orders, turnover = self._today(session)
        last = self._passed.get((order.leg, order.side, order.quantity))
        if last is not None and at_ns - last.at_ns < limits.duplicate_ns:
            seconds = limits.duplicate_ns / 1e9
            return Refusal("duplicate", f"the same leg, side and quantity within {seconds:g} s")
        return (
            beyond("max_orders_per_day", orders + 1, limits.max_orders_per_day)
            or beyond("max_daily_turnover", turnover + order.notional, limits.max_daily_turnover)
            or self._too_fast(at_ns)
            or beyond("max_repeats", self._run(order, at_ns).length, limits.max_repeats)
        )

    def count(self, order: Order, at_ns: int, session: int) -> None:
        """Count an accepted order; see `refuses`."""
        orders, turnover = self._today(session)
        self._session = session
        self._orders, self._turnover = orders + 1, turnover + order.notional
        self._minute.append(at_ns)
        while at_ns - self._minute[0] >= MINUTE:
            self._minute.popleft()
        name = (order.leg, order.side, order.quantity)
        self._passed.pop(name, None)  # the newest stand last
        self._passed[name] = Passed(*name, at_ns)
        self._forget_passed(at_ns)
        self._runs[order.leg] = self._run(order, at_ns)

    def rearm(self) -> None:
        """Begin anew after an operator has resumed: what had tripped is forgotten."""
        self._minute.clear()
        self._runs.clear()

    def _today(self, session: int) -> tuple[int, float]:
        return (self._orders, self._turnover) if session == self._session else (0, 0.0)

    def _too_fast(self, at_ns: int) -> Refusal | None:
        """Look at the one order that would be the first of too many in a minute."""
        limit = self._limits.max_orders_per_minute
        if len(self._minute) < limit or at_ns - self._minute[-limit] >= MINUTE:
            return None
        return beyond("max_orders_per_minute", limit + 1, limit)

    def _forget_passed(self, at_ns: int) -> None:
        past = takewhile(
            lambda each: at_ns - each.at_ns >= self._limits.duplicate_ns, self._passed.values()
        )
        for each in tuple(past):
            del self._passed[each.leg, each.side, each.quantity]

    def _run(self, order: Order, at_ns: int) -> Run:
        """Return the leg's run with this order at its end."""
        run = self._runs.get(order.leg)
        if run is None or run.side != order.side or at_ns - run.last_ns >= self._limits.repeat_ns:
            return Run(order.side, at_ns, 1)
        return Run(order.side, at_ns, run.length + 1)
