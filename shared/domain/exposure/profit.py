"""What is said of a book's profit: where it came from, since the opening and since the start."""

from msgspec import Struct


class ProfitAccount(Struct, frozen=True, kw_only=True):
    """Profit of a book since an instant, currency; a loss is negative.

    Attributes:
        since_ns: From then on.
        total: Change of the positions' value, and what was received less what was paid for them.
        parts: By the names of `attribution.PARTS`.
        unexplained: `total` less all of these.
    """

    since_ns: int
    total: float
    parts: dict[str, float]
    unexplained: float


class Suspended(Struct, frozen=True, kw_only=True):
    """A position whose profit waits for a mark: it is booked when there is one again.

    Attributes:
        symbol: Of its instrument.
        quantity: In contracts.
        since_ns: Of the last mark: all profit since is missing. 0 for one that never had any: its
            profit begins with the first.
    """

    symbol: str
    quantity: float
    since_ns: int


class Profit(Struct, frozen=True, kw_only=True):
    """A book's profit, explained.

    Attributes:
        event_ns: Of the valuation up to which it is explained.
        session: Since the session opened; its opening gap is in it.
        inception: Since the first valuation ever.
        suspended: Positions that wait for a mark, the first of them …
        waiting: … and how many there are.
    """

    event_ns: int
    session: ProfitAccount
    inception: ProfitAccount
    suspended: tuple[Suspended, ...]
    waiting: int
