"""What the exposure stage says of a book: data, in the past tense."""

from msgspec import Struct

from shared.domain.exposure.policy import Shock
from shared.domain.exposure.profit import Profit


class GroupExposure(Struct, frozen=True, kw_only=True):
    """One underlying, one expiry bucket.

    Attributes:
        underlying: Symbol whose level prices these positions.
        bucket: One of `policy.BUCKETS`.
        level: Of the underlying; `None` while unknown.
        positions: How many there are …
        marked: … and how many of them the figures hold.
        figures: By the names and units of `aggregate`.
    """

    underlying: str
    bucket: str
    level: float | None
    positions: int
    marked: int
    figures: dict[str, float]


class Unmarked(Struct, frozen=True, kw_only=True):
    """A position that no total holds, and why.

    Attributes:
        symbol: Of its instrument.
        quantity: In contracts.
        reason: `unknown_instrument`, or the remark of its mark: `no_level`, `no_forward` …; or
            `delivered`: an option that delivers its underlying has expired, and it is not known
            what took its place.
    """

    symbol: str
    quantity: float
    reason: str


class ScenarioProfit(Struct, frozen=True, kw_only=True):
    """What a book would earn in one scenario, all of it at once and valued in full.

    Attributes:
        name: Of the stress day, or `spot −20% vol +10`.
        shock: What moves.
        profit: Currency; of the positions that are marked.
    """

    name: str
    shock: Shock
    profit: float


class Risk(Struct, frozen=True, kw_only=True):
    """What could happen to a book.

    Attributes:
        event_ns: When it was computed.
        grid: Every cell of spot × volatility.
        stress: The named days.
        worst: The worst of both.
        shortfall: Expected shortfall of a day, currency, 0 or more for a loss; `None` without
            enough history.
        shortfall_days: How many days of history it is of.
    """

    event_ns: int
    grid: tuple[ScenarioProfit, ...]
    stress: tuple[ScenarioProfit, ...]
    worst: ScenarioProfit
    shortfall: float | None
    shortfall_days: int


class ExposureObserved(Struct, frozen=True, kw_only=True, tag="exposure_observed"):
    """A book's exposure right after an event of the journal.

    Attributes:
        book: Whose.
        event_ns: The event's instant.
        youngest_ns: Instant of the youngest tick in it.
        groups: By underlying and bucket.
        totals: Sums of all groups, of figures in currency: levels of different underlyings do not
            add up. Dollar figures leave out what is in vol points (VIX futures and options on
            them), whose dollars are no dollars of the index.
        beta_delta: Dollar delta, each underlying's by its beta to the index, currency.
        without_beta: Underlyings that `beta_delta` leaves out.
        index_delta: The same in units of the index; `None` while its level is unknown.
        vix_vega: Currency for one point of VIX: weighted vega by vega beta, and VIX futures.
        positions: How many the book has, those expired in cash not counted.
        marked: How many the figures hold.
        unmarked: The others, the first of them by name.
        expired: Symbols still held that have expired, the first of them.
        approximate: Positions in American options that count as if European: their turn to be
            valued as what they are has not come yet.
        conflated: Ticks, since the book was last told, that only the latest of counted.
        risk: Scenarios and shortfall as last computed; `None` before.
        profit: Where its profit came from, as last explained; `None` before.
    """

    book: str
    event_ns: int
    youngest_ns: int
    groups: tuple[GroupExposure, ...]
    totals: dict[str, float]
    beta_delta: float
    without_beta: tuple[str, ...]
    index_delta: float | None
    vix_vega: float
    positions: int
    marked: int
    unmarked: tuple[Unmarked, ...]
    expired: tuple[str, ...]
    approximate: int = 0
    conflated: int
    risk: Risk | None = None
    profit: Profit | None = None

    @property
    def coverage(self) -> float:
        """Share of the positions that the figures hold, 0..1; 1 for a book without any."""
        return self.marked / self.positions if self.positions else 1.0
