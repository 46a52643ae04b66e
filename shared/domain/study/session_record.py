"""What a backtest notes of each session's close: enough for every figure of the session."""

from collections.abc import Mapping
from typing import NamedTuple

from shared.domain.accounts.effectiveness import SessionResult
from shared.domain.signals_observed import SignalsObserved


class DealtTrade(NamedTuple):
    """One execution that traded.

    Attributes:
        event_ns: When.
        leg: Which leg.
        quantity: Signed, in its unit.
        level: The market's at it, in points of the price.
        price: Paid.
    """

    event_ns: int
    leg: str
    quantity: float
    level: float
    price: float


class BookAtClose(NamedTuple):
    """How the book stood when a session's closing step was done.

    Attributes:
        close_ns: Of the session.
        observed: The last signals of the session.
        target_vega: Of the standing decision, currency per vol point; 0 before the first.
        held_vega: Of the position alone.
        budget_used: Share of the annual budget; `None` without one.
        whipsaws: Suppressed so far.
    """

    close_ns: int
    observed: SignalsObserved
    target_vega: float
    held_vega: float
    budget_used: float | None
    whipsaws: int


class SessionRecord(NamedTuple):
    """One counted session.

    Attributes:
        result: As the account counts it.
        closes: Level by symbol that it was closed with.
        book: How the book stood.
    """

    result: SessionResult
    closes: Mapping[str, float]
    book: BookAtClose
