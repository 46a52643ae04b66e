"""The trigger machine: when a condition that holds becomes a decision (spec section 3).

Theory of operation. A condition (`conditions` beside this) is judged on every event inside a
session; what it found is `Evidence`. One machine a trigger turns evidence into states, in
Prometheus's words. The condition must hold without a break for a trading time *and* a number of
sessions *and* a number of distinct observations: prints of the symbol that drives it, never mere
clock events; but a clock event may complete the time. What breaks before was a whipsaw: nothing
is sent, and it is counted. Having fired, a trigger rests until its cooldown is over *and* its
condition has been false by a margin, or has a new reference to be measured from: a condition that
stays true fires once. All time is event time, and outside a session nothing moves.

| state    | evidence                                            | next     |
| -------- | --------------------------------------------------- | -------- |
| inactive | holds                                               | pending  |
| pending  | no longer holds: a whipsaw                          | inactive |
| pending  | unknown, or measured from a new reference           | inactive |
| pending  | hold complete, and no cooldown blocks the book      | firing   |
| firing   | no longer holds, or unknown                         | inactive |
| firing   | a decision was made (`decided`)                     | cooldown |
| cooldown | time over, and re-armed                             | inactive |
| cooldown | an order of the decision failed (`rearmed`)         | cooldown |

Nothing in this file knows what a condition is about, or what a decision does.
"""

from msgspec import Struct, structs

from shared.domain.effects import TriggerState
from shared.domain.hedging.session_clock import Moment, SessionClock
from shared.domain.policies import Hold


class Evidence(Struct, frozen=True, gc=False):
    """What a condition found at one event.

    Attributes:
        holds: Whether it is true; `None` while what it reads is not good.
        clear: Whether it is false by its margin (hysteresis).
        observation: Number of the driving print, to tell a new one from an old one.
        reference: What it is measured from; another value re-arms.
        size: How extreme it is, to find the peak of a run.
        level: A level that every observation of a run confirms at least; its minimum is kept.
    """

    holds: bool | None
    clear: bool = False
    observation: int = 0
    reference: float | None = None
    size: float = 0.0
    level: float = 0.0


class TriggerRun(Struct, frozen=True, kw_only=True, array_like=True):
    """One trigger's state.

    Attributes:
        state: See the table.
        since_ns: Since when the condition has held, else when the state began.
        since_trading_ns: The same in trading time.
        observations: Distinct observations that found it true.
        last_observation: The last of them.
        sessions: Distinct sessions in which one did.
        last_session: The last of them.
        reference: What the run is, or was, measured from.
        lowest: Least `Evidence.level` of the run.
        peak: The condition's inputs at the run's most extreme event …
        peak_size: … and how extreme that was.
        until_ns: End of the cooldown.
        armed: Whether it may fire again once the cooldown is over.
    """

    state: TriggerState = "inactive"
    since_ns: int = 0
    since_trading_ns: int = 0
    observations: int = 0
    last_observation: int = 0
    sessions: int = 0
    last_session: int = 0
    reference: float | None = None
    lowest: float = 0.0
    peak: dict[str, float] = {}
    peak_size: float = 0.0
    until_ns: int = 0
    armed: bool = True


def step(
    run: TriggerRun, evidence: Evidence, moment: Moment, hold: Hold, blocked_until_ns: int
) -> TriggerRun:
    """Make at most one transition, or count one observation; the same object when nothing moved.

    Args:
        run: The state before.
        evidence: What the condition found now.
        moment: Now; in a session.
        hold: The trigger's persistence.
        blocked_until_ns: The book's cooldown: nothing begins to fire before.
    """
    match run.state:
        case "inactive":
            return _begin(evidence, moment) if evidence.holds else run
        case "pending":
            return _persist(run, evidence, moment, hold, blocked_until_ns)
        case "firing":
            return run if evidence.holds else _rest(moment)
        case _:  # cooldown
            return _cool(run, evidence, moment)


def is_whipsaw(before: TriggerRun, evidence: Evidence) -> bool:
    """Whether a pending run has just broken because its condition turned false."""
    same = evidence.reference == before.reference
    return before.state == "pending" and same and evidence.holds is False


def with_peak(run: TriggerRun, evidence: Evidence, inputs: dict[str, float]) -> TriggerRun:
    """Remember the inputs of the run's most extreme event."""
    return structs.replace(run, peak=inputs, peak_size=evidence.size)


def decided(run: TriggerRun, moment: Moment, until_ns: int) -> TriggerRun:
    """Rest after a decision, until `until_ns` at least."""
    return TriggerRun(
        state="cooldown",
        since_ns=moment.now_ns,
        since_trading_ns=moment.trading_ns,
        reference=run.reference,
        until_ns=until_ns,
        armed=False,
    )


def rearmed(run: TriggerRun, moment: Moment, until_ns: int) -> TriggerRun:
    """Make ready to fire again after `until_ns`: an order of its decision failed (spec 6)."""
    return structs.replace(decided(run, moment, until_ns), armed=True)


def deadline(run: TriggerRun, hold: Hold, clock: SessionClock, blocked_until_ns: int) -> int | None:
    """Return the instant, in ns, at which time alone moves this trigger; `None` if it cannot."""
    if run.state == "pending" and _counted(run, hold):
        held_ns = clock.after_trading(run.since_ns, hold.trading_ns)
        return None if held_ns is None else max(held_ns, blocked_until_ns)
    if run.state == "cooldown" and run.armed:
        return run.until_ns
    return None


def _rest(moment: Moment) -> TriggerRun:
    return TriggerRun(since_ns=moment.now_ns, since_trading_ns=moment.trading_ns)


def _begin(evidence: Evidence, moment: Moment) -> TriggerRun:
    return TriggerRun(
        state="pending",
        since_ns=moment.now_ns,
        since_trading_ns=moment.trading_ns,
        observations=1,
        last_observation=evidence.observation,
        sessions=1,
        last_session=moment.session,
        reference=evidence.reference,
        lowest=evidence.level,
        peak_size=float("-inf"),
    )


def _persist(
    run: TriggerRun, evidence: Evidence, moment: Moment, hold: Hold, blocked_until_ns: int
) -> TriggerRun:
    if not evidence.holds or evidence.reference != run.reference:
        return _rest(moment)
    counted = _observe(run, evidence, moment)
    held_ns = moment.trading_ns - counted.since_trading_ns
    complete = _counted(counted, hold) and held_ns >= hold.trading_ns
    if complete and moment.now_ns >= blocked_until_ns:
        return structs.replace(counted, state="firing")
    return counted


def _observe(run: TriggerRun, evidence: Evidence, moment: Moment) -> TriggerRun:
    if evidence.observation == run.last_observation:
        return run
    return structs.replace(
        run,
        observations=run.observations + 1,
        last_observation=evidence.observation,
        sessions=run.sessions + (moment.session != run.last_session),
        last_session=moment.session,
        lowest=min(run.lowest, evidence.level),
    )


def _counted(run: TriggerRun, hold: Hold) -> bool:
    return run.observations >= hold.observations and run.sessions >= hold.sessions


def _cool(run: TriggerRun, evidence: Evidence, moment: Moment) -> TriggerRun:
    armed = run.armed or evidence.clear or evidence.reference != run.reference
    if armed and moment.now_ns >= run.until_ns:
        return _rest(moment)
    return run if armed == run.armed else structs.replace(run, armed=armed)
