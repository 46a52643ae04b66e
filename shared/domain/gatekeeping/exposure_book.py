"""What a book holds, has open and has lost today, as the gateway itself knows it.

From the orders it accepted and the reports its own venue made: never from what the hedger says.
"""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from shared.domain.accounts.rolled import Rolled
from shared.domain.events import ExecutionKind, ExecutionReported
from shared.domain.policies import BookPolicy, LegPolicy
from shared.domain.signals_observed import Mark


class OpenOrder(Struct, frozen=True, array_like=True):
    """What of an accepted order may still trade: signed, in the leg's unit."""

    leg: str
    rest: float


class ExposureState(Struct, frozen=True, kw_only=True):
    """Everything an exposure book remembers; bounded by its legs and open orders.

    Attributes:
        positions: Signed, by leg, in the leg's unit.
        open_orders: By order id.
        prices: Last price of each leg, its unit.
        cash: Paid (negative) and received for all that was ever traded, currency.
        baseline: What it was all worth when the session began, currency.
        session: Number of the session; −1 before the first.
    """

    positions: dict[str, float] = {}
    open_orders: dict[str, OpenOrder] = {}
    prices: dict[str, float] = {}
    cash: float = 0.0
    baseline: float = 0.0
    session: int = -1


class ExposureBook:
    """One book at the gateway.

    Args:
        policy: The book.
        commission: Of the venue, per fill, currency.
        state: Where to go on from.
    """

    def __init__(self, policy: BookPolicy, commission: float, state: ExposureState) -> None:
        self._legs = {leg.name: leg for leg in policy.legs}
        self._commission = commission
        self._positions = {name: state.positions.get(name, 0.0) for name in self._legs}
        self._open = {
            name: order for name, order in state.open_orders.items() if order.leg in self._legs
        }
        self._prices = dict(state.prices)
        self._cash = state.cash
        self._baseline = state.baseline
        self._session = state.session

    def snapshot(self) -> ExposureState:
        """Return all that the book goes on from."""
        return ExposureState(
            positions=dict(self._positions),
            open_orders=dict(self._open),
            prices=dict(self._prices),
            cash=self._cash,
            baseline=self._baseline,
            session=self._session,
        )

    @property
    def open_orders(self) -> tuple[str, ...]:
        """Ids of the orders that may still trade."""
        return tuple(self._open)

    def vega(self) -> float:
        """Return the vega of positions and open orders, currency per vol point."""
        return self.size("vega")

    def size(self, measure: str, leg: str = "") -> float:
        """Return the size of positions and open orders in the legs of one measure.

        Args:
            measure: Vega or delta.
            leg: Its name, to count it alone: units of two underlyings do not add up, and one held
                long is no room for another held short.
        """
        expected = dict(self._positions)
        for order in self._open.values():
            expected[order.leg] += order.rest
        legs = self._of(measure, leg)
        return sum(expected[name] * size_of_one(each) for name, each in legs)

    def furthest(self, measure: str, change: float, leg: str = "") -> float:
        """Return how far beyond 0, on its side, a change can bring the size of what is held.

        Of what is open only that of the same side counts: the other side may never trade, and an
        order that stands against it is no room for this one. For `leg` see `size`.
        """
        legs = dict(self._of(measure, leg))
        held = sum(self._positions[name] * size_of_one(each) for name, each in legs.items())
        rests = [
            order.rest * size_of_one(legs[order.leg])
            for order in self._open.values()
            if order.leg in legs
        ]
        if change > 0:
            return held + sum(rest for rest in rests if not rest < 0) + change
        return -(held + sum(rest for rest in rests if not rest > 0) + change)

    def _of(self, measure: str, leg: str) -> list[tuple[str, LegPolicy]]:
        return [
            (name, each)
            for name, each in self._legs.items()
            if measure_for(each) == measure and leg in {"", name}
        ]

    def closes(self, leg: str, quantity: float) -> bool:
        """Whether a change only gives up some of what is held of a leg, signed, in its unit."""
        held = self._positions[leg]
        return held * quantity < 0 and abs(quantity) <= abs(held)

    def place(self, order_id: str, leg: str, quantity: float) -> None:
        """Count an accepted order: signed quantity, in the leg's unit."""
        self._open[order_id] = OpenOrder(leg, quantity)

    def take(self, report: ExecutionReported) -> None:
        """Book what our venue did; a refusal is about an order that was never placed."""
        order = self._open.get(report.order_id)
        if order is None:
            return
        if report.price is not None:
            leg = self._legs[order.leg]
            self._positions[order.leg] += report.quantity
            self._cash -= report.quantity * report.price * leg.multiplier + self._commission
            self._prices.setdefault(order.leg, report.price)
        if report.kind in {ExecutionKind.NEW, ExecutionKind.PARTIAL}:
            self._open[report.order_id] = OpenOrder(order.leg, order.rest - report.quantity)
        else:
            del self._open[report.order_id]

    def roll(self, rolled: Rolled) -> None:
        """Go over to a leg's next contract: the difference is paid, and nothing is lost by it."""
        for name, leg in self._legs.items():
            if leg.symbol == rolled.symbol:
                self._cash -= self._positions[name] * rolled.jump * leg.multiplier
                self._prices[name] = rolled.taken_on

    def see(self, marks: Mapping[str, Mark], session: int) -> None:
        """Take marks by symbol; a new session begins at what the last one ended with."""
        self._baseline = self._begun_with(session)
        self._session = session
        self._prices = self._priced(marks)

    def loss(self, marks: Mapping[str, Mark], session: int) -> float:
        """Return what was lost in a session, marked, costs included; negative for a gain."""
        return self._begun_with(session) - self._worth(self._priced(marks))

    def _begun_with(self, session: int) -> float:
        return self._baseline if session == self._session else self._worth(self._prices)

    def _priced(self, marks: Mapping[str, Mark]) -> dict[str, float]:
        middles = {
            name: marks[leg.symbol].middle
            for name, leg in self._legs.items()
            if leg.symbol in marks
        }
        known = {name: middle for name, middle in middles.items() if middle is not None}
        return {**self._prices, **known}

    def _worth(self, prices: Mapping[str, float]) -> float:
        held = sum(
            quantity * prices[name] * self._legs[name].multiplier
            for name, quantity in self._positions.items()
            if quantity
        )
        return self._cash + held


def vega_of_one(leg: LegPolicy) -> float:
    """Return the vega of one unit of a leg, currency per vol point.

    A variance swap is dealt in vega; a VIX future moves by its multiplier a point; an option has
    the model's vega a unit, times the units of a contract. None known: not a number, which no
    limit lets pass.
    """
    match leg.instrument:
        case "variance_swap":
            return 1.0
        case "vix_future":
            return leg.multiplier
        case _:
            return float("nan") if leg.vega_per_unit is None else leg.vega_per_unit * leg.multiplier


def measure_for(leg: LegPolicy) -> Literal["vega", "delta"]:
    """Return what a leg's limits are told in: what has no vega of its own is held for its delta."""
    return "delta" if leg.instrument in {"underlying", "future"} else "vega"


def size_of_one(leg: LegPolicy) -> float:
    """Return the size of one unit of a leg: units of what it trades, or vega."""
    return leg.multiplier if measure_for(leg) == "delta" else vega_of_one(leg)
