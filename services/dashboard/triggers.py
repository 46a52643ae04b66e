"""A book's triggers as the page shows them: state, and how far persistence is."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct, structs

from shared.domain.effects import TriggerChanged, TriggerState
from shared.domain.hedging.conditions import conditions_of, strategy_conditions
from shared.domain.hedging.session_clock import SessionClock
from shared.domain.hedging.triggers import TriggerRun
from shared.domain.instants import SECOND
from shared.domain.policies import BookPolicy, Hold
from shared.domain.strategy_policies import ListedLegPolicy, StrategyBookPolicy
from shared.wire.times import format_instant
from shared.wire.views import TriggerView

_DECIDED: Final = "a decision was made"
"""What the log says when a trigger begins to rest."""
_MOST_DECISIONS: Final = 100
_NO_HOLD: Final = Hold(trading_ns=0, sessions=1, observations=1)


class _Shown(Struct, frozen=True, kw_only=True):
    """What is known of one trigger, and as of when."""

    as_of_ns: int = 0
    state: TriggerState = "inactive"
    since_ns: int = 0
    observations: int = 0
    sessions: int = 0
    reason: str = ""
    inputs: dict[str, float] = {}
    reference: float | None = None


class TriggersPicture:
    """All triggers of a book: those that are configured, and those that were heard of.

    Transitions come from the decision log, with inputs and reason; the counts in between from the
    hedger's own state. Whichever is later counts.

    Args:
        policy: The book.
        clock: The exchange's sessions.
    """

    def __init__(self, policy: BookPolicy, clock: SessionClock) -> None:
        self._clock = clock
        self._holds = holds_of(policy)
        self._shown: dict[str, _Shown] = {name: _Shown() for name in self._holds}
        self._decisions: dict[int, int] = {}
        self._rests: dict[tuple[str, int], int] = {}

    def decided(self, event_ns: int, decision: int) -> None:
        """Take a decision's number, to name what a trigger rests after."""
        self._decisions[event_ns] = decision
        if len(self._decisions) > _MOST_DECISIONS:
            del self._decisions[next(iter(self._decisions))]

    def changed(self, change: TriggerChanged) -> None:
        """Take a transition; while it rests, a trigger shows what it fired for."""
        before = self._shown.get(change.trigger, _Shown())
        rests = change.state == "cooldown" and before.state == "firing"
        self._shown[change.trigger] = _Shown(
            as_of_ns=change.event_ns,
            state=change.state,
            since_ns=change.since_ns,
            observations=change.observations,
            sessions=change.sessions,
            reason=f"fired: {before.reason}" if rests else change.reason,
            inputs=before.inputs if rests else change.inputs,
            reference=before.reference if rests else change.reference,
        )

    def counted(self, runs: Mapping[str, TriggerRun], as_of_ns: int) -> None:
        """Take the machines' own state as of an instant."""
        self._rests = {(name, run.since_ns): run.until_ns for name, run in runs.items()}
        for name, run in runs.items():
            shown = self._shown.get(name, _Shown())
            if as_of_ns >= shown.as_of_ns:
                self._shown[name] = structs.replace(
                    shown,
                    as_of_ns=as_of_ns,
                    state=run.state,
                    since_ns=run.since_ns,
                    observations=run.observations,
                    sessions=run.sessions,
                )

    def in_state(self, state: TriggerState) -> tuple[str, ...]:
        """Return the names of those in a state, the most telling first."""
        return tuple(name for name, shown in self._shown.items() if shown.state == state)

    def views(self, now_ns: int) -> tuple[TriggerView, ...]:
        """Return every trigger as of an instant of the market."""
        return tuple(self._view(name, shown, now_ns) for name, shown in self._shown.items())

    def _view(self, name: str, shown: _Shown, now_ns: int) -> TriggerView:
        hold = self._holds.get(name, _NO_HOLD)
        runs = shown.state in {"pending", "firing"}
        return TriggerView(
            trigger=name,
            state=shown.state,
            since=format_instant(shown.since_ns) if shown.since_ns else None,
            reason=self._resting(name, shown, now_ns)
            if shown.state == "cooldown"
            else shown.reason,
            inputs=shown.inputs,
            reference=shown.reference,
            observations=shown.observations if runs else 0,
            observations_needed=hold.observations if hold.observations > 1 else 0,
            held_s=self._held_s(shown.since_ns, now_ns) if runs else 0.0,
            hold_s=hold.trading_ns / SECOND,
            sessions=shown.sessions if runs else 0,
            sessions_needed=hold.sessions if hold.sessions > 1 else 0,
        )

    def _resting(self, name: str, shown: _Shown, now_ns: int) -> str:
        """Say after which decision a trigger rests, until when, and what it had fired for."""
        decision = self._decisions.get(shown.since_ns)
        end_ns = self._rests.get((name, shown.since_ns), 0)
        after = "a decision" if decision is None else f"decision {decision}"
        rests = f"resting after {after}{_until(end_ns, now_ns)}"
        return rests if shown.reason in {"", _DECIDED} else f"{rests}; {shown.reason}"

    def _held_s(self, since_ns: int, now_ns: int) -> float:
        """Trading time: what a hold is counted in (spec 3)."""
        held_ns = self._clock.at(now_ns).trading_ns - self._clock.at(since_ns).trading_ns
        return max(0.0, held_ns / SECOND)


def holds_of(policy: BookPolicy) -> dict[str, Hold]:
    """Return the persistence of every trigger that a book has, the most telling first."""
    if isinstance(policy, StrategyBookPolicy):
        names = [each.name for each in policy.strategies]
        return {each.name: each.hold for each in strategy_conditions(policy.triggers, names)}
    budget = policy.sizing.budget
    line = None if budget is None else budget.warn_fraction
    rolls = any(isinstance(leg, ListedLegPolicy) and leg.ladder for leg in policy.legs)
    conditions = conditions_of(policy.triggers, policy.name, line, rolls=rolls)
    return {each.name: each.hold for each in conditions}


def _until(end_ns: int, now_ns: int) -> str:
    """Write until when a trigger rests; once its time is over, it waits to be armed again."""
    if not end_ns:
        return ""  # not heard yet
    if end_ns <= now_ns:
        return " until its condition is over"
    end, now = format_instant(end_ns), format_instant(now_ns)
    return f" until {end[11:16] if end[:10] == now[:10] else f'{end[:10]} {end[11:16]}'} UTC"
