"""From a leg's target to an order, or to the control that withholds it (spec sections 3 and 6)."""

from msgspec import Struct

from shared.domain.accounts.leg_profit import unit_vega
from shared.domain.dealing.pretrade import Block, ProposedOrder, check_order
from shared.domain.effects import OrderWithheld
from shared.domain.hedging.sizing import smallest_trade
from shared.domain.orders import Order, order_id, price_of
from shared.domain.policies import BookPolicy, LegPolicy


class Decision(Struct, frozen=True, kw_only=True):
    """What the orders of one decision share.

    Attributes:
        number: From 1, by book.
        event_ns: When.
        valid_until_ns: Never executed after this.
        trigger: What fired.
        reason: The same for a person.
        config_digest: Of the configuration.
    """

    number: int
    event_ns: int
    valid_until_ns: int
    trigger: str
    reason: str
    config_digest: str


class Change(Struct, frozen=True, kw_only=True):
    """What one leg is to change, and where the book stands.

    Attributes:
        leg: The leg.
        target: Wanted position, signed, in the leg's unit.
        expected: Position and open orders, signed.
        middle: Good middle price; `None` without one.
        book_vega: The book's vega before, open orders included.
        orders_today: The book's orders in this session so far.
    """

    leg: LegPolicy
    target: float
    expected: float
    middle: float | None
    book_vega: float
    orders_today: int

    @property
    def quantity(self) -> float:
        """Signed change."""
        return self.target - self.expected

    @property
    def vega(self) -> float:
        """Signed change, vega notional."""
        return self.quantity * unit_vega(self.leg)


def is_meaningful(policy: BookPolicy, vega: float) -> bool:
    """Whether a change exceeds max(min_trade, x% of base) (spec 3)."""
    return abs(vega) > smallest_trade(policy.sizing)


def make_order(
    policy: BookPolicy, decision: Decision, change: Change
) -> Order | OrderWithheld | None:
    """Return the order that makes the change, what withholds it, or `None` when there is none."""
    if change.quantity == 0:
        return None
    if not is_meaningful(policy, change.vega):
        block = Block(
            "min_trade", {"value": abs(change.vega), "limit": smallest_trade(policy.sizing)}
        )
        return _withheld(policy, decision, change, block)
    if change.middle is None:
        return _withheld(policy, decision, change, Block("mark", {"vega": change.vega}))
    order = _order(policy, decision, change, change.middle)
    proposed = ProposedOrder(
        vega=order.vega,
        notional=order.notional,
        vega_before=change.book_vega,
        orders_today=change.orders_today,
    )
    blocked = check_order(policy.limits, proposed)
    return order if blocked is None else _withheld(policy, decision, change, blocked)


def _order(policy: BookPolicy, decision: Decision, change: Change, middle: float) -> Order:
    leg, quantity = change.leg, abs(change.quantity)
    buys = change.quantity > 0
    collar = policy.order.collar if buys else -policy.order.collar
    return Order(
        order_id=order_id(policy.name, decision.number, leg.name),
        book=policy.name,
        decision=decision.number,
        leg=leg.name,
        instrument=leg.instrument,
        symbol=leg.symbol,
        side="buy" if buys else "sell",
        quantity=quantity,
        target_quantity=change.target,
        vega=change.vega,
        reference_price=middle,
        limit_price=price_of(middle * (1 + collar)),
        notional=quantity * middle * leg.multiplier,
        currency=policy.currency,
        event_ns=decision.event_ns,
        valid_until_ns=decision.valid_until_ns,
        trigger=decision.trigger,
        reason=decision.reason,
        config_digest=decision.config_digest,
    )


def _withheld(
    policy: BookPolicy, decision: Decision, change: Change, block: Block
) -> OrderWithheld:
    return OrderWithheld(
        book=policy.name,
        event_ns=decision.event_ns,
        decision=decision.number,
        leg=change.leg.name,
        control=block.control,
        figures=block.figures,
    )
