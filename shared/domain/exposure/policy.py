"""What the exposure stage needs to know, apart from any state (spec 5)."""

from typing import Final

from msgspec import Struct, field

from shared.domain.instants import MICROSECOND, MILLISECOND, MINUTE, SECOND

BUCKETS: Final = ("spot", "0-7d", "8-30d", "31-90d", "91-365d", "366d+")
"""Days to expiry, whole calendar days; `spot` is what never expires."""

LAST_DAYS: Final = (7, 30, 90, 365)
"""The last whole day of every bucket that has one."""

FIGURES: Final = (
    "value",
    "delta",
    "gamma",
    "dollar_delta",
    "dollar_gamma",
    "vega",
    "weighted_vega",
    "theta",
    "rho",
    "vanna",
    "volga",
    "charm",
)
"""What is told of a group of positions; their units are those of `aggregate`."""


_BETAS: Final = {"SPX": 1.0, "SPXW": 1.0, "XSP": 1.0, "SPY": 1.0, "ES": 1.0, "MES": 1.0}


class Shock(Struct, frozen=True, array_like=True):
    """One day's move.

    Attributes:
        spot: Relative move of the index: −0.05 is 5% down.
        volatility: Move of implied volatility, vol points.
    """

    spot: float
    volatility: float


class ExposurePolicy(Struct, frozen=True, kw_only=True):
    """How exposure is computed, and how often it is told.

    Attributes:
        only_at_clock: Revalue at clock events alone: in a replay.
        pause_ns: Least event time between two revaluations: what ticks in between is conflated.
        book_ns: Many books rest longer, this for each of them …
        position_ns: … and this for each position: see `rest_ns`.
        everything_ns: Every position is revalued that often; in between what a tick moved.
        scenarios_ns: Event time between two computations of scenarios and expected shortfall.
        measure_ns: Least event time between two measurements for a book that acts on Greeks.
        american_budget: American options valued as such each time that everything is: 5 to 70 ms
            each; the others keep what early exercise added to them last.
        index: What deltas are beta-weighted to.
        betas: Beta to the index, by underlying or root; one that is missing is named.
        vega_betas: Points of VIX for one point of an underlying's implied volatility at 30 days.
        default_vega_beta: Of what `vega_betas` does not name.
        volatility_roots: Roots of instruments whose level is itself in vol points.
        confidence: Of the expected shortfall.
        most_underlyings: In Prometheus; those beyond are added up as `other`.
        most_named: Positions named one by one when they are not marked; the rest is counted.
        unexplained_share: Most of a session's profit that may stay unexplained, as a share of the
            sum of its parts, signs dropped …
        unexplained_least: … and the least currency that is worth telling …
        unexplained_hold_ns: … once it has been more for so long, event time.
    """

    only_at_clock: bool = False
    pause_ns: int = 20 * MILLISECOND
    book_ns: int = 5 * MILLISECOND
    position_ns: int = MICROSECOND
    everything_ns: int = SECOND
    scenarios_ns: int = 10 * SECOND
    measure_ns: int = 250 * MILLISECOND
    american_budget: int = 4
    index: str = "SPX"
    betas: dict[str, float] = field(default_factory=_BETAS.copy)
    vega_betas: dict[str, float] = {}
    default_vega_beta: float = 1.0
    volatility_roots: tuple[str, ...] = ("VX", "VXM", "VIX", "VIXW")
    confidence: float = 0.975
    most_underlyings: int = 50
    most_named: int = 20
    unexplained_share: float = 0.05
    unexplained_least: float = 1_000.0
    unexplained_hold_ns: int = MINUTE

    def rest_ns(self, books: int, positions: int) -> int:
        """Least event time from one revaluation to the next, whatever has happened.

        A revaluation of many books, with all that is told of it, takes a tenth of that or so: what
        it costs to keep up is the same however fast the market is. It is event time, by what is
        held, so that the same is said in whatever batches the journal is read.

        Args:
            books: How many are told of.
            positions: How many they hold.

        Returns:
            0 where it would be no more than the pause: there, only ticks wait.
        """
        rest_ns = books * self.book_ns + positions * self.position_ns
        return rest_ns if rest_ns > self.pause_ns else 0
