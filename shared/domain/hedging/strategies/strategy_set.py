"""All strategies of one book: what each proposes, put together into one target (spec 4)."""

from collections.abc import Callable, Mapping

from msgspec import structs

from shared.domain.accounts.leg_profit import measure_of
from shared.domain.dealing.pretrade import check_limits
from shared.domain.effects import AlertRaised, LegTarget, StrategyTold
from shared.domain.hedging.alerts import alert
from shared.domain.hedging.allocation import check_leg_names
from shared.domain.hedging.conditions import Facts
from shared.domain.hedging.session_clock import SessionClock
from shared.domain.hedging.strategies.delta import DeltaStrategy
from shared.domain.hedging.strategies.outlook import Outlook, Proposal, StrategyBlind
from shared.domain.hedging.strategies.state import Strategy, StrategyState
from shared.domain.hedging.strategies.vega import VegaStrategy
from shared.domain.hedging.targets import Target, fresh_middle
from shared.domain.policies import LegPolicy
from shared.domain.signals_observed import Mark, Quality
from shared.domain.strategy_policies import (
    DeltaPolicy,
    ListedLegPolicy,
    StrategyBookPolicy,
    StrategyPolicy,
)


class StrategySet:
    """The strategies of one book.

    Args:
        policy: The book.
        clock: The exchange's sessions.
        expected: Position and open orders of a leg, signed, in its unit.
        unit: Size of one unit of a leg in its measure.
        states: Where to go on from, by strategy.

    Raises:
        ValueError: The policy contradicts itself.
    """

    def __init__(
        self,
        policy: StrategyBookPolicy,
        clock: SessionClock,
        expected: Callable[[str], float],
        unit: Callable[[LegPolicy], float],
        states: Mapping[str, StrategyState],
    ) -> None:
        check_strategies(policy)
        self._policy = policy
        self._clock = clock
        self._expected = expected
        self._unit = unit
        self._strategies: tuple[Strategy, ...] = tuple(
            _strategy(each, policy, states.get(each.name, StrategyState()))
            for each in policy.strategies
        )
        self._blind: dict[str, StrategyBlind] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """In the policy's order."""
        return tuple(each.name for each in self._strategies)

    def snapshot(self) -> dict[str, StrategyState]:
        """Return all that the strategies go on from."""
        return {each.name: each.state for each in self._strategies}

    def measure(self, facts: Facts, marks: Mapping[str, Mark]) -> None:
        """Let every strategy take a new measurement, inside a session."""
        outlook = self._outlook(facts, marks)
        for strategy in self._strategies:
            strategy.measure(outlook)

    def propose(self, facts: Facts, marks: Mapping[str, Mark]) -> dict[str, Proposal]:
        """Return what each strategy would do now; one that is blind is not in it."""
        outlook = self._outlook(facts, marks)
        proposals: dict[str, Proposal] = {}
        self._blind = {}
        for strategy in self._strategies:
            try:
                proposals[strategy.name] = strategy.propose(outlook)
            except StrategyBlind as reason:
                self._blind[strategy.name] = reason
        return proposals

    def look(self, book: str, now_ns: int) -> list[AlertRaised]:
        """Say once when a strategy goes blind, for each cause, and once when it sees again."""
        alerts = []
        for strategy in self._strategies:
            blind = self._blind.get(strategy.name)
            trouble = "" if blind is None else blind.reason
            if trouble == strategy.state.trouble:
                continue
            strategy.state = structs.replace(strategy.state, trouble=trouble)
            what = "strategy_sees" if blind is None else "strategy_blind"
            where = f"{strategy.name}: {trouble}" if trouble else strategy.name
            figures = {} if blind is None else blind.figures
            alerts.append(alert(book, now_ns, what, where, figures))
        return alerts

    def target(self, facts: Facts, marks: Mapping[str, Mark]) -> Target | None:
        """Put the proposals together; `None` while every strategy is blind."""
        proposals = facts.proposals
        if not proposals:
            return None
        quantities = {leg.name: self._expected(leg.name) for leg in self._policy.legs}
        for proposal in proposals.values():
            for leg, change in proposal.changes.items():
                quantities[leg] += change
        legs = tuple(self._leg_target(facts, marks, leg, quantities) for leg in self._policy.legs)
        return Target(
            rule=0.0,
            multiplier=0.0,
            steps=(),
            vega=sum(leg.vega for leg in legs),
            legs=legs,
            quantities=tuple(quantities.values()),
            quality=Quality.GOOD if len(proposals) == len(self._strategies) else Quality.STALE,
            at_floor=False,
            at_cap=False,
            strategies=self._told(proposals),
        )

    def decided(self) -> None:
        """A decision was made on the proposals; one that was blind has made none."""
        for strategy in self._strategies:
            if strategy.name not in self._blind:
                strategy.decided()

    def taken_back(self) -> None:
        """The standing decision failed."""
        for strategy in self._strategies:
            strategy.taken_back()

    def next_deadline(self, facts: Facts) -> int | None:
        """Return when the last measurement will be too old for a strategy, in ns."""
        if facts.exposure is None:
            return None
        instants = []
        for strategy in self._strategies:
            fresh_ns = strategy.stale_trading_ns + 1
            stale_ns = self._clock.after_trading(facts.exposure.event_ns, fresh_ns)
            if stale_ns is not None and stale_ns > facts.moment.now_ns:
                instants.append(stale_ns)
        return min(instants, default=None)

    def _outlook(self, facts: Facts, marks: Mapping[str, Mark]) -> Outlook:
        exposure, moment = facts.exposure, facts.moment
        measured_ns = 0 if exposure is None else self._clock.at(exposure.event_ns).trading_ns
        return Outlook(
            moment=moment,
            exposure=exposure,
            age_ns=moment.trading_ns - measured_ns,
            asked=facts.requested,
            marks={
                symbol: mark
                for symbol, mark in marks.items()
                if fresh_middle(self._policy, self._clock, moment, mark) is not None
            },
            expected=self._expected,
        )

    def _leg_target(
        self,
        facts: Facts,
        marks: Mapping[str, Mark],
        leg: LegPolicy,
        quantities: Mapping[str, float],
    ) -> LegTarget:
        quantity = quantities[leg.name]
        mark = marks.get(leg.symbol)
        price = fresh_middle(self._policy, self._clock, facts.moment, mark)
        return LegTarget(
            leg=leg.name,
            symbol=leg.symbol,
            vega=quantity * self._unit(leg) if measure_of(leg) == "vega" else 0.0,
            quantity=None if price is None else quantity,
            mark=price,
            weight=0.0,
        )

    def _told(self, proposals: Mapping[str, Proposal]) -> tuple[StrategyTold, ...]:
        told = []
        for strategy in self._strategies:
            proposal = proposals.get(strategy.name)
            figures = {} if proposal is None else proposal.figures
            blind = self._blind.get(strategy.name)
            told.append(strategy.told(figures, "" if blind is None else blind.reason))
        return tuple(told)


def check_strategies(policy: StrategyBookPolicy) -> None:
    """Refuse a book whose strategies, legs or limits contradict one another.

    Raises:
        ValueError: With what is wrong.
    """
    check_leg_names(policy.legs)
    check_limits(policy.limits, {measure_of(leg) for leg in policy.legs})
    names = [each.name for each in policy.strategies]
    if not names or len(set(names)) != len(names):
        raise ValueError("a book needs at least one strategy, and each its own name")
    symbols = [leg.symbol for leg in policy.legs]
    if len(set(symbols)) != len(symbols):
        raise ValueError("two legs of a book with strategies cannot trade one symbol")
    owners = {each.leg: each.underlying for each in policy.strategies}
    for leg in policy.legs:
        hedges = measure_of(leg) == "delta"
        if hedges and leg.name not in owners:
            raise ValueError(f"leg {leg.name}: no strategy hedges with it")
        if not hedges and not isinstance(leg, ListedLegPolicy):
            raise ValueError(f"leg {leg.name}: a strategy trades an underlying, futures or options")
    for strategy in policy.strategies:
        legs = {leg.name for leg in policy.legs if measure_of(leg) == "delta"}
        if strategy.leg not in legs:
            raise ValueError(f"strategy {strategy.name}: no leg {strategy.leg} to hedge with")
        if owners[strategy.leg] != strategy.underlying:
            raise ValueError(f"leg {strategy.leg} cannot hedge two underlyings")


def legs_on(policy: StrategyBookPolicy, underlying: str) -> tuple[LegPolicy, ...]:
    """Return a book's own legs on an underlying."""
    hedging = {each.leg for each in policy.strategies if each.underlying == underlying}
    return tuple(
        leg
        for leg in policy.legs
        if leg.name in hedging
        or (isinstance(leg, ListedLegPolicy) and leg.underlying == underlying)
    )


def _strategy(each: StrategyPolicy, policy: StrategyBookPolicy, state: StrategyState) -> Strategy:
    legs = legs_on(policy, each.underlying)
    if isinstance(each, DeltaPolicy):
        return DeltaStrategy(each, legs, state)
    shares_leg = sum(other.leg == each.leg for other in policy.strategies) > 1
    return VegaStrategy(each, legs, state, shares_leg=shares_leg)
