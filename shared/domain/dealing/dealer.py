"""A book's dealing side: what it holds, has ordered and has paid, and the orders it makes.

It knows nothing of signals or triggers: it is given a target, and says whether it was missed.

Longer than most: position, open orders and costs change together, and so are kept together.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from shared.domain.accounts.leg_profit import Measure, measure_of, unit_size
from shared.domain.accounts.rolled import Rolled
from shared.domain.dealing.cost_ledger import CostLedger, CostLedgerState
from shared.domain.dealing.day_profit import DayProfit, LegDay
from shared.domain.dealing.holdings import Holdings, HoldingsState, Outcome, TrackedOrder
from shared.domain.dealing.order_maker import (
    Change,
    Decision,
    is_meaningful,
    make_order,
    withheld,
)
from shared.domain.dealing.pretrade import Block
from shared.domain.dealing.throttles import STOPPING, Throttles, ThrottleState
from shared.domain.effects import AlertRaised, Effect, OrderDecided, OrderWithheld
from shared.domain.events import ExecutionKind, ExecutionReported
from shared.domain.hedging.alerts import alert
from shared.domain.hedging.programmes import PremiumLedger, PremiumState
from shared.domain.hedging.session_clock import Moment, SessionClock
from shared.domain.hedging.targets import Target
from shared.domain.orders import Order
from shared.domain.policies import BookPolicy, LegPolicy
from shared.domain.signals_observed import Mark
from shared.domain.trading import TradingState

_ENDINGS: Final = {
    ExecutionKind.FILL: "order_incomplete",
    ExecutionKind.CANCEL: "order_cancelled",
    ExecutionKind.REJECT: "order_rejected",
    ExecutionKind.EXPIRE: "order_expired",
}

_PASSING: Final = frozenset({"expired", "no_mark", "stale_mark"})
"""The gateway's causes that pass by themselves."""

_SILENT: Final = frozenset({"min_trade", "halted", "reducing"})
_TOLD: Final = {"mark": "mark_unknown"} | dict.fromkeys(STOPPING, "trading_stopped")


class DealerState(Struct, frozen=True, kw_only=True):
    """Everything a dealer goes on from.

    Attributes:
        holdings: Positions and orders.
        ledger: What the hedge cost.
        targets: The standing target, by leg, in the leg's unit.
        throttles: What was ordered lately.
        days: The session's profit, by leg.
        units: Size of one unit as last measured, by leg; of others as configured.
        premiums: What options cost in a year, where a rule asks for it.
    """

    holdings: HoldingsState = HoldingsState()
    ledger: CostLedgerState = CostLedgerState()
    targets: dict[str, float] = {}
    throttles: ThrottleState = ThrottleState()
    days: dict[str, LegDay] = {}
    units: dict[str, float] = {}
    premiums: PremiumState = PremiumState()


class Market(Struct, frozen=True, kw_only=True):
    """What orders are made in.

    Attributes:
        session: The number of the session.
        marks: By symbol.
        trading: What the book may do.
    """

    session: int
    marks: Mapping[str, Mark]
    trading: TradingState


class Lack(Struct, frozen=True):
    """A leg whose position misses its target; both signed, in the leg's unit."""

    target: float
    held: float


class Dealer:
    """Deals for one book.

    Args:
        policy: The book.
        clock: The exchange's sessions.
        state: Where to go on from.
    """

    def __init__(self, policy: BookPolicy, clock: SessionClock, state: DealerState) -> None:
        self._policy = policy
        self._legs = {leg.name: leg for leg in policy.legs}
        self.holdings = Holdings(self._legs, state.holdings)
        self.ledger = CostLedger(clock, state.ledger)
        self._targets = state.targets
        self._throttles = Throttles(policy.limits, state.throttles)
        self._day = DayProfit(self._legs, state.days)
        self._units = dict(state.units)
        self._clock = clock
        self._counts_premium = any(rule.kind == "tail_budget" for rule in policy.rules)
        self.premiums = PremiumLedger(state.premiums)
        """What options cost in the last 365 days; empty unless a rule asks for it."""

    def snapshot(self) -> DealerState:
        """Return all that a dealer goes on from."""
        return DealerState(
            holdings=self.holdings.snapshot(),
            ledger=self.ledger.snapshot(),
            targets=self._targets,
            throttles=self._throttles.snapshot(),
            days=self._day.snapshot(),
            units=dict(self._units),
            premiums=self.premiums.snapshot(),
        )

    @property
    def stopped(self) -> Block | None:
        """What stopped the book from ordering until an operator resumes it."""
        return self._throttles.stopped

    def resume(self) -> None:
        """Let a stopped book order again."""
        self._throttles.resume()

    def observe(self, marks: Mapping[str, Mark], moment: Moment) -> None:
        """See the marks, by symbol, inside a session."""
        self._day.observe(marks, moment, self.holdings.position)

    def measured(self, units: Mapping[str, float]) -> None:
        """Take sizes of one unit as they are measured, by leg, in the leg's measure."""
        self._units.update(units)

    def unit(self, leg: LegPolicy) -> float:
        """Return the size of one unit of a leg in its measure: measured, else configured."""
        measured = self._units.get(leg.name)
        return unit_size(leg) if measured is None else measured

    def vega(self) -> float:
        """Return the vega of position and open orders, currency per vol point."""
        return self._size("vega")

    def held_vega(self) -> float:
        """Return the vega of the position alone, currency per vol point."""
        return self._held("vega")

    def roll(self, rolled: Rolled) -> None:
        """Go over to another contract: its price, less the old one's, is premium."""
        session = self._clock.at(rolled.event_ns).session
        for name, leg in self._legs.items():
            if self._counts_premium and leg.symbol == rolled.symbol:
                held = self.holdings.position(name)
                premium = held * leg.multiplier * (rolled.jump + rolled.cost)
                self.premiums.roll(session, rolled.event_ns, premium)

    def worth(self, prices: Mapping[str, float | None]) -> float | None:
        """Return what the options held and ordered are worth, currency, ≥ 0.

        Args:
            prices: Of each leg; of one that holds nothing it does not matter.

        Returns:
            `None` when one that is held has no price.
        """
        total = 0.0
        for name, leg in self._legs.items():
            quantity, price = self.holdings.expected(name), prices[name]
            if quantity and price is None:
                return None
            total += quantity * (price or 0.0) * leg.multiplier
        return max(0.0, total)  # below, where sales are open that were sized with purchases

    def lacks(self) -> dict[str, Lack]:
        """Return the legs whose position alone misses the target by what is worth an order."""
        held = self.holdings.position
        return {
            name: Lack(target, held(name))
            for name, target in self._targets.items()
            if is_meaningful(
                self._policy, self._legs[name], (target - held(name)) * self.unit(self._legs[name])
            )
        }

    def furthest_size(self, measure: Measure, change: float, leg: str = "") -> float:
        """Return how far beyond 0, on its side, a change can bring the size of the position.

        What is open on the other side is no room for it, since it may never trade.

        Args:
            measure: Vega or delta.
            change: Signed, in it.
            leg: Its name, to count it alone: units of two underlyings do not add up, and one held
                long is no room for another held short.
        """
        side = 1.0 if change > 0 else -1.0
        same_side = sum(
            max(0.0, side * rest * self.unit(each))
            for name, each in self._of(measure, leg)
            for rest in self.holdings.rests(name)
        )
        return side * (self._held(measure, leg) + change) + same_side

    def _of(self, measure: Measure, leg: str) -> list[tuple[str, LegPolicy]]:
        return [
            (name, each)
            for name, each in self._legs.items()
            if measure_of(each) == measure and leg in {"", name}
        ]

    def _size(self, measure: Measure, leg: str = "") -> float:
        legs = self._of(measure, leg)
        return sum(self.holdings.expected(name) * self.unit(each) for name, each in legs)

    def _held(self, measure: Measure, leg: str = "") -> float:
        legs = self._of(measure, leg)
        return sum(self.holdings.position(name) * self.unit(each) for name, each in legs)

    def advance_to(self, now: int) -> list[Effect]:
        """Book what time alone brings: carry, and orders that nobody answered."""
        self.ledger.advance_to(now)
        return [
            self._alert(now, "order_unanswered", order.order_id, {"rest": order.rest})
            for order in self.holdings.unanswered(now)
        ]

    def deal(self, decision: Decision, target: Target, market: Market) -> tuple[list[Effect], bool]:
        """Order what each leg lacks; sales first: vega is given up before more is taken on.

        Returns:
            Orders, or what withheld them; and whether a control left the target missed.
        """
        self._targets = dict(zip(self._legs, target.quantities, strict=True))
        effects: list[Effect] = []
        missed = False
        legs = zip(self._policy.legs, target.legs, strict=True)
        for leg, shown in sorted(legs, key=lambda pair: self._lack(pair[0].name) >= 0):
            change = self._change(leg, shown.mark, market)
            was_stopped = self.stopped is not None
            made = self._make(decision, change, market.session)
            if isinstance(made, Order):
                self.holdings.place(made)
                effects.append(OrderDecided(order=made))
            elif made is not None:
                effects += [made, *self._told(made, was_stopped=was_stopped)]
                missed |= made.control != "min_trade"
        return effects, missed

    def take(self, report: ExecutionReported, now: int) -> tuple[list[Effect], bool]:
        """Book a venue's report.

        Returns:
            What a person should know of it; and whether the standing target is missed now.
        """
        outcome = self.holdings.take(report)
        figures = {"quantity": report.quantity}
        order = self.holdings.order(report.order_id)
        if order is None:
            return [self._alert(now, "order_unknown", report.order_id, figures)], False
        if outcome is Outcome.DUPLICATE:
            return [], False
        self._account(report, order, now)
        missed = outcome is not Outcome.BOOKED and self._is_missed(order.leg)
        what = _said(outcome, report, missed=missed)
        return [self._alert(now, what, report.order_id, figures)] if what else [], missed

    def _change(self, leg: LegPolicy, middle: float | None, market: Market) -> Change:
        target, expected = self._targets[leg.name], self.holdings.expected(leg.name)
        measure, unit = measure_of(leg), self.unit(leg)
        alone = leg.name if measure == "delta" else ""
        return Change(
            leg=leg,
            target=target,
            expected=expected,
            middle=middle,
            unit=unit,
            book_size=self._size(measure, alone),
            furthest_size=self.furthest_size(measure, (target - expected) * unit, alone),
            loss=self._day.loss(market.marks, market.session),
            trading=market.trading,
            stopped=self.stopped,
        )

    def _make(
        self, decision: Decision, change: Change, session: int
    ) -> Order | OrderWithheld | None:
        made = make_order(self._policy, decision, change)
        if not isinstance(made, Order):
            return made
        block = self._throttles.admit(made, session)
        return made if block is None else withheld(decision, made.book, made.leg, block)

    def _told(self, held: OrderWithheld, *, was_stopped: bool) -> list[AlertRaised]:
        """Alert to an order withheld; of trading not allowed a person was told when it began."""
        if held.control in _SILENT or was_stopped:
            return []
        what = _TOLD.get(held.control, "order_blocked")
        return [self._alert(held.event_ns, what, f"{held.leg}: {held.control}", held.figures)]

    def _account(self, report: ExecutionReported, order: TrackedOrder, now: int) -> None:
        """Charge the implementation shortfall (Perold 1988) against the decision's middle."""
        if not report.quantity:
            return
        price = order.reference_price if report.price is None else report.price
        self._day.trade(order.leg, report.quantity, price)
        if report.price is not None:
            shortfall = (report.price - order.reference_price) * report.quantity
            self.ledger.pay(shortfall * self._legs[order.leg].multiplier)
            if self._counts_premium:
                premium = report.price * report.quantity * self._legs[order.leg].multiplier
                self.premiums.pay(self._clock.at(now).session, now, premium)
        self.ledger.hold(self.held_vega(), now)

    def _is_missed(self, leg: str) -> bool:
        """Whether position and open orders miss the standing target by a meaningful amount."""
        policy = self._legs[leg]
        return is_meaningful(self._policy, policy, self._lack(leg) * self.unit(policy))

    def _lack(self, leg: str) -> float:
        """Return what position and open orders lack of the standing target, in the leg's unit."""
        return self._targets[leg] - self.holdings.expected(leg)

    def _alert(self, now: int, what: str, where: str, figures: dict[str, float]) -> AlertRaised:
        return alert(self._policy.name, now, what, where, figures)


def is_standing(report: ExecutionReported) -> bool:
    """Whether an order was refused for a cause that will not be gone in a minute.

    The gateway states its causes as `word: detail`; a venue says what it likes.
    """
    word, detail, _ = report.reason.partition(": ")
    refused = report.kind is ExecutionKind.REJECT and bool(detail) and word.isidentifier()
    return refused and word not in _PASSING


def _said(outcome: Outcome, report: ExecutionReported, *, missed: bool) -> str:
    """Name the alert of a report; empty when there is nothing to say."""
    if outcome is Outcome.BOOKED:
        return ""
    if outcome is Outcome.LATE:
        return "late_fill" if report.quantity else ""
    complete = report.kind is ExecutionKind.FILL and not missed
    return "" if complete else _ENDINGS[report.kind]
