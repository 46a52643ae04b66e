"""All triggers of one book: conditions meet their machines, transitions become effects."""

from collections.abc import Mapping, Sequence

from msgspec import structs

from shared.domain.effects import Effect, TriggerChanged, TriggerState, WhipsawSuppressed
from shared.domain.hedging.conditions import Condition, Facts
from shared.domain.hedging.session_clock import Moment, SessionClock
from shared.domain.hedging.triggers import (
    Evidence,
    TriggerRun,
    deadline,
    decided,
    is_whipsaw,
    rearmed,
    step,
    with_peak,
)


class TriggerBank:
    """A book's triggers.

    Args:
        book: Whose.
        conditions: The most telling first.
        clock: The exchange's sessions.
        runs: Where to go on from, by trigger; a trigger not in it is inactive.
    """

    def __init__(
        self,
        book: str,
        conditions: Sequence[Condition],
        clock: SessionClock,
        runs: Mapping[str, TriggerRun],
    ) -> None:
        self._book = book
        self._conditions = conditions
        self._clock = clock
        self._machines = [(each, each.name, each.hold, each.urgent) for each in conditions]
        self.runs: dict[str, TriggerRun] = {
            each.name: runs.get(each.name, TriggerRun()) for each in conditions
        }
        """The state, by trigger."""

    def judge(self, facts: Facts, blocked_until_ns: int) -> list[Effect]:
        """Judge every condition at this event, inside a session.

        Args:
            facts: What is known now.
            blocked_until_ns: The book's cooldown; urgent triggers do not wait for it.
        """
        effects: list[Effect] = []
        runs = self.runs
        for condition, name, hold, urgent in self._machines:
            run, evidence = runs[name], condition.judge(facts)
            if not evidence.holds and run.state == "inactive":
                continue
            blocked = 0 if urgent else blocked_until_ns
            while (after := step(run, evidence, facts.moment, hold, blocked)) is not run:
                effects += self._transition(condition, run, after, evidence, facts)
                run = after
            if run.state == "pending" and evidence.size > run.peak_size:
                run = with_peak(run, evidence, condition.inputs(facts))
            runs[name] = run
        return effects

    def firing(self) -> list[Condition]:
        """Return what fires, the most telling first."""
        runs = self.runs
        return [each for each, name, _, _ in self._machines if runs[name].state == "firing"]

    def settle(self, facts: Facts, until_ns: int) -> list[Effect]:
        """Let everything that fires rest: a decision was made.

        Args:
            facts: What it was made on.
            until_ns: End of the cooldown; an urgent trigger rests only until it is re-armed.
        """
        effects: list[Effect] = []
        for condition in self.firing():
            until = facts.moment.now_ns if condition.urgent else until_ns
            after = decided(self.runs[condition.name], facts.moment, until)
            effects.append(self._changed(condition, after, facts, "firing", "a decision was made"))
            self.runs[condition.name] = after
        return effects

    def rearm(
        self, names: Sequence[str], facts: Facts, until_ns: int, urgent_ns: int
    ) -> list[Effect]:
        """Arm triggers again: an order of theirs failed (spec 6).

        Args:
            names: Which.
            facts: What is known now.
            until_ns: From when on they may fire …
            urgent_ns: … and from when on the urgent ones.
        """
        effects: list[Effect] = []
        for condition in self._conditions:
            if condition.name in names:
                before = self.runs[condition.name]
                until = urgent_ns if condition.urgent else until_ns
                after = rearmed(before, facts.moment, until)
                reason = "re-armed: the target was missed"
                effects.append(self._changed(condition, after, facts, before.state, reason))
                self.runs[condition.name] = after
        return effects

    def hasten(self, names: Sequence[str], now_ns: int) -> None:
        """Let armed triggers go on at `now_ns`: what their decision failed for is over."""
        for name in names:
            run = self.runs.get(name)
            if run is not None and run.state == "cooldown" and run.armed:
                self.runs[name] = structs.replace(run, until_ns=min(run.until_ns, now_ns))

    def next_deadline(self, moment: Moment, blocked_until_ns: int) -> int | None:
        """Return when a hold or a cooldown next ends; one that ended while closed waits to open."""
        instants = []
        for _, name, hold, urgent in self._machines:
            blocked = 0 if urgent else blocked_until_ns
            instant = deadline(self.runs[name], hold, self._clock, blocked)
            if instant is not None and instant > moment.now_ns:
                instants.append(instant)
        return min(instants, default=None)

    def _transition(
        self,
        condition: Condition,
        before: TriggerRun,
        after: TriggerRun,
        evidence: Evidence,
        facts: Facts,
    ) -> list[Effect]:
        if before.state == after.state:
            return []
        if before.state == "pending" and after.state == "inactive" and is_whipsaw(before, evidence):
            reason = f"whipsaw: broke after {before.observations} observations"
            return [
                self._whipsaw(condition, before, facts),
                self._changed(condition, after, facts, before.state, reason),
            ]
        reason = _REASONS[before.state, after.state]
        return [self._changed(condition, after, facts, before.state, reason)]

    def _whipsaw(self, condition: Condition, run: TriggerRun, facts: Facts) -> WhipsawSuppressed:
        return WhipsawSuppressed(
            book=self._book,
            trigger=condition.name,
            since_ns=run.since_ns,
            event_ns=facts.moment.now_ns,
            observations=run.observations,
            peak=run.peak,
        )

    def _changed(
        self,
        condition: Condition,
        after: TriggerRun,
        facts: Facts,
        previous: TriggerState,
        reason: str,
    ) -> TriggerChanged:
        return TriggerChanged(
            book=self._book,
            event_ns=facts.moment.now_ns,
            trigger=condition.name,
            state=after.state,
            previous=previous,
            since_ns=after.since_ns,
            observations=after.observations,
            sessions=after.sessions,
            inputs=condition.inputs(facts),
            reference=condition.judge(facts).reference,
            reason=reason,
        )


_REASONS = {
    ("inactive", "pending"): "the condition holds",
    ("pending", "firing"): "the hold is complete",
    ("pending", "inactive"): "unknown, or measured from a new reference",
    ("firing", "inactive"): "over before the target could be sized",
    ("cooldown", "inactive"): "the cooldown is over, and re-armed",
}
