"""What strategies look at, and the net delta that all of them reckon with.

A measurement counts the book's own executions up to some event of the journal; what came later,
and what is still open, is known only here. So each leg's `filled.{symbol}` in the measurement says
what it counts, and the rest of what the book holds and has ordered is added to it: nothing counts
twice, and nothing is forgotten.
"""

from collections.abc import Callable, Mapping, Sequence
from math import isclose, isfinite
from typing import Final

from msgspec import Struct

from shared.domain.events import ExposureMeasured
from shared.domain.hedging.session_clock import Moment
from shared.domain.policies import LegPolicy
from shared.domain.signals_observed import Mark

ROUNDING: Final = 1e-9
"""Of a lot: sums of the same fills in another order may differ by what floats do."""


class StrategyBlind(ValueError):  # noqa: N818 - reads as what happened, like KeyError
    """A strategy cannot see what it must know, so it does nothing.

    Args:
        reason: The same text for as long as the cause is the same.
        figures: What was compared, by name.
    """

    def __init__(self, reason: str, figures: dict[str, float] | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.figures = figures or {}


class Proposal(Struct, frozen=True, kw_only=True):
    """What a strategy would do now.

    Attributes:
        changes: Signed changes of position and open orders, by leg, in its unit; empty: nothing.
        breach: How far it is beyond its bounds, in its own unit; 0 when nothing is to be done.
        figures: What it looked at, by name.
    """

    changes: dict[str, float]
    breach: float
    figures: dict[str, float]


class Outlook(Struct, frozen=True, kw_only=True):
    """The world at one event.

    Attributes:
        moment: Now.
        exposure: The last measurement, or `None` before the first.
        age_ns: How old it is, in trading time.
        asked: Whether an operator asks for a rebalance.
        marks: By symbol, the fresh ones with a quote or level.
        expected: Position and open orders of a leg, signed, in its unit.
    """

    moment: Moment
    exposure: ExposureMeasured | None
    age_ns: int
    asked: bool
    marks: Mapping[str, Mark]
    expected: Callable[[str], float]


class Measurement:
    """A measurement that may be acted on.

    Args:
        outlook: The world.
        stale_trading_ns: An older one is not acted on.
        min_coverage: Nor one of a smaller share of the book's positions.

    Raises:
        StrategyBlind: There is none that may be acted on.
    """

    def __init__(self, outlook: Outlook, stale_trading_ns: int, min_coverage: float) -> None:
        if outlook.exposure is None:
            raise StrategyBlind("nothing was measured yet")
        if outlook.age_ns > stale_trading_ns:
            raise StrategyBlind("the measurement is stale", {"limit_s": stale_trading_ns / 1e9})
        self._greeks = outlook.exposure.greeks
        coverage = self.read("coverage")
        if not coverage >= min_coverage:
            figures = {"coverage": coverage, "limit": min_coverage}
            raise StrategyBlind("positions without a mark", figures)

    def read(self, name: str) -> float:
        """Return a figure.

        Raises:
            StrategyBlind: It is missing, or not finite: never a number in its place.
        """
        value = self._greeks.get(name)
        if value is None or not isfinite(value):
            raise StrategyBlind(f"{name} is not measured")
        return value

    def level(self, symbol: str) -> float:
        """Return the level of a symbol, above 0.

        Raises:
            StrategyBlind: It is missing, or not above 0.
        """
        level = self.read(f"level.{symbol}")
        if not level > 0:
            raise StrategyBlind(f"level.{symbol} is not above 0", {"value": level})
        return level

    def optional(self, name: str, default: float) -> float:
        """Return a figure that may be absent."""
        return self.read(name) if name in self._greeks else default


def unit_delta(measurement: Measurement, leg: LegPolicy, underlying: str) -> float:
    """Return the delta of one unit of a leg, in units of the underlying.

    A future moves by F/S for one point of the underlying (cost of carry), times its multiplier.

    Raises:
        StrategyBlind: What it takes is not measured.
    """
    if leg.instrument == "option":
        return measurement.read(f"unit_delta.{leg.symbol}")
    if leg.symbol == underlying:
        return leg.multiplier
    return leg.multiplier * measurement.level(leg.symbol) / measurement.level(underlying)


def unmeasured_quantity(measurement: Measurement, outlook: Outlook, leg: LegPolicy) -> float:
    """Return what a leg holds and has on order that the measurement does not count, in its unit.

    Raises:
        StrategyBlind: The measurement does not say what it counts.
    """
    expected, filled = outlook.expected(leg.name), measurement.read(f"filled.{leg.symbol}")
    return 0.0 if isclose(expected, filled, abs_tol=leg.lot * ROUNDING) else expected - filled


def net_delta(
    measurement: Measurement, outlook: Outlook, legs: Sequence[LegPolicy], underlying: str
) -> float:
    """Return the book's net delta now: measured, plus what its orders did and may do since.

    Futures on the underlying that are no legs count (`futures_delta`), like those that are.

    Args:
        measurement: It may be acted on.
        outlook: The world.
        legs: The book's own legs on this underlying.
        underlying: Symbol.

    Raises:
        StrategyBlind: What it takes is not measured.
    """
    net = measurement.read(f"delta.{underlying}") + measurement.read(f"futures_delta.{underlying}")
    for leg in legs:
        unmeasured = unmeasured_quantity(measurement, outlook, leg)
        if unmeasured:
            net += unmeasured * unit_delta(measurement, leg, underlying)
        if leg.instrument == "future" and leg.symbol != underlying:
            held = measurement.optional(f"delta.{leg.symbol}", 0.0)
            if held:
                net += held * unit_delta(measurement, leg, underlying) / leg.multiplier
    return net


def whole_lots(change: float, room: float, lot: float) -> float:
    """Round a wanted change to whole lots, of equal worth in one unit.

    Args:
        change: Signed, to the nearest edge of a band.
        room: Width of the band beyond that edge.
        lot: Above 0.

    Returns:
        As few lots as end inside the band; where no lot does, those that end nearest its middle.

    Example:
        >>> whole_lots(-600.4, 100.0, 1.0), whole_lots(-600.4, 0.0, 1.0)
        (-601.0, -600.0)
    """
    sign, wanted = (1.0 if change > 0 else -1.0), abs(change) / lot
    fewest = -((-wanted + 1e-9) // 1)
    if fewest - wanted <= room / lot + 1e-9:
        return sign * fewest * lot
    return sign * ((wanted + room / lot / 2 + 0.5) // 1) * lot
