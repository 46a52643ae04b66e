"""What the hedger decided, as data in the past tense; the shell carries it out.

Every effect carries its book and the instant of the event that caused it, `event_ns`.
"""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from shared.domain.orders import Order
from shared.domain.signals_observed import Quality

TriggerState = Literal["inactive", "pending", "firing", "cooldown"]
"""Prometheus's words where they fit; see `shared.domain.hedging.triggers` for the table."""


class SizingStep(Struct, frozen=True, kw_only=True):
    """One step of the sizing chain (spec 2).

    Attributes:
        name: `rule`, `persistence`, `equity_share`, `budget`, `floor_and_cap` or `allocation`.
        multiplier: The multiplier after this step.
        note: Why, for a person, with the figures.
        binding: Whether the step changed the multiplier.
    """

    name: str
    multiplier: float
    note: str
    binding: bool


class LegTarget(Struct, frozen=True, kw_only=True):
    """What one leg should hold.

    Attributes:
        leg: The leg's name.
        symbol: Whose mark prices it.
        vega: Target vega notional, currency per vol point.
        quantity: Target position in the leg's unit; `None` when it cannot be sized (no good mark).
        mark: The level it was priced with; `None` when there is none.
        weight: Share of the book's vega after the term structure, before any limit.
    """

    leg: str
    symbol: str
    vega: float
    quantity: float | None
    mark: float | None
    weight: float


class BandChoice(Struct, frozen=True, kw_only=True):
    """What one kind of band would have done so far, at the costs configured (spec 11).

    Attributes:
        kind: `fixed`, `time`, `leland`, `whalley_wilmott` or `zakamouline`.
        half_width: Of its band now, units of the underlying; `None` while refused.
        hedge: Delta of the hedge it would hold.
        trade: What it traded at the last measurement.
        trades: How often it has traded.
        cost: Of all that, currency.
        refusal: Why it has no answer; empty while it has.
    """

    kind: str
    half_width: float | None
    hedge: float
    trade: float
    trades: int
    cost: float
    refusal: str


class StrategyTold(Struct, frozen=True, kw_only=True):
    """What one strategy saw and chose.

    Attributes:
        strategy: Its name.
        band: The kind of band that it takes; empty for one without.
        figures: What it looked at, by name.
        bands: Every kind of band, the one taken among them.
        note: Why nothing could be chosen; empty when it could.
    """

    strategy: str
    band: str = ""
    figures: dict[str, float] = {}
    bands: tuple[BandChoice, ...] = ()
    note: str = ""


class TargetChanged(Struct, frozen=True, kw_only=True, tag="target"):
    """A trigger fired and a new target stands.

    Attributes:
        book: Whose.
        event_ns: When.
        decision: The book's decision number, from 1; orders of this target carry it.
        trigger: What fired.
        multiplier: After the whole chain.
        steps: The sizing chain, in order.
        target_vega: Sum over the legs, currency per vol point.
        current_vega: Position and open orders before this decision, the same unit.
        legs: One a leg, in the policy's order.
        quality: `good`, or the worst quality among the inputs that were asked for but not used.
        reference_vix: The new reference of the move triggers, vol points; `None` while unknown.
        budget_used: Fraction of the annual budget, at least; `None` without a budget.
        at_floor: The multiplier stands at the floor.
        at_cap: The multiplier stands at the cap.
        strategies: What each strategy saw and chose; left out by a book without any.
    """

    book: str
    event_ns: int
    decision: int
    trigger: str
    multiplier: float
    steps: tuple[SizingStep, ...]
    target_vega: float
    current_vega: float
    legs: tuple[LegTarget, ...]
    quality: Quality
    reference_vix: float | None
    budget_used: float | None
    at_floor: bool
    at_cap: bool
    strategies: tuple[StrategyTold, ...] | UnsetType = UNSET


class TriggerChanged(Struct, frozen=True, kw_only=True, tag="trigger"):
    """A trigger changed its state.

    Attributes:
        book: Whose.
        event_ns: When.
        trigger: `operator`, `initial`, `initial_incomplete`, `fast_vix`, `fast_index`,
            `vix_move`, `vix_relative`, `drawdown`, `regime`, `greek.{name}`, `budget`, `stage`,
            `harvest`, `roll`, `band.{strategy}` or `schedule`.
        state: The new state.
        previous: The state before.
        since_ns: Since when the condition has held (pending, firing), else when this state began.
        observations: Distinct observations of the condition since `since_ns`.
        sessions: Distinct sessions of the same.
        inputs: The figures the condition was judged on, by name.
        reference: What they were compared with; `None` when there is none.
        reason: The same for a person.
    """

    book: str
    event_ns: int
    trigger: str
    state: TriggerState
    previous: TriggerState
    since_ns: int
    observations: int
    sessions: int
    inputs: dict[str, float]
    reference: float | None
    reason: str


class WhipsawSuppressed(Struct, frozen=True, kw_only=True, tag="whipsaw"):
    """A condition was pending and broke before its hold was over: nothing is sent (spec 3).

    Attributes:
        book: Whose.
        trigger: Which.
        since_ns: When the run began.
        event_ns: When it broke.
        observations: Distinct observations that had found it true.
        peak: The inputs at the run's most extreme observation.
    """

    book: str
    trigger: str
    since_ns: int
    event_ns: int
    observations: int
    peak: dict[str, float]


class OrderDecided(Struct, frozen=True, kw_only=True, tag="order_decided"):
    """An order is to be sent."""

    order: Order

    @property
    def book(self) -> str:
        """Whose order."""
        return self.order.book

    @property
    def event_ns(self) -> int:
        """When it was decided."""
        return self.order.event_ns


class OrderWithheld(Struct, frozen=True, kw_only=True, tag="order_withheld"):
    """An order was wanted and is not sent: a control blocked it, or the change is too small.

    Attributes:
        book: Whose.
        event_ns: When.
        decision: The decision that wanted it.
        leg: Which leg.
        control: `min_trade`; `halted`, `reducing`: the trading state; `rate`, `repeat`: the book
            is stopped; `mark`: no fresh price; `figures`: one is not finite, or not above 0;
            `agreement`: two statements of the size differ; `duplicate`; or the name of the limit.
        figures: What was compared, by name.
    """

    book: str
    event_ns: int
    decision: int
    leg: str
    control: str
    figures: dict[str, float]


class AlertRaised(Struct, frozen=True, kw_only=True, tag="alert"):
    """A person should know.

    Attributes:
        book: Whose.
        event_ns: When.
        severity: `critical` pages.
        what: A fixed name of the alert, snake_case.
        where: The trigger, leg, signal or order concerned.
        figures: By name.
        runbook: What to do, one sentence.
    """

    book: str
    event_ns: int
    severity: Literal["info", "warning", "critical"]
    what: str
    where: str
    figures: dict[str, float]
    runbook: str


Effect = (
    TargetChanged | TriggerChanged | WhipsawSuppressed | OrderDecided | OrderWithheld | AlertRaised
)
