"""A hedge book: signals and reports in, targets, orders and alerts out (spec sections 2, 3, 6).

Theory of operation. The book remembers the last signals, one trigger machine a condition, and its
standing decision; `Dealer` remembers what it holds, has ordered and has paid. Inside a session
every event is judged; when a trigger fires, the book sizes an *absolute* target, and the dealer
orders what position and open orders lack. A decision moves the reference that moves are measured
from, also one that found nothing to change: it was a review. When an order of the standing
decision fails and the target is missed, the references go back, and the triggers that fired are
armed again after the cooldown. While trading is not allowed (`shared.domain.trading`) decisions
are made and shown as ever, and their orders withheld; when it is allowed again, the triggers of
the standing one need not wait for the cooldown. Signals seen while the market is closed do not
count. Time passes with signals, hence with ticks and clock events, never with reports and commands
(spec 3).

The fast path confirms a level of raw VIX. Until the smoothed VIX has caught up, rules and move
triggers read max(smoothed, min(confirmed, raw)): else the lag of the smoothing would sell within
minutes what the fast path has just bought; and when raw VIX falls back, so does this. One low
print among high ones ends nothing; every decision lowers the confirmed level to its own VIX.

Longer than most: it is the one place where signals, triggers, sizing and orders meet.
"""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Final, assert_never

from msgspec import Struct, UnsetType, structs

from shared.domain.accounts.rolled import Rolled
from shared.domain.dealing.dealer import Dealer, DealerState, Market, is_standing
from shared.domain.dealing.order_maker import Decision
from shared.domain.effects import AlertRaised, Effect, TargetChanged, WhipsawSuppressed
from shared.domain.events import ExecutionReported, ExposureMeasured, RebalanceRequested
from shared.domain.hedging.alerts import alert
from shared.domain.hedging.conditions import (
    FAST,
    Condition,
    Facts,
    References,
    conditions_of,
    strategy_conditions,
)
from shared.domain.hedging.hedge_watch import HedgeWatch, HedgeWatchState
from shared.domain.hedging.session_clock import SessionClock
from shared.domain.hedging.signal_watch import SignalWatch
from shared.domain.hedging.sizing import BudgetRoom
from shared.domain.hedging.strategies.state import StrategyState
from shared.domain.hedging.strategies.strategy_set import StrategySet
from shared.domain.hedging.targets import Target, TargetSizer, fresh_middle
from shared.domain.hedging.trigger_bank import TriggerBank
from shared.domain.hedging.triggers import TriggerRun
from shared.domain.instants import DAY, MINUTE
from shared.domain.policies import BookPolicy, LegPolicy
from shared.domain.sessions import SessionCalendar
from shared.domain.signals_observed import HedgerInput, Mark, SignalsObserved
from shared.domain.strategy_policies import OPTION_INSTRUMENTS, StrategyBookPolicy
from shared.domain.trading import (
    TradingState,
    TradingStates,
    TradingStateSet,
    is_resumption,
)

RETRY_TRADING_NS: Final = MINUTE
"""Least trading time before a failed decision is tried again, whatever the cooldown."""

_TRADING_ALERTS: Final = {
    TradingState.ACTIVE: "trading_resumed",
    TradingState.REDUCING: "trading_reducing",
    TradingState.HALTED: "trading_halted",
}


class StandingDecision(Struct, frozen=True, kw_only=True):
    """The last decision, and how to take it back when its orders fail.

    Attributes:
        number: From 1; 0 before the first.
        triggers: Those that fired.
        before: The references that it replaced.
        request: The operator's request that it answered.
        multiplier: The rules' multiplier that is held since.
        taken_back: Whether its references went back, for its target was missed.
    """

    number: int = 0
    triggers: tuple[str, ...] = ()
    before: References = References()
    request: RebalanceRequested | None = None
    multiplier: float | None = None
    taken_back: bool = False


class HedgeBookState(Struct, frozen=True, kw_only=True):
    """Everything a book goes on from.

    Attributes:
        now_ns: The latest instant seen …
        index: … and the journal's event that the latest signals followed.
        references: What moves are measured from.
        standing: The last decision.
        runs: Trigger machines, by name.
        dealer: Positions, orders and costs.
        good: Whether each watched signal was good.
        observed: The last signals inside a session, as far as this book reads them.
        exposure: The last exposure …
        exposures: … and how many there were.
        request: The operator's request that waits.
        fast_level: VIX confirmed by the fast path, while the smoothed one lags.
        cooldown_until_ns: No decision before, unless urgent.
        session: The last session in which the triggers were judged.
        whipsaws: Suppressed so far.
        is_stuck: Whether it was said that the target cannot be sized.
        trading: What may be traded, and who wanted it so.
        strategies: What each strategy goes on from.
        hedge_watch: What was told of its target and its budget.
        rolled: When the symbol of a leg last went over to another contract, ns; see `roll`.
        given_up: What the one before was worth then, by symbol, until the next decision.
    """

    now_ns: int = 0
    index: int = 0
    references: References = References()
    standing: StandingDecision = StandingDecision()
    runs: dict[str, TriggerRun] = {}
    dealer: DealerState = DealerState()
    good: dict[str, bool] = {}
    observed: SignalsObserved | None = None
    exposure: ExposureMeasured | None = None
    exposures: int = 0
    request: RebalanceRequested | None = None
    fast_level: float | None = None
    cooldown_until_ns: int = 0
    session: int = -1
    whipsaws: int = 0
    is_stuck: bool = False
    trading: TradingStates = TradingStates()
    strategies: dict[str, StrategyState] = {}
    hedge_watch: HedgeWatchState = HedgeWatchState()
    rolled: dict[str, int] = {}
    given_up: dict[str, float] = {}


class BookStanding(Struct, frozen=True, kw_only=True):
    """How a book stands, for those who look at it from outside.

    Attributes:
        held_vega: Of the position alone, currency per vol point.
        is_off_target: Whether it was told to miss its target for too long.
        budget_used: Share of the annual budget; `None` without one.
        open_orders: How many may still trade.
        trading: What it may do.
    """

    held_vega: float
    is_off_target: bool
    budget_used: float | None
    open_orders: int
    trading: TradingState


class HedgeBook:
    """One portfolio with one hedge policy.

    Args:
        policy: The book's configuration.
        calendar: When its market is open; on an unknown day it is closed.
        config_digest: Goes into every order.
        state: Where to go on from; see `resume`.

    Raises:
        ValueError: The policy contradicts itself or the spec.
    """

    def __init__(
        self,
        policy: BookPolicy,
        calendar: SessionCalendar,
        config_digest: str,
        state: HedgeBookState | None = None,
    ) -> None:
        known = state or HedgeBookState()
        self._policy = policy
        self._config_digest = config_digest
        self._clock = SessionClock(calendar)
        self._dealer = Dealer(policy, self._clock, known.dealer)
        self._sizer: TargetSizer | None = None
        self._strategies: StrategySet | None = None
        if isinstance(policy, StrategyBookPolicy):
            expected, unit = self._dealer.holdings.expected, self._dealer.unit
            self._strategies = StrategySet(policy, self._clock, expected, unit, known.strategies)
        else:
            unit, expected = self._dealer.unit, self._dealer.holdings.expected
            self._sizer = TargetSizer(policy, self._clock, unit, expected)
        self._watch = SignalWatch(policy.name, self._watched(), known.good)
        order_ns = policy.order.valid_trading_ns
        self._hedge_watch = HedgeWatch(policy.name, order_ns, self._clock, known.hedge_watch)
        self._reads = dict.fromkeys((*self._watched(), "vix", "rv", "regime", "vix_smooth"))
        self._bank = TriggerBank(policy.name, self._conditions(), self._clock, known.runs)
        self._now = known.now_ns
        self._index = known.index
        self._standing = known.standing
        self._observed = known.observed
        self._request = known.request
        self._fast_level = known.fast_level
        self._cooldown_until_ns = known.cooldown_until_ns
        self._session = known.session
        self._whipsaws = known.whipsaws
        self._is_stuck = known.is_stuck
        self._trading = known.trading
        self._rolled = known.rolled
        self._given_up = known.given_up
        self._facts = Facts()
        self._facts.moment = self._clock.at(known.now_ns)
        observed_ns = known.now_ns if known.observed is None else known.observed.event_ns
        self._facts.seen = self._clock.at(observed_ns)
        self._facts.exposure = known.exposure
        self._facts.exposures = known.exposures
        self._facts.signals = {} if known.observed is None else known.observed.signals
        self._facts.silent = () if known.observed is None else known.observed.silent
        self._refer_to(known.references)

    @classmethod
    def resume(
        cls,
        policy: BookPolicy,
        calendar: SessionCalendar,
        config_digest: str,
        state: HedgeBookState,
    ) -> "HedgeBook":
        """Go on from a snapshot as if never stopped."""
        return cls(policy, calendar, config_digest, state)

    def snapshot(self) -> HedgeBookState:
        """Return all that `resume` needs."""
        return HedgeBookState(
            now_ns=self._now,
            index=self._index,
            references=self._facts.references,
            standing=self._standing,
            runs=dict(self._bank.runs),
            dealer=self._dealer.snapshot(),
            good=dict(self._watch.good),
            observed=None if self._observed is None else self._excerpt(self._observed),
            exposure=self._facts.exposure,
            exposures=self._facts.exposures,
            request=self._request,
            fast_level=self._fast_level,
            cooldown_until_ns=self._cooldown_until_ns,
            session=self._session,
            whipsaws=self._whipsaws,
            is_stuck=self._is_stuck,
            trading=self._trading,
            strategies={} if self._strategies is None else self._strategies.snapshot(),
            hedge_watch=self._hedge_watch.snapshot(),
            rolled=self._rolled,
            given_up=self._given_up,
        )

    def receive(self, event: HedgerInput) -> tuple[Effect, ...]:
        """Take one event of the signal log."""
        effects: list[Effect] = []
        match event:
            case SignalsObserved():
                effects += self._pass_time(event.event_ns)
                self._index = event.index
                if self._facts.moment.is_open:
                    self._observed = event
                    now = self._facts.moment
                    is_late = event.event_ns < self._now
                    self._facts.seen = self._clock.at(event.event_ns) if is_late else now
                    self._facts.signals = event.signals
                    self._facts.silent = event.silent
                    self._dealer.observe(event.marks, self._facts.moment)
                    self._dealer.ledger.observe(self._facts.read("vix"), self._facts.read("rv"))
            case ExecutionReported():
                self._refresh()
                said, missed = self._dealer.take(event, self._now)
                cooldown_ns = self._policy.triggers.cooldown_trading_ns
                urgent_ns = cooldown_ns if is_standing(event) else RETRY_TRADING_NS
                effects += [*said, *(self._take_back(urgent_ns) if missed else [])]
                effects += self._follow_hedge()
            case RebalanceRequested():
                self._request = event
            case TradingStateSet():
                effects += self._set_trading(event)
            case ExposureMeasured():
                self._measure(event)
            case _:
                assert_never(event)
        effects += self._judge()
        return tuple(effects)

    def roll(self, rolled: Rolled) -> None:
        """Let the symbol of a leg stand for another contract from here on, as in a study.

        Between two sessions: what follows from it is judged at the next opening.
        What is held goes over, and no price of the old contract counts any more: nothing is sized
        or ordered until the new one has printed. To a rule it is worth what the old one was until
        the next decision: the new one was bought by nobody's.
        """
        self._rolled = {**self._rolled, rolled.symbol: rolled.event_ns}
        self._given_up = {**self._given_up, rolled.symbol: rolled.given_up}
        self._dealer.roll(rolled)

    def advance_to(self, now: int) -> tuple[Effect, ...]:
        """Let time pass without news, up to the instant `now` in ns."""
        return (*self._pass_time(now), *self._judge())

    def next_deadline(self) -> int | None:
        """Return when time alone next changes something, in ns; every opening judges afresh."""
        opening = None if self._observed is None else self._clock.opening_after(self._now)
        due_ns, strategies = self._facts.due_ns, self._strategies
        instants = (
            self._dealer.ledger.next_deadline(),
            self._dealer.holdings.next_deadline(),
            self._bank.next_deadline(self._facts.moment, self._cooldown_until_ns),
            opening,
            due_ns if due_ns is not None and due_ns > self._now else None,
            None
            if opening is None or strategies is None
            else strategies.next_deadline(self._facts),
            self._next_roll(),
            self._hedge_watch.next_deadline(self._now),
        )
        return min((each for each in instants if each is not None), default=None)

    def _next_roll(self) -> int | None:
        """Return when an option that is held is first seen to have too few days left, in ns."""
        roll_ns = None if self._sizer is None else self._sizer.ladders.next_roll(self._now)
        return None if roll_ns is None else self._clock.open_at_or_after(roll_ns)

    def position(self, leg: str) -> float:
        """Return what is held of a leg, signed, in its unit."""
        return self._dealer.holdings.position(leg)

    def standing(self) -> BookStanding:
        """Return how it stands now."""
        budget = self._policy.sizing.budget
        return BookStanding(
            held_vega=self._dealer.held_vega(),
            is_off_target=self._hedge_watch.is_off,
            budget_used=None if budget is None else self._dealer.ledger.used / budget.annual,
            open_orders=self._dealer.holdings.open_orders,
            trading=self.may_trade(),
        )

    def may_trade(self) -> TradingState:
        """Return what it may do now; halted also while its own throttles have stopped it."""
        stopped = self._dealer.stopped is not None
        return TradingState.HALTED if stopped else self._trading.of(self._policy.name)

    def _conditions(self) -> tuple[Condition, ...]:
        policy, budget = self._policy, self._policy.sizing.budget
        if self._strategies is not None:
            return strategy_conditions(policy.triggers, self._strategies.names)
        line = None if budget is None else budget.warn_fraction
        rolls = self._sizer is not None and bool(self._sizer.ladders)
        programmes = () if self._sizer is None else self._sizer.conditions
        return conditions_of(policy.triggers, policy.name, line, rolls=rolls, programmes=programmes)

    def _watched(self) -> tuple[str, ...]:
        if self._sizer is None:
            return ()
        triggers, name = self._policy.triggers, self._policy.name
        return (
            "vix_smooth",
            f"drawdown.{name}",
            *(("regime",) if triggers.regime_change else ()),
            *(("index_return",) if triggers.fast is not None else ()),
            *self._sizer.signals,
        )

    def _excerpt(self, observed: SignalsObserved) -> SignalsObserved:
        """Keep what this book reads: the state is written with every batch."""
        signals, marks = observed.signals, observed.marks
        share = self._policy.sizing.nav_share
        symbols = [leg.symbol for leg in self._policy.legs]
        symbols += [] if isinstance(share, UnsetType) else [share.symbol]
        return structs.replace(
            observed,
            signals={name: signals[name] for name in self._reads if name in signals},
            marks={symbol: marks[symbol] for symbol in symbols if symbol in marks},
        )

    # --- time and facts ----------------------------------------------------------------------

    def _pass_time(self, now: int) -> list[Effect]:
        self._now = max(self._now, now)
        self._facts.moment = self._clock.at(self._now)
        return self._dealer.advance_to(self._now)

    def _measure(self, exposure: ExposureMeasured) -> None:
        """Take a measurement: what one unit of each option has of vega, and what strategies see."""
        self._facts.exposure = exposure
        self._facts.exposures += 1
        self._dealer.measured(measured_units(self._policy.legs, exposure))
        if self._strategies is not None and self._facts.moment.is_open:
            self._strategies.measure(self._facts, self._marks())

    def _marks(self) -> Mapping[str, Mark]:
        marks = {} if self._observed is None else self._observed.marks
        if not self._rolled:
            return marks
        return {
            name: mark for name, mark in marks.items() if mark.event_ns > self._rolled.get(name, -1)
        }

    def _refer_to(self, references: References) -> None:
        """Measure moves from here on from `references`; the schedule starts again."""
        self._facts.references = references
        review_ns = references.rebalanced_ns + int(self._policy.triggers.schedule_days * DAY)
        hedged = references.rebalanced_ns > 0
        self._facts.due_ns = self._clock.open_at_or_after(review_ns) if hedged else None

    def _refresh(self) -> None:
        """Bring the facts up to date that are not signals themselves."""
        facts, budget = self._facts, self._policy.sizing.budget
        facts.vix = self._vix()
        facts.requested = self._request is not None
        facts.budget_used = 0.0 if budget is None else self._dealer.ledger.used / budget.annual
        if self._strategies is not None:
            facts.proposals = self._strategies.propose(facts, self._marks())
        if self._sizer is not None:
            hedged = facts.references.rebalanced_ns > 0
            self._weigh(self._sizer)
            marks = self._marks()
            facts.sizable = not hedged and self._sizer.multiplier(facts, marks) is not None
            facts.complete = facts.sizable and self._sizer.is_complete(facts)
            if self._sizer.ladders:
                is_priced = self._sizer.is_priced(facts, marks)
                facts.rolling = self._sizer.ladders.rolling(facts.moment.now_ns, is_priced)

    def _weigh(self, sizer: TargetSizer) -> None:
        """Say what a programme has, and at which stage it is by now (spec 10)."""
        facts = self._facts
        if sizer.weighs_sleeve:
            nav = facts.read(f"nav.{self._policy.name}")
            prices = {leg.name: self._worth(leg.symbol) for leg in self._policy.legs}
            worth, spent = self._dealer.worth(prices), self._dealer.premiums.spent(self._now)
            facts.sleeve = None if nav is None or worth is None else worth / nav
            facts.premium_spent = None if nav is None else spent / nav
        facts.stage = sizer.stage(facts)

    def _worth(self, symbol: str) -> float | None:
        """Return what one unit is worth to a rule, points; `None` without a fresh mark."""
        if symbol in self._given_up:
            return self._given_up[symbol]
        mark = self._marks().get(symbol)
        return fresh_middle(self._policy, self._clock, self._facts.seen, mark)

    def _vix(self) -> float | None:
        """Return the rules' VIX: see the theory of operation on the fast path."""
        smooth = self._facts.read("vix_smooth")
        if smooth is None or self._fast_level is None:
            return smooth
        if smooth >= self._fast_level:
            self._fast_level = None  # the smoothed VIX has caught up
            return smooth
        raw = self._facts.read("vix")
        return None if raw is None else max(smooth, min(self._fast_level, raw))

    def _adopt(self) -> None:
        """Take as reference what was unknown at the last decision and is good now."""
        references, regime = self._facts.references, self._facts.good("regime")
        if not references.rebalanced_ns or (references.vix is not None and references.regime):
            return
        state = references.regime or ("" if regime is None else regime.state)
        vix = self._facts.vix if references.vix is None else references.vix
        self._facts.references = structs.replace(references, vix=vix, regime=state)

    # --- whether it may trade ----------------------------------------------------------------

    def _set_trading(self, change: TradingStateSet) -> list[Effect]:
        """Take a trading state; a person is told once, when what the book may do changes."""
        before = self.may_trade()
        self._trading = self._trading.after(change)
        if is_resumption(change):
            self._dealer.resume()
        after = self.may_trade()
        if after is before:
            return []
        if after is not TradingState.HALTED and self._standing.taken_back:
            self._cooldown_until_ns = min(self._cooldown_until_ns, self._now)
            self._bank.hasten(self._standing.triggers, self._now)
        return [self._trading_alert(change), *self._follow_hedge()]

    def _follow_hedge(self) -> list[AlertRaised]:
        """Look whether the hedge is what it should be, after what may have changed that."""
        halted = self.may_trade() is TradingState.HALTED
        return self._hedge_watch.follow({} if halted else self._dealer.lacks(), self._now)

    def _trading_alert(self, change: TradingStateSet) -> AlertRaised:
        """Say what the book may do now, and who wanted it so and why."""
        governing = self._trading.governing(self._policy.name) or change
        what = _TRADING_ALERTS[governing.state]
        where = f"{governing.authority} {governing.operator}: {governing.reason}"
        return alert(self._policy.name, self._now or change.event_ns, what, where)

    # --- decisions ---------------------------------------------------------------------------

    def _judge(self) -> list[Effect]:
        """Judge every trigger, and decide when one fires; only inside a session."""
        if not self._facts.moment.is_open or self._observed is None:
            return []
        self._session = self._facts.moment.session
        effects: list[Effect] = list(self._watch.look(self._facts))
        self._refresh()
        if self._strategies is not None:
            effects += self._strategies.look(self._policy.name, self._now)
        self._adopt()
        effects += self._bank.judge(self._facts, self._cooldown_until_ns)
        firing = self._bank.firing()
        if firing:
            effects += self._decide(firing)
            self._refresh()
            effects += self._bank.judge(self._facts, self._cooldown_until_ns)
        else:
            self._is_stuck = False
        effects += self._hedge_watch.look(self._now, self._facts.budget_used)
        if effects:
            self._whipsaws += sum(isinstance(effect, WhipsawSuppressed) for effect in effects)
        return effects

    def _decide(self, firing: Sequence[Condition]) -> list[Effect]:
        self._confirm_fast(firing)
        facts, marks = self._facts, self._marks()
        target = self._target(firing[0])
        if target is None:
            return self._say_stuck(firing[0])
        decision = self._stand(firing, target)
        if self._fast_level is not None and facts.vix is not None:
            self._fast_level = min(self._fast_level, facts.vix)
        self._refer_to(self._new_references())
        changed = self._target_changed(decision, target)
        trading = self._trading.of(self._policy.name)
        market = Market(session=facts.moment.session, marks=marks, trading=trading)
        orders, missed = self._dealer.deal(decision, target, market)
        self._cooldown_until_ns = self._after(self._policy.triggers.cooldown_trading_ns)
        settled = self._bank.settle(facts, self._cooldown_until_ns)
        if self._strategies is not None:
            self._strategies.decided()
        cooldown_ns = self._policy.triggers.cooldown_trading_ns
        taken_back = self._take_back(cooldown_ns) if missed else []
        return [changed, *orders, *settled, *taken_back, *self._follow_hedge()]

    def _target(self, condition: Condition) -> Target | None:
        if self._sizer is not None:
            return self._sizer.target(
                self._facts,
                self._marks(),
                held=self._standing.multiplier,
                confirmed_by=condition.name,
                budget=self._budget_room(),
            )
        assert self._strategies is not None  # noqa: S101 - a book has the one or the other
        return self._strategies.target(self._facts, self._marks())

    def _confirm_fast(self, firing: Sequence[Condition]) -> None:
        """Take the level of raw VIX that the fast path confirmed as the rules' VIX (spec 3)."""
        runs = [self._bank.runs[each.name] for each in firing if each.name in FAST]
        levels = [run.lowest for run in runs if isfinite(run.lowest)]
        if levels:
            self._fast_level = max(levels)
            self._facts.vix = self._vix()

    def _say_stuck(self, condition: Condition) -> list[Effect]:
        """Say once that something fires and nothing can be sized; it goes on firing."""
        if self._is_stuck:
            return []
        self._is_stuck = True
        figures = condition.inputs(self._facts)
        return [alert(self._policy.name, self._now, "target_unknown", condition.name, figures)]

    def _budget_room(self) -> BudgetRoom | None:
        sizing, ledger = self._policy.sizing, self._dealer.ledger
        if sizing.budget is None:
            return None
        remaining = max(0.0, sizing.budget.annual - ledger.used)
        return BudgetRoom(remaining, ledger.unit_cost(sizing.base_vega, self._now))

    def _stand(self, firing: Sequence[Condition], target: Target) -> Decision:
        """Let a new decision stand; it answers the operator's request."""
        reason = "; ".join(self._reason(each) for each in firing)
        self._is_stuck = False
        self._given_up = {}
        self._dealer.premiums.settle()
        self._standing = StandingDecision(
            number=self._standing.number + 1,
            triggers=tuple(each.name for each in firing),
            before=self._facts.references,
            request=self._request,
            multiplier=target.rule,
        )
        self._request = None
        return Decision(
            number=self._standing.number,
            event_ns=self._now,
            journal_index=self._index,
            valid_until_ns=self._after(self._policy.order.valid_trading_ns),
            trigger=firing[0].name,
            reason=reason,
            config_digest=self._config_digest,
        )

    def _reason(self, condition: Condition) -> str:
        if condition.name == "operator" and self._request is not None:
            return f"operator {self._request.operator}: {self._request.reason}"
        figures = condition.inputs(self._facts)
        stated = ", ".join(f"{name} {value:.6g}" for name, value in figures.items())
        return f"{condition.name}: {stated}"

    def _target_changed(self, decision: Decision, target: Target) -> TargetChanged:
        return TargetChanged(
            book=self._policy.name,
            event_ns=decision.event_ns,
            decision=decision.number,
            trigger=decision.trigger,
            multiplier=target.multiplier,
            steps=target.steps,
            target_vega=target.vega,
            current_vega=self._dealer.vega(),
            legs=target.legs,
            quality=target.quality,
            reference_vix=self._facts.references.vix,
            budget_used=None if self._policy.sizing.budget is None else self._facts.budget_used,
            at_floor=target.at_floor,
            at_cap=target.at_cap,
            strategies=target.strategies,
        )

    def _take_back(self, urgent_trading_ns: int) -> list[Effect]:
        """Undo the standing decision's references, and arm what fired again (spec 6).

        Args:
            urgent_trading_ns: After that much trading time urgent triggers, which no cooldown
                delays, may fire again: soon when a venue failed us, but what a control of ours
                or of the gateway's blocked is likely to be blocked again.
        """
        standing = self._standing
        self._standing = structs.replace(standing, taken_back=True)
        if self._strategies is not None:
            self._strategies.taken_back()
        self._refer_to(standing.before)
        self._request = self._request or standing.request
        retry_ns = self._after(max(self._policy.triggers.cooldown_trading_ns, RETRY_TRADING_NS))
        urgent_ns = self._after(max(urgent_trading_ns, RETRY_TRADING_NS))
        self._cooldown_until_ns = max(self._cooldown_until_ns, retry_ns)
        return self._bank.rearm(standing.triggers, self._facts, retry_ns, urgent_ns)

    def _new_references(self) -> References:
        facts, regime = self._facts, self._facts.good("regime")
        return References(
            vix=facts.references.vix if facts.vix is None else facts.vix,
            regime=facts.references.regime if regime is None else regime.state,
            rebalanced_ns=self._now,
            stage=facts.references.stage if facts.stage is None else facts.stage,
        )

    def _after(self, trading_ns: int) -> int:
        """Return the instant after so much trading time, or the calendar's last close."""
        instant = self._clock.after_trading(self._now, trading_ns)
        return self._clock.last_close_ns if instant is None else instant


def measured_units(legs: Sequence[LegPolicy], exposure: ExposureMeasured) -> dict[str, float]:
    """Return the measured vega of one contract of each option leg, currency per vol point.

    It supersedes `LegPolicy.vega_per_unit`; what is not finite or not above 0 does not. A point of
    VIX is a vol point, so a call on VIX has its delta for vega, as a VIX future has (spec 2); its
    Black vega is to the volatility of VIX.
    """
    found = {
        leg.name: exposure.greeks.get(f"{_measured_as(leg)}.{leg.symbol}", 0.0)
        for leg in legs
        if leg.instrument in OPTION_INSTRUMENTS
    }
    return {name: vega for name, vega in found.items() if isfinite(vega) and vega > 0}


def _measured_as(leg: LegPolicy) -> str:
    return "unit_delta" if leg.instrument == "vix_call" else "unit_vega"
