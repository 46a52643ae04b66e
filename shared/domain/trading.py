"""Whether a book may trade: the kill switch as a value (spec 6; promises A5 to A7).

Three states, each stricter than the one before: *active*, *reducing* (only orders that bring the
book's vega nearer to 0), *halted* (none). An operator, the gateway and the auditor each set their
own, for one book or for all of them; what counts for a book is the strictest of all that concern
it. So nobody lifts what somebody else has set.
"""

from enum import StrEnum
from typing import Final, Literal

from msgspec import Struct, structs

ALL: Final = "all"
"""The scope that concerns every book; no book may have this name."""

Authority = Literal["operator", "gateway", "auditor"]


class TradingState(StrEnum):
    """What a book may do."""

    ACTIVE = "active"
    REDUCING = "reducing"
    HALTED = "halted"


_STRICTNESS: Final = (TradingState.ACTIVE, TradingState.REDUCING, TradingState.HALTED)


class TradingStateSet(Struct, frozen=True, kw_only=True, tag="trading_state"):
    """Somebody entitled to it set a trading state.

    Attributes:
        scope: A book's name, or `all`.
        state: From now on.
        authority: Who: each lifts only what it set itself.
        operator: The person, or the check that did it.
        reason: Why, for people.
        event_ns: When.
    """

    scope: str
    state: TradingState
    authority: Authority
    operator: str
    reason: str
    event_ns: int


class TradingStates(Struct, frozen=True):
    """The states that are set, those other than `active` only.

    Attributes:
        orders: What was last set, by `authority/scope`.
    """

    orders: dict[str, TradingStateSet] = {}

    def after(self, change: TradingStateSet) -> "TradingStates":
        """Return the states after a change."""
        key = f"{change.authority}/{change.scope}"
        others = {name: order for name, order in self.orders.items() if name != key}
        if change.state is TradingState.ACTIVE:
            return structs.replace(self, orders=others)
        return structs.replace(self, orders={**others, key: change})

    def governing(self, book: str) -> TradingStateSet | None:
        """Return the strictest order that concerns a book, the oldest of equals; `None`: active."""
        concerning = [order for order in self.orders.values() if order.scope in {ALL, book}]
        return max(concerning, key=lambda order: _STRICTNESS.index(order.state), default=None)

    def of(self, book: str) -> TradingState:
        """Return what a book may do."""
        order = self.governing(book)
        return TradingState.ACTIVE if order is None else order.state
