"""From the facts of one event to a book's target: rules, sizing chain, allocation (spec 2)."""

from collections.abc import Callable, Mapping, Sequence

from msgspec import UNSET, Struct, UnsetType

from shared.domain.accounts.leg_profit import unit_vega
from shared.domain.dealing.pretrade import check_limits
from shared.domain.effects import LegTarget, SizingStep, StrategyTold
from shared.domain.hedging.allocation import (
    Allocation,
    allocate,
    check_legs,
    over_all,
    quantity_for,
)
from shared.domain.hedging.conditions import Facts
from shared.domain.hedging.ladders import Ladders
from shared.domain.hedging.rules import RuleSet, parameters_of
from shared.domain.hedging.session_clock import Moment, SessionClock
from shared.domain.hedging.sizing import (
    BudgetRoom,
    Sizing,
    SizingInputs,
    allocation_step,
    check_sizing,
    contracts_multiplier,
    size,
)
from shared.domain.policies import BookPolicy, LegPolicy
from shared.domain.signals_observed import Mark, Quality
from shared.domain.strategy_policies import ListedLegPolicy


class Target(Struct, frozen=True, kw_only=True):
    """What a book should hold.

    Attributes:
        rule: The rules' multiplier, before the chain.
        multiplier: After the whole chain.
        steps: The chain, in order.
        vega: Sum over the legs, currency per vol point.
        legs: In the policy's order.
        quantities: Wanted position of each leg, also of one without a good mark.
        quality: The worst among the inputs asked for but not used.
        at_floor: The chain's multiplier stands at the floor.
        at_cap: It stands at the cap.
        strategies: What each strategy saw and chose; left out by the overlay.
    """

    rule: float
    multiplier: float
    steps: tuple[SizingStep, ...]
    vega: float
    legs: tuple[LegTarget, ...]
    quantities: tuple[float, ...]
    quality: Quality
    at_floor: bool
    at_cap: bool
    strategies: tuple[StrategyTold, ...] | UnsetType = UNSET


def fresh_middle(
    policy: BookPolicy, clock: SessionClock, moment: Moment, mark: Mark | None
) -> float | None:
    """Return the middle an order is priced with; `None` without a fresh, finite, positive one.

    Never a default price.
    """
    if mark is None or _age_ns(clock, moment, mark.event_ns) > policy.order.stale_mark_trading_ns:
        return None
    return mark.middle


def _age_ns(clock: SessionClock, moment: Moment, event_ns: int) -> int:
    """Return how old something is, in trading time."""
    return moment.trading_ns - clock.at(event_ns).trading_ns


class TargetSizer:
    """Sizes one book.

    Args:
        policy: The book.
        clock: To tell the age of a mark in trading time.
        unit: Vega of one unit of a leg, as measured, or else as configured.
        expected: Position and open orders of a leg, for its ladder.

    Raises:
        ValueError: The policy contradicts itself or the spec.
    """

    def __init__(
        self,
        policy: BookPolicy,
        clock: SessionClock,
        unit: Callable[[LegPolicy], float] = unit_vega,
        expected: Callable[[str], float] = lambda _: 0.0,
    ) -> None:
        check_sizing(policy.sizing)
        check_legs(policy.legs)
        check_limits(policy.limits)
        self._policy = policy
        self._clock = clock
        self._unit = unit
        self._rules = RuleSet(policy.rules, policy.composition, policy.name)
        self.ladders = Ladders(policy.legs, expected)
        """Rolls of the book's options."""
        if self._rules.counts_contracts and not _is_one_put(policy.legs):
            raise ValueError("rule delta needs exactly one leg, a put")
        if self._rules.counts_contracts:
            _check_multiplier(policy)
        self._correlation = f"hedge_correlation.{policy.name}"
        self.signals = self._signals()
        """Names of the signals that sizing needs or would like."""

    def multiplier(self, facts: Facts) -> float | None:
        """Return the rules' multiplier of the base vega now; `None` while unknown."""
        sizing = self._policy.sizing
        if sizing.scale_by_hedge_correlation and facts.read(self._correlation) is None:
            return None
        value = self._rules.evaluate(lambda name: self._read(facts, name))
        if value is None or not self._rules.counts_contracts:
            return value
        (put,) = self.ladders.held(facts.moment.now_ns, lambda _: True)
        return contracts_multiplier(value, self._unit(put), sizing.base_vega)

    def is_complete(self, facts: Facts) -> bool:
        """Whether everything that sizing would like is good, beside the rules' own inputs."""
        return all(facts.good(name) for name in self.signals)

    def target(
        self,
        facts: Facts,
        marks: Mapping[str, Mark],
        *,
        held: float | None,
        confirmed_by: str,
        budget: BudgetRoom | None,
    ) -> Target | None:
        """Size the book; `None` while the multiplier is unknown.

        Args:
            facts: What is known now.
            marks: By symbol.
            held: The rules' multiplier of the last decision.
            confirmed_by: What fired.
            budget: What the annual budget leaves, or `None` without one.
        """
        rule = self.multiplier(facts)
        if rule is None:
            return None
        inputs = SizingInputs(
            rule=rule,
            rule_note=self._rules.note(lambda name: self._read(facts, name)),
            held=held,
            confirmed_by=confirmed_by,
            hedge_correlation=facts.read(self._correlation),
            budget=budget,
        )
        sized = size(self._policy.sizing, inputs)
        ratio = facts.read("term_ratio") if self._policy.sizing.split_by_term_structure else None
        vega = sized.multiplier * self._policy.sizing.base_vega
        held_legs = self.ladders.held(facts.moment.now_ns, self.is_priced(facts, marks))
        allocation = over_all(self._policy.legs, held_legs, allocate(held_legs, vega, ratio))
        return self._assemble(facts, marks, inputs, sized, allocation)

    def is_priced(self, facts: Facts, marks: Mapping[str, Mark]) -> Callable[[LegPolicy], bool]:
        """Return what tells whether a leg has a fresh price."""
        return lambda leg: self.price(facts, marks.get(leg.symbol)) is not None

    def price(self, facts: Facts, mark: Mark | None) -> float | None:
        """Return the middle an order is priced with; see `fresh_middle`."""
        return fresh_middle(self._policy, self._clock, facts.moment, mark)

    def _is_fresh(self, facts: Facts, event_ns: int) -> bool:
        limit_ns = self._policy.order.stale_mark_trading_ns
        return _age_ns(self._clock, facts.moment, event_ns) <= limit_ns

    def _read(self, facts: Facts, name: str) -> float | None:
        """Return a rule's input; `None` while it is not good. An exposure ages as a mark does."""
        if name == "vix_smooth":
            return facts.vix
        if name not in {"portfolio_delta", "put_delta"}:
            return facts.read(name)
        exposure = facts.exposure
        if exposure is None or not self._is_fresh(facts, exposure.event_ns):
            return None
        return float(getattr(exposure, name))

    def _assemble(
        self,
        facts: Facts,
        marks: Mapping[str, Mark],
        inputs: SizingInputs,
        sized: Sizing,
        allocation: Allocation,
    ) -> Target:
        legs = self._policy.legs
        units = map(self._unit, legs)
        quantities = tuple(map(quantity_for, legs, allocation.vegas, units))
        vega = sum(allocation.vegas)
        multiplier = vega / self._policy.sizing.base_vega
        prices = [self.price(facts, marks.get(leg.symbol)) for leg in legs]
        return Target(
            rule=inputs.rule,
            multiplier=multiplier,
            steps=(*sized.steps, allocation_step(sized.multiplier, multiplier, allocation.note)),
            vega=vega,
            legs=tuple(
                LegTarget(
                    leg=leg.name,
                    symbol=leg.symbol,
                    vega=allocation.vegas[number],
                    quantity=None if prices[number] is None else quantities[number],
                    mark=prices[number],
                    weight=allocation.weights[number],
                )
                for number, leg in enumerate(legs)
            ),
            quantities=quantities,
            quality=self._quality(facts),
            at_floor=sized.at_floor,
            at_cap=sized.at_cap,
        )

    def _quality(self, facts: Facts) -> Quality:
        found = {
            Quality.WARMING if name not in facts.signals else facts.signals[name].quality
            for name in self.signals
        }
        worst = (Quality.HALTED, Quality.FROZEN, Quality.STALE, Quality.WARMING)
        return next((quality for quality in worst if quality in found), Quality.GOOD)

    def _signals(self) -> tuple[str, ...]:
        sizing = self._policy.sizing
        rules = () if self._rules.counts_contracts else self._rules.inputs
        wanted = (
            *rules,
            *((self._correlation,) if sizing.scale_by_hedge_correlation else ()),
            *(("term_ratio",) if sizing.split_by_term_structure else ()),
            *(("vix", "rv") if sizing.budget is not None else ()),
        )
        return tuple(dict.fromkeys(wanted))


def _is_one_put(legs: Sequence[LegPolicy]) -> bool:
    """Whether there is one leg alone, a put, or the rungs of one ladder of puts."""
    names = {
        leg.ladder or leg.name if isinstance(leg, ListedLegPolicy) else leg.name for leg in legs
    }
    return len(names) == 1 and {leg.instrument for leg in legs} == {"put"}


def _check_multiplier(policy: BookPolicy) -> None:
    """Refuse a rule `delta` that counts other contracts than its leg trades."""
    assumed, traded = parameters_of(policy.rules[0])["contract_multiplier"], policy.legs[0]
    if assumed != traded.multiplier:
        raise ValueError(
            f"rule delta: contract_multiplier = {assumed:g} must be the multiplier of leg"
            f" {traded.name}, {traded.multiplier:g}"
        )
