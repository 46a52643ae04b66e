"""Pre-trade controls of a book: what blocks an order before it exists (spec 6; promises B1).

The gateway checks again, with code and state of its own.
"""

from math import isfinite

from msgspec import Struct

from shared.domain.policies import LimitPolicy


class ProposedOrder(Struct, frozen=True, kw_only=True):
    """What the controls look at.

    Attributes:
        vega: Signed vega that the order adds, currency per vol point.
        notional: Its notional, currency.
        vega_before: The book's vega, open orders included, before it.
        orders_today: Orders of this book decided in this session so far.
    """

    vega: float
    notional: float
    vega_before: float
    orders_today: int


class Block(Struct, frozen=True):
    """A control that blocks, and the figures it compared."""

    control: str
    figures: dict[str, float]


def check_limits(limits: LimitPolicy) -> None:
    """Refuse limits that limit nothing.

    Raises:
        ValueError: One is not finite, or not above 0.
    """
    for name in limits.__struct_fields__:
        value = getattr(limits, name)
        if not (isfinite(value) and value > 0):
            raise ValueError(f"limit {name} = {value} must be finite and above 0")


def check_order(limits: LimitPolicy, order: ProposedOrder) -> Block | None:
    """Return the first control that blocks the order, or `None`.

    An order that brings the book's vega nearer to 0 is never blocked by the position limit.
    """
    after = abs(order.vega_before + order.vega)
    grows = after > abs(order.vega_before)
    compared = {
        "max_order_vega": (abs(order.vega), limits.max_order_vega),
        "max_order_notional": (abs(order.notional), limits.max_order_notional),
        "max_position_vega": (after if grows else 0.0, limits.max_position_vega),
        "max_orders_per_day": (float(order.orders_today + 1), float(limits.max_orders_per_day)),
    }
    for control, (value, limit) in compared.items():
        if not value <= limit:  # also when it is NaN
            return Block(control, {"value": value, "limit": limit})
    return None
