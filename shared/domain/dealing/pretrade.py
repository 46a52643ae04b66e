"""Pre-trade controls that look at one order alone (spec 6; promises B1 to B4, B6).

What depends on the orders before it is in `throttles` beside this. Every comparison is written so
that a figure which is not a number blocks. The gateway checks again, with code of its own.
"""

from collections.abc import Collection
from math import isclose, isfinite
from typing import Final

from msgspec import Struct

from shared.domain.accounts.leg_profit import Measure, measure_of, unit_size
from shared.domain.orders import Order
from shared.domain.policies import LegPolicy, LimitPolicy
from shared.domain.trading import TradingState

ROUNDING: Final = 1e-9
"""Relative; two statements of one size may differ by the noise of floats, not by more."""


_VEGA_ALONE: Final[tuple[Measure, ...]] = ("vega",)
_SIZED: Final[dict[str, Measure]] = {
    "max_order_vega": "vega",
    "max_position_vega": "vega",
    "max_order_delta": "delta",
    "max_position_delta": "delta",
}


class ProposedOrder(Struct, frozen=True, kw_only=True):
    """What the controls look at.

    Attributes:
        order: As it would be sent.
        leg: Its leg, as configured.
        mark: The leg's live mark, in its unit.
        book_size: The book's vega, or the leg's own delta, before it, open orders included.
        furthest_size: How far beyond 0, on the order's side, that size comes if the order and
            all that is open on that side trades, and nothing that stands against it.
        loss: What the hedge has lost in this session, currency; negative when it gained.
        unit: Size of one unit of the leg, as measured; `None`: as configured.
    """

    order: Order
    leg: LegPolicy
    mark: float
    book_size: float
    furthest_size: float
    loss: float
    unit: float | None = None

    @property
    def measure(self) -> Measure:
        """What the leg's size is told in."""
        return measure_of(self.leg)


class Block(Struct, frozen=True):
    """A control that blocks, and the figures it compared."""

    control: str
    figures: dict[str, float]


def check_limits(limits: LimitPolicy, measures: Collection[Measure] = _VEGA_ALONE) -> None:
    """Refuse limits that limit nothing.

    Args:
        limits: Of a book.
        measures: Those of its legs; in another measure it has 0, so that nothing passes.

    Raises:
        ValueError: One is not finite, or not above 0.
    """
    for name in limits.__struct_fields__:
        value = limits.at_most(name)
        if name in _SIZED and _SIZED[name] not in measures and value == 0:
            continue
        if not (isfinite(value) and value > 0):
            raise ValueError(f"limit {name} = {value} must be finite and above 0")


def check_trading(
    state: TradingState, book_size: float, change: float, measure: Measure = "vega"
) -> Block | None:
    """Return what the trading state says against a change of the book's size, or `None`."""
    if state is TradingState.HALTED:
        return Block("halted", {measure: change})
    if state is TradingState.REDUCING and _grows(book_size, change):
        return Block("reducing", {f"{measure}_before": book_size, measure: change})
    return None


def check_order(limits: LimitPolicy, proposed: ProposedOrder) -> Block | None:
    """Return the first control that blocks the order, or `None`.

    An order that brings the book's size nearer to 0 is not blocked by the loss limit.
    """
    return _check_figures(proposed) or _check_agreement(proposed) or _compare(limits, proposed)


def _check_figures(proposed: ProposedOrder) -> Block | None:
    order = proposed.order
    positive = {
        "quantity": order.quantity,
        "reference_price": order.reference_price,
        "limit_price": order.limit_price,
        "notional": order.notional,
        "mark": proposed.mark,
    }
    for name, value in positive.items():
        if not (isfinite(value) and value > 0):
            return Block("figures", {name: value})
    measure = proposed.measure
    for name, value in {measure: order.size, f"book_{measure}": proposed.book_size}.items():
        if not isfinite(value):
            return Block("figures", {name: value})
    return None


def _check_agreement(proposed: ProposedOrder) -> Block | None:
    """Compare what the order says of its size three times (Citi 2022: promises B2)."""
    order, leg = proposed.order, proposed.leg
    unit = unit_size(leg) if proposed.unit is None else proposed.unit
    implied = {
        proposed.measure: (order.size, order.signed_quantity * unit),
        "notional": (order.notional, order.quantity * order.reference_price * leg.multiplier),
    }
    for name, (stated, follows) in implied.items():
        if not isclose(stated, follows, rel_tol=ROUNDING):
            return Block("agreement", {name: stated, "implied": follows})
    return None


def _compare(limits: LimitPolicy, proposed: ProposedOrder) -> Block | None:
    order, mark, measure = proposed.order, proposed.mark, proposed.measure
    grows = _grows(proposed.book_size, order.size)
    most_of_order = limits.at_most(f"max_order_{measure}")
    most_of_position = limits.at_most(f"max_position_{measure}")
    compared = {
        f"max_order_{measure}": (abs(order.size), most_of_order),
        "max_order_notional": (order.notional, limits.max_order_notional),
        "max_price_deviation": (abs(order.limit_price - mark) / mark, limits.max_price_deviation),
        f"max_position_{measure}": (proposed.furthest_size, most_of_position),
        "max_daily_loss": (proposed.loss if grows else 0.0, limits.max_daily_loss),
    }
    for control, (value, limit) in compared.items():
        if not value <= limit:
            return Block(control, {"value": value, "limit": limit})
    return None


def _grows(before: float, change: float) -> bool:
    return not abs(before + change) <= abs(before)
