"""How much of the same a book may send: counts, turnover, rate, repeats, copies (promises B5-B7).

A history is a value; `refused_by` reads it, `with_order` is the history one accepted order later.
Only accepted orders are in it, each at the instant the gateway gave it.
"""

from typing import Final, Literal

from msgspec import Struct

from shared.domain.gatekeeping.refusal import Refusal, beyond
from shared.domain.instants import MINUTE
from shared.domain.orders import Order
from shared.domain.policies import LimitPolicy

TRIPPING: Final = frozenset({"max_orders_per_minute", "max_repeats"})
"""What stops a book until an operator resumes it: such orders come from a program gone wrong."""


class Passed(Struct, frozen=True, array_like=True):
    """An order that was let through lately."""

    at_ns: int
    leg: str
    side: Literal["buy", "sell"]
    quantity: float


class Run(Struct, frozen=True, array_like=True):
    """Orders in a row on one side of one leg, none long after the last."""

    side: Literal["buy", "sell"]
    last_ns: int
    length: int


class History(Struct, frozen=True, kw_only=True):
    """What a book has sent; bounded by its limits.

    Attributes:
        session: Number of the session that is counted; −1 before the first order.
        orders: Accepted in it.
        turnover: Their notional, currency.
        passed: Those of the last minute and of the duplicate window, oldest first.
        runs: By leg.
    """

    session: int = -1
    orders: int = 0
    turnover: float = 0.0
    passed: tuple[Passed, ...] = ()
    runs: dict[str, Run] = {}

    def rearmed(self) -> "History":
        """Return the history after an operator has resumed: what had tripped is forgotten."""
        return History(session=self.session, orders=self.orders, turnover=self.turnover)


def refused_by(
    limits: LimitPolicy, history: History, order: Order, at_ns: int, session: int
) -> Refusal | None:
    """Return what speaks against one more order, or `None`.

    Args:
        limits: The book's.
        history: Of the book.
        order: Not counted yet.
        at_ns: Its instant, by the gateway.
        session: Which that lies in.
    """
    begun = session == history.session
    orders, turnover = (history.orders, history.turnover) if begun else (0, 0.0)
    if _copies(limits, history, order, at_ns):
        seconds = limits.duplicate_ns / 1e9
        return Refusal("duplicate", f"the same leg, side and quantity within {seconds:g} s")
    lately = sum(at_ns - each.at_ns < MINUTE for each in history.passed)
    return (
        beyond("max_orders_per_day", orders + 1, limits.max_orders_per_day)
        or beyond("max_daily_turnover", turnover + order.notional, limits.max_daily_turnover)
        or beyond("max_orders_per_minute", lately + 1, limits.max_orders_per_minute)
        or beyond("max_repeats", _run(limits, history, order, at_ns).length, limits.max_repeats)
    )


def with_order(
    limits: LimitPolicy, history: History, order: Order, at_ns: int, session: int
) -> History:
    """Return the history with an accepted order in it; see `refused_by`."""
    begun = session == history.session
    kept_ns = max(MINUTE, limits.duplicate_ns)
    lately = [each for each in history.passed if at_ns - each.at_ns < kept_ns]
    return History(
        session=session,
        orders=(history.orders if begun else 0) + 1,
        turnover=(history.turnover if begun else 0.0) + order.notional,
        passed=(*lately, Passed(at_ns, order.leg, order.side, order.quantity)),
        runs={**history.runs, order.leg: _run(limits, history, order, at_ns)},
    )


def _copies(limits: LimitPolicy, history: History, order: Order, at_ns: int) -> bool:
    return any(
        each.leg == order.leg
        and each.side == order.side
        and each.quantity == order.quantity
        and at_ns - each.at_ns < limits.duplicate_ns
        for each in history.passed
    )


def _run(limits: LimitPolicy, history: History, order: Order, at_ns: int) -> Run:
    """Return the leg's run with this order at its end."""
    run = history.runs.get(order.leg)
    if run is None or run.side != order.side or at_ns - run.last_ns >= limits.repeat_ns:
        return Run(order.side, at_ns, 1)
    return Run(order.side, at_ns, run.length + 1)
