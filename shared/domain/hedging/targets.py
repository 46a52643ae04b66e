"""From the facts of one event to a book's target: rules, sizing chain, allocation (spec 2).

Longer than most: the whole chain from a rule's multiplier to what each leg is to hold.
"""

from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import Final, NamedTuple

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
from shared.domain.hedging.programme_triggers import programme_conditions
from shared.domain.hedging.rules import STAGE, RuleSet, parameters_of
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
from shared.domain.policies import BookPolicy, LegPolicy, NavSharePolicy
from shared.domain.signals_observed import Mark, Quality
from shared.domain.strategy_policies import OPTION_INSTRUMENTS, ListedLegPolicy

_PRICED: Final = OPTION_INSTRUMENTS | {"vix_future"}
_OF_SLEEVE: Final = frozenset({"tail_budget", "monetise_sleeve"})


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


class _Rule(NamedTuple):
    """What the rules say, as a multiple of the base vega, and how."""

    multiplier: float
    note: str


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
        self._nav = f"nav.{policy.name}"
        self.weighs_sleeve = f"sleeve.{policy.name}" in self._rules.inputs
        """Whether a rule reads what the options held are worth."""
        check_programme(policy)
        self.conditions = programme_conditions(policy, self._rules.staged_by)
        """Triggers that the rules bring with them."""
        self._correlation = f"hedge_correlation.{policy.name}"
        self.signals = self._signals()
        """Names of the signals that sizing needs or would like."""

    def multiplier(self, facts: Facts, marks: Mapping[str, Mark]) -> float | None:
        """Return the rules' multiplier of the base vega now; `None` while unknown."""
        rule = self._rule(facts, marks)
        return None if rule is None else rule.multiplier

    def stage(self, facts: Facts) -> int | None:
        """Return the stage that a staged rule has reached; `None` while unknown or without one."""
        return self._rules.stage(lambda name: self._read(facts, name))

    def _rule(self, facts: Facts, marks: Mapping[str, Mark]) -> "_Rule | None":
        sizing = self._policy.sizing
        if sizing.scale_by_hedge_correlation and facts.read(self._correlation) is None:
            return None
        value = self._rules.evaluate(lambda name: self._read(facts, name))
        if value is None:
            return None
        note = self._rules.note(lambda name: self._read(facts, name))
        if not isinstance(sizing.nav_share, UnsetType):
            return self._of_nav(value, note, sizing.nav_share, facts, marks)
        if not self._rules.counts_contracts:
            return _Rule(value, note)
        (put,) = self.ladders.held(facts.moment.now_ns, lambda _: True)
        return _Rule(contracts_multiplier(value, self._unit(put), sizing.base_vega), note)

    def _of_nav(
        self,
        value: float,
        note: str,
        policy: NavSharePolicy,
        facts: Facts,
        marks: Mapping[str, Mark],
    ) -> "_Rule | None":
        """Express a multiple of a share of NAV as one of the base vega; 0 needs no price."""
        (leg,) = self.ladders.held(facts.moment.now_ns, self.is_priced(facts, marks))
        nav = facts.read(self._nav)
        level = fresh_middle(
            self._policy, self._clock, facts.seen, marks.get(policy.symbol or leg.symbol)
        )
        if value == 0:
            return _Rule(0.0, note)
        if nav is None or level is None or level < policy.least_level:
            return None
        contracts = value * policy.share * nav / (level * leg.multiplier)
        told = f"{note}; {value:.6g} x {policy.share:.6g} of {nav:.6g} at {level:.6g}"
        multiplier = contracts_multiplier(contracts, self._unit(leg), self._policy.sizing.base_vega)
        return _Rule(multiplier, f"{told} = {contracts:.6g} contracts")

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
        rule = self._rule(facts, marks)
        if rule is None:
            return None
        inputs = SizingInputs(
            rule=rule.multiplier,
            rule_note=rule.note,
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
        known = self._of_book(facts, name)
        if known is not None:
            return known[0]
        if name not in {"portfolio_delta", "put_delta"}:
            return facts.read(name)
        exposure = facts.exposure
        if exposure is None or not self._is_fresh(facts, exposure.event_ns):
            return None
        return float(getattr(exposure, name))

    def _of_book(self, facts: Facts, name: str) -> tuple[float | None] | None:
        """Return what the book itself knows under a name; `None`: it knows no such thing."""
        match name.partition(".")[0]:
            case "sleeve":
                return (facts.sleeve,)
            case "premium_spent":
                return (facts.premium_spent,)
            case word if word == STAGE:
                return (float(facts.references.stage),)
            case _:
                return None

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
        values_nav = self.weighs_sleeve or not isinstance(sizing.nav_share, UnsetType)
        wanted = (
            *self._rules.signals,
            *((self._nav,) if values_nav else ()),
            *((self._correlation,) if sizing.scale_by_hedge_correlation else ()),
            *(("term_ratio",) if sizing.split_by_term_structure else ()),
            *(("vix", "rv") if sizing.budget is not None else ()),
        )
        return tuple(dict.fromkeys(wanted))


def _is_one_put(legs: Sequence[LegPolicy]) -> bool:
    """Whether there is one leg alone, a put, or the rungs of one ladder of puts."""
    return len(_names(legs)) == 1 and {leg.instrument for leg in legs} == {"put"}


def _names(legs: Sequence[LegPolicy]) -> set[str]:
    """Return the names of the legs, one for all rungs of a ladder."""
    return {
        leg.ladder or leg.name if isinstance(leg, ListedLegPolicy) else leg.name for leg in legs
    }


def _check_multiplier(policy: BookPolicy) -> None:
    """Refuse a rule `delta` that counts other contracts than its leg trades."""
    assumed, traded = parameters_of(policy.rules[0])["contract_multiplier"], policy.legs[0]
    if assumed != traded.multiplier:
        raise ValueError(
            f"rule delta: contract_multiplier = {assumed:g} must be the multiplier of leg"
            f" {traded.name}, {traded.multiplier:g}"
        )


def check_programme(policy: BookPolicy) -> None:
    """Refuse a book that cannot do what its programme asks (spec 10).

    Raises:
        ValueError: A share of NAV of several legs, or of a leg without a price of its own; a
            sleeve of anything but options; a `stake` that is not the book's share of NAV.
    """
    sizing, legs = policy.sizing, policy.legs
    kinds = {rule.kind for rule in policy.rules}
    share = None if isinstance(sizing.nav_share, UnsetType) else sizing.nav_share
    if share is not None:
        if not 0 < share.share < inf:
            raise ValueError("nav_share must be finite and above 0")
        if len(_names(legs)) != 1 or not {leg.instrument for leg in legs} <= _PRICED:
            raise ValueError("nav_share needs exactly one leg, an option or a VIX future")
        if "delta" in kinds:
            raise ValueError("rule delta counts contracts: nav_share has nothing to size")
    if kinds & _OF_SLEEVE and not {leg.instrument for leg in legs} <= OPTION_INSTRUMENTS:
        raise ValueError("a rule on the sleeve needs legs that are options")
    for rule in policy.rules:
        stake = parameters_of(rule)["stake"] if rule.kind == "tail_budget" else None
        if stake is not None and (share is None or share.share != stake):
            raise ValueError(f"rule tail_budget: its stake, {stake:g}, must be sizing.nav_share")
