"""Keep the net vega of each expiry bucket inside its bounds (spec 4.4).

With the cheapest listed option: the least half spread for one unit of vega. To the nearest bound,
not beyond. Options with fewer than 90 days left are bought only with the leg's opt-in (spec 2, the
hedge-decay guard), and sold all the same. What the options bring of delta is given up with the
hedging leg in the same decision; when that fails it is owed. A leg that a strategy `delta` of the
book holds as well is left to it afterwards; else every trade, and what is owed, makes the book's
own legs neutral as a whole. An option that has expired has no delta: what hedged it is given up.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence

from msgspec import structs

from shared.domain.effects import StrategyTold
from shared.domain.exposure.policy import BUCKETS, LAST_DAYS
from shared.domain.hedging.allocation import OPTION_DAYS
from shared.domain.hedging.strategies.outlook import (
    Measurement,
    Outlook,
    Proposal,
    StrategyBlind,
    unit_delta,
    unmeasured_quantity,
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
        shares_leg: Whether another strategy holds the hedging leg as well.

    Raises:
        ValueError: The policy contradicts itself.
    """

    def __init__(
        self,
        policy: VegaPolicy,
        legs: Sequence[LegPolicy],
        state: StrategyState,
        *,
        shares_leg: bool = False,
    ) -> None:
        self._policy = policy
        self._shares_leg = shares_leg
        self._leg = next(leg for leg in legs if leg.name == policy.leg)
        self._options = tuple(leg for leg in legs if isinstance(leg, ListedLegPolicy))
        _check(policy, self._options)
        self.state = state
        self._gone: tuple[str, ...] = ()

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
        policy, self._gone = self._policy, self.state.released
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
        now_ns = outlook.moment.now_ns
        self._gone = tuple(
            option.name
            for option in self._options
            if option.expiry_ns <= now_ns and outlook.expected(option.name)
        )
        lost = not self._shares_leg and not set(self._gone) <= set(self.state.released)
        if changes or lost or self.state.is_due:
            owed = self._neutralise(measurement, outlook, changes)
            breach = max(breach, owed)
        return Proposal(changes=changes, breach=breach, figures=figures)

    def decided(self) -> None:
        """Nothing is owed any more."""
        self.state = structs.replace(self.state, is_due=False, released=self._gone)

    def taken_back(self) -> None:
        """Its decision failed: the hedging leg may owe something."""
        self.state = structs.replace(self.state, is_due=not self._shares_leg)

    def told(self, figures: Mapping[str, float], note: str) -> StrategyTold:
        """Say what it saw."""
        return StrategyTold(strategy=self.name, figures=dict(figures), note=note)

    def _net_vega(self, measurement: Measurement, outlook: Outlook, bucket: str) -> float:
        """Return the bucket's vega: measured, plus what our orders did and may do since."""
        net = measurement.read(f"vega.{self._policy.underlying}.{bucket}")
        for leg in self._in(bucket, outlook.moment.now_ns):
            unmeasured = unmeasured_quantity(measurement, outlook, leg)
            if unmeasured:
                net += unmeasured * measurement.read(f"unit_vega.{leg.symbol}")
        return net

    def _trade(
        self, measurement: Measurement, outlook: Outlook, bounds: VegaBounds, net: float
    ) -> tuple[ListedLegPolicy, float]:
        """Return the cheapest option and how much of it, signed, in its unit."""
        priced: dict[float, ListedLegPolicy] = {}
        now_ns, buys = outlook.moment.now_ns, net < bounds.low
        for leg in reversed(self._in(bounds.bucket, now_ns)):
            cost = self._cost(measurement, outlook, leg)
            if cost is not None and not (buys and _decays(leg, now_ns)):
                priced[cost] = leg  # of equals the first
        if not priced:
            raise StrategyBlind(f"no option of {bounds.bucket} may be dealt in at a quote")
        leg = priced[min(priced)]
        unit = measurement.read(f"unit_vega.{leg.symbol}")
        change = bounds.low - net if buys else bounds.high - net
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

    def _neutralise(
        self, measurement: Measurement, outlook: Outlook, changes: dict[str, float]
    ) -> float:
        """Add what the hedging leg is to change; returns how much delta that is, unsigned."""
        underlying, leg = self._policy.underlying, self._leg
        unit = unit_delta(measurement, leg, underlying)
        delta = 0.0 if self._shares_leg else outlook.expected(leg.name) * unit
        for option in self._options:
            if option.name in self._gone:
                continue
            held = 0.0 if self._shares_leg else outlook.expected(option.name)
            quantity = held + changes.get(option.name, 0.0)
            if quantity:
                delta += quantity * unit_delta(measurement, option, underlying)
        lots = round(-delta / unit / leg.lot)
        if lots:
            changes[leg.name] = lots * leg.lot
        return abs(lots * leg.lot * unit)

    def _in(self, bucket: str, now_ns: int) -> list[ListedLegPolicy]:
        return [leg for leg in self._options if bucket_of(leg.expiry_ns, now_ns) == bucket]


def bucket_of(expiry_ns: int, now_ns: int) -> str:
    """Return the bucket of an expiry by whole days left; empty when it has expired."""
    left_ns = expiry_ns - now_ns
    if left_ns <= 0:
        return ""
    return _DATED[bisect_left(LAST_DAYS, left_ns // DAY)]


def _decays(leg: ListedLegPolicy, now_ns: int) -> bool:
    """Whether an option is too young to be bought (spec 2, hedge-decay guard)."""
    return leg.expiry_ns - now_ns < OPTION_DAYS * DAY and not leg.allow_under_90_days


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
