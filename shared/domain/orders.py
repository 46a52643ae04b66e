"""Orders as values, and the one way an order gets its name."""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType


def order_id(book: str, decision: int, leg: str) -> str:
    """Name an order: a pure function, so the same decision can never become two orders (spec 6).

    Args:
        book: The book's name.
        decision: The book's decision number, from 1.
        leg: The leg's name.

    Example:
        >>> order_id("overlay", 7, "varswap_3m")
        'overlay-00000007-varswap_3m'
    """
    return f"{book}-{decision:08d}-{leg}"


def book_of(order_id: str) -> str:
    """Return the book in an order's name; a leg's name has no hyphen.

    Example:
        >>> book_of("us-equity-00000007-varswap_3m")
        'us-equity'
    """
    return order_id.rsplit("-", 2)[0]


def leg_of(order_id: str) -> str:
    """Return the leg in an order's name.

    Example:
        >>> leg_of("us-equity-00000007-varswap_3m")
        'varswap_3m'
    """
    return order_id.rpartition("-")[2]


def price_of(level: float) -> float:
    """Round a price to a millionth: a venue refuses the noise that floats carry.

    Example:
        >>> price_of(22.0 * 1.1)
        24.2
    """
    return round(level, 6)


class Order(Struct, frozen=True, kw_only=True, tag="order"):
    """A limit order towards an absolute target.

    Attributes:
        order_id: See `order_id`.
        book: Whose.
        decision: The book's decision number; its orders come on top of those still open.
        leg: Which leg of the book.
        instrument: As in the leg's policy.
        symbol: Whose mark prices it.
        side: Buy or sell.
        quantity: Unsigned, in the leg's unit (contracts; vega notional for a variance swap).
        target_quantity: Signed position of the leg once this order is done.
        vega: Signed vega notional this order adds, currency per vol point.
        delta: The same for a leg measured by delta, units of what it trades; else left out.
        reference_price: Middle that it was sized with, in the leg's unit.
        limit_price: Worst price.
        notional: quantity × reference price × multiplier, in `currency`: a second, independent
            statement of the size (promises B2).
        currency: Of `notional`.
        time_in_force: `gtd`: good till `valid_until_ns`.
        event_ns: When it was decided, in event time …
        journal_index: … and on which event of the journal: who judges the order has read so far.
        valid_until_ns: Never executed after this.
        trigger: What fired.
        reason: The same for a person, with the figures.
        config_digest: Of the configuration it was decided under.
    """

    order_id: str
    book: str
    decision: int
    leg: str
    instrument: str
    symbol: str
    side: Literal["buy", "sell"]
    quantity: float
    target_quantity: float
    vega: float
    reference_price: float
    limit_price: float
    notional: float
    currency: str
    time_in_force: Literal["gtd"] = "gtd"
    event_ns: int
    journal_index: int
    valid_until_ns: int
    trigger: str
    reason: str
    config_digest: str = ""
    delta: float | UnsetType = UNSET

    @property
    def signed_quantity(self) -> float:
        """Quantity, negative for a sale."""
        return self.quantity if self.side == "buy" else -self.quantity

    @property
    def size(self) -> float:
        """Signed size in the leg's measure: delta where it is told, else vega."""
        return self.vega if isinstance(self.delta, UnsetType) else self.delta
