"""From a leg's target to an order, or to the control that withholds it (spec sections 3 and 6)."""

from msgspec import UNSET, Struct

from shared.domain.accounts.leg_profit import measure_of, unit_size
from shared.domain.dealing.pretrade import Block, ProposedOrder, check_order, check_trading
from shared.domain.effects import OrderWithheld
from shared.domain.hedging.sizing import smallest_trade
from shared.domain.orders import Order, order_id, price_of
from shared.domain.policies import BookPolicy, LegPolicy
from shared.domain.strategy_policies import StrategyBookPolicy
from shared.domain.trading import TradingState


class Decision(Struct, frozen=True, kw_only=True):
    """What the orders of one decision share.

    Attributes:
        number: From 1, by book.
        event_ns: When …
        journal_index: … and on which event of the journal.
        valid_until_ns: Never executed after this.
        trigger: What fired.
        reason: The same for a person.
        config_digest: Of the configuration.
    """

    number: int
    event_ns: int
    journal_index: int
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
        unit: Size of one unit in the leg's measure, as measured; `None`: as configured.
        middle: Good middle price; `None` without one.
        book_size: The book's size before in the leg's measure, open orders included.
        furthest_size: How far the book's size may come with it; see `ProposedOrder`.
        loss: What the hedge has lost in this session, currency.
        trading: What the book may do.
        stopped: What stopped the book from ordering; `None` while nothing did.
    """

    leg: LegPolicy
    target: float
    expected: float
    middle: float | None
    book_size: float
    furthest_size: float
    loss: float
    trading: TradingState
    stopped: Block | None
    unit: float | None = None

    @property
    def quantity(self) -> float:
        """Signed change."""
        return self.target - self.expected

    @property
    def size(self) -> float:
        """Signed change in the leg's measure."""
        return self.quantity * (unit_size(self.leg) if self.unit is None else self.unit)


def smallest_change(policy: BookPolicy, leg: LegPolicy) -> float:
    """Return what a change must exceed, in the leg's measure: max(min_trade, x% of base) (spec 3).

    Strategies have a measure of their own for what is worth an order: half a lot is rounding.
    """
    if isinstance(policy, StrategyBookPolicy):
        return abs(unit_size(leg)) * leg.lot / 2
    return smallest_trade(policy.sizing)


def is_meaningful(policy: BookPolicy, leg: LegPolicy, size: float) -> bool:
    """Whether a change is worth an order; what is not a number is blocked later."""
    return not abs(size) <= smallest_change(policy, leg)


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
        unpriced = Block("mark", {measure_of(change.leg): change.size})
        return withheld(decision, policy.name, change.leg.name, unpriced)
    order = _order(policy, decision, change, change.middle)
    proposed = ProposedOrder(
        order=order,
        leg=change.leg,
        mark=change.middle,
        book_size=change.book_size,
        furthest_size=change.furthest_size,
        loss=change.loss,
        unit=change.unit,
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
    leg, size = change.leg, change.size
    if not is_meaningful(policy, leg, size):
        limit = smallest_change(policy, leg)
        return Block("min_trade", {"value": abs(size), "limit": limit})
    trading = check_trading(change.trading, change.book_size, size, measure_of(leg))
    return trading or change.stopped


def _order(policy: BookPolicy, decision: Decision, change: Change, middle: float) -> Order:
    leg, quantity = change.leg, abs(change.quantity)
    buys = change.quantity > 0
    collar = policy.order.collar if buys else -policy.order.collar
    is_delta = measure_of(leg) == "delta"
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
        vega=0.0 if is_delta else change.size,
        delta=change.size if is_delta else UNSET,
        reference_price=middle,
        limit_price=price_of(middle * (1 + collar)),
        notional=quantity * middle * leg.multiplier,
        currency=policy.currency,
        event_ns=decision.event_ns,
        journal_index=decision.journal_index,
        valid_until_ns=decision.valid_until_ns,
        trigger=decision.trigger,
        reason=decision.reason,
        config_digest=decision.config_digest,
    )
