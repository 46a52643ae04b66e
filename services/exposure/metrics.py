"""What the exposure stage shows: every book's Greeks, read at scrape time.

Labels are bounded: books are those configured, buckets and figures are fixed, and of underlyings
the first so many; those beyond are added up as `other`, in currency alone. So are, with bucket
`other`, a book's groups beyond its share of the series that all books have together.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from shared.adapters.clock import Clock
from shared.domain.exposure.book_report import IN_UNITS
from shared.domain.exposure.observed import ExposureObserved, GroupExposure
from shared.domain.exposure.profit import Profit
from shared.domain.instants import SECOND

OTHER: Final = "other"
_MOST_SERIES: Final = 2_000
"""Of the figures by underlying and bucket, of all books; a scrape has 5,000 in all."""
_PLACE: Final = ("book", "underlying", "bucket", "figure")

Latest = Callable[[], Mapping[str, ExposureObserved]]


class ExposureMetrics(Collector):
    """Makes gauges of the latest exposures when somebody asks; counts as they come.

    Args:
        registry: Where it is registered.
        clock: Tells how long ago a tick was; `None` in a replay, where that means nothing.
        most_underlyings: See the module.
    """

    def __init__(
        self, registry: CollectorRegistry, clock: Clock | None, most_underlyings: int
    ) -> None:
        self._latest: Latest = dict
        self._behind: Callable[[], int] = lambda: 0
        self._awaited: Callable[[], int] = lambda: 0
        self._wide: Callable[[], int] = lambda: 0
        self._clock = clock
        self._most = most_underlyings
        self._named: dict[str, None] = {}
        self._placed: dict[str, dict[tuple[str, str], None]] = {}
        self._conflated = Counter(
            "hedge_exposure_conflated_ticks",
            "Ticks that a later one followed before the book was revalued.",
            ["book"],
            registry=registry,
        )
        self._told = Counter(
            "hedge_exposure_revaluations",
            "Times that a book's exposure was computed.",
            ["book"],
            registry=registry,
        )
        self._tick_to_exposure = Histogram(
            "hedge_tick_to_exposure_seconds",
            "From the youngest tick in a book's exposure to the commit of it.",
            registry=registry,
            buckets=(0.001, 0.002, 0.003, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0),
        )
        registry.register(self)

    def follow(
        self,
        latest: Latest,
        behind: Callable[[], int],
        awaited: Callable[[], int],
        wide: Callable[[], int],
    ) -> None:
        """Read from here, from now on.

        Args:
            latest: Returns the last exposure of every book.
            behind: Returns how many journal entries wait.
            awaited: Returns how many measurements the journal does not have yet.
            wide: Returns how many expiries' models miss their quotes.
        """
        self._latest, self._behind, self._awaited, self._wide = latest, behind, awaited, wide

    def committed(self, observed: Sequence[ExposureObserved]) -> None:
        """Count what a batch said."""
        for each in observed:
            self._told.labels(each.book).inc()
            self._conflated.labels(each.book).inc(each.conflated)
        if observed and self._clock is not None:
            age_ns = self._clock.now_ns() - observed[-1].youngest_ns
            self._tick_to_exposure.observe(max(0, age_ns) / SECOND)

    def describe(self) -> Iterable[Metric]:
        """Name the metrics without reading an exposure."""
        return self._families()

    def collect(self) -> Iterable[Metric]:
        """Read the last exposure of every book."""
        families = self._families()
        dollars, units, totals, coverage, positions, ages, profits, waiting, *_ = families
        latest = self._latest()
        for book, observed in latest.items():
            self._add_groups(observed, _MOST_SERIES // len(latest), dollars, units)
            for name, value in _totals(observed).items():
                totals.add_metric([book, name], value)
            coverage.add_metric([book], observed.coverage)
            positions.add_metric([book, "marked"], observed.marked)
            positions.add_metric([book, "unmarked"], observed.positions - observed.marked)
            if observed.profit is not None:
                _add_profit(book, observed.profit, profits, waiting)
            if observed.youngest_ns:
                age_s = (observed.event_ns - observed.youngest_ns) / SECOND
                ages.add_metric([book], age_s)
        return families

    def _add_groups(
        self,
        observed: ExposureObserved,
        share: int,
        dollars: GaugeMetricFamily,
        units: GaugeMetricFamily,
    ) -> None:
        others: dict[tuple[str, str], float] = {}
        for group in observed.groups:
            name, bucket = self._place(observed.book, group, share)
            for figure, value in group.figures.items():
                if name == OTHER:
                    others[bucket, figure] = others.get((bucket, figure), 0.0) + value
                else:
                    family = units if figure in IN_UNITS else dollars
                    family.add_metric([observed.book, name, group.bucket, figure], value)
        for (bucket, figure), value in others.items():
            if figure not in IN_UNITS:
                dollars.add_metric([observed.book, OTHER, bucket, figure], value)

    def _place(self, book: str, group: GroupExposure, share: int) -> tuple[str, str]:
        """Return a group's labels: the first to come keep their own."""
        place = self._name(group.underlying), group.bucket
        placed = self._placed.setdefault(book, {})
        if place not in placed and (len(placed) + 1) * len(group.figures) <= share:
            placed[place] = None
        return place if place in placed else (OTHER, OTHER)

    def _name(self, underlying: str) -> str:
        if underlying not in self._named and len(self._named) < self._most:
            self._named[underlying] = None
        return underlying if underlying in self._named else OTHER

    def _families(self) -> tuple[GaugeMetricFamily, ...]:
        return (
            GaugeMetricFamily(
                "hedge_exposure_dollars",
                "A figure in the book's currency, of an underlying's positions in a bucket.",
                labels=_PLACE,
            ),
            GaugeMetricFamily(
                "hedge_exposure_units",
                "Delta and gamma in units of the underlying.",
                labels=_PLACE,
            ),
            GaugeMetricFamily(
                "hedge_exposure_book_dollars",
                "A figure of a whole book, in its currency.",
                labels=["book", "figure"],
            ),
            GaugeMetricFamily(
                "hedge_exposure_coverage_ratio",
                "Share of a book's positions that its figures hold.",
                labels=["book"],
            ),
            GaugeMetricFamily(
                "hedge_exposure_positions",
                "A book's positions, marked and not.",
                labels=["book", "state"],
            ),
            GaugeMetricFamily(
                "hedge_exposure_age_seconds",
                "Event time since the youngest tick in a book's exposure.",
                labels=["book"],
            ),
            GaugeMetricFamily(
                "hedge_profit_dollars",
                "Where a book's profit came from, and what of it is unexplained.",
                labels=["book", "since", "part"],
            ),
            GaugeMetricFamily(
                "hedge_profit_waiting_positions",
                "Positions whose profit waits for a mark.",
                labels=["book"],
            ),
            GaugeMetricFamily(
                "hedge_exposure_awaited_measurements",
                "Measurements that the journal does not have yet.",
                value=self._awaited(),
            ),
            GaugeMetricFamily(
                "hedge_exposure_lag_entries",
                "Entries of the journal that the exposure stage has not taken.",
                value=self._behind(),
            ),
            GaugeMetricFamily(
                "hedge_model_error_expiries",
                "Expiries whose smile misses more of its quotes than it may.",
                value=self._wide(),
            ),
        )


def _add_profit(
    book: str, profit: Profit, profits: GaugeMetricFamily, waiting: GaugeMetricFamily
) -> None:
    for since, account in (("session", profit.session), ("inception", profit.inception)):
        figures = {**account.parts, "total": account.total, "unexplained": account.unexplained}
        for part, value in figures.items():
            profits.add_metric([book, since, part], value)
    waiting.add_metric([book], profit.waiting)


def _totals(observed: ExposureObserved) -> dict[str, float]:
    totals = observed.totals | {
        "beta_delta": observed.beta_delta,
        "vix_vega": observed.vix_vega,
    }
    if observed.risk is not None:
        totals["worst"] = observed.risk.worst.profit
        if observed.risk.shortfall is not None:
            totals["shortfall"] = observed.risk.shortfall
    return totals
