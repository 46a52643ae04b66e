"""Whether a book may trade: the kill switch as a value (spec 6; promises A5 to A7).

Three states, each stricter than the one before: *active*, *reducing* (only orders that bring the
book's vega nearer to 0), *halted* (none). An operator, the gateway, the auditor and the desk (who
is logged in to the page) each set their own, for one book or for all of them; what counts for a
book is the strictest of all that concern it. Gateway and auditor lift only what they set
themselves, the desk nothing at all; an operator who resumes a scope lifts everything that was set
for that scope, for nobody else may re-arm what a check has stopped.
"""

from enum import StrEnum
from typing import Final, Literal

from msgspec import Struct, structs

ALL: Final = "all"
"""The scope that concerns every book; no book may have this name."""

Authority = Literal["operator", "gateway", "auditor", "desk"]


class TradingState(StrEnum):
    """What a book may do."""

    ACTIVE = "active"
    REDUCING = "reducing"
    HALTED = "halted"


STRICTNESS: Final = (TradingState.ACTIVE, TradingState.REDUCING, TradingState.HALTED)
"""From the least strict to the strictest."""


class TradingStateSet(Struct, frozen=True, kw_only=True, tag="trading_state"):
    """Somebody entitled to it set a trading state.

    Attributes:
        scope: A book's name, or `all`.
        state: From now on.
        authority: Who: an operator's `active` lifts everything set for the scope, another's only
            what it set itself; the desk's is no change.
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


def is_resumption(change: TradingStateSet) -> bool:
    """Whether an operator resumes trading: only that re-arms what a check has stopped."""
    return change.state is TradingState.ACTIVE and change.authority == "operator"


class TradingStates(Struct, frozen=True):
    """The states that are set, those other than `active` only.

    Attributes:
        orders: What was last set, by `authority/scope`.
    """

    orders: dict[str, TradingStateSet] = {}

    def after(self, change: TradingStateSet) -> "TradingStates":
        """Return the states after a change; one of the desk's that loosens is none."""
        if change.authority == "desk" and not self.is_stricter(change):
            return self
        resumes = change.state is TradingState.ACTIVE
        kept = {
            name: order
            for name, order in self.orders.items()
            if order.scope != change.scope
            or (order.authority != change.authority and not is_resumption(change))
        }
        own = {} if resumes else {f"{change.authority}/{change.scope}": change}
        return structs.replace(self, orders={**kept, **own})

    def is_stricter(self, change: TradingStateSet) -> bool:
        """Whether a change is stricter than what its authority has set for its scope."""
        before = self.orders.get(f"{change.authority}/{change.scope}")
        held = TradingState.ACTIVE if before is None else before.state
        return STRICTNESS.index(change.state) > STRICTNESS.index(held)

    def governing(self, book: str) -> TradingStateSet | None:
        """Return the strictest order that concerns a book, the oldest of equals; `None`: active."""
        concerning = [order for order in self.orders.values() if order.scope in {ALL, book}]
        return max(concerning, key=lambda order: STRICTNESS.index(order.state), default=None)

    def of(self, book: str) -> TradingState:
        """Return what a book may do."""
        order = self.governing(book)
        return TradingState.ACTIVE if order is None else order.state
