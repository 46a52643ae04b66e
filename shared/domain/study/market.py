"""Recorded ticks as the hedger would have seen them: intake and signals, no store, no broker.

Every variant of a study that shares its signals sees the very same snapshots, so they are made
once. Events are numbered as a journal without execution reports would number them.

The edge judges many steps' ticks at once: in a history that runs forwards a clock event between
them changes no verdict. One that runs back is judged step by step.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise
from typing import Final

from msgspec import structs

from shared.domain.accounts.rolled import Rolled
from shared.domain.events import ClockAdvanced, Tick
from shared.domain.intake import Intake, Verdict
from shared.domain.market.signals import SignalMonitor
from shared.domain.policies import BookPolicy, IntakePolicy, SignalPolicy
from shared.domain.sessions import SessionCalendar
from shared.domain.signals_observed import HedgerInput
from shared.domain.study.instruments import InstrumentHistory, study_intake, study_signals
from shared.domain.tick_block import TickBlock

AT_ONCE: Final = 1024
"""Steps that the edge judges at once."""
FEW: Final = 16
"""Up to so many ticks of a step reach the signals one by one, which is then the faster way."""

Step = tuple[Sequence[Tick], ClockAdvanced]


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedStep:
    """One step of a replay: some ticks, then a clock event, and what was observed of them.

    Attributes:
        ticks: Those that were believed, in order.
        clock: The clock event that ends the step.
        observed: What the hedger hears of ticks and clock, in order.
        rolls: Of instruments, right after the clock.
        measured: Greeks of one contract of each option, at the clock.
    """

    ticks: Sequence[Tick]
    clock: ClockAdvanced
    observed: tuple[HedgerInput, ...]
    rolls: tuple[Rolled, ...] = ()
    measured: Mapping[str, float] = field(default_factory=dict)


def signals_read(policy: SignalPolicy, books: Iterable[BookPolicy]) -> SignalPolicy:
    """Return the signals' policy without ρ, a tenth of a pass, when none of the books reads it."""
    if any(book.sizing.scale_by_hedge_correlation for book in books):
        return policy
    portfolios = [structs.replace(each, correlates=False) for each in policy.portfolios]
    return structs.replace(policy, portfolios=tuple(portfolios))


class StudyMarket:
    """Intake and signals over history.

    Args:
        intake: Which ticks are believed.
        signals: Which signals, computed how.
        calendar: When the market is open.
        instruments: What is marked beside what the ticks say; `None`: nothing.

    Attributes:
        accepted: Ticks believed so far …
        refused: … and not.
    """

    def __init__(
        self,
        intake: IntakePolicy,
        signals: SignalPolicy,
        calendar: SessionCalendar,
        instruments: InstrumentHistory | None = None,
    ) -> None:
        if instruments is not None:
            intake = study_intake(intake, instruments)
            signals = study_signals(signals, instruments)
        self._intake = Intake(intake, lossless=False)
        self._monitor = SignalMonitor(signals, calendar)
        self._instruments = instruments
        self._index = 0
        self._clock_ns = 0
        self.accepted = 0
        self.refused = 0

    def take(self, ticks: Sequence[Tick], clock: ClockAdvanced) -> ObservedStep:
        """Take a step's ticks and its clock event; numbers of a feed do not matter here."""
        return next(self.take_all([(ticks, clock)]))

    def take_all(self, steps: Iterable[Step]) -> Iterator[ObservedStep]:
        """Take steps in order, as `take` of each."""
        source = iter(steps)
        while some := [self._joined(*step) for step in islice(source, AT_ONCE)]:
            for (_, clock), ticks in zip(some, self._believed(some), strict=True):
                yield self._observed(ticks, clock)

    def _joined(self, ticks: Sequence[Tick], clock: ClockAdvanced) -> Step:
        if self._instruments is not None:
            ticks = self._instruments.joined(ticks, clock.event_ns)
        return ticks, clock

    def _believed(self, steps: Sequence[Step]) -> Iterator[Sequence[Tick]]:
        """Yield the ticks of each step that the edge believes."""
        clocks_ns = [self._clock_ns, *(clock.event_ns for _, clock in steps)]
        forwards = all(earlier <= later for earlier, later in pairwise(clocks_ns)) and all(
            tick.event_ns >= before_ns
            for (ticks, _), before_ns in zip(steps, clocks_ns, strict=False)
            for tick in ticks
        )
        self._clock_ns = clocks_ns[-1]
        for some in [steps] if forwards else [[step] for step in steps]:
            yield from self._judged(some)

    def _judged(self, steps: Sequence[Step]) -> Iterator[Sequence[Tick]]:
        everything = [structs.replace(tick, sequence=None) for ticks, _ in steps for tick in ticks]
        screened = self._intake.receive_block(TickBlock.of(everything), None)
        self._intake.receive_clock(ClockAdvanced(event_ns=steps[-1][1].event_ns))
        verdicts = iter((screened.verdicts == Verdict.ACCEPTED).tolist())
        for ticks, _ in steps:
            believed = [tick for tick, good in zip(ticks, verdicts, strict=False) if good]
            self.accepted += len(believed)
            self.refused += len(ticks) - len(believed)
            yield believed

    def _observed(self, ticks: Sequence[Tick], clock: ClockAdvanced) -> ObservedStep:
        observed: list[HedgerInput] = []
        if len(ticks) > FEW:
            observed = self._monitor.receive_block(TickBlock.of(ticks), self._index)
        else:
            for number, tick in enumerate(ticks, start=self._index):
                observed += self._monitor.receive(tick, number)
        self._index += len(ticks)
        observed += self._monitor.receive(clock, self._index)
        self._index += 1
        marked, clock_ns = self._instruments, clock.event_ns
        return ObservedStep(
            ticks=ticks,
            clock=clock,
            observed=tuple(observed),
            rolls=() if marked is None else marked.rolls.get(clock_ns, ()),
            measured={} if marked is None else marked.measured.get(clock_ns, {}),
        )
