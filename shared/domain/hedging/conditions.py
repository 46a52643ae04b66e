"""What each trigger watches (spec section 3): from the facts of one event to `Evidence`.

Every condition has a `name`, a `hold`, whether it is `urgent` (neither the hold's time nor the
book's cooldown delays it), and answers `judge` (cheap, on every event) and `inputs` (the figures
for a person, at transitions only). A condition on a signal that is not good is unknown.

Longer than most: every trigger condition of the specification stands here, each a few lines.
"""

from collections.abc import Mapping, Sequence
from math import inf
from typing import Final, Protocol

from msgspec import Struct

from shared.domain.events import ExposureMeasured
from shared.domain.hedging.session_clock import Moment
from shared.domain.hedging.strategies.outlook import Proposal
from shared.domain.hedging.triggers import Evidence
from shared.domain.instants import DAY, SECOND
from shared.domain.policies import GreekBand, Hold, TriggerPolicy
from shared.domain.signals_observed import Quality, Signal

IMMEDIATE: Final = Hold(trading_ns=0, sessions=1, observations=1)
FAST: Final = frozenset({"fast_vix", "fast_index"})
"""Triggers whose `Evidence.level` is a raw VIX that they confirm."""

UNKNOWN: Final = Evidence(holds=None)
REGIMES: Final = {"low": 0.0, "medium": 1.0, "high": 2.0}


class References(Struct, frozen=True, kw_only=True):
    """What moves are measured from; set by every decision.

    Attributes:
        vix: The VIX of the last decision, vol points; `None` while there was none.
        regime: The regime then; empty while unknown.
        rebalanced_ns: When that was; 0 before the first decision.
        stage: How many levels a staged rule had passed then.
    """

    vix: float | None = None
    regime: str = ""
    rebalanced_ns: int = 0
    stage: int = 0


class Facts:
    """Everything that conditions may look at, at one event; a place to fill, not a value.

    Attributes:
        moment: Now.
        seen: When the last signals were observed, which the age of what prices a rule is told at.
        signals: By name.
        silent: Symbols of the feeds that have missed prints.
        references: See `References`.
        vix: The rules' VIX, vol points: smoothed, or confirmed by the fast path; `None` while
            not good.
        exposure: The last one measured …
        exposures: … and how many there were.
        requested: Whether an operator's request waits.
        sizable: Whether the first hedge can be sized: what the rules need is good …
        complete: … and so is all that the book would like besides.
        budget_used: Fraction of the annual budget.
        due_ns: When the next review is due; `None` before the first decision.
        proposals: What each strategy would do now; one that is blind is not in it.
        rolling: What is held of options too near their expiry, and can be rolled, by leg.
        sleeve: What the options held and ordered are worth, share of NAV; `None` while unknown.
        premium_spent: On them in the last 365 days, share of NAV; `None` while unknown.
        stage: Of a staged rule by now; `None` while unknown, or without one.
    """

    __slots__ = (
        "budget_used",
        "complete",
        "due_ns",
        "exposure",
        "exposures",
        "moment",
        "premium_spent",
        "proposals",
        "references",
        "requested",
        "rolling",
        "seen",
        "signals",
        "silent",
        "sizable",
        "sleeve",
        "stage",
        "vix",
    )

    def __init__(self) -> None:
        self.moment = Moment(0, -1, 0, 0, is_open=False)
        self.seen = self.moment
        self.signals: Mapping[str, Signal] = {}
        self.silent: tuple[str, ...] = ()
        self.references = References()
        self.vix: float | None = None
        self.exposure: ExposureMeasured | None = None
        self.exposures = 0
        self.requested = False
        self.sizable = False
        self.complete = False
        self.budget_used = 0.0
        self.due_ns: int | None = None
        self.proposals: Mapping[str, Proposal] = {}
        self.rolling: Mapping[str, float] = {}
        self.sleeve: float | None = None
        self.premium_spent: float | None = None
        self.stage: int | None = None

    def good(self, name: str) -> Signal | None:
        """Return the signal when a rule may act on it."""
        signal = self.signals.get(name)
        return signal if signal is not None and signal.quality is Quality.GOOD else None

    def printed(self, name: str) -> Signal | None:
        """Return the good signal when it is from this session: what printed before is no news."""
        signal = self.good(name)
        return signal if signal and signal.event_ns >= self.moment.opened_ns else None

    def read(self, name: str) -> float | None:
        """Return the signal's value when a rule may act on it."""
        signal = self.good(name)
        return None if signal is None else signal.value


class Condition(Protocol):
    """One trigger's condition."""

    @property
    def name(self) -> str:
        """The trigger's name."""

    @property
    def hold(self) -> Hold:
        """Its persistence."""

    @property
    def urgent(self) -> bool:
        """Whether the book's cooldown does not delay it."""

    def judge(self, facts: Facts) -> Evidence:
        """Look at the facts."""

    def inputs(self, facts: Facts) -> dict[str, float]:
        """Return the figures it was judged on."""


class VixMove(Struct, frozen=True, kw_only=True):
    """|VIX − reference| beyond a limit, in points or relative to the reference; not at it."""

    name: str
    limit: float
    relative: bool
    margin: float
    hold: Hold
    urgent: bool = False

    def judge(self, facts: Facts) -> Evidence:
        """Measure the move from the reference."""
        reference, vix = facts.references.vix, facts.vix
        if vix is None or reference is None:
            return Evidence(None, reference=reference)
        size = abs(vix - reference)
        limit = self.limit * reference if self.relative else self.limit
        observation = facts.signals["vix_smooth"].observations
        clear = size < limit * (1 - self.margin)
        return Evidence(size > limit, clear, observation, reference, size)

    def inputs(self, facts: Facts) -> dict[str, float]:
        """Return VIX and its reference, where known."""
        return _known(vix=facts.vix, reference_vix=facts.references.vix, limit=self.limit)


class FastVix(Struct, frozen=True, kw_only=True):
    """Raw VIX far above the reference: only k prints confirm it (spec 3, fast path)."""

    points: float
    margin: float
    hold: Hold
    name: str = "fast_vix"
    urgent: bool = True

    def judge(self, facts: Facts) -> Evidence:
        """Measure the raw move up from the reference."""
        reference, signal = facts.references.vix, facts.printed("vix")
        if signal is None or signal.value is None or reference is None:
            return Evidence(None, reference=reference)
        size = signal.value - reference
        clear = size < self.points * (1 - self.margin)
        return Evidence(
            size >= self.points, clear, signal.observations, reference, size, signal.value
        )

    def inputs(self, facts: Facts) -> dict[str, float]:
        """Return raw VIX and its reference, where known."""
        return _known(vix=facts.read("vix"), reference_vix=facts.references.vix, limit=self.points)


class FastIndex(Struct, frozen=True, kw_only=True):
    """The index far below its previous session's close; each session has its own reference."""

    fall: float
    margin: float
    hold: Hold
    name: str = "fast_index"
    urgent: bool = True

    def judge(self, facts: Facts) -> Evidence:
        """Look at the index's return since the previous session's close."""
        session, signal = float(facts.moment.session), facts.printed("index_return")
        if signal is None or signal.value is None:
            return Evidence(None, reference=session)
        clear = signal.value > self.fall * (1 - self.margin)
        vix = facts.read("vix") or inf
        return Evidence(
            signal.value <= self.fall, clear, signal.observations, session, -signal.value, vix
        )

    def inputs(self, facts: Facts) -> dict[str, float]:
        """Return the index's return, where known."""
        return _known(index_return=facts.read("index_return"), limit=self.fall)


class DrawdownBreach(Struct, frozen=True, kw_only=True):
    """Drawdown beyond a limit; once, until it has recovered by the margin."""

    signal: str
    limit: float
    margin: float
    hold: Hold
    name: str = "drawdown"
    urgent: bool = False

    def judge(self, facts: Facts) -> Evidence:
        """Compare the drawdown with its limit."""
        signal = facts.good(self.signal)
        if signal is None or signal.value is None:
            return UNKNOWN
        size = -signal.value
        clear = size < self.limit * (1 - self.margin)
        return Evidence(size > self.limit, clear, signal.observations, None, size)

    def inputs(self, facts: Facts) -> dict[str, float]:
        """Return the drawdown, where known."""
        return _known(drawdown=facts.read(self.signal), limit=-self.limit)


class RegimeChange(Struct, frozen=True, kw_only=True):
    """Another regime than at the last decision.

    No further hold: the signal itself needs hysteresis and persistence to change (spec 1).
    """

    name: str = "regime"
    hold: Hold = IMMEDIATE
    urgent: bool = False

    def judge(self, facts: Facts) -> Evidence:
        """Compare the regime with that of the last decision."""
        reference = REGIMES.get(facts.references.regime)
        signal = facts.good("regime")
        if signal is None or reference is None:
            return Evidence(None, reference=reference)
        changed = signal.state != facts.references.regime
        return Evidence(changed, not changed, signal.observations, reference)

    def inputs(self, facts: Facts) -> dict[str, float]:
        """Return both regimes as numbers: low 0, medium 1, high 2."""
        signal = facts.good("regime")
        return _known(
            regime=None if signal is None else REGIMES.get(signal.state),
            reference_regime=REGIMES.get(facts.references.regime),
        )


class GreekOutside(Struct, frozen=True, kw_only=True):
    """A Greek outside its band; the margin is a fraction of the band's width."""

    band: GreekBand
    margin: float
    hold: Hold
    urgent: bool = False

    @property
    def name(self) -> str:
        """The Greek's own trigger."""
        return f"greek.{self.band.greek}"

    def judge(self, facts: Facts) -> Evidence:
        """Compare the last measured Greek with its band."""
        value = self._value(facts)
        if value is None:
            return UNKNOWN
        outside = max(self.band.low - value, value - self.band.high)
        clear = outside < -self.margin * (self.band.high - self.band.low)
        return Evidence(outside > 0, clear, facts.exposures, None, outside)

    def inputs(self, facts: Facts) -> dict[str, float]:
        """Return the Greek and its band."""
        return _known(value=self._value(facts), low=self.band.low, high=self.band.high)

    def _value(self, facts: Facts) -> float | None:
        return None if facts.exposure is None else facts.exposure.greeks.get(self.band.greek)


class StrategyDue(Struct, frozen=True, kw_only=True):
    """A strategy is beyond its bounds, and an order can bring it back.

    False as soon as it is at its edge: that is where it is traded to, so no margin beyond.
    """

    strategy: str
    hold: Hold
    urgent: bool = False

    @property
    def name(self) -> str:
        """The strategy's own trigger."""
        return f"band.{self.strategy}"

    def judge(self, facts: Facts) -> Evidence:
        """Look at what the strategy proposes; a measurement is an observation."""
        proposal = facts.proposals.get(self.strategy)
        if proposal is None:
            return UNKNOWN
        breach = proposal.breach
        return Evidence(breach > 0, not breach > 0, facts.exposures, None, breach)

    def inputs(self, facts: Facts) -> dict[str, float]:
        """Return what the strategy looks at."""
        proposal = facts.proposals.get(self.strategy)
        return {} if proposal is None else dict(proposal.figures)


class RollDue(Struct, frozen=True, kw_only=True):
    """An option that is held has too few days left, and the next of its ladder has a price."""

    name: str = "roll"
    hold: Hold = IMMEDIATE
    urgent: bool = False

    def judge(self, facts: Facts) -> Evidence:
        """Look whether anything is to be rolled."""
        return Evidence(bool(facts.rolling), not facts.rolling, size=len(facts.rolling))

    def inputs(self, facts: Facts) -> dict[str, float]:
        """Return what is to be rolled, by leg."""
        return dict(facts.rolling)


class BudgetLine(Struct, frozen=True, kw_only=True):
    """More of the annual budget used than its line."""

    line: float
    margin: float
    name: str = "budget"
    hold: Hold = IMMEDIATE
    urgent: bool = False

    def judge(self, facts: Facts) -> Evidence:
        """Compare the fraction used with the line."""
        used = facts.budget_used
        return Evidence(used > self.line, used < self.line * (1 - self.margin), size=used)

    def inputs(self, facts: Facts) -> dict[str, float]:
        """Return the fraction used and the line."""
        return {"used": facts.budget_used, "limit": self.line}


class ReviewDue(Struct, frozen=True, kw_only=True):
    """The schedule: days since the last rebalance; on a closed day, the next opening."""

    days: float
    name: str = "schedule"
    hold: Hold = IMMEDIATE
    urgent: bool = False

    def judge(self, facts: Facts) -> Evidence:
        """Compare now with the due instant."""
        due = facts.due_ns is not None and facts.moment.now_ns >= facts.due_ns
        return Evidence(due, not due, reference=facts.references.rebalanced_ns / SECOND)

    def inputs(self, facts: Facts) -> dict[str, float]:
        """Return how long ago it was, and the limit, in days."""
        elapsed_ns = facts.moment.now_ns - facts.references.rebalanced_ns
        return {"elapsed_days": elapsed_ns / DAY, "limit_days": self.days}


class OperatorAsked(Struct, frozen=True, kw_only=True):
    """An operator's request waits: immediate, whatever the cooldown."""

    name: str = "operator"
    hold: Hold = IMMEDIATE
    urgent: bool = True

    def judge(self, facts: Facts) -> Evidence:
        """Look whether a request waits."""
        return Evidence(facts.requested, not facts.requested)

    def inputs(self, facts: Facts) -> dict[str, float]:
        """Return whether a request waits."""
        return {"requested": float(facts.requested)}


class NeverHedged(Struct, frozen=True, kw_only=True):
    """No decision stands yet, and the first one can be made.

    At once when everything is good. What the book would merely like, the cost of its budget or the
    curve, may take weeks to warm or never come, and minimum protection goes before both (spec 2):
    `initial_incomplete` waits for it no longer than a hold, and the next review makes use of it.
    """

    name: str = "initial"
    hold: Hold = IMMEDIATE
    complete: bool = True
    urgent: bool = False

    def judge(self, facts: Facts) -> Evidence:
        """Look whether the first hedge can be sized; once a session is an observation."""
        found = facts.sizable and facts.complete is self.complete
        return Evidence(found or None, not found, facts.moment.session)  # its end is no whipsaw

    def inputs(self, facts: Facts) -> dict[str, float]:
        """Return VIX, where known."""
        return _known(vix=facts.vix)


def conditions_of(
    policy: TriggerPolicy,
    book: str,
    budget_line: float | None,
    *,
    rolls: bool = False,
    programmes: Sequence[Condition] = (),
) -> tuple[Condition, ...]:
    """Return a book's conditions, the most telling first: it names the decision.

    Args:
        policy: The numbers.
        book: Whose drawdown is meant.
        budget_line: Fraction of the annual budget; `None` without a budget.
        rolls: Whether it holds options that are rolled before they expire.
        programmes: What its rules ask for of their own.
    """
    margin, hold = policy.hysteresis, policy.hold
    patience = Hold(trading_ns=hold.trading_ns, sessions=hold.sessions, observations=1)
    found: list[Condition] = [
        OperatorAsked(),
        NeverHedged(),
        NeverHedged(name="initial_incomplete", complete=False, hold=patience),
    ]
    if policy.fast is not None:
        fast, confirmed = policy.fast, Hold(trading_ns=0, observations=policy.fast.observations)
        found += [
            FastVix(points=fast.vix_points, margin=margin, hold=confirmed),
            FastIndex(fall=fast.index_return, margin=margin, hold=confirmed),
        ]
    found += [
        VixMove(name="vix_move", limit=policy.vix_points, relative=False, margin=margin, hold=hold),
        VixMove(
            name="vix_relative", limit=policy.vix_relative, relative=True, margin=margin, hold=hold
        ),
        DrawdownBreach(signal=f"drawdown.{book}", limit=policy.drawdown, margin=margin, hold=hold),
        *([RegimeChange()] if policy.regime_change else []),
        *(GreekOutside(band=band, margin=margin, hold=hold) for band in policy.greek_bands),
        *([] if budget_line is None else [BudgetLine(line=budget_line, margin=margin)]),
        *programmes,
        *([RollDue()] if rolls else []),
        ReviewDue(days=policy.schedule_days),
    ]
    return tuple(found)


def strategy_conditions(policy: TriggerPolicy, strategies: Sequence[str]) -> tuple[Condition, ...]:
    """Return the conditions of a book whose targets come from strategies."""
    margin, hold = policy.hysteresis, policy.hold
    return (
        OperatorAsked(),
        *(StrategyDue(strategy=name, hold=hold) for name in strategies),
        *(GreekOutside(band=band, margin=margin, hold=hold) for band in policy.greek_bands),
        ReviewDue(days=policy.schedule_days),
    )


def _known(**figures: float | None) -> dict[str, float]:
    return {name: value for name, value in figures.items() if value is not None}
