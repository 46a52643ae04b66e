"""Whether a signed command is believed, and what it may set (promises A5, E1).

A signature says who; these say whether it is news, and whether that person may.
"""

from typing import Final

from shared.domain.gatekeeping.refusal import Refusal
from shared.domain.instants import MINUTE, SECOND
from shared.domain.trading import TradingState, TradingStates, TradingStateSet

OLDEST_NS: Final = MINUTE
NEWEST_NS: Final = 2 * SECOND


def not_news(issued_ns: int, last_ns: int, now_ns: int | None) -> Refusal | None:
    """Return why a command is not believed, or `None`.

    Args:
        issued_ns: When it says it was given.
        last_ns: The same of the last one believed from its key; 0 before the first.
        now_ns: The wall clock; `None` in a replay, which has none.
    """
    if issued_ns <= last_ns:
        return Refusal("replayed", "this key gave it, or a later one, before")
    if now_ns is None or now_ns - OLDEST_NS <= issued_ns <= now_ns + NEWEST_NS:
        return None
    behind_s = (now_ns - issued_ns) / SECOND
    if behind_s > 0:
        return Refusal("too_old", f"issued {behind_s:.3g} s ago: issue it again")
    return Refusal("from_the_future", f"issued {-behind_s:.3g} s from now: set the clocks")


def not_stricter(states: TradingStates, change: TradingStateSet) -> Refusal | None:
    """Return a refusal when a change loosens what its authority had set for its scope.

    An operator who signs may; the auditor, the desk, and whoever stands at the gateway's socket,
    may not.
    """
    if states.is_stricter(change):
        return None
    before = states.orders.get(f"{change.authority}/{change.scope}")
    held = TradingState.ACTIVE if before is None else before.state
    return Refusal("not_stricter", f"{change.scope} is {held} already, by {change.authority}")
