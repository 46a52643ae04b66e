"""Keep the net vega of each expiry bucket inside its bounds (spec 4.4).

With the cheapest listed option: the least half spread for one unit of vega. To the nearest bound,
not beyond. What the options bring of delta is given up with the hedging leg in the same decision.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence

from shared.domain.effects import StrategyTold
from shared.domain.exposure.policy import BUCKETS, LAST_DAYS
from shared.domain.hedging.strategies.outlook import (
    Measurement,
    Outlook,
    Proposal,
    StrategyBlind,
    unit_delta,
    whole_lots,
)
from shared.domain.hedging.strategies.state import StrategyState
from shared.domain.instants import DAY
from shared.domain.policies import LegPolicy
from shared.domain.strategy_policies import ListedLegPolicy, VegaBounds, VegaPolicy


class VegaStrategy:
    """Vega hedging by bucket.

    Args:
        policy: Its numbers.
        legs: The book's own legs on its underlying.
        state: Where to go on from.

    Raises:
        ValueError: The policy contradicts itself.
    """

    def __init__(self, policy: VegaPolicy, legs: Sequence[LegPolicy], state: StrategyState) -> None:
        self._policy = policy
        self._leg = next(leg for leg in legs if leg.name == policy.leg)
        self._options = tuple(leg for leg in legs if isinstance(leg, ListedLegPolicy))
        _check(policy, self._options)
        self.state = state

    @property
    def name(self) -> str:
        """Unique in its book."""
        return self._policy.name

    @property
    def stale_trading_ns(self) -> int:
        """No older measurement is acted on."""
        return self._policy.stale_trading_ns

    def measure(self, outlook: Outlook) -> None:
        """Nothing runs from one measurement to the next."""

    def propose(self, outlook: Outlook) -> Proposal:
        """Return the trades to the nearest bounds, and what neutralises their delta.

        Raises:
            StrategyBlind: It cannot see, or no option of a bucket has a price.
        """
        policy = self._policy
        measurement = Measurement(outlook, policy.stale_trading_ns, policy.min_coverage)
        figures: dict[str, float] = {}
        changes: dict[str, float] = {}
        breach = 0.0
        for bounds in policy.bounds:
            net = self._net_vega(measurement, outlook, bounds.bucket)
            figures[f"vega.{bounds.bucket}"] = net
            outside = max(bounds.low - net, net - bounds.high)
            if outside <= 0:
                continue
            leg, lots = self._trade(measurement, outlook, bounds, net)
            if lots:
                changes[leg.name] = lots
                breach = max(breach, outside)
        if changes:
            self._neutralise(measurement, changes)
        return Proposal(changes=changes, breach=breach, figures=figures)

    def decided(self) -> None:
        """Nothing was due."""

    def taken_back(self) -> None:
        """Nothing is due."""

    def told(self, figures: Mapping[str, float], note: str) -> StrategyTold:
        """Say what it saw."""
        return StrategyTold(strategy=self.name, figures=dict(figures), note=note)

    def _net_vega(self, measurement: Measurement, outlook: Outlook, bucket: str) -> float:
        """Return the bucket's vega: measured, plus what our orders did and may do since."""
        net = measurement.read(f"vega.{bucket}")
        for leg in self._in(bucket, outlook.moment.now_ns):
            unmeasured = outlook.expected(leg.name) - measurement.read(f"filled.{leg.symbol}")
            if unmeasured:
                net += unmeasured * measurement.read(f"unit_vega.{leg.symbol}")
        return net

    def _trade(
        self, measurement: Measurement, outlook: Outlook, bounds: VegaBounds, net: float
    ) -> tuple[ListedLegPolicy, float]:
        """Return the cheapest option and how much of it, signed, in its unit."""
        priced: dict[float, ListedLegPolicy] = {}
        for leg in reversed(self._in(bounds.bucket, outlook.moment.now_ns)):
            cost = self._cost(measurement, outlook, leg)
            if cost is not None:
                priced[cost] = leg  # of equals the first
        if not priced:
            raise StrategyBlind(f"no option of {bounds.bucket} has a quote and a vega")
        leg = priced[min(priced)]
        unit = measurement.read(f"unit_vega.{leg.symbol}")
        change = bounds.low - net if net < bounds.low else bounds.high - net
        lots = whole_lots(change, bounds.high - bounds.low, unit * leg.lot)
        return leg, round(lots / unit / leg.lot) * leg.lot

    def _cost(
        self, measurement: Measurement, outlook: Outlook, leg: ListedLegPolicy
    ) -> float | None:
        """Return the half spread for one unit of vega, currency; `None` without quote or vega."""
        mark = outlook.marks.get(leg.symbol)
        vega = measurement.optional(f"unit_vega.{leg.symbol}", 0.0)
        if mark is None or mark.bid is None or mark.ask is None or not vega > 0:
            return None
        return (mark.ask - mark.bid) / 2 * leg.multiplier / vega if mark.bid > 0 else None

    def _neutralise(self, measurement: Measurement, changes: dict[str, float]) -> None:
        underlying = self._policy.underlying
        delta = sum(
            quantity * unit_delta(measurement, leg, underlying)
            for leg in self._options
            if (quantity := changes.get(leg.name))
        )
        unit = unit_delta(measurement, self._leg, underlying) * self._leg.lot
        lots = round(-delta / unit)
        if lots:
            changes[self._leg.name] = lots * self._leg.lot

    def _in(self, bucket: str, now_ns: int) -> list[ListedLegPolicy]:
        return [leg for leg in self._options if bucket_of(leg.expiry_ns, now_ns) == bucket]


def bucket_of(expiry_ns: int, now_ns: int) -> str:
    """Return the bucket of an expiry by whole days left; empty when it has expired."""
    left_ns = expiry_ns - now_ns
    if left_ns <= 0:
        return ""
    return _DATED[bisect_left(LAST_DAYS, left_ns // DAY)]


def _check(policy: VegaPolicy, options: Sequence[ListedLegPolicy]) -> None:
    names = [bounds.bucket for bounds in policy.bounds]
    unknown = sorted(set(names) - set(_DATED))
    problems = {
        f"strategy {policy.name} needs bounds, each of its own bucket": not names
        or len(set(names)) != len(names),
        f"no bucket {', '.join(unknown)}; there are {', '.join(_DATED)}": bool(unknown),
        f"strategy {policy.name} needs options to trade on {policy.underlying}": not options,
        "low must not be above high": any(not each.low <= each.high for each in policy.bounds),
    }
    for problem, wrong in problems.items():
        if wrong:
            raise ValueError(problem)


_DATED = BUCKETS[-len(LAST_DAYS) - 1 :]
