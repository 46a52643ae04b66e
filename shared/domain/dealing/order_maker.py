"""From a leg's target to an order, or to the control that withholds it (spec sections 3 and 6)."""

from msgspec import Struct

from shared.domain.accounts.leg_profit import unit_vega
from shared.domain.dealing.pretrade import Block, ProposedOrder, check_order, check_trading
from shared.domain.effects import OrderWithheld
from shared.domain.hedging.sizing import smallest_trade
from shared.domain.orders import Order, order_id, price_of
from shared.domain.policies import BookPolicy, LegPolicy
from shared.domain.trading import TradingState


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
        furthest_vega: How far the book's vega may come with it; see `ProposedOrder`.
        loss: What the hedge has lost in this session, currency.
        trading: What the book may do.
        stopped: What stopped the book from ordering; `None` while nothing did.
    """

    leg: LegPolicy
    target: float
    expected: float
    middle: float | None
    book_vega: float
    furthest_vega: float
    loss: float
    trading: TradingState
    stopped: Block | None

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
    return not abs(vega) <= smallest_trade(policy.sizing)  # what is not a number is blocked later


def make_order(
    policy: BookPolicy, decision: Decision, change: Change
) -> Order | OrderWithheld | None:
    """Return the order that makes the change, what withholds it, or `None` when there is none."""
    if change.quantity == 0:
        return None
    blocked = _check_change(policy, change)
    if blocked is not None:
        return withheld(decision, policy.name, change.leg.name, blocked)
    if change.middle is None:
        unpriced = Block("mark", {"vega": change.vega})
        return withheld(decision, policy.name, change.leg.name, unpriced)
    order = _order(policy, decision, change, change.middle)
    proposed = ProposedOrder(
        order=order,
        leg=change.leg,
        mark=change.middle,
        book_vega=change.book_vega,
        furthest_vega=change.furthest_vega,
        loss=change.loss,
    )
    blocked = check_order(policy.limits, proposed)
    return order if blocked is None else withheld(decision, policy.name, order.leg, blocked)


def withheld(decision: Decision, book: str, leg: str, block: Block) -> OrderWithheld:
    """Say that a control withholds the order of a decision."""
    return OrderWithheld(
        book=book,
        event_ns=decision.event_ns,
        decision=decision.number,
        leg=leg,
        control=block.control,
        figures=block.figures,
    )


def _check_change(policy: BookPolicy, change: Change) -> Block | None:
    """Return what withholds a change whatever its price, or `None`."""
    smallest = smallest_trade(policy.sizing)
    if not is_meaningful(policy, change.vega):
        return Block("min_trade", {"value": abs(change.vega), "limit": smallest})
    return check_trading(change.trading, change.book_vega, change.vega) or change.stopped


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
