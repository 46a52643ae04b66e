"""What happens to the monitor: the events of the journal, in the past tense.

Everything a decision depends on is one of these. Each carries its own instant, `event_ns`:
integer nanoseconds since the Unix epoch, UTC, when it happened in the market, not when we saw it.
"""

from enum import StrEnum

from msgspec import Struct

from shared.domain.trading import TradingStateSet


class Tick(Struct, frozen=True, kw_only=True, tag="tick"):
    """One print or quote of one symbol.

    Attributes:
        symbol: `[A-Z0-9._-]{1,32}`.
        event_ns: When the market made it.
        price: Last trade or index level, in the symbol's own unit (VIX: vol points). `None` for a
            quote without one.
        bid: Best bid, or `None`.
        ask: Best ask, or `None`.
        bid_size: Size at the bid, or `None`.
        ask_size: Size at the ask, or `None`.
        source: Who sent it; sequences are counted by source.
        sequence: The source's own number, or `None`.
    """

    symbol: str
    event_ns: int
    price: float | None = None
    bid: float | None = None
    ask: float | None = None
    bid_size: float | None = None
    ask_size: float | None = None
    source: str = ""
    sequence: int | None = None

    @property
    def has_level(self) -> bool:
        """Whether there is one: of an option for which nobody bids there is not."""
        return self.price is not None or (self.bid is not None and self.ask is not None)

    @property
    def level(self) -> float:
        """The price when there is one, else the middle of bid and ask.

        Raises:
            ValueError: The tick has neither; the edge refuses such a tick.
        """
        if self.price is not None:
            return self.price
        if self.bid is None or self.ask is None:
            raise ValueError(f"a tick of {self.symbol} has neither a price nor both quotes")
        return (self.bid + self.ask) / 2


class ClockAdvanced(Struct, frozen=True, kw_only=True, tag="clock"):
    """Time has reached `event_ns`, whether or not anything traded."""

    event_ns: int
    source: str = ""
    sequence: int | None = None


class ExecutionKind(StrEnum):
    """What a venue says of an order."""

    NEW = "new"
    PARTIAL = "partial"
    FILL = "fill"
    CANCEL = "cancel"
    REJECT = "reject"
    EXPIRE = "expire"


class ExecutionReported(Struct, frozen=True, kw_only=True, tag="execution"):
    """A venue's report on one order.

    Attributes:
        book: Whose order.
        order_id: Which order.
        execution_id: Unique for ever; a second report with the same id is a duplicate.
        kind: What happened. `fill` completes the order, `partial` leaves a rest open;
            `cancel`, `reject` and `expire` close what is still open.
        quantity: Signed quantity of *this* execution, in the leg's own unit (contracts, or vega
            notional for a variance swap); 0 for a report that trades nothing.
        price: Price of this execution in the leg's own unit; `None` when nothing traded.
        event_ns: When the venue did it.
        reason: Why, for `reject`, `cancel` and `expire`.
    """

    book: str
    order_id: str
    execution_id: str
    kind: ExecutionKind
    quantity: float
    price: float | None
    event_ns: int
    reason: str = ""


class RebalanceRequested(Struct, frozen=True, kw_only=True, tag="rebalance"):
    """An operator asked for a rebalance now (spec section 3, operator request).

    Attributes:
        scope: A book's name, or `all`.
    """

    scope: str
    operator: str
    reason: str
    event_ns: int


class ExposureMeasured(Struct, frozen=True, kw_only=True, tag="exposure"):
    """The book's Greeks, from the exposure stage.

    Attributes:
        portfolio_delta: Index-share equivalents of the portfolio (spec: 50,000 in the example).
        put_delta: Delta of one hedging put for one unit of its underlying; negative, −1..0.
        greeks: Other net Greeks of the book by name (`delta`, `gamma`, `vega`), in their units.
        sequence: Counts the measurements of this book, from 1: a later one replaces an earlier.
    """

    book: str
    event_ns: int
    portfolio_delta: float
    put_delta: float
    greeks: dict[str, float] = {}
    sequence: int = 0


class PositionsReported(Struct, frozen=True, kw_only=True, tag="positions"):
    """What somebody else's books say that a book holds: all of it, at one instant.

    Attributes:
        book: Whose positions.
        event_ns: As of when.
        quantities: Signed, by instrument symbol, in contracts (shares; vega notional of a variance
            swap); what is not named is not held.
        source: Who says so: a custodian, a clearing house, a desk.
    """

    book: str
    event_ns: int
    quantities: dict[str, float]
    source: str = ""


Event = (
    Tick
    | ClockAdvanced
    | ExecutionReported
    | RebalanceRequested
    | ExposureMeasured
    | PositionsReported
    | TradingStateSet
)
